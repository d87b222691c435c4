"""The WebSocket routes of the application: one function for each path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from asgiwire import Limits, WebSocket
from asgiwire.exceptions import ImproperlyConfiguredException, RequestEntityTooLarge, WebSocketDisconnect

from .records import SIGNALS, note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

HANGING = 3.0
LIMIT = 1000
TASKS, MESSAGES, SIZE = 8, 20, 20_000
SENDS = 12


class LimitedSocket(WebSocket):
    """A WebSocket with a small limit."""

    limits = Limits(max_message_size=LIMIT)


async def echo(socket: WebSocket) -> None:
    """Send each message back in its mode; the first read accepts the handshake."""
    read, write = MODES[socket.query_params["mode"]]
    async for value in read(socket):
        await write(socket, value)


async def handshake(socket: WebSocket) -> None:
    """Accept with a subprotocol and headers, and send the values of the handshake."""
    chosen = socket.select_subprotocol(["superchat", "chat"])
    await socket.accept(chosen, {"X-Accepted": "yes", "Set-Cookie": "session=1; Path=/"})
    await socket.send_json(
        {
            "url": str(socket.url),
            "query": list(socket.query_params.multi_items()),
            "headers": list(socket.headers.multi_items()),
            "cookies": socket.cookies,
            "client": socket.client,
            "server": socket.server,
            "subprotocols": socket.subprotocols,
        }
    )
    async for _ in socket:
        pass


async def refuse(socket: WebSocket) -> None:
    """Close before the handshake is accepted."""
    await socket.close(4003, "no")
    note(socket.query_params["key"], state="over", after=await closed_state(socket))


async def deny(socket: WebSocket) -> None:
    """Send a denial response, or close if the server does not support it."""

    async def chunks() -> AsyncIterator[bytes]:
        yield b"so"
        yield b"rry"

    body = chunks() if socket.query_params["body"] == "chunks" else b"sorry"
    error = None
    try:
        await socket.send_denial_response(401, {"X-Denied": "yes"}, body)
    except ImproperlyConfiguredException as raised:
        error = str(raised)
        await socket.close()
    # No receive here: granian sends nothing after a denial, not even a disconnect.
    late = await attempt(socket.send_text("late"))
    note(socket.query_params["key"], state="over", error=error, late=late, disconnected=socket.disconnected)


async def close(socket: WebSocket) -> None:
    """Close twice, first with the code and reason of the query."""
    await socket.accept()
    code, reason = int(socket.query_params["code"]), socket.query_params["reason"]
    await socket.close(code, reason)
    await socket.close(4999)
    note(socket.query_params["key"], state="over", after=await closed_state(socket))


async def receive_all(socket: WebSocket) -> None:
    """Receive until the client disconnects, then call every method once more."""
    key, (read, _) = socket.query_params["key"], MODES[socket.query_params["mode"]]
    await socket.accept()
    note(key, state="open")
    received = [value async for value in read(socket)]
    note(key, state="over", received=received, after=await closed_state(socket))


async def send_only(socket: WebSocket) -> None:
    """Send without receiving to a client that has disconnected."""
    key = socket.query_params["key"]
    await socket.accept()
    note(key, state="open")
    with anyio.fail_after(10):
        await SIGNALS.setdefault(key, anyio.Event()).wait()
    sent = 0
    for number in range(SENDS):
        outcome = await attempt(socket.send_text(f"message {number}"))
        if outcome != "done":
            break
        sent += 1
        await anyio.sleep(0.01)
    note(key, state="over", outcome=outcome, sent=sent)


async def limited(socket: WebSocket) -> None:
    """Receive with a small limit."""
    sizes = []
    error = None
    try:
        async for message in socket:
            sizes.append(len(message))  # noqa: PERF401 - the sizes before the error are needed
    except RequestEntityTooLarge as raised:
        error = {"limit": raised.limit, "maximum": raised.maximum}
    note(socket.query_params["key"], state="over", sizes=sizes, error=error, after=await closed_state(socket))


async def send_from_tasks(socket: WebSocket) -> None:
    """Send from several tasks at the same time, and close after the client has received everything.

    Daphne aborts the connection one second after a close that the client has not answered, and drops queued
    messages. A client that read these 3 MB slowly lost the last of them.
    """

    async def send_messages(task: int) -> None:
        for number in range(MESSAGES):
            await socket.send_text(f"{task}:{number}:" + chr(ord("a") + task) * SIZE)

    async with anyio.create_task_group() as tasks:
        for task in range(TASKS):
            tasks.start_soon(send_messages, task)
    await socket.receive_text()
    await socket.close()


async def closed_state(socket: WebSocket) -> dict[str, Any]:
    """Return the state of a closed WebSocket and the results of its methods."""
    return {
        "receive": await attempt(socket.receive_text()),
        "receive again": await attempt(socket.receive_bytes()),
        "send": await attempt(socket.send_text("late")),
        "close": await attempt(socket.close(4998)),
        "code": socket.close_code,
        "reason": socket.close_reason,
        "disconnected": socket.disconnected,
        "state": socket.connection_state,
    }


async def attempt(awaitable: Awaitable[Any]) -> Any:
    """Return ``"done"``, ``"hangs"``, or the code and reason of a ``WebSocketDisconnect``."""
    with anyio.move_on_after(HANGING):
        try:
            await awaitable
        except WebSocketDisconnect as error:
            return [error.code, error.reason]
        return "done"
    return "hangs"


def read_json(socket: WebSocket) -> AsyncIterator[Any]:
    """Read JSON from text messages."""
    return socket.iter_json()


def read_binary_json(socket: WebSocket) -> AsyncIterator[Any]:
    """Read JSON from binary messages."""
    return socket.iter_json("binary")


async def write_any(socket: WebSocket, value: str | bytes) -> None:
    """Send text as text and bytes as binary."""
    await socket.send_data(value, mode="text" if isinstance(value, str) else "binary")


async def write_binary_json(socket: WebSocket, value: Any) -> None:
    """Send JSON in a binary message."""
    await socket.send_json(value, mode="binary")


MODES: dict[
    str, tuple[Callable[[WebSocket], AsyncIterator[Any]], Callable[[WebSocket, Any], Awaitable[None]]]
] = {
    "text": (lambda socket: socket.iter_data("text"), WebSocket.send_text),
    "binary": (lambda socket: socket.iter_data("binary"), WebSocket.send_bytes),
    "either": (aiter, write_any),
    "json": (read_json, WebSocket.send_json),
    "binary-json": (read_binary_json, write_binary_json),
    "msgpack": (WebSocket.iter_msgpack, WebSocket.send_msgpack),
}

WEBSOCKET_ROUTES: dict[str, Callable[[WebSocket], Awaitable[None]]] = {
    route.__name__: route
    for route in (echo, handshake, refuse, deny, close, receive_all, send_only, limited, send_from_tasks)
}
