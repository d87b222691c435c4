"""``install()``, which makes requests and WebSockets instances of Starlette's classes and asgiwire's.

Starlette and FastAPI have no setting for these classes. They call ``Request(scope, receive, send)`` in
routes, endpoint classes, ``BaseHTTPMiddleware``, exception handlers, the middleware for sessions and
authentication, and FastAPI's copies of these. Other packages do so too. To replace each of these calls would
break with the next release. Therefore ``install()`` adds a key to the scope of the application. If the scope
has this key, ``HTTPConnection.__new__`` returns an instance of both classes.

This depends on three public properties of Starlette. Connections inherit from ``HTTPConnection``, the scope
is their first argument, and ``build_middleware_stack()`` returns the application that is called.

A subclass of Starlette's class, such as that of ``BaseHTTPMiddleware``, is replaced by a class that inherits
from it and from asgiwire's class, so that its ``super().body()`` calls asgiwire's.
"""

from __future__ import annotations

import types
import warnings
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import starlette.requests
import starlette.websockets
from starlette.applications import Starlette
from starlette.middleware import Middleware

import asgiwire.connection
from asgiwire._body.readers import ReplayReceive
from asgiwire._body.registry import body_channel
from asgiwire.exceptions import AsgiwireWarning

from ._connection import HTTPConnection
from ._errors import ClientErrorMiddleware, add_handlers
from ._middleware import MiddlewareRequest
from ._receive import SharedReceive, SocketReceive
from .request import Request
from .websocket import WebSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp

    from asgiwire.types import Receive, Scope, Send

__all__ = ("install",)

SCOPE_KEY: Final = "asgiwire.starlette"
"""The key of the scope with the classes of the application."""

CLASS_KEY: Final = "_asgiwire_classes"
"""The attribute of a subclass of Starlette's class with the classes that replace it."""


# The type parameters of these classes depend on the version of Starlette.
REQUEST: Final[Any] = starlette.requests.Request
WEBSOCKET: Final[Any] = starlette.websockets.WebSocket
CONNECTION: Final[Any] = starlette.requests.HTTPConnection


class ConnectionClasses(NamedTuple):
    """The classes of an application."""

    request: type[Any]
    websocket: type[Any]

    def replacement(self, cls: type[Any]) -> type[Any]:
        """Return the class that replaces one of Starlette's classes."""
        if cls is REQUEST:
            return self.request
        if cls is WEBSOCKET:
            return self.websocket
        if cls is CONNECTION:
            return HTTPConnection
        if asgiwire.connection.ASGIConnection in cls.__mro__:
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
        if REQUEST in cls.__mro__:
            base = self.request
        elif WEBSOCKET in cls.__mro__:
            base = self.websocket
        first = (MiddlewareRequest,) if hasattr(cls, "wrapped_receive") else ()
        try:
            subclass = types.new_class(cls.__name__, (*first, cls, base))
        except TypeError as error:
            msg = f"objects of {cls.__name__} are not asgiwire's: no class can inherit from both ({error})"
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
    """Replace the request and WebSocket classes of an application with those of this package.

    This applies to routes, mounted applications, dependencies, middleware, exception handlers and background
    tasks. Other applications of the process do not change. The application responds to a
    :class:`~asgiwire.exceptions.ClientException` with its status code, in its own error format.

    Args:
        app: A Starlette or FastAPI application.
        request_class: A subclass of :class:`Request`, for example with other limits.
        websocket_class: A subclass of :class:`WebSocket`.
    """
    build = app.build_middleware_stack
    if isinstance(build, _Build):  # the second call of install() replaces the first
        build = build.build
    # vars(), because type checkers reject an assignment to a method.
    vars(app)["build_middleware_stack"] = _Build(
        app, build, ConnectionClasses(request_class, websocket_class)
    )
    if app.middleware_stack is not None:  # the application has started
        app.middleware_stack = app.build_middleware_stack()
    CONNECTION.__new__ = new_connection
    # FastAPI injects a request for an annotation that is a subclass of Starlette's class.
    REQUEST.register(asgiwire.connection.Request)
    WEBSOCKET.register(asgiwire.connection.WebSocket)


class _Build:
    """Replaces ``app.build_middleware_stack()``."""

    def __init__(self, app: Starlette, build: Callable[[], ASGIApp], classes: ConnectionClasses) -> None:
        self.app = app
        self.build = build
        self.classes = classes

    def __call__(self) -> ASGIApp:
        add_handlers(self.app)
        user_middleware = self.app.user_middleware
        outermost = Middleware(ClientErrorMiddleware, self.app.exception_handlers)
        self.app.user_middleware = [outermost, *user_middleware]
        try:
            return Entry(self.build(), self.classes)
        finally:
            self.app.user_middleware = user_middleware


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
        elif scope["type"] == "websocket":
            receive = SocketReceive(receive)
        await self._app(scope, receive, send)


def new_connection(cls: type[Any], *args: Any, **kwargs: Any) -> Any:
    """Create an object of ``cls``, or of the class that replaces it in this application."""
    scope: Any = args[0] if args else kwargs.get("scope")
    classes: ConnectionClasses | None = None
    if isinstance(scope, dict):
        classes = cast("dict[str, Any]", scope).get(SCOPE_KEY)
    if classes is None:
        return object.__new__(cls)
    replacement = classes.replacement(cls)
    connection = object.__new__(replacement)
    if replacement is not cls:
        # A subclass may call Starlette's constructor by name, which does not call those of these classes.
        connection._headers = connection._cache = None
    return connection
