"""The WebSocket handler, which sends every message back.

The subprotocol selects the format of the messages. ``inspector.text`` and ``inspector.binary`` are echoed
unchanged. ``inspector.json`` and ``inspector.msgpack`` start with a report of the handshake. Then each
value is sent back as ``{"received": ...}``, and ``{"close": 4001, "reason": "enough"}`` makes the server
close. Without a subprotocol, text messages are echoed as text and binary messages as binary.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from asgiwire.exceptions import ClientException, WebSocketDisconnect

from .report import describe_connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from asgiwire import WebSocket


async def converse(socket: WebSocket) -> None:
    """Accept with the first supported subprotocol of the client, and reply until one side closes.

    After an invalid message, the context manager closes with the code for it.
    """
    chosen = socket.select_subprotocol(CONVERSATIONS)
    with suppress(ClientException, WebSocketDisconnect):
        await socket.accept(chosen)
        async with socket:
            await (CONVERSATIONS[chosen] if chosen else echo)(socket)


async def echo(socket: WebSocket) -> None:
    """Send each message back in its own type."""
    async for message in socket:
        await socket.send_data(message, mode="text" if isinstance(message, str) else "binary")


async def echo_text(socket: WebSocket) -> None:
    """Send each text message back; a binary message is an error."""
    async for text in socket.iter_data("text"):
        await socket.send_text(text)


async def echo_binary(socket: WebSocket) -> None:
    """Send each binary message back; a text message is an error."""
    async for data in socket.iter_data("binary"):
        await socket.send_bytes(data)


async def reply_json(socket: WebSocket) -> None:
    """Exchange JSON messages."""
    await reply(socket, socket.iter_json(), socket.send_json)


async def reply_msgpack(socket: WebSocket) -> None:
    """Exchange MessagePack messages."""
    await reply(socket, socket.iter_msgpack(), socket.send_msgpack)


async def reply(
    socket: WebSocket, values: AsyncIterator[Any], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Send a report of the handshake, then each value back; close if a value requests it."""
    await send({"handshake": {**describe_connection(socket), "subprotocols": socket.subprotocols}})
    async for value in values:
        match value:
            case {"close": int(code), **rest}:
                try:
                    await socket.close(code, str(rest.get("reason", "")))
                except ValueError as error:
                    await send({"error": str(error)})
            case _:
                await send({"received": value})


CONVERSATIONS: dict[str, Callable[[WebSocket], Awaitable[None]]] = {
    "inspector.text": echo_text,
    "inspector.binary": echo_binary,
    "inspector.json": reply_json,
    "inspector.msgpack": reply_msgpack,
}
