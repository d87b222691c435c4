"""For tests, of any framework and of none: scopes, scripted clients, and connections over both.

::

    request = RequestFactory().post("/orders", json={"item": 1}, user=alice)
    assert await request.json() == {"item": 1}

``_scopes`` makes the dicts that a server would, ``_messages`` stands in for ``receive`` and ``send``,
``_bodies`` encodes what a client would, ``_factory`` puts the three together. Left out: calling an
application; an application is called with the three things that are made here.
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
