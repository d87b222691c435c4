"""Received headers."""

from __future__ import annotations

import copy
import pickle
import tracemalloc
from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, MultiMapping

from asgiwire.datastructures.headers import Headers
from asgiwire.datastructures.multi_dicts import MultiMixin
from asgiwire.datastructures.mutable_scope_headers import MutableScopeHeaders
from tests.floods import must_end

MANY = 200_000

RAW = [(b"Host", b"a"), (b"x-a", b"1"), (b"accept", b"*/*"), (b"X-A", b"2"), (b"x-a", b"3")]


@pytest.fixture
def headers() -> Headers:
    return Headers(RAW)


@pytest.mark.parametrize("key", ["x-a", "X-A", "X-a"])
def test_lookup_is_case_insensitive(headers: Headers, key: str) -> None:
    assert headers[key] == headers.get(key) == headers.getone(key) == "1"
    assert headers.getall(key) == ["1", "2", "3"]
    assert key in headers


@pytest.mark.parametrize("key", ["missing", "x_a", "", "日", "é", "x-a "])
def test_missing_header(headers: Headers, key: str) -> None:
    assert key not in headers
    assert headers.get(key) is None
    assert headers.get(key, "d") == headers.getone(key, "d") == headers.getall(key, "d") == "d"
    assert headers.getone(key, None) is headers.getall(key, None) is None
    for lookup in (headers.__getitem__, headers.getone, headers.getall):
        with pytest.raises(KeyError) as caught:
            lookup(key)
        assert caught.value.args == (key,)


@pytest.mark.parametrize("key", [1, None, b"x-a"])
def test_key_of_another_type(headers: Headers, key: object) -> None:
    assert key not in headers


def test_order_and_duplicates(headers: Headers) -> None:
    expected = [("host", "a"), ("x-a", "1"), ("accept", "*/*"), ("x-a", "2"), ("x-a", "3")]
    assert list(headers.multi_items()) == list(headers.items()) == expected
    assert list(headers) == list(headers.keys()) == [name for name, _ in expected]
    assert list(headers.values()) == [value for _, value in expected]
    assert len(headers) == len(headers.items()) == len(headers.keys()) == len(headers.values()) == 5
    assert headers.to_header_list() == [(name.encode(), value.encode()) for name, value in expected]
    assert headers.dict() == headers.to_dict() == {"host": ["a"], "x-a": ["1", "2", "3"], "accept": ["*/*"]}
    assert list(headers.dict()) == ["host", "x-a", "accept"]
    assert dict(headers) == {"host": "a", "x-a": "1", "accept": "*/*"}


def test_views(headers: Headers) -> None:
    assert isinstance(headers.items(), ItemsView)
    assert isinstance(headers.keys(), KeysView)
    assert isinstance(headers.values(), ValuesView)
    assert ("X-A", "3") in headers.items()
    assert ("x-a", "4") not in headers.items()
    assert ("missing", "1") not in headers.items()
    assert "x-a" not in headers.items()
    assert ("x-a",) not in headers.items()
    assert (1, "1") not in headers.items()
    assert "3" in headers.values()
    assert "4" not in headers.values()
    assert "X-A" in headers.keys()  # noqa: SIM118 # the view is under test
    assert headers.keys() & {"host", "b"} == {"host"}
    assert headers.items() & {("host", "a")} == {("host", "a")}


@pytest.mark.parametrize("blanks", [" ", "\t", " \t "], ids=repr)
def test_values_have_no_surrounding_blanks(blanks: str) -> None:
    """RFC 9110 section 5.5. uvicorn with httptools sends the trailing ones."""
    value = f"{blanks}a{blanks}b{blanks}".encode()
    headers = Headers([(b"X-A", value), (b"x-a", value), (b"x-b", blanks.encode())])
    text = f"a{blanks}b"
    assert headers["x-a"] == headers.get("x-a") == headers.getone("x-a") == text
    assert headers.getall("x-a") == [text, text]
    assert headers["x-b"] == ""
    assert list(headers.values()) == [text, text, ""]
    assert list(headers.items()) == list(headers.multi_items()) == [("x-a", text), ("x-a", text), ("x-b", "")]
    assert headers.dict() == headers.to_dict() == {"x-a": [text, text], "x-b": [""]}
    assert headers.to_header_list()[0] == (b"x-a", text.encode())
    assert ("x-a", text) in headers.items()
    assert text in headers.values()
    assert repr(text) in repr(headers)
    assert headers == Headers([(b"x-a", text.encode())] * 2 + [(b"x-b", b"")])


def test_values_are_decoded_as_latin_1() -> None:
    headers = Headers([(b"a", b"caf\xe9"), (b"b", b"\xc3\xa9"), (b"\xe9", b"")])
    assert headers["a"] == "café"
    assert headers["b"] == "Ã©"
    assert headers["é"] == ""


