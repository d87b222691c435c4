"""Scopes and callables as other projects type them, given to ours and back; checked and never run.

A line with ``type: ignore[code]`` must be an error: each checker reports an ignore that is not needed.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiwire import ASGIConnection, Request, WebSocket

if TYPE_CHECKING:
    import asgiref.typing
    import hypercorn.typing
    import litestar.types
    import starlette.types
    import uvicorn._types

    from asgiwire.types import HTTPScope, Receive, Scope, Send, WebSocketScope


async def ours(scope: Scope, receive: Receive, send: Send) -> None:
    Request(scope, receive, send)
    WebSocket(scope, receive, send)
    ASGIConnection(scope, receive, send)


async def of_starlette(
    scope: starlette.types.Scope, receive: starlette.types.Receive, send: starlette.types.Send
) -> None:
    Request(scope, receive, send)
    WebSocket(scope, receive, send)


async def of_asgiref(
    scope: asgiref.typing.HTTPScope,
    socket_scope: asgiref.typing.WebSocketScope,
    receive: asgiref.typing.ASGIReceiveCallable,
    send: asgiref.typing.ASGISendCallable,
) -> None:
    Request(scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def of_litestar(
    scope: litestar.types.Scope,
    http_scope: litestar.types.HTTPScope,
    socket_scope: litestar.types.WebSocketScope,
    receive: litestar.types.Receive,
    send: litestar.types.Send,
) -> None:
    ASGIConnection(scope, receive, send)
    Request(http_scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def of_uvicorn(
    scope: uvicorn._types.Scope,
    http_scope: uvicorn._types.HTTPScope,
    socket_scope: uvicorn._types.WebSocketScope,
    receive: uvicorn._types.ASGIReceiveCallable,
    send: uvicorn._types.ASGISendCallable,
) -> None:
    ASGIConnection(scope, receive, send)
    Request(http_scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def of_hypercorn(
    scope: hypercorn.typing.Scope,
    http_scope: hypercorn.typing.HTTPScope,
    socket_scope: hypercorn.typing.WebsocketScope,
    receive: hypercorn.typing.ASGIReceiveCallable,
    send: hypercorn.typing.ASGISendCallable,
) -> None:
    ASGIConnection(scope, receive, send)
    Request(http_scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def of_dicts(scope: dict[str, Any], http_scope: HTTPScope, socket_scope: WebSocketScope) -> None:
    Request(scope)
    Request(http_scope)
    WebSocket(scope)
    WebSocket(socket_scope)
    Request({"type": "http", "method": "GET", "path": "/", "headers": []})


async def handed_on(request: Request, application: starlette.types.ASGIApp) -> None:
    await application(request.scope, request.receive, request.send)


# --- Whole applications: what a project's type says an application is, ours is ---


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    connection: Request | WebSocket
    connection = Request(scope, receive, send) if scope["type"] == "http" else WebSocket(scope, receive, send)
    await connection.send({"type": "http.response.start", "status": 204})


def served() -> None:
    by_starlette: starlette.types.ASGIApp = application
    by_litestar: litestar.types.ASGIApp = application  # type: ignore[assignment]  # a scope is no TypedDict
    del by_starlette, by_litestar


async def of_a_server(scope: Any, receive: Any, send: Any) -> None:
    Request(scope, receive, send)


async def middleware_of_starlette(
    application: starlette.types.ASGIApp,
    scope: starlette.types.Scope,
    receive: starlette.types.Receive,
    send: starlette.types.Send,
) -> None:
    await application(scope, Request(scope, receive).replay, send)


async def middleware_of_asgiref(
    application: asgiref.typing.ASGI3Application,
    scope: asgiref.typing.Scope,
    receive: asgiref.typing.ASGIReceiveCallable,
    send: asgiref.typing.ASGISendCallable,
) -> None:
    await application(scope, Request(scope, receive).replay, send)


async def middleware_of_uvicorn(
    application: uvicorn._types.ASGI3Application,
    scope: uvicorn._types.Scope,
    receive: uvicorn._types.ASGIReceiveCallable,
    send: uvicorn._types.ASGISendCallable,
) -> None:
    request = Request(scope, receive, send)
    await application(scope, request.tee(len), request.send)
    await application(request.scope, request.receive, send)  # type: ignore[arg-type]  # a scope is no TypedDict


async def middleware_of_litestar(
    application: litestar.types.ASGIApp,
    scope: litestar.types.Scope,
    receive: litestar.types.Receive,
    send: litestar.types.Send,
) -> None:
    await application(scope, Request(scope, receive).replay, send)
