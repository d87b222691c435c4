"""Validation and encoding of headers to send."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, MultiDict

from asgiwire._parsers.header_fields import encode_header, encode_headers

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTROLS = [*map(chr, range(0x20)), "\x7f"]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("X-Foo", "bar", (b"x-foo", b"bar"), id="text"),
        pytest.param(b"X-Foo", b"bar", (b"x-foo", b"bar"), id="bytes"),
        pytest.param("x-foo", "café", (b"x-foo", b"caf\xe9"), id="latin-1"),
        pytest.param("x-foo", b"\xff\x80", (b"x-foo", b"\xff\x80"), id="obs-text"),
        pytest.param("x-foo", "", (b"x-foo", b""), id="empty value"),
        pytest.param("x-foo", "a\tb c", (b"x-foo", b"a\tb c"), id="blanks inside"),
        pytest.param("!#$%&'*+-.^_`|~09azAZ", "", (b"!#$%&'*+-.^_`|~09azaz", b""), id="every tchar"),
    ],
)
def test_encode_header(name: str | bytes, value: str | bytes, expected: tuple[bytes, bytes]) -> None:
    assert encode_header(name, value) == expected


def test_surrounding_blanks_are_removed() -> None:
    """RFC 9110 section 5.5: "A field value does not include leading or trailing whitespace"."""
    assert encode_header("x", " \ta b\t ") == (b"x", b"a b")


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a:", ":path", "a\r\nb", "a\0", "é", "a(b)", 'a"', b"\xff", "日"]
)
def test_name_must_be_a_token(name: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"^a header name must be "):
        encode_header(name, "value")


@pytest.mark.parametrize("place", ["{}secret", "sec{}ret", "secret{}"])
@pytest.mark.parametrize("control", sorted({*CONTROLS} - {"\t"}), ids=ascii)
def test_value_must_not_contain_control_characters(control: str, place: str) -> None:
    """RFC 9110 section 5.5: "Field values containing CR, LF, or NUL characters are invalid and dangerous"."""
    for value in (place.format(control), place.format(control).encode()):
        with pytest.raises(
            ValueError, match=r"^the value of header 'x-foo' must not hold CR, LF, NUL"
        ) as caught:
            encode_header("x-foo", value)
        assert "secret" not in str(caught.value)


def test_value_must_be_latin_1() -> None:
    with pytest.raises(
        ValueError, match=r"^the value of header 'x-foo' must be text that ISO-8859-1"
    ) as caught:
        encode_header("x-foo", "secret 日")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (1, "secret", "a header name must be str or bytes, got int"),
        ("x", None, "the value of header 'x' must be str or bytes, got NoneType"),
        ("x", bytearray(b"secret"), "the value of header 'x' must be str or bytes, got bytearray"),
    ],
)
def test_wrong_type(name: Any, value: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        encode_header(name, value)
    assert str(caught.value) == message


class Colour(StrEnum):
    RED = "red"


class JoiningDict(dict[str, str]):
    """A multidict like those of httpx and Starlette: ``items()`` does not return all values."""

    def multi_items(self) -> list[tuple[str, str]]:
        return [("a", "1"), ("a", "2")]


def pairs() -> Iterator[tuple[str, str]]:
    yield "A", "1"
    yield "a", "2"


A1, A2, A3, B0, B1 = (b"a", b"1"), (b"a", b"2"), (b"a", b"3"), (b"b", b"0"), (b"b", b"1")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(None, [], id="none"),
        pytest.param({}, [], id="empty"),
        pytest.param({"A": "1", "b": "0"}, [A1, B0], id="mapping"),
        pytest.param({b"A": b"1"}, [A1], id="mapping of bytes"),
        pytest.param(
            {"a": 1, "b": 2.5, "c": Colour.RED}, [A1, (b"b", b"2.5"), (b"c", b"red")], id="other types"
        ),
        pytest.param({"a": ["1", b"2", 3], "b": ("1",), "c": []}, [A1, A2, A3, B1], id="lists"),
        pytest.param(CIMultiDict([("A", "1"), ("a", "2")]), [A1, A2], id="case-insensitive multidict"),
        pytest.param(MultiDict([("a", "1"), ("b", "0"), ("a", "2")]), [A1, B0, A2], id="multidict"),
        pytest.param(JoiningDict(a="1, 2"), [A1, A2], id="multidict that joins"),
        pytest.param([("A", "1"), (b"a", b"2"), ["b", "1"]], [A1, A2, B1], id="pairs"),
        pytest.param((("A", "1"),), [A1], id="tuple"),
    ],
)
def test_encode_headers(headers: Any, expected: list[tuple[bytes, bytes]]) -> None:
    assert encode_headers(headers) == expected


def test_one_shot_iterator() -> None:
    assert encode_headers(pairs()) == [(b"a", b"1"), (b"a", b"2")]


@pytest.mark.parametrize("headers", [{"a": None}, {"a": ["1", None]}, [("a", None)], [("a", 1)]])
def test_none_is_not_a_value(headers: Any) -> None:
    with pytest.raises(TypeError, match=r"^the value of header 'a' must be str or bytes"):
        encode_headers(headers)


@pytest.mark.parametrize(
    "headers", [{"a": "1\r\nb: 2"}, {"a": ["1", "\n"]}, [("a\r\n", "1")], [(b"a", b"\0")]]
)
def test_every_header_is_validated(headers: Any) -> None:
    with pytest.raises(ValueError, match="header"):
        encode_headers(headers)


@given(st.text(max_size=5) | st.binary(max_size=5), st.text() | st.binary())
def test_encoded_headers_are_valid(name: str | bytes, value: str | bytes) -> None:
    try:
        encoded_name, encoded_value = encode_header(name, value)
    except ValueError:
        return
    assert encoded_name
    assert encoded_name == encoded_name.lower()
    assert not {*encoded_name}.intersection(b' \t\r\n\0:;,"()/<=>?@[\\]{}')
    assert not {*encoded_value}.intersection(b"\r\n\0")
    assert encoded_value == encoded_value.strip()
