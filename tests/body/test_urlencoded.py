"""Urlencoded forms: limits as the chunks arrive, ``_charset_``, and large values."""

from __future__ import annotations

import tracemalloc
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire import Limits, Request
from asgiwire._parsers.form_fields import (
    BLOCK,
    FieldCounter,
    declared_codec,
    has_large_field,
    parse_fields,
)
from asgiwire._parsers.query import parse_urlencoded
from asgiwire.exceptions import RequestEntityTooLarge, SerializationException
from asgiwire.testing import http_scope
from tests.receives import Live, part, split

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.anyio

URLENCODED = {"content-type": "application/x-www-form-urlencoded"}
UNLIMITED = Limits(max_body_size=None, max_field_size=None, max_fields=None)


def request_for(chunks: Iterable[bytes]) -> Request:
    return Request(
        http_scope("POST", headers=URLENCODED), Live(*map(part, chunks), part(b"", more_body=False))
    )


async def read(chunks: Iterable[bytes], limits: Limits | None = None) -> list[tuple[str, Any]]:
    return list((await request_for(chunks).form(limits=limits)).multi_items())


async def test_form_in_any_chunks() -> None:
    body = b"&a=1&&b=%C3%A9+x&c&=d&e==&"
    expected = [("a", "1"), ("b", "\xe9 x"), ("c", ""), ("", "d"), ("e", "=")]
    limits = Limits(max_fields=5, max_field_size=9)
    for position in range(len(body)):
        assert await read([body[:position], body[position:]], limits) == expected
    assert await read(split(body, 1), limits) == expected
    for beyond in (Limits(max_fields=4), Limits(max_field_size=8)):
        for chunks in ([body], split(body, 1), split(body, 4)):
            with pytest.raises(RequestEntityTooLarge):
                await read(chunks, beyond)


@pytest.mark.parametrize(
    ("chunk", "limit", "messages"),
    [(b"y" * 100, "max_field_size", 11), (b"a=1&", "max_fields", 6), (b"a&b&c&", "max_fields", 2)],
)
async def test_limit_is_noticed_with_the_chunk_that_exceeds_it(
    chunk: bytes, limit: str, messages: int
) -> None:
    live = Live(*([part(chunk)] * 100))
    request = Request(http_scope("POST", headers=URLENCODED), live)
    with pytest.raises(RequestEntityTooLarge, match=limit):
        await request.form(limits=Limits(max_field_size=1000, max_fields=5))
    assert live.given == messages
    with pytest.raises(RequestEntityTooLarge, match=limit):
        await request.body()


async def test_chunks_read_ahead_count() -> None:
    live = Live(part(b"a=1&b=2&c"), part(b"=3&d=4"), part(b"", more_body=False))
    request = Request(http_scope("POST", headers=URLENCODED), live)
    assert not await request.is_disconnected()
    with pytest.raises(RequestEntityTooLarge, match="max_fields=2"):
        await request.form(limits=Limits(max_fields=2))
    assert live.given == 1


async def test_overridden_body_is_parsed() -> None:
    class Decoding(Request):
        async def body(self, *, limits: Limits | None = None) -> bytes:
            return (await super().body(limits=limits)).replace(b"!", b"=1&b=2")

    request = Decoding(
        http_scope("POST", headers=URLENCODED), Live(part(b"a&a&a"), part(b"!", more_body=False))
    )
    form = await request.form(limits=Limits(max_fields=4))
    assert list(form.multi_items()) == [("a", ""), ("a", ""), ("a", "1"), ("b", "2")]


