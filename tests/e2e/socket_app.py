"""More conversations, served by the application of ``app.py``: what a WebSocket can do beyond the drop-in."""

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
from .conversations import CONVERSATIONS, aftermath
from .records import note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asgiwire import WebSocket

__all__ = ("app",)

PIECES = [b"one ", b"two ", b"three"]


class Order(msgspec.Struct):
    """What the typed conversation takes."""

    name: str
    count: int = 1


async def deny(socket: WebSocket) -> None:
    """Answer the handshake with an HTTP response; close where the server cannot do that."""
    query = socket.query_params
    body = pieces() if query["how"] == "pieces" else b"".join(PIECES)
    headers = {"Content-Type": "text/plain", "WWW-Authenticate": "Basic"}
    try:
        await socket.send_denial_response(int(query["status"]), headers, body)
    except ImproperlyConfiguredException:
        await socket.close()
    note(query["key"], state="over", code=socket.close_code, disconnected=socket.disconnected)


async def pieces() -> AsyncIterator[bytes]:
    """A body that takes its time."""
    for piece in PIECES:
        await anyio.sleep(0.001)
        yield piece


async def negotiate(socket: WebSocket) -> None:
    """Choose a subprotocol in the order of this side."""
    await socket.accept(socket.select_subprotocol(["v3", "v2", "v1"]))
    async for _ in socket:
        pass


async def typed(socket: WebSocket) -> None:
    """Answer every message that is no order with its error, and go on."""
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
    """Leave an ``async with`` as the client asks for."""
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
    """Send and never receive, until the client has left; then read what it had said."""
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
            pass  # some servers tell it a sender too
    read = [message async for message in socket]
    note(key, state="over", hangs=waiting.cancelled_caught, read=read, after=await aftermath(socket))


async def leave_a_trace(socket: WebSocket) -> None:
    """Write into a file how the conversation ended, for who comes after this process."""
    async for message in socket:
        await socket.send_data(message)
    Path(socket.query_params["file"]).write_text(f"{socket.close_code}", encoding="ascii")


async def both_ways(socket: WebSocket) -> None:
    """Send numbers and receive numbers, at once, until both have had them all."""
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


ROUTES["favicon.ico"] = token  # browsers ask for it whatever they are shown
CONVERSATIONS.update(
    {it.__name__: it for it in (deny, negotiate, typed, block, tick, leave_a_trace, both_ways)}
)
