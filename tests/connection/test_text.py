"""``text()``, and ``limits=`` of one call."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import (
    ClientDisconnect,
    RequestEntityTooLarge,
    SerializationException,
    StreamConsumed,
)
from asgiwire.serialization import encode_msgpack
from asgiwire.testing import ScriptedReceive, http_scope
from tests.receives import form_body

pytestmark = pytest.mark.anyio


def request_for(body: bytes, content_type: str = "text/plain") -> Request:
    return Request(http_scope(headers={"content-type": content_type}), ScriptedReceive.body(body))


TEXTS: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "text/plain", ""),
    "UTF-8": ("é€😀".encode(), "text/plain", "é€😀"),
    "no Content-Type": ("é".encode(), "", "é"),
    "declared UTF-8": ("é".encode(), "text/plain; charset=UTF-8", "é"),
    "another label of UTF-8": ("é".encode(), 'text/plain; charset="utf8"', "é"),
    # WHATWG Encoding section 4.2: the label iso-8859-1 is windows-1252.
    "latin-1": (b"\xe9\x80", "text/plain; charset=iso-8859-1", "é€"),
    "Shift_JIS": ("日本".encode("cp932"), "text/html; charset=Shift_JIS", "日本"),
    "UTF-16": ("é".encode("utf-16-le"), "text/plain; charset=utf-16", "é"),
    "byte order mark": (b"\xef\xbb\xbfa", "text/plain", "a"),
    "byte order mark and a declared charset": (b"\xef\xbb\xbfa", "text/plain; charset=utf-8", "a"),
    "byte order mark of UTF-16": (b"\xff\xfea\0", "text/plain; charset=utf-16", "a"),
    "two byte order marks": ("\ufeff\ufeffa".encode(), "text/plain", "\ufeffa"),
    "invalid UTF-8": (b"a\xff", "text/plain", "a\ufffd"),
    "unknown charset": ("é\ufffd".encode(), "text/plain; charset=bogus", "é\ufffd"),
    "Python codec that is no charset": (b"a\xff", "text/plain; charset=idna", "a\ufffd"),
    "the codec undefined": (b"a", "text/plain; charset=undefined", "a"),
    "empty charset": (b"a\xff", "text/plain; charset=", "a\ufffd"),
}


@pytest.mark.parametrize(("body", "content_type", "text"), TEXTS.values(), ids=TEXTS)
async def test_text(body: bytes, content_type: str, text: str) -> None:
    request = request_for(body, content_type)

    assert await request.text() == text
    assert await request.text() == text
    assert await request.body() == body


@pytest.mark.parametrize(
    ("label", "end"),
    [
        ("utf-8", b"\xff"),
        ("shift_jis", b"\x81"),
        ("utf-16", b"x"),
        ("euc-jp", b"\xff"),
        ("iso-8859-6", b"\xff"),
    ],
)
async def test_text_that_does_not_decode_raises_serialization_exception(label: str, end: bytes) -> None:
    request = request_for(b"secret" + end, f"text/plain; charset={label}")

    for _ in range(2):
        with pytest.raises(SerializationException, match="charset") as caught:
            await request.text()
        assert caught.value.status_code == 400
        assert "secret" not in str(caught.value)
        assert caught.value.__context__ is None  # a UnicodeDecodeError refers to the body


async def test_text_calls_an_overridden_body() -> None:
    class Decrypting(Request):
        async def body(self) -> bytes:  # type: ignore[override] # the signature before limits= existed
            return (await super().body())[::-1]

    assert await Decrypting(http_scope(), ScriptedReceive.body(b"olleh")).text() == "hello"


async def test_text_after_a_stream_and_after_a_disconnect() -> None:
    request = request_for(b"hello")
    async for _ in request.stream():
        pass
    with pytest.raises(StreamConsumed):
        await request.text()
    with pytest.raises(ClientDisconnect):
        await Request(http_scope(), ScriptedReceive.body(b"he", disconnect=True)).text()


# --- limits for one call ------------------------------------------------------------------------------

FORM = form_body(("a", None, b"1"), ("f", "x", b"2"))
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"


async def read_stream(request: Request, limits: Limits) -> Any:
    return [chunk async for chunk in request.stream(limits=limits)]


async def form(request: Request, limits: Limits) -> Any:
    async with await request.form(limits=limits) as form:
        return form.dict()


READERS: dict[str, tuple[Any, bytes, str]] = {
    "body": (lambda request, limits: request.body(limits=limits), b"[1]", "application/json"),
    "stream": (read_stream, b"[1]", "application/json"),
    "text": (lambda request, limits: request.text(limits=limits), b"[1]", "text/plain"),
    "json": (lambda request, limits: request.json(limits=limits), b"[1]", "application/json"),
    "typed json": (
        lambda request, limits: request.json(type=list[int], limits=limits),
        b"[1]",
        "application/json",
    ),
    "msgpack": (lambda request, limits: request.msgpack(limits=limits), encode_msgpack([1]), ""),
    "urlencoded form": (form, b"a=1", URLENCODED),
    "multipart form": (form, FORM, MULTIPART),
}


class Small(Request):
    limits = Limits(max_body_size=1)


@pytest.mark.parametrize("reader", READERS)
async def test_limits_of_a_call_replace_those_of_the_class(reader: str) -> None:
    read, body, content_type = READERS[reader]

    def made(kind: type[Request], length: bool) -> Request:
        headers = {"content-type": content_type} | ({"content-length": str(len(body))} if length else {})
        return kind(http_scope(headers=headers), ScriptedReceive.body(body))

    for length in (True, False):
        assert await read(made(Small, length), Limits(max_body_size=len(body)))
        with pytest.raises(RequestEntityTooLarge) as caught:
            await read(made(Request, length), Limits(max_body_size=len(body) - 1))
        assert (caught.value.limit, caught.value.maximum) == ("max_body_size", len(body) - 1)


@pytest.mark.parametrize(
    ("limits", "limit"),
    [(Limits(max_fields=0), "max_fields"), (Limits(max_field_size=1), "max_field_size")],
    ids=["max_fields", "max_field_size"],
)
@pytest.mark.parametrize("reader", ["urlencoded form", "multipart form"])
async def test_limits_of_forms_for_one_call(reader: str, limits: Limits, limit: str) -> None:
    _, body, content_type = READERS[reader]

    with pytest.raises(RequestEntityTooLarge) as caught:
        await form(request_for(body, content_type), limits)
    assert caught.value.limit == limit


async def test_larger_limit_does_not_recover_a_failed_body() -> None:
    request = request_for(b"hello")
    with pytest.raises(RequestEntityTooLarge):
        await request.body(limits=Limits(max_body_size=4))

    with pytest.raises(RequestEntityTooLarge, match="max_body_size=4"):
        await request.body(limits=Limits(max_body_size=None))


async def test_smaller_limit_applies_to_a_buffered_body() -> None:
    request = request_for(b"hello")
    await request.body()

    with pytest.raises(RequestEntityTooLarge):
        await request.body(limits=Limits(max_body_size=4))
    assert await request.body() == b"hello"
