"""Scopes, ``receive`` and ``send`` callables, and whole connections for unit tests.

::

    request = RequestFactory().post("/orders", json={"item": 1}, user=alice)
    assert await request.json() == {"item": 1}

To test an ASGI application, call it with a scope, a :class:`ScriptedReceive` and a :class:`RecordedSend`.
"""

from __future__ import annotations

from ._factory import ConnectionOptions, RequestFactory, RequestOptions, WebSocketOptions
from ._messages import RecordedSend, ScriptedReceive, ScriptError
from ._scopes import http_scope, websocket_scope

__all__ = (
    "ConnectionOptions",
    "RecordedSend",
    "RequestFactory",
    "RequestOptions",
    "ScriptError",
    "ScriptedReceive",
    "WebSocketOptions",
    "http_scope",
    "websocket_scope",
)
