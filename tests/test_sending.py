"""Sending a complete response."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire.sending import send_response
from asgiwire.testing import RecordedSend

pytestmark = pytest.mark.anyio


async def messages(*args: Any, **keys: Any) -> list[dict[str, Any]]:
    send = RecordedSend()
    await send_response(send, *args, **keys)
    return send.messages


@pytest.mark.parametrize("body", [b"hello", bytearray(b"hello"), memoryview(b"hello")])
async def test_response(body: bytes) -> None:
    start, end = await messages(200, body, {"Content-Type": "text/plain", "set-cookie": ["a=1", "b=2"]})
    assert start == {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"text/plain"),
            (b"set-cookie", b"a=1"),
            (b"set-cookie", b"b=2"),
            (b"content-length", b"5"),
        ],
    }
    assert end == {"type": "http.response.body", "body": b"hello"}
    assert type(end["body"]) is bytes


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, [(b"content-length", b"0")]),
        (204, []),
        (205, [(b"content-length", b"0")]),
        (304, []),
        (404, [(b"content-length", b"0")]),
    ],
)
async def test_response_without_a_body(status: int, headers: list[tuple[bytes, bytes]]) -> None:
    start, end = await messages(status)
    assert start["headers"] == headers
    assert end["body"] == b""


async def test_length_that_is_given() -> None:
    (start, _) = await messages(200, headers=[("Content-Length", "7")])  # a response to HEAD
    assert start["headers"] == [(b"content-length", b"7")]
    (start, _) = await messages(200, b"1234567", [(b"content-length", b"7")])
    assert start["headers"] == [(b"content-length", b"7")]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((200, b"", {"x": "a\r\nset-cookie: b"}), ValueError, "must not hold CR, LF"),
        ((200, b"", {"x y": "a"}), ValueError, "must be a token"),
        ((200, b"", [("x", None)]), TypeError, "must be str or bytes"),
        ((200, "text"), TypeError, "expected bytes as body, got str; encode text with"),
        ((200, None), TypeError, "expected bytes as body, got NoneType"),
        ((101,), ValueError, "expected a status code from 200 to 599, got 101"),
        ((600,), ValueError, "expected a status code from 200 to 599, got 600"),
        ((204, b"x"), ValueError, "expected no body for status 204, got 1 bytes"),
        ((304, b"x"), ValueError, "expected no body for status 304, got 1 bytes"),
        ((200, b"x", {"content-length": "2"}), ValueError, "expected a content-length of 1, got another one"),
        ((200, b"x", [("content-length", "1"), ("content-length", "2")]), ValueError, "content-length of 1"),
    ],
)
async def test_invalid_response_sends_nothing(arguments: Any, error: type[Exception], message: str) -> None:
    send = RecordedSend()
    with pytest.raises(error, match=message):
        await send_response(send, *arguments)
    assert send.messages == []
