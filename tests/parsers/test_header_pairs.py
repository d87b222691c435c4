"""Headers in the pairs of a scope."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire._parsers.header_pairs import MAX_ENCODED_NAMES, encode_name, header_text, header_values
from asgiwire.datastructures.headers import Headers, scope_headers

pytestmark = pytest.mark.usefixtures("implementation")

PAIRS = [(b"Host", b"a"), (b"x-a", b"1"), (b"host", b"b"), (b"X-A", b"2"), (b"hosts", b"c"), (b"x_a", b"3")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        (b"host", [b"a", b"b"]),
        (b"x-a", [b"1", b"2"]),
        (b"x_a", [b"3"]),
        (b"hosts", [b"c"]),
        (b"missing", []),
        (b"", []),
    ],
)
def test_lookup(name: bytes, values: list[bytes]) -> None:
    assert header_values(PAIRS, name) == values
    assert header_text(PAIRS, name.decode()) == (values[0].decode() if values else None)


def test_pairs_may_be_lists() -> None:
    pairs: Any = [[b"A", b"1"]]
    assert header_values(pairs, b"a") == [b"1"]
    assert header_text(pairs, "a") == "1"


@pytest.mark.parametrize(
    ("value", "text"),
    [(b"", ""), (b" \t", ""), (b"\t a b ", "a b"), (b"\xe9\xa0", "\xe9\xa0"), (b"\0\n", "\0\n")],
    ids=repr,
)
def test_value(value: bytes, text: str) -> None:
    assert header_text([(b"A", value), (b"a", b"2")], "a") == text
    assert header_values([(b"A", value), (b"a", b"2")], b"a") == [value, b"2"]


@pytest.mark.parametrize("headers", [[(b"a", b"1")], ((b"a", b"1"),), []])
def test_sequence_is_returned_unchanged(headers: Any) -> None:
    scope = {"headers": headers}
    assert scope_headers(scope) is headers
    assert scope == {"headers": headers}


@pytest.mark.parametrize("scope", [{}, {"headers": None}])
def test_missing_headers(scope: dict[str, Any]) -> None:
    before = dict(scope)
    assert list(scope_headers(scope)) == []
    assert scope == before


def test_iterator_is_replaced_by_a_list() -> None:
    scope: dict[str, Any] = {"headers": iter([(b"a", b"1")])}
    first = scope_headers(scope)
    assert first == [(b"a", b"1")]
    assert scope_headers(scope) is first is scope["headers"]


@pytest.mark.parametrize("name", ["x-a", "X-A"])
def test_name_that_is_not_bytes_is_not_found(name: str) -> None:
    """Invalid pairs in a hand-built scope do not raise."""
    headers = Headers.from_scope({"type": "http", "headers": [(name, b"1"), (b"x-b", b"2")]})  # type: ignore[list-item]
    assert [headers.get("x-b") for _ in range(10)] == ["2"] * 10


def test_names_are_cached_after_the_cache_was_full() -> None:
    for number in range(MAX_ENCODED_NAMES + 1):
        encode_name(f"x-{number}")
    assert encode_name("X-Late") is encode_name("X-Late")
    assert encode_name("X-Late") == b"x-late"


def test_long_names_are_not_cached() -> None:
    name = "X-" + "a" * 100
    assert encode_name(name) is not encode_name(name)
    assert encode_name(name) == name.lower().encode()
