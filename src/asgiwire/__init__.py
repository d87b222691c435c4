"""The connection layer of ASGI: ``Request``, ``WebSocket`` and their datastructures, without a framework.

::

    from asgiwire import Request

    async def app(scope, receive, send):
        request = Request(scope, receive, send)
        order = await request.json()

The modules, in the order of their imports; each imports only from those before it:

===========================  ==========================================================================
``asgiwire.exceptions``      every exception, with the tree in the docstring
``asgiwire.types``           the ASGI callables, scopes and events
``asgiwire.limits``          ``Limits``: what one client may send
``asgiwire._concurrency``    what differs between asyncio and trio
``asgiwire.serialization``   JSON and MessagePack
``asgiwire._parsers``        bytes in, builtins out, no await
``asgiwire.datastructures``  headers, cookies, multidicts, URL, Accept, state, uploads
``asgiwire._multipart``      multipart/form-data: bytes in, events out, no await
``asgiwire._body``           the request body: the channel of a ``receive`` callable, and its readers
``asgiwire._websocket``      the WebSocket: transition tables, events, and the channel that sends and receives
``asgiwire.connection``      ``ASGIConnection``, ``Request`` and ``WebSocket``, each in one file
``asgiwire.testing``         a client, a validator, scripted connections, ``RequestFactory``
``asgiwire.integrations``    for applications of other frameworks; imported on demand
===========================  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .connection import ASGIConnection, Request, empty_receive, empty_send
from .limits import Limits

if TYPE_CHECKING:
    from .connection import WebSocket
else:
    # Imported on first use: most requests are not handshakes.
    # Hidden from type checkers, which would accept any name.
    def __getattr__(name: str) -> object:
        if name != "WebSocket":
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from .connection import WebSocket

        globals()[name] = WebSocket
        return WebSocket

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = (
    "ASGIConnection",
    "Limits",
    "Request",
    "WebSocket",
    "empty_receive",
    "empty_send",
)

__version__ = "0.1.0"
