"""Call an application of Starlette or FastAPI, with and without the integration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from asgiwire.integrations.starlette import install
from asgiwire.testing import RecordedSend, ScriptedReceive, websocket_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.applications import Starlette

MULTIPART = {"content-type": "multipart/form-data; boundary=b"}


def multipart(*parts: str) -> bytes:
    return (
        "".join(f"--b\r\nContent-Disposition: form-data; {part}\r\n" for part in parts).encode()
        + b"--b--\r\n"
    )


async def call(app: Any, method: str = "GET", path: str = "/", **arguments: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test.example") as client:
        return await client.request(method, path, **arguments)


async def talk(app: Any, path: str, *messages: str | bytes, disconnect: int | None = 1000) -> list[Any]:
    """Return the events that the application sends to a WebSocket client."""
    send = RecordedSend()
    await app(websocket_scope(path), ScriptedReceive.websocket(*messages, disconnect=disconnect), send)
    return list(send.messages)


async def compare(new_app: Callable[[], Starlette], method: str, path: str, **arguments: Any) -> Any:
    """Return the answer with the integration on; assert that it is the same without."""
    installed = new_app()
    install(installed)
    answer = await call(installed, method, path, **arguments)
    expected = await call(new_app(), method, path, **arguments)
    assert (answer.status_code, answer.headers, answer.content) == (
        expected.status_code,
        expected.headers,
        expected.content,
    )
    return answer
