"""The server's side of a WebSocket: a script of what it delivers, a record of what it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT = {"type": "websocket.connect"}
ACCEPTED = {"type": "websocket.accept", "subprotocol": None}


def text(data: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": data}


def binary(data: bytes) -> dict[str, Any]:
    return {"type": "websocket.receive", "bytes": data}


def disconnect(**values: Any) -> dict[str, Any]:
    return {"type": "websocket.disconnect", **values}


class Server:
    """Delivers the connect event and then the script, after which it never returns, as two servers do.

    Attributes:
        sent: The events that it took.
        asked: How often ``receive`` was called.
        refuse: Given an event, the error that sending it ends in, or ``None``.
    """

    def __init__(self, *messages: Any, connect: bool = True) -> None:
        self.script = [CONNECT, *messages] if connect else list(messages)
        self.sent: list[Any] = []
        self.asked = 0
        self.refuse: Callable[[Any], Exception | None] = lambda _event: None

    async def receive(self) -> Any:
        self.asked += 1
        await checkpoint()
        if not self.script:
            await anyio.sleep_forever()
        return self.script.pop(0)

    async def send(self, event: Any) -> None:
        # One server ends its process where this is not so.
        assert CONNECT not in self.script, "an event came before the connect event was taken"
        await checkpoint()
        error = self.refuse(event)
        if error is not None:
            raise error
        self.sent.append(event)

    @property
    def sent_types(self) -> list[str]:
        return [event["type"].removeprefix("websocket.") for event in self.sent]


def scope(**values: Any) -> dict[str, Any]:
    return {"type": "websocket", "path": "/chat", "headers": [(b"host", b"example.test")], **values}
