"""stub"""

from __future__ import annotations

from ._data import parse_forms_of_data
from .request import Request
from .websocket import WebSocket

__all__ = ("Request", "WebSocket")

parse_forms_of_data()
