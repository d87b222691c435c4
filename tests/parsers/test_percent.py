"""Percent-encoding and decoding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.percent import encode_path, encode_query, percent_decode, quote_path
from tests.floods import flood, must_end

if TYPE_CHECKING:
    from collections.abc import Callable

INVALID_BYTES = [
    *range(0x20), *b' "<>\\^`{|}#\x7f', *range(0x80, 0x100)
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", b""),
        (b"plain", b"plain"),
        (b"%41", b"A"),
        (b"%c3%A9", b"\xc3\xa9"),
        (b"%%41", b"%A"),
        (b"%4", b"%4"),
        (b"%", b"%"),
        (b"%zz", b"%zz"),
        (b"%+1", b"%+1"),
        (b"% 1", b"% 1"),
        (b"a%20b%", b"a b%"),
        (b"\xc3%A9", b"\xc3\xa9"),
        (b"%2541", b"%41"),
    ],
)
def test_percent_decode(data: bytes, expected: bytes) -> None:
    assert percent_decode(data) == expected


@given(st.binary() | st.text("%0aAfFgé+ ").map(str.encode))
def test_percent_decode_agrees_with_the_standard_library(data: bytes) -> None:
    assert percent_decode(data) == unquote_to_bytes(data)


@pytest.mark.parametrize("byte", INVALID_BYTES, ids=hex)
def test_invalid_byte_is_escaped(byte: int) -> None:
    data = b"/a%b/%%41" % bytes([byte])
    assert encode_path(data) == f"/a%{byte:02X}/%41"
    assert encode_query(data) == f"/a%{byte:02X}/%41"


@pytest.mark.parametrize("data", [b"/a%20b/%2F%c3%A9;y=1,z", b"/-._~!$&'()*+,;=:@[]", b"", b"//a//b/../."])
def test_valid_path_is_unchanged(data: bytes) -> None:
    assert encode_path(data) == data.decode("ascii")
    assert encode_query(data) == data.decode("ascii")


def test_question_mark_is_escaped_in_a_path_only() -> None:
    assert encode_path(b"/a?b") == "/a%3Fb"
    assert encode_query(b"a?b") == "a?b"


@pytest.mark.parametrize(
    ("data", "expected"), [(b"%", "%25"), (b"%4", "%254"), (b"%zz%41", "%25zz%41"), (b"%%41", "%25%41")]
)
def test_lone_percent_is_escaped(data: bytes, expected: str) -> None:
    assert encode_path(data) == encode_query(data) == expected


@given(st.binary())
def test_encoded_component_is_valid_and_decodes_to_the_same(data: bytes) -> None:
    """RFC 3986 section 3.3, and brackets, which clients do not escape."""
    for encode in (encode_path, encode_query):
        encoded = encode(data)
        assert re.fullmatch(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?\[\]]|%[0-9A-Fa-f]{2})*", encoded)
        assert percent_decode(encoded.encode()) == percent_decode(data)
        assert encode(encoded.encode()) == encoded


@given(st.text())
def test_quoted_path_decodes_to_itself(text: str) -> None:
    quoted = quote_path(text)
    assert percent_decode(quoted.encode("ascii")).decode() == text
    assert encode_path(quoted.encode("ascii")) == quoted


def test_percent_in_a_decoded_path_is_escaped() -> None:
    assert quote_path("/100%/%41") == "/100%25/%2541"


def test_lone_surrogate_decodes_to_replacement_characters() -> None:
    assert percent_decode(quote_path("\ud800").encode()).decode(errors="replace") == "\ufffd" * 3


@must_end
@pytest.mark.parametrize("pattern", [b"%", b"%4", b"%41", b"\xff", b"a", b"% "])
@pytest.mark.parametrize("function", [percent_decode, encode_path, encode_query])
def test_time_is_linear(function: Callable[[bytes], object], pattern: bytes) -> None:
    function(flood(pattern))
