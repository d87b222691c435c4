"""Responses to exceptions of asgiwire that no handler of the application catches.

The exceptions that a connection raises are also Starlette's, and Starlette handles them. This module handles
exceptions that an application raises, such as ``ClientException(status_code=403)``, and exceptions in
middleware, to which Starlette responds with a 500.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette._utils import is_async_callable
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request

from asgiwire.exceptions import ClientException, Disconnected, WebSocketException

from ._exceptions import SOCKET_TRANSLATION, TRANSLATION

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def add_handlers(app: Starlette) -> None:
    """Add a handler to an application and its mounted applications, unless they have one."""
    app.exception_handlers.setdefault(ClientException, answer_client_exception)
    app.exception_handlers.setdefault(WebSocketException, close_websocket)
    for route in app.routes:
        mounted = getattr(route, "app", None)
        if isinstance(mounted, Starlette):
            add_handlers(mounted)


async def answer_client_exception(connection: Any, error: Any) -> Any:
    """Respond as the application does to an ``HTTPException`` with this status code; close a WebSocket."""
    if connection.scope["type"] == "websocket":
        SOCKET_TRANSLATION.apply(error)
        await connection.close(error.code, error.reason)
        return None
    TRANSLATION.apply(error)
    exception_handlers, status_handlers = connection.scope["starlette.exception_handlers"]
    handler = status_handlers.get(error.status_code) or exception_handlers[HTTPException]
    return await _call(handler, connection, error)


async def close_websocket(websocket: Any, error: Any) -> None:
    """Close with the code and the detail of a ``WebSocketException``."""
    if isinstance(error, Disconnected):
        raise error
    await websocket.close(error.code, error.detail)


class ClientErrorMiddleware:
    """The outermost middleware of an application, inside Starlette's ``ServerErrorMiddleware``.

    Args:
        app: The application that it calls.
        handlers: The exception handlers of the application.
    """

    def __init__(self, app: ASGIApp, handlers: dict[Any, Any]) -> None:
        self._app = app
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response_started = False

        async def send_response(message: Message) -> None:
            nonlocal response_started
            response_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_response)
        except ClientException as error:
            if response_started:
                raise
            TRANSLATION.apply(error)
            request = Request(scope, receive, send)
            response = await _call(self._handler(error), request, error)
            await response(scope, receive, send)

    def _handler(self, error: Any) -> Any:
        # Starlette's order: the status code, then the classes.
        for key in (error.status_code, *type(error).__mro__):
            handler = self._handlers.get(key)
            if handler is not None and handler is not answer_client_exception:
                return handler
        return ExceptionMiddleware(self._app).http_exception


async def _call(handler: Any, connection: Any, error: Exception) -> Any:
    if is_async_callable(handler):
        return await handler(connection, error)
    return await run_in_threadpool(handler, connection, error)
