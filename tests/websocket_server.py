"""The server's side of a WebSocket in tests: it returns scripted messages and records the events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint

from asgiwire.connection import WebSocket

if TYPE_CHECKING:
    from collections.abc import Callable

CONNECT = {"type": "websocket.connect"}
ACCEPTED = {"type": "websocket.accept", "subprotocol": None, "headers": []}


def text(data: str) -> dict[str, Any]:
    return {"type": "websocket.receive", "text": data}


def binary(data: bytes) -> dict[str, Any]:
    return {"type": "websocket.receive", "bytes": data}


def disconnect(**values: Any) -> dict[str, Any]:
    return {"type": "websocket.disconnect", **values}


class Server:
    """Returns the connect event and then the script. After it, ``receive`` blocks, as with two servers.

    Attributes:
        sent: The events that were sent.
        calls: How often ``receive`` was called.
        error: Called with each event; returns the exception that the send raises, or ``None``.
    """

    def __init__(self, *messages: Any, connect: bool = True) -> None:
        self.script = [CONNECT, *messages] if connect else list(messages)
        self.sent: list[Any] = []
        self.calls = 0
        self.error: Callable[[Any], Exception | None] = lambda _event: None

    async def receive(self) -> Any:
        self.calls += 1
        await checkpoint()
        if not self.script:
            await anyio.sleep_forever()
        return self.script.pop(0)

    async def send(self, event: Any) -> None:
        # One server ends its process in this case.
        assert CONNECT not in self.script, "an event was sent before the connect event was received"
        await checkpoint()
        error = self.error(event)
        if error is not None:
            raise error
        self.sent.append(event)

    @property
    def sent_types(self) -> list[str]:
        return [event["type"].removeprefix("websocket.") for event in self.sent]


def scope(**values: Any) -> dict[str, Any]:
    return {"type": "websocket", "path": "/chat", "headers": [(b"host", b"example.test")], **values}


def connected(server: Server, cls: type[WebSocket] = WebSocket, **values: Any) -> WebSocket:
    """A WebSocket of this server; ``values`` are added to the scope."""
    return cls(scope(**values), server.receive, server.send)
