"""The connection layer of ASGI: ``Request``, ``WebSocket`` and their datastructures, without a framework.

::

    from asgiwire import Request

    async def app(scope, receive, send):
        request = Request(scope, receive, send)
        order = await request.json()

The modules, in import order. Each module imports only from the modules above it:

===========================  ==========================================================================
``asgiwire.exceptions``      every exception, with the tree in the docstring
``asgiwire.types``           the ASGI callables, scopes and events
``asgiwire.limits``          ``Limits``: limits for the data that a client sends
``asgiwire._concurrency``    locks, events and threads for asyncio and trio
``asgiwire._parsers``        bytes in, builtins out, no await
``asgiwire._typed``          target types: text values for the fields of a type, and Pydantic
``asgiwire.sending``         ``send_response()``
``asgiwire.serialization``   JSON, MessagePack and text parameters
``asgiwire.datastructures``  headers, cookies, multidicts, URL, Accept, state, uploads
``asgiwire._multipart``      multipart/form-data: bytes in, events out, no await
``asgiwire._body``           the request body: the channel of a ``receive`` callable, and its readers
``asgiwire._websocket``      the WebSocket: state tables, events, and the channel that sends and receives
``asgiwire.connection``      ``ASGIConnection``, ``Request`` and ``WebSocket``, one file per class
``asgiwire.testing``         a client, a validator, scripted connections, ``RequestFactory``
``asgiwire.integrations``    Litestar, Starlette and FastAPI; imported on demand
===========================  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._parsers import __speedups__ as __speedups__  # public, but not for `import *`
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
