"""Mutable headers of a scope or message."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures.headers import Headers
from asgiwire.datastructures.mutable_scope_headers import MutableScopeHeaders

Raw = list[tuple[bytes, bytes]]


@pytest.fixture
def raw() -> Raw:
    return [(b"foo", b"bar")]


@pytest.fixture
def headers(raw: Raw) -> MutableScopeHeaders:
    return MutableScopeHeaders({"headers": raw})


@pytest.fixture
def many() -> MutableScopeHeaders:
    return MutableScopeHeaders({"headers": [
        (b"a", b"1"), (b"X", b"2"), (b"b", b"3"), (b"x", b"4"), (b"c", b"5"), (b"x", b"6"), (b"d", b"7"),
    ]})  # fmt: skip


def test_without_a_scope() -> None:
    headers = MutableScopeHeaders()
    headers.add("A", "1")
    assert headers.headers == [(b"a", b"1")]
    assert MutableScopeHeaders().headers == []


def test_list_in_the_scope_is_modified(headers: MutableScopeHeaders, raw: Raw) -> None:
    assert headers.headers is raw
    headers["foo"] = "1"
    headers.add("foo", "2")
    headers.extend_header_value("foo", "3")
    assert raw == [(b"foo", b"1"), (b"foo", b"2,3")]
    del headers["foo"]
    assert raw == []
    assert headers.headers is raw


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({}, []),
        ({"headers": None}, []),
        ({"headers": ((b"a", b"1"),)}, [(b"a", b"1")]),
        ({"headers": iter([(b"a", b"1")])}, [(b"a", b"1")]),
        ({"headers": {b"a": b"1"}.items()}, [(b"a", b"1")]),
    ],
    ids=["absent", "none", "tuple", "iterator", "view"],
)
def test_other_iterables_are_replaced_by_a_list(scope: dict[str, Any], expected: Raw) -> None:
    headers = MutableScopeHeaders(scope)
    assert scope["headers"] is headers.headers == expected
    headers.add("b", "2")
    assert scope["headers"] == [*expected, (b"b", b"2")]


def test_from_message(raw: Raw) -> None:
    message = {"type": "http.response.start", "status": 200, "headers": raw}
    assert MutableScopeHeaders.from_message(message).headers is raw


def test_from_message_without_headers() -> None:
    with pytest.raises(
        ValueError, match=r"^expected a message with headers, got 'http\.response\.body' without headers$"
    ):
        MutableScopeHeaders.from_message({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("key", ["foo", "Foo"])
def test_add(headers: MutableScopeHeaders, raw: Raw, key: str) -> None:
    headers.add(key, "baz")
    assert raw == [(b"foo", b"bar"), (b"foo", b"baz")]


@pytest.mark.parametrize("key", ["x", "X"])
def test_read(many: MutableScopeHeaders, key: str) -> None:
    assert many[key] == many.get(key) == "2"
    assert many.getall(key) == ["2", "4", "6"]
    assert key in many


def test_read_missing(many: MutableScopeHeaders) -> None:
    assert "y" not in many
    assert 1 not in many
    assert many.get("y") is None
    assert many.getall("y", ["default"]) == ["default"]
    assert many.getall("y", []) == []
    for lookup in (many.getall, many.__getitem__):
        with pytest.raises(KeyError, match=r"^'y'$"):
            lookup("y")


def test_iteration_counts_duplicates(many: MutableScopeHeaders) -> None:
    assert len(many) == 7
    assert list(many) == ["a", "x", "b", "x", "c", "x", "d"]
    assert list(many.values()) == ["1", "2", "3", "4", "5", "6", "7"]
    assert list(many.items()) == list(many.multi_items()) == list(zip(many, many.values(), strict=True))
    assert ("x", "6") in many.items()
    assert "6" in many.values()


def test_set_replaces_all_duplicates(many: MutableScopeHeaders) -> None:
    many["X"] = "new"
    assert many.headers == [(b"a", b"1"), (b"x", b"new"), (b"b", b"3"), (b"c", b"5"), (b"d", b"7")]


def test_set_new(many: MutableScopeHeaders) -> None:
    before = list(many.headers)
    many["Y"] = "8"
    assert many.headers == [*before, (b"y", b"8")]


def test_delete(many: MutableScopeHeaders) -> None:
    del many["X"]
    assert many.headers == [(b"a", b"1"), (b"b", b"3"), (b"c", b"5"), (b"d", b"7")]


def test_delete_missing(headers: MutableScopeHeaders, raw: Raw) -> None:
    del headers["missing"]
    assert raw == [(b"foo", b"bar")]


def test_mapping_methods(many: MutableScopeHeaders) -> None:
    assert many.pop("x") == "2"
    assert "x" not in many
    with pytest.raises(KeyError):
        many.pop("x")
    assert many.setdefault("a", "0") == "1"
    many.update({"a": "9"})
    assert many["a"] == "9"
    many.clear()
    assert many.headers == []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ([], [(b"vary", b"new")]),
        ([(b"a", b"1")], [(b"a", b"1"), (b"vary", b"new")]),
        ([(b"Vary", b"old")], [(b"vary", b"old,new")]),
        ([(b"vary", b"a, b")], [(b"vary", b"a, b,new")]),
        ([(b"vary", b"")], [(b"vary", b"new")]),
        ([(b"vary", b"1"), (b"a", b"1"), (b"vary", b"2"), (b"b", b"1")],
         [(b"vary", b"1"), (b"a", b"1"), (b"vary", b"2,new"), (b"b", b"1")]),
    ],
    ids=["empty", "missing", "one", "list", "no value", "duplicates"],
)  # fmt: skip
def test_extend(raw: Raw, expected: Raw) -> None:
    headers = MutableScopeHeaders({"headers": raw})
    headers.extend_header_value("VARY", "new")
    assert headers.headers == expected


@pytest.mark.parametrize("method", ["add", "extend_header_value", "__setitem__", "setdefault"])
@pytest.mark.parametrize(
    ("key", "value"), [("a", "1\r\nb: 2"), ("b", "1\0"), ("a b", "1"), ("a\r\n", "1"), ("b", "日")]
)
def test_invalid_header_changes_nothing(many: MutableScopeHeaders, method: str, key: str, value: str) -> None:
    before = list(many.headers)
    del many["a"]
    del many["b"]
    shorter = list(many.headers)
    assert shorter != before
    with pytest.raises(ValueError, match="header"):
        getattr(many, method)(key, value)
    assert many.headers == shorter


def test_equality(many: MutableScopeHeaders) -> None:
    assert many == Headers(many.headers)
    assert Headers(many.headers) == many
    assert many == MutableScopeHeaders({"headers": [*many.headers]})
    assert many != MutableScopeHeaders()
    assert many != 1
    padded = MutableScopeHeaders({"headers": [(b"a", b"1 \t")]})
    assert padded == MutableScopeHeaders({"headers": [(b"a", b"1 \t")]})
    with pytest.raises(TypeError):
        hash(many)


def test_copy_and_pickle(many: MutableScopeHeaders) -> None:
    other = pickle.loads(pickle.dumps(many))
    assert other == many == copy.deepcopy(many)
    del other["a"]
    assert "a" in many


def test_repr_masks_credentials() -> None:
    headers = MutableScopeHeaders({"headers": [(b"A", b"1"), (b"Cookie", b"secret")]})
    assert repr(headers) == "<MutableScopeHeaders('a': '1', 'cookie': '***')>"


names = st.sampled_from(["a", "A", "b", "B", "c"])
values = st.text("12", max_size=2)


@pytest.mark.parametrize("method", ["__setitem__", "add", "extend_header_value", "__delitem__"])
@given(pairs=st.lists(st.tuples(names, values)), key=names, value=values)
def test_other_headers_are_unchanged(method: str, pairs: list[tuple[str, str]], key: str, value: str) -> None:
    def others(raw: Raw) -> Raw:
        return [pair for pair in raw if pair[0].lower() != key.lower().encode()]

    raw = [(name.encode(), text.encode()) for name, text in pairs]
    headers = MutableScopeHeaders({"headers": [*raw]})
    getattr(headers, method)(*((key,) if method == "__delitem__" else (key, value)))
    assert others(headers.headers) == others(raw)
