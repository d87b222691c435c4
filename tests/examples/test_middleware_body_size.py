"""Maximum body size, for applications of three frameworks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope
from examples.middleware.body_size import BodySizeCap
from tests.examples.applications import client, each_application

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from asgiwire.types import Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


async def in_chunks(body: bytes) -> AsyncIterator[bytes]:
    """Yield the body in chunks, which httpx sends without a Content-Length."""
    for start in range(0, len(body), 3):
        yield body[start : start + 3]


@each_application
@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/a", 10, 200), ("/a", 11, 413), ("/large", 11, 200), ("/none", 0, 200), ("/none", 1, 413)],
)
async def test_the_maximum_size(
    make: Callable[[], Any], path: str, size: int, status: int, chunked: bool
) -> None:
    body = b"x" * size
    async with client(BodySizeCap(make(), 10, {"/large": 100, "/none": 0})) as http:
        response = await http.post(path, content=in_chunks(body) if chunked else body)

    assert response.status_code == status
    if status == 200:
        assert response.json() == body.decode()
        assert response.headers["x-a"] == "1"
    else:
        assert "max_body_size" in response.text


async def run(application: Any, *chunks: bytes) -> RecordedSend:
    send = RecordedSend()
    cap = BodySizeCap(application, 3)
    await cap(http_scope("POST"), ScriptedReceive.body(*chunks), send)
    return send


async def test_the_response_of_the_application_is_replaced() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.start", "status": 500})
        raise RuntimeError

    assert (await run(application, b"four")).status == 413


async def test_a_started_response_is_not_replaced() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        assert (await receive())["type"] == "http.disconnect"
        await send({"type": "http.response.body", "body": b"half"})
        if scope["path"] == "/fails":
            raise LookupError

    send = await run(application, b"four")
    assert [message["type"] for message in send.messages] == ["http.response.start", "http.response.body"]
    with pytest.raises(LookupError):
        await BodySizeCap(application, 3)(
            http_scope("POST", "/fails"), ScriptedReceive.body(b"four"), RecordedSend()
        )


async def test_other_exceptions_of_the_application_propagate() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        raise LookupError

    with pytest.raises(LookupError):
        await run(application, b"two")


async def test_an_invalid_content_length_is_rejected() -> None:
    send = RecordedSend()
    scope = http_scope("POST", headers={"content-length": "-1"})
    await BodySizeCap(None, 3)(scope, ScriptedReceive.body(), send)  # type: ignore[arg-type]  # the application is not called
    assert send.status == 400


async def test_a_websocket_passes_through() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert receive is original

    original = ScriptedReceive()
    await BodySizeCap(application, 0)({"type": "websocket"}, original, RecordedSend())
