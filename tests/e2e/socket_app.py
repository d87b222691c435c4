"""More WebSocket routes of the application in ``app.py``: typed messages, denial responses and others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import msgspec

from asgiwire.exceptions import (
    ClientException,
    ImproperlyConfiguredException,
    WebSocketDisconnect,
    WebSocketException,
)

from .app import ROUTES, app, token
from .records import note
from .websocket_routes import WEBSOCKET_ROUTES, closed_state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asgiwire import WebSocket

__all__ = ("app",)

CHUNKS = [b"one ", b"two ", b"three"]


class Order(msgspec.Struct):
    """The type of the messages of ``typed``."""

    name: str
    count: int = 1


async def deny(socket: WebSocket) -> None:
    """Send a denial response; close if the server does not support it."""
    query = socket.query_params
    body = slow_chunks() if query["how"] == "chunks" else b"".join(CHUNKS)
    headers = {"Content-Type": "text/plain", "WWW-Authenticate": "Basic"}
    try:
        await socket.send_denial_response(int(query["status"]), headers, body)
    except ImproperlyConfiguredException:
        await socket.close()
    note(query["key"], state="over", code=socket.close_code, disconnected=socket.disconnected)


async def slow_chunks() -> AsyncIterator[bytes]:
    """Yield a body in slow chunks."""
    for chunk in CHUNKS:
        await anyio.sleep(0.001)
        yield chunk


async def negotiate(socket: WebSocket) -> None:
    """Select a subprotocol in the order of the application."""
    await socket.accept(socket.select_subprotocol(["v3", "v2", "v1"]))
    async for _ in socket:
        pass


async def typed(socket: WebSocket) -> None:
    """Answer each invalid message with its error, and continue."""
    kind, mode = socket.query_params["kind"], socket.query_params.get("mode")
    async with socket:
        while True:
            try:
                if kind == "json":
                    order = await socket.receive_json(mode or "text", type=Order)
                else:
                    order = await socket.receive_msgpack(type=Order)
            except ClientException as error:
                await socket.send_json({"error": type(error).__name__, "detail": error.detail})
            else:
                await socket.send_json({"ordered": [order.name, order.count]})


async def block(socket: WebSocket) -> None:
    """Leave an ``async with`` block in the way that the query says."""
    key = socket.query_params["key"]
    raised = None
    try:
        async with socket:
            match socket.query_params["how"]:
                case "error":
                    raise ValueError("broken")
                case "exception":
                    raise WebSocketException("no café here", code=4404)
                case "client":
                    await socket.receive_text()
                case _:
                    await socket.send_text("bye")
    except (ValueError, WebSocketException) as error:
        raised = type(error).__name__
    note(key, state="over", raised=raised, code=socket.close_code, reason=socket.close_reason)


async def tick(socket: WebSocket) -> None:
    """Send without receiving until the client disconnects; then read its messages."""
    key, ticks = socket.query_params["key"], 0
    await socket.accept()
    note(key, state="open")
    with anyio.move_on_after(10) as waiting:
        try:
            while not await socket.is_disconnected():
                await socket.send_text(f"tick {ticks}")
                ticks += 1
                await anyio.sleep(0.01)
        except WebSocketDisconnect:
            pass  # some servers raise it in send()
    read = [message async for message in socket]
    note(key, state="over", hangs=waiting.cancelled_caught, read=read, after=await closed_state(socket))


async def write_close_code(socket: WebSocket) -> None:
    """Echo messages, then write the close code to a file, which outlives this process."""
    async for message in socket:
        await socket.send_data(message)
    Path(socket.query_params["file"]).write_text(f"{socket.close_code}", encoding="ascii")


async def both_ways(socket: WebSocket) -> None:
    """Send and receive numbers at the same time."""
    key, count = socket.query_params["key"], int(socket.query_params["count"])
    await socket.accept()

    async def send() -> None:
        for number in range(count):
            await socket.send_text(f"{number}")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        received = [int(await socket.receive_text()) for _ in range(count)]
    note(key, state="over", in_order=received == list(range(count)))
    async for _ in socket:
        pass


ROUTES["favicon.ico"] = token  # browsers request it for every page
WEBSOCKET_ROUTES.update(
    {route.__name__: route for route in (deny, negotiate, typed, block, tick, write_close_code, both_ways)}
)
