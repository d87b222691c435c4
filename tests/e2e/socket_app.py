"""More WebSocket routes of the application in ``app.py``: typed messages, denial responses and others."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import msgspec

from asgiwire import Request, WebSocket
from asgiwire.exceptions import (
    ClientDisconnect,
    ClientException,
    ImproperlyConfiguredException,
    WebSocketDisconnect,
    WebSocketException,
)

from .app import ROUTES, app, token
from .records import note
from .websocket_routes import MODES, WEBSOCKET_ROUTES, closed_state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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


async def after_response(request: Request) -> None:
    """Send the whole response in a watched block, and work on."""
    key, start = request.query_params["key"], {"type": "http.response.start", "status": 200, "headers": []}
    worked = False
    async with request.cancel_on_disconnect() as watch:
        await request.send(start)
        await request.send({"type": "http.response.body", "body": b"done"})
        await anyio.sleep(0.3)
        worked = True
    note(key, state="over", worked=worked, cancelled=watch.cancelled_caught)
    raise ClientDisconnect  # the response was sent


async def time_out(socket: WebSocket) -> None:
    """Read numbers, with a timeout around each read."""
    query = socket.query_params
    read, received, timeouts = MODES[query["mode"]][0], list[int](), 0
    await socket.accept()
    while len(received) < int(query["count"]):
        with anyio.move_on_after(float(query["seconds"])) as scope:
            received.append(int(await anext(read(socket))))
        timeouts += scope.cancelled_caught
    note(query["key"], state="over", received=received, timeouts=timeouts)


class Impatient(WebSocket):
    """A WebSocket that closes within half a second."""

    close_timeout = 0.5


async def stall(socket: WebSocket) -> None:
    """Send to a client that reads nothing, for half a second.

    daphne has no back-pressure: its ``send`` never waits, so that the loop is bounded and has a checkpoint.
    """
    began = time.perf_counter()
    impatient = Impatient(socket.scope, socket.receive, socket.send)
    with anyio.move_on_after(0.5):
        async with impatient:
            for _ in range(100):
                await impatient.send_bytes(b"x" * 200_000)
                await anyio.lowlevel.checkpoint()
    note(socket.query_params["key"], state="over", seconds=time.perf_counter() - began)


async def cancel_block(socket: WebSocket) -> None:
    """Cancel a block that reads."""
    with anyio.move_on_after(0.1):
        async with socket:
            await socket.receive_text()
    note(socket.query_params["key"], state="over")


async def read_in_group(socket: WebSocket) -> None:
    """Read in a task group within the block; the client's close ends both quietly."""
    key = socket.query_params["key"]
    async with socket, anyio.create_task_group() as group:
        group.start_soon(socket.receive_text)
        group.start_soon(socket.wait_disconnected)
        note(key, state="open")
    note(key, state="over", code=socket.close_code)


async def reject(socket: WebSocket) -> None:
    """Read a number; any other message closes."""
    with contextlib.suppress(ClientException):
        async with socket:
            await socket.receive_json(type=int)


async def watch(socket: WebSocket) -> None:
    """Wait in a block that the client's disconnect cancels, then read its messages."""
    key = socket.query_params["key"]
    await socket.accept()
    note(key, state="open")
    async with socket.cancel_on_disconnect() as watched:
        await anyio.sleep(10)
    read = [message async for message in socket]
    note(key, state="over", cancelled=watched.cancelled_caught, read=read)


ROUTES["favicon.ico"] = token  # browsers request it for every page
ROUTES["after_response"] = after_response
WEBSOCKET_ROUTES.update(
    {
        route.__name__: route
        for route in (
            *(deny, negotiate, typed, block, tick, write_close_code, both_ways),
            *(time_out, stall, cancel_block, read_in_group, reject, watch),
        )
    }
)