@pytest.mark.parametrize(
    "source",
    [
        RAW,
        tuple(RAW),
        iter(RAW),
        [list(pair) for pair in RAW],
        [(name.decode(), value.decode()) for name, value in RAW],
        [(name, value.decode()) for name, value in RAW],
        CIMultiDict((name.decode(), value.decode()) for name, value in RAW),
        CIMultiDictProxy(CIMultiDict((name.decode(), value.decode()) for name, value in RAW)),
        MultiDict((name.decode(), value.decode()) for name, value in RAW),
        Headers(RAW),
        MutableScopeHeaders({"headers": RAW}),
        {"Host": "a", "x-a": ["1", "2", "3"], "accept": "*/*"},
    ],
    ids=[
        "list", "tuple", "iterator", "lists", "text", "mixed", "cimultidict", "proxy", "multidict",
        "headers", "scope headers", "mapping",
    ],
)  # fmt: skip
def test_built_from(source: Any) -> None:
    headers = Headers(source)
    assert headers == Headers(RAW)
    assert headers.getall("X-A") == ["1", "2", "3"]
    assert headers["host"] == "a"


@pytest.mark.parametrize("source", [None, {}, [], (), CIMultiDict()])
def test_empty(source: Any) -> None:
    headers = Headers(source)
    assert len(headers) == 0
    assert not headers
    assert headers == Headers() == {}
    assert headers.to_header_list() == []


def test_source_is_copied() -> None:
    pairs, multidict = [(b"a", b"1")], CIMultiDict(a="1")
    scope = {"headers": pairs}
    built = Headers(pairs), Headers.from_scope(scope), Headers(multidict), Headers(MutableScopeHeaders(scope))
    pairs.append((b"b", b"2"))
    multidict["b"] = "2"
    for headers in built:
        assert headers == {"a": "1"}


def test_returned_lists_are_copies() -> None:
    headers = Headers(RAW)
    headers.to_header_list().clear()
    headers.dict().clear()
    headers.getall("host").clear()
    assert headers == Headers(RAW)


@pytest.mark.parametrize(
    "source", [{"a": "1\r\nb: 2"}, [("a", "1\n")], {"a b": "1"}, {"a": "日"}, [("a", b"\0")]]
)
def test_invalid_headers_are_rejected(source: Any) -> None:
    with pytest.raises(ValueError, match="header"):
        Headers(source)


def test_received_headers_are_not_validated() -> None:
    headers = Headers([(b"a b", b"\x00")])
    assert headers["a b"] == "\x00"
    assert Headers(headers) == headers


def test_from_scope() -> None:
    assert Headers.from_scope({"type": "http", "headers": RAW}) == Headers(RAW)
    assert (
        Headers.from_scope({"type": "http.response.start", "status": 200, "headers": tuple(RAW)})["host"]
        == "a"
    )


@pytest.mark.parametrize("scope", [{"type": "http"}, {"type": "http", "headers": None}])
def test_from_scope_without_headers(scope: dict[str, Any]) -> None:
    assert len(Headers.from_scope(scope)) == 0


def test_from_scope_with_an_iterator() -> None:
    """ASGI allows any iterable, and all readers of the scope have to see the headers."""
    scope = {"headers": (pair for pair in RAW)}
    assert Headers.from_scope(scope) == Headers.from_scope(scope) == Headers(RAW)


def test_subclass() -> None:
    class Special(Headers):
        pass

    assert type(Special.from_scope({"headers": RAW})) is Special
    assert repr(Special([(b"a", b"1")])) == "<Special('a': '1')>"


def test_copy_is_mutable() -> None:
    headers = Headers(RAW)
    copied = headers.copy()
    assert isinstance(copied, CIMultiDict)
    copied["X-A"] = "4"
    assert copied.getall("x-a") == ["4"]
    assert headers.getall("x-a") == ["1", "2", "3"]


@pytest.mark.parametrize("raw", [RAW, [(b"Host", b"a"), (b"x-a", b"1")]])
def test_repeated_lookups(raw: Any) -> None:
    headers = Headers(raw)
    for _ in range(10):
        assert headers.raw_values(b"host") == [value for name, value in raw if name.lower() == b"host"]
        assert headers.raw_values(b"x-a") == [value for name, value in raw if name.lower() == b"x-a"]
        assert headers.raw_values(b"none") == []


def test_lookup_of_many_names() -> None:
    """Encoded names are cached, and the cache is bounded."""
    names = [f"X-{number}" for number in range(1000)]
    headers = Headers([(name.encode(), name.encode()) for name in names])
    for _ in range(2):
        for name in names:
            assert headers[name] == headers.get(name) == name
            assert headers.getall(name) == [name]


