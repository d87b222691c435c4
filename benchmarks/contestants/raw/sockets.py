"""Echoes over a WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from benchmarks.inputs import Receive, Scope, Send

decode_json = msgspec.json.Decoder().decode
encode_json = msgspec.json.Encoder().encode


async def websocket_texts(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for _ in range(100):
        message = await receive()
        if message["type"] != "websocket.receive":
            raise ConnectionError
        await send({"type": "websocket.send", "text": message["text"]})


async def websocket_json(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for _ in range(100):
        message = await receive()
        if message["type"] != "websocket.receive":
            raise ConnectionError
        value = decode_json(message["text"])
        await send({"type": "websocket.send", "text": encode_json(value).decode()})
