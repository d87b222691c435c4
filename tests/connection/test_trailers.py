"""Trailers, and the id of the last server-sent event."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire import Request
from asgiwire.testing import RecordedSend, http_scope

pytestmark = pytest.mark.anyio

SUPPORTED = {"extensions": {"http.response.trailers": {}}}


async def test_trailers() -> None:
    send = RecordedSend()
    request = Request(http_scope(**SUPPORTED), send=send)
    assert request.supports_trailers
    await request.send({"type": "http.response.start", "status": 200, "trailers": True})
    await request.send({"type": "http.response.body", "body": b"x"})
    await request.send_trailers({"Server-Timing": "db;dur=53", "x-checksum": ["1", "2"]})
    assert send.messages[-1] == {
        "type": "http.response.trailers",
        "headers": [(b"server-timing", b"db;dur=53"), (b"x-checksum", b"1"), (b"x-checksum", b"2")],
        "more_trailers": False,
    }


async def test_server_without_trailers() -> None:
    send = RecordedSend()
    request = Request(http_scope(), send=send)
    assert not request.supports_trailers
    await request.send_trailers({"server-timing": "x"})
    assert send.messages == []


@pytest.mark.parametrize("scope", [http_scope(), http_scope(**SUPPORTED)])
@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (
            [("Content-Length", "1"), ("transfer-encoding", "chunked")],
            "^content-length, transfer-encoding must not",
        ),
        ({"set-cookie": "a=1"}, "^set-cookie must not be sent as a trailer"),
        ({"x": "a\nb"}, "must not hold CR, LF"),
    ],
)
async def test_invalid_trailers(scope: dict[str, Any], headers: Any, message: str) -> None:
    send = RecordedSend()
    with pytest.raises(ValueError, match=message):
        await Request(scope, send=send).send_trailers(headers)
    assert send.messages == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(b"Last-Event-ID", b"7")], "7"),
        ([(b"last-event-id", b"")], ""),
        ([(b"last-event-id", "é✓".encode())], "é✓"),
        ([(b"last-event-id", b"\xff")], "\ufffd"),
        ([(b"last-event-id", b"1"), (b"last-event-id", b"2")], "1"),
    ],
)
def test_last_event_id(headers: list[tuple[bytes, bytes]], expected: str | None) -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers}
    assert Request(scope).last_event_id == expected
