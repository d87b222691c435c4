"""``install()``: an application whose requests and WebSockets are of both classes.

Starlette and FastAPI have no setting for these classes. They write ``Request(scope, receive, send)`` in many
places: routes, endpoint classes, ``BaseHTTPMiddleware``, exception handlers, the middleware for sessions and
authentication, FastAPI's copies of these; and so do other packages. A list of the places would break with the
next release. So the constructor decides: ``HTTPConnection.__new__`` returns an object of both classes if the
scope says so, and the scope says so in an application on which ``install()`` was called. All that is needed of
Starlette is that connections inherit from ``HTTPConnection``, that the scope is their first argument, and that
``build_middleware_stack()`` builds what an application calls; all three are public.

An object of a subclass of Starlette's class, such as that of ``BaseHTTPMiddleware``, gets a class that inherits
from both as well, so ``super().body()`` in it is asgiwire's.
"""

from __future__ import annotations

import types
import warnings
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import starlette.requests
import starlette.websockets
from starlette._utils import is_async_callable
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

import asgiwire.connection
from asgiwire._body.readers import ReplayReceive
from asgiwire._body.registry import body_channel
from asgiwire.exceptions import AsgiwireWarning, ClientException

from ._connection import HTTPConnection
from ._exceptions import TRANSLATION
from ._receive import SharedReceive
from .request import MiddlewareRequest, Request
from .websocket import WebSocket

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from asgiwire.types import Receive, Scope, Send

__all__ = ("install",)

SCOPE_KEY: Final = "asgiwire.starlette"
"""Where the scope holds the classes of the application."""

CLASS_KEY: Final = "_asgiwire_classes"
"""Where a subclass of Starlette's class stores the classes that replace it."""


class ConnectionClasses(NamedTuple):
    """The classes of an application."""

    request: type[Any]
    websocket: type[Any]

    def replacement(self, cls: type[Any]) -> type[Any]:
        """Return the class whose objects replace those of one of Starlette's classes."""
        if cls is starlette.requests.Request:
            return self.request
        if cls is starlette.websockets.WebSocket:
            return self.websocket
        if cls is starlette.requests.HTTPConnection:
            return HTTPConnection
        if issubclass(cls, asgiwire.connection.ASGIConnection):
            return cls
        replacements: dict[ConnectionClasses, type[Any]] | None = vars(cls).get(CLASS_KEY)
        if replacements is None:
            replacements = {}
            setattr(cls, CLASS_KEY, replacements)
        if self not in replacements:
            replacements[self] = self._subclass(cls)
        return replacements[self]

    def _subclass(self, cls: type[Any]) -> type[Any]:
        base: type[Any] = HTTPConnection
        if issubclass(cls, starlette.requests.Request):
            base = self.request
        elif issubclass(cls, starlette.websockets.WebSocket):
            base = self.websocket
        first = (MiddlewareRequest,) if hasattr(cls, "wrapped_receive") else ()
        try:
            subclass = types.new_class(cls.__name__, (*first, cls, base))
        except TypeError as error:
            msg = f"objects of {cls.__name__} are not asgiwire's, because no class can inherit from both: {error}"
            warnings.warn(msg, AsgiwireWarning, stacklevel=4)
            return cls
        subclass.__module__, subclass.__qualname__ = cls.__module__, cls.__qualname__
        return subclass


def install(
    app: Starlette,
    *,
    request_class: type[Any] = Request,
    websocket_class: type[Any] = WebSocket,
) -> None:
    """Make the requests and WebSockets of an application those of this package.

    It covers routes, mounted applications, dependencies, middleware, exception handlers and background tasks.
    Other applications of the process are not changed. Errors that asgiwire blames on the client become
    responses with their status code, in the error format of the application.

    Args:
        app: A Starlette or FastAPI application.
        request_class: A subclass of :class:`Request`, for example with other limits.
        websocket_class: A subclass of :class:`WebSocket`.
    """
    classes = ConnectionClasses(request_class, websocket_class)
    build = app.build_middleware_stack

    def build_middleware_stack() -> ASGIApp:
        _handle_client_exceptions(app)
        return Entry(build(), classes)

    # An assignment to a method, which type checkers reject.
    vars(app)["build_middleware_stack"] = build_middleware_stack
    if app.middleware_stack is not None:
        app.middleware_stack = build_middleware_stack()
    if starlette.requests.HTTPConnection.__new__ is not new_connection:
        starlette.requests.HTTPConnection.__new__ = new_connection  # type: ignore[method-assign, assignment]  # as above


class Entry:
    """The outermost middleware: marks the scope and shares the body of an HTTP request."""

    __slots__ = ("_app", "_classes")

    def __init__(self, app: ASGIApp, classes: ConnectionClasses) -> None:
        self._app = app
        self._classes = classes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope[SCOPE_KEY] = self._classes
        if scope["type"] == "http" and not isinstance(receive, ReplayReceive):
            receive = SharedReceive(*body_channel(scope, receive))
        await self._app(scope, receive, send)  # type: ignore[arg-type]  # Starlette's types are wider


def new_connection(cls: type[Any], *args: Any, **kwargs: Any) -> Any:
    """Create an object of ``cls``, or of the class that replaces it in this application."""
    scope = args[0] if args else kwargs.get("scope")
    classes: ConnectionClasses | None = scope.get(SCOPE_KEY) if isinstance(scope, dict) else None
    if classes is None:
        return object.__new__(cls)
    replacement = classes.replacement(cls)
    connection = object.__new__(replacement)
    if replacement is not cls:
        # A constructor may call Starlette's by name, which knows none of these.
        connection._headers, connection._values = None, {}
    return connection


def _handle_client_exceptions(app: Starlette) -> None:
    """Let each application in this one answer exceptions of asgiwire's own classes."""
    app.exception_handlers.setdefault(ClientException, client_exception_handler)
    for route in app.routes:
        mounted = getattr(route, "app", None)
        if isinstance(mounted, Starlette):
            _handle_client_exceptions(mounted)


async def client_exception_handler(connection: Any, error: Any) -> Any:
    """Answer an exception as the application answers an ``HTTPException`` with that status code."""
    TRANSLATION.apply(error)
    exception_handlers, status_handlers = connection.scope["starlette.exception_handlers"]
    handler = status_handlers.get(error.status_code) or exception_handlers[HTTPException]
    if is_async_callable(handler):
        return await handler(connection, error)
    return await run_in_threadpool(handler, connection, error)
