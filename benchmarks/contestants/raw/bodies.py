"""Bodies that are read whole or piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import msgspec
from multidict import MultiDict

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from benchmarks.inputs import Receive, Scope, Send

decode_json = msgspec.json.Decoder().decode
decode_order = msgspec.json.Decoder(Order).decode


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        pieces.append(message["body"])
        if not message["more_body"]:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return decode_json(await body(scope, receive, send))


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await body(scope, receive, send))


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        size += len(message["body"])
        if not message["more_body"]:
            return size


async def two_requests(scope: Scope, receive: Receive, send: Send) -> tuple[bytes, bytes]:
    scope["body"] = await body(scope, receive, send)
    return scope["body"], scope["body"]


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> MultiDict[str]:
    encoded = await body(scope, receive, send)
    if b"%" in encoded:
        return MultiDict(parse_qsl(encoded.decode(), keep_blank_values=True))
    pairs = []
    for field in encoded.replace(b"+", b" ").decode().split("&"):
        name, _, value = field.partition("=")
        pairs.append((name, value))
    return MultiDict(pairs)