def test_looked_up_names_are_not_leaked() -> None:
    headers = Headers(RAW)
    tracemalloc.start()
    try:
        for number in range(20_000):
            assert headers.get(f"x-{number:050}") is None
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 500_000


@pytest.mark.parametrize("looked_up", [True, False])
@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_copy_and_pickle(duplicate: Any, looked_up: bool) -> None:
    headers = Headers(RAW)
    if looked_up:
        assert headers["host"] == "a"
    other = duplicate(headers)
    assert type(other) is Headers
    assert other == headers
    assert other["host"] == "a"
    assert other.to_header_list() == headers.to_header_list()


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        (Headers([(b"b", b"3"), (b"A", b"1"), (b"a", b"2")]), True),
        (Headers([(b"a", b"2"), (b"a", b"1"), (b"b", b"3")]), False),
        (Headers([(b"a", b"1"), (b"b", b"3")]), False),
        ({"A": ["1", "2"], "b": "3"}, True),
        ({"a": "1", "b": "3"}, False),
        ({"a": None}, False),
        ({1: "1"}, False),
        ({"a": "\r\n"}, False),
        ([("a", "1"), ("a", "2"), ("b", "3")], False),
        (None, False),
    ],
)
def test_equality(other: Any, equal: bool) -> None:
    """RFC 9110 section 5.3: the order is significant only among headers with the same name."""
    headers = Headers([(b"a", b"1"), (b"a", b"2"), (b"b", b"3")])
    assert (headers == other) is equal
    assert (other == headers) is equal
    assert (headers != other) is not equal


def test_equality_with_a_multidict() -> None:
    headers = Headers([(b"a", b"1"), (b"a", b"2")])
    assert headers == CIMultiDict([("A", "1"), ("a", "2")])
    assert headers != CIMultiDict([("A", "2"), ("a", "1")])


def test_types() -> None:
    assert isinstance(Headers(), MultiMapping | Mapping)
    assert isinstance(Headers(), MultiMixin)
    with pytest.raises(TypeError):
        hash(Headers())


def test_immutable(headers: Headers) -> None:
    writable: Any = headers
    with pytest.raises(TypeError):
        writable["a"] = "1"
    with pytest.raises(TypeError):
        del writable["host"]
    assert not hasattr(headers, "add")


def test_repr_masks_credentials() -> None:
    headers = Headers(
        {
            "Host": "a",
            "Authorization": "s3",
            "Proxy-Authorization": "s3",
            "Cookie": "s3",
            "Set-Cookie": ["s3", "s3"],
        }
    )
    assert repr(headers) == (
        "<Headers('host': 'a', 'authorization': '***', 'proxy-authorization': '***', 'cookie': '***', "
        "'set-cookie': '***', 'set-cookie': '***')>"
    )


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param([(b"x", b"1")] * MANY, id="one name, CVE-2025-14550"),
        pytest.param([(b"X-%d" % number, b"1") for number in range(MANY // 5)], id="many names"),
        pytest.param(
            [(b"X-%d" % (number // 2), b"1") for number in range(MANY // 5)], id="many names, sent twice"
        ),
    ],
)
@must_end
def test_time_is_linear(raw: list[tuple[bytes, bytes]]) -> None:
    """In multidict 6, inserting so many equal names takes many minutes."""
    headers = Headers(raw)
    assert headers.get("x-none") is None
    assert len(list(headers.items())) == len(headers.to_header_list()) == len(raw)
    assert sum(map(len, headers.dict().values())) == len(raw)
    assert len(headers.getall("X-1", [])) + len(headers.getall("x", [])) in {1, 2, MANY}
    assert dict(headers) == {name: values[0] for name, values in headers.dict().items()}
    for name, values in headers.dict().items():
        assert (
            headers.getall(name) == values == [value.decode() for value in headers.raw_values(name.encode())]
        )
        assert headers.raw_value(name.encode()) == b"1"
        assert (name, "1") in headers.items()
    assert headers == Headers(raw)


names = st.sampled_from([b"a", b"A", b"b", b"\xe9", b"C-d"])


@given(st.lists(st.tuples(names, st.binary(max_size=3))))
def test_agrees_with_multidict(raw: list[tuple[bytes, bytes]]) -> None:
    headers = Headers(raw)
    raw = [(name, value.strip(b" \t")) for name, value in raw]
    peer = CIMultiDict((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)
    assert len(headers) == len(peer)
    assert headers.to_header_list() == [(name.lower(), value) for name, value in raw]
    assert list(headers.values()) == list(peer.values())
    for key in ("a", "A", "b", "é", "c-D", "none"):
        assert headers.get(key) == peer.get(key)
        assert headers.getall(key, []) == peer.getall(key, [])
        assert (key in headers) is (key in peer)
