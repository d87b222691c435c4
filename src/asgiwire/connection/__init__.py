"""The connection objects: ``Request`` and ``WebSocket``, and ``ASGIConnection``, which they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .base import ASGIConnection, empty_receive, empty_send
from .request import Request

if TYPE_CHECKING:
    from .websocket import WebSocket
else:
    # Imported with its first use: most requests are no handshake, and its machine is a third of the package.
    # Hidden from type checkers, which would take any name for one that is here.
    def __getattr__(name: str) -> object:
        if name != "WebSocket":
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from .websocket import WebSocket

        globals()[name] = WebSocket
        return WebSocket

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = (
    "ASGIConnection",
    "Request",
    "WebSocket",
    "empty_receive",
    "empty_send",
)
