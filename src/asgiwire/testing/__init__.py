"""Call ASGI applications and test request handlers, without a server.

::

    response = await Client(application).post("/orders", json={"item": 1})
    assert (response.status, response.json()) == (201, {"id": 7})

    async with Client(application).websocket("/talk") as talk:
        await talk.send_text("hello")
        assert await talk.receive_text() == "hello"

:func:`validate` checks an application against the ASGI specification. :class:`RequestFactory` builds requests
and WebSockets for tests of one function. :class:`ScriptedConnection` has a ``receive`` that returns the
messages of a script, and a ``send`` that records messages.
"""

from __future__ import annotations

from ._bodies import multipart_body
from ._client import Client, ClientOptions, ClientSettings, ConversationOptions, StreamOptions
from ._connection import RunningConnection
from ._conversation import Conversation
from ._errors import ScriptError, SpecificationError, WaitTimeout
from ._exchange import Exchange
from ._factory import (
    ConnectionOptions,
    RequestFactory,
    RequestOptions,
    ScriptedRequest,
    ScriptedWebSocket,
    WebSocketOptions,
)
from ._messages import AfterSend, RecordedSend, ScriptedConnection, ScriptedReceive
from ._response import Response
from ._scopes import http_scope, lifespan_scope, websocket_scope
from ._sync import SyncClient, SyncConversation
from ._validator import Validator, validate

__all__ = (
    "AfterSend",
    "Client",
    "ClientOptions",
    "ClientSettings",
    "ConnectionOptions",
    "Conversation",
    "ConversationOptions",
    "Exchange",
    "RecordedSend",
    "RequestFactory",
    "RequestOptions",
    "Response",
    "RunningConnection",
    "ScriptError",
    "ScriptedConnection",
    "ScriptedReceive",
    "ScriptedRequest",
    "ScriptedWebSocket",
    "SpecificationError",
    "StreamOptions",
    "SyncClient",
    "SyncConversation",
    "Validator",
    "WaitTimeout",
    "WebSocketOptions",
    "http_scope",
    "lifespan_scope",
    "multipart_body",
    "validate",
    "websocket_scope",
)
