"""The connection layer of ASGI: ``Request``, ``WebSocket`` and their datastructures, without a framework.

::

    from asgiwire import Request

    async def app(scope, receive, send):
        request = Request(scope, receive, send)
        order = await request.json()

Where things are, from the bottom up; each room imports only from those above it in this list:

=============================  ===================================================================
``asgiwire.exceptions``        every exception, the tree drawn at the top
``asgiwire.types``             the ASGI callables, scopes and events
``asgiwire.limits``            ``Limits``: what one peer may make us read or keep
``asgiwire.serialization``     JSON and MessagePack
``asgiwire._parsers``          bytes in, builtins out, no await
``asgiwire.datastructures``    headers, cookies, multidicts, URL, Accept, state, uploads
``asgiwire._multipart``        multipart/form-data: bytes in, events out, no await; ``_multipart_parser``
                               is what is under it, ``_multipart_whole`` the short way for small forms
``asgiwire._websocket.states`` the transition tables of a WebSocket, no await
``asgiwire.connection``        ``ASGIConnection``, ``Request``, ``WebSocket``: what awaits
``asgiwire.testing``           scopes, a scripted receive, a recording send, ``RequestFactory``
``asgiwire.integrations``      inside other frameworks; imported on demand, nothing here needs it
=============================  ===================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .connection import ASGIConnection, Request, empty_receive, empty_send
from .limits import Limits

if TYPE_CHECKING:
    from .connection import WebSocket
else:
    # Imported with its first use: most requests are no handshake, and its machine is a third of the package.
    # Hidden from type checkers, which would take any name for one that is here.
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
