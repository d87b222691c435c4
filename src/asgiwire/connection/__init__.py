"""The connection objects: ``Request`` and ``WebSocket``, and ``ASGIConnection``, which they share."""

from __future__ import annotations

from .base import ASGIConnection, empty_receive, empty_send
from .request import Request
from .websocket import WebSocket

__all__ = (
    "ASGIConnection",
    "Request",
    "WebSocket",
    "empty_receive",
    "empty_send",
)
