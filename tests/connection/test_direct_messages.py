"""Messages that a WebSocket receives and sends without the coroutines between: the answers are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire.connection import WebSocket
from asgiwire.exceptions import AsgiwireException
from asgiwire.limits import Limits
from tests.websocket_server import Server, binary, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Message, Receive, Send

pytestmark = pytest.mark.anyio

LIMITS = Limits(max_message_size=12)


class Direct(WebSocket):
    """Calls the server itself, once it is open."""

    __slots__ = ()
    limits = LIMITS


class Wrapped(Direct):
    """Has something between, which does nothing."""

    __slots__ = ()

    def receive_wrapper(self, receive: Receive) -> Receive:
        return super().receive_wrapper(receive)

    def send_wrapper(self, send: Send) -> Send:
        return super().send_wrapper(send)


def connected(server: Server, kind: type[WebSocket]) -> WebSocket:
    return kind(scope(), server.receive, server.send)


READERS: dict[str, Callable[[WebSocket], Any]] = {
    "receive_text": WebSocket.receive_text,
    "receive_bytes": WebSocket.receive_bytes,
    "receive_data, either": lambda websocket: websocket.receive_data(),
    "receive_data, text": lambda websocket: websocket.receive_data("text"),
    "receive_json": WebSocket.receive_json,
    "receive_json, binary": lambda websocket: websocket.receive_json("binary"),
    "receive_json, either": lambda websocket: websocket.receive_json(None),
    "receive_json, typed": lambda websocket: websocket.receive_json(type=list[int]),
    "receive_msgpack": WebSocket.receive_msgpack,
}
MESSAGES = (
    text("[1]"),
    text("\ufeff[1]"),
    text("{"),
    text("[" * 12),
    text(""),
    text("é" * 6),
    text("é" * 7),
    binary(b"[1]"),
    binary(b"\x91\x01"),
    binary(b"\xc1"),
    binary(b"1" * 13),
    {"type": "websocket.receive", "bytes": bytearray(b"[1]")},
    {"type": "websocket.receive", "text": None, "bytes": b"[1]"},
    {"type": "websocket.receive"},
    {"type": "websocket.connect", "text": "[1]"},
    {"type": "x", "bytes": b"\x91\x01"},
    {"text": "[1]"},
    disconnect(code=1001),
)
WRITERS: dict[str, Callable[[WebSocket], Any]] = {
    "text": lambda websocket: websocket.send_text("a"),
    "bytes as text": lambda websocket: websocket.send_text(b"\xe9", encoding="latin-1"),
    "binary": lambda websocket: websocket.send_bytes(b"a"),
    "json": lambda websocket: websocket.send_json({"é": [1]}),
    "json, binary": lambda websocket: websocket.send_json([1], mode="binary"),
    "msgpack": lambda websocket: websocket.send_msgpack([1]),
    "neither": lambda websocket: websocket.send_text(1),  # type: ignore[arg-type]  # what is to be refused
}


async def outcome(call: Callable[[WebSocket], Any], websocket: WebSocket) -> tuple[object, ...]:
    try:
        with anyio.fail_after(5):
            return type(value := await call(websocket)), value
    except (AsgiwireException, OSError, RuntimeError, TypeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("message", MESSAGES, ids=repr)
@pytest.mark.parametrize("reader", READERS)
async def test_reading(reader: str, message: Message) -> None:
    told = []
    for kind in (Direct, Wrapped):
        server = Server(text("hello"), message, text("[2]"), binary(b"[3]"), disconnect(code=1002))
        websocket = connected(server, kind)
        await websocket.receive_text()
        assert bool(websocket._channel.reads_directly) is (kind is Direct)
        reads = (READERS[reader], READERS[reader], *READERS.values())
        outcomes = [await outcome(read, websocket) for read in reads]
        told.append((outcomes, websocket.connection_state, websocket.close_code, server.sent))
    assert told[0] == told[1]


@pytest.mark.parametrize("error", [None, OSError("gone"), RuntimeError("no"), ValueError("no")], ids=repr)
@pytest.mark.parametrize("writer", WRITERS)
async def test_writing(writer: str, error: Exception | None) -> None:
    told = []
    for kind in (Direct, Wrapped):
        server = Server()
        websocket = connected(server, kind)
        await websocket.accept()
        assert bool(websocket._channel.sends_directly) is (kind is Direct)
        server.refuse = lambda _event: error
        outcomes: list[object] = []
        for _ in range(2):
            try:
                outcomes.append(await outcome(WRITERS[writer], websocket))
            except ValueError as raised:
                outcomes.append(raised)
        told.append((outcomes, websocket.connection_state, websocket.close_code, server.sent))
    assert told[0] == told[1]
