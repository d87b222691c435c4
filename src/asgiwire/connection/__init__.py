"""The connection objects: ``Request`` and ``WebSocket``, and ``ASGIConnection``, their base class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import ASGIConnection, empty_receive, empty_send
from .request import Request

if TYPE_CHECKING:
    from .websocket import WebSocket
else:
    # Imported on first use: most requests are not handshakes, streamed forms or logged.
    # Hidden from type checkers, which would accept any name.
    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name == "WebSocket":
            value = import_module(".websocket", __name__).WebSocket
        elif name in {"multipart", "outbox", "snapshot"}:
            value = import_module(f".{name}", __name__)
        else:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = (
    "ASGIConnection",
    "Request",
    "WebSocket",
    "empty_receive",
    "empty_send",
)