@given(st.lists(st.sampled_from([b"a", b"=", b"&", b"%41", b"+", b"\xff"])).map(b"".join), st.integers(1, 9))
def test_counter_agrees_with_the_parser(body: bytes, size: int) -> None:
    fields = [field for field in body.split(b"&") if field]
    largest = max((len(field) - (b"=" in field) for field in fields), default=0)
    for max_fields, max_field_size, accepted in (
        (len(fields), largest, True),
        (max(len(fields) - 1, 0), None, not fields),
        (None, max(largest - 1, 0), not largest),
    ):
        counter = FieldCounter(max_fields, max_field_size)
        with nullcontext() if accepted else pytest.raises(RequestEntityTooLarge):
            for chunk in [*split(body, size), b""]:
                counter.feed(chunk)
        with nullcontext() if accepted else pytest.raises(RequestEntityTooLarge):
            parse_urlencoded(body, max_fields, max_field_size)
    assert parse_fields(body, None) == parse_urlencoded(body)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([], False),
        ([BLOCK - 1], False),
        ([BLOCK], True),
        ([10] * (BLOCK // 5), False),
        ([10] * 10_000 + [BLOCK - 1] * 2, False),
        ([10] * 10_000 + [BLOCK] + [10], True),
        ([BLOCK - 1, BLOCK - 1, BLOCK + 1], True),
        ([BLOCK // 2, 0, BLOCK // 2, 0], False),
    ],
)
def test_has_large_field(sizes: list[int], expected: bool) -> None:
    assert has_large_field(b"&".join([b"x" * size for size in sizes])) is expected


# --- _charset_ ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("iso-8859-1", "cp1252", "\u20ac\xe9"),
        ("Windows-1251", "cp1251", "\u0436"),
        ("koi8-r", "koi8-r", "\u0416"),
        ("shift_jis", "cp932", "\u65e5\u672c"),
        ("gbk", "gb18030", "\u4e2d"),
        ("utf-16", "utf-8", "\xe9"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
async def test_charset_field_applies_to_names_and_values(
    label: str, codec: str, text: str, first: bool
) -> None:
    fields = [f"a{quote_plus(text, encoding=codec)}={quote_plus(text + ' b', encoding=codec)}"]
    fields.insert(0 if first else 1, f"_charset_={label}")
    body = "&".join(fields).encode()
    expected = [(f"a{text}", f"{text} b")]
    expected.insert(0 if first else 1, ("_charset_", label))
    for chunks in ([body], split(body, 1)):
        assert await read(chunks) == expected


@pytest.mark.parametrize(
    "field", ["_charset_=", "_charset_", "_charset_=idna", "_charset_=utf-7", "x_charset_=gbk"]
)
async def test_unknown_charset_is_ignored(field: str) -> None:
    assert (await read([f"{field}&a=%C3%A9%FF".encode()]))[1] == ("a", "\xe9\ufffd")


async def test_last_valid_charset_field_is_used() -> None:
    body = b"_charset_=utf-8&a=%E9&_charset_=latin1&_charset_=idna"
    assert declared_codec(body) == "cp1252"
    assert (await read([body]))[1] == ("a", "\xe9")


async def test_bytes_that_are_invalid_in_the_declared_charset_raise() -> None:
    with pytest.raises(SerializationException, match=r"^field 2 of the form is not text") as caught:
        await read([b"_charset_=utf-8&secret=%FF"])
    assert caught.value.__context__ is None, "the UnicodeDecodeError holds the value"


# --- large values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", range(-4, 5))
@pytest.mark.parametrize("sequence", [b"%C3%A9", b"\xc3\xa9", b"%E2%82%AC", b"%f", b"%", b"%%41", b"+%2B"])
def test_value_is_decoded_across_blocks(sequence: bytes, position: int) -> None:
    value = b"x" * (BLOCK + position) + sequence + b"y" * BLOCK + sequence
    assert parse_fields(b"a=" + value + b"&" + value, None) == parse_urlencoded(b"a=" + value + b"&" + value)


@pytest.mark.parametrize("size", [1000, 100_000, 10**6])
async def test_large_form_of_small_fields(size: int) -> None:
    pairs = [(f"name{number}", "value \u20ac") for number in range(10_000)]
    body = urlencode(pairs).encode()
    chunks = split(body, size)
    assert await read(chunks, UNLIMITED) == pairs
    with pytest.raises(RequestEntityTooLarge, match="max_fields=9999"):
        await request_for(chunks).form(limits=Limits(max_fields=9999))


@pytest.mark.parametrize("value", [b"x" * 9_000_000, b"%41" * 3_000_000])
async def test_large_value_needs_little_more_memory_than_the_body(value: bytes) -> None:
    request = request_for([b"a=" + value])
    tracemalloc.start()
    try:
        form = await request.form(limits=UNLIMITED)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(form["a"]) == len(value) // (3 if value.startswith(b"%") else 1)
    # The body was allocated before, so this is what was allocated beside it.
    assert peak <= 9_000_000 + 6 * 1024 * 1024
