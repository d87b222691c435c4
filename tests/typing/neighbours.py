"""Scopes and callables with the types of other projects; type-checked and never run.

A line with ``type: ignore[code]`` must be an error: each type checker reports an unused ignore.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, assert_type

from asgiwire import ASGIConnection, Request, WebSocket

if TYPE_CHECKING:
    import asgiref.typing
    import hypercorn.typing
    import litestar.types
    import starlette.types
    import uvicorn._types

    from asgiwire.types import (
        ASGIApp,
        HTTPScope,
        LifespanReceiveMessage,
        LifespanScope,
        LifespanShutdownFailedEvent,
        LifespanStartupCompleteEvent,
        LifespanStartupFailedEvent,
        Receive,
        Scope,
        Send,
        WebSocketScope,
    )


async def own_types(scope: Scope, receive: Receive, send: Send) -> None:
    Request(scope, receive, send)
    WebSocket(scope, receive, send)
    ASGIConnection(scope, receive, send)


async def starlette_types(
    scope: starlette.types.Scope, receive: starlette.types.Receive, send: starlette.types.Send
) -> None:
    Request(scope, receive, send)
    WebSocket(scope, receive, send)


async def asgiref_types(
    scope: asgiref.typing.HTTPScope,
    socket_scope: asgiref.typing.WebSocketScope,
    receive: asgiref.typing.ASGIReceiveCallable,
    send: asgiref.typing.ASGISendCallable,
) -> None:
    Request(scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def litestar_types(
    scope: litestar.types.Scope,
    http_scope: litestar.types.HTTPScope,
    socket_scope: litestar.types.WebSocketScope,
    receive: litestar.types.Receive,
    send: litestar.types.Send,
) -> None:
    ASGIConnection(scope, receive, send)
    Request(http_scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def uvicorn_types(
    scope: uvicorn._types.Scope,
    http_scope: uvicorn._types.HTTPScope,
    socket_scope: uvicorn._types.WebSocketScope,
    receive: uvicorn._types.ASGIReceiveCallable,
    send: uvicorn._types.ASGISendCallable,
) -> None:
    ASGIConnection(scope, receive, send)
    Request(http_scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def hypercorn_types(
    scope: hypercorn.typing.Scope,
    http_scope: hypercorn.typing.HTTPScope,
    socket_scope: hypercorn.typing.WebsocketScope,
    receive: hypercorn.typing.ASGIReceiveCallable,
    send: hypercorn.typing.ASGISendCallable,
) -> None:
    ASGIConnection(scope, receive, send)
    Request(http_scope, receive, send)
    WebSocket(socket_scope, receive, send)


async def plain_dicts(scope: dict[str, Any], http_scope: HTTPScope, socket_scope: WebSocketScope) -> None:
    Request(scope)
    Request(http_scope)
    WebSocket(scope)
    WebSocket(socket_scope)
    Request({"type": "http", "method": "GET", "path": "/", "headers": []})


async def passed_on(request: Request, application: starlette.types.ASGIApp) -> None:
    await application(request.scope, request.receive, request.send)


# --- Applications: assignable to the application types of other projects ---


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    connection: Request | WebSocket
    connection = Request(scope, receive, send) if scope["type"] == "http" else WebSocket(scope, receive, send)
    await connection.send({"type": "http.response.start", "status": 204})


def own_applications_elsewhere(typed: ASGIApp) -> None:
    own: ASGIApp = application
    as_asgiref: asgiref.typing.ASGI3Application = application
    as_starlette: starlette.types.ASGIApp = application
    as_hypercorn: hypercorn.typing.ASGIFramework = application
    as_uvicorn: uvicorn._types.ASGI3Application = application
    as_litestar: litestar.types.ASGIApp = application
    as_asgiref = typed
    as_starlette = typed
    as_hypercorn = typed
    as_uvicorn = typed
    as_litestar = typed
    del own, as_asgiref, as_starlette, as_hypercorn, as_uvicorn, as_litestar


def other_applications_here(
    of_asgiref: asgiref.typing.ASGI3Application,
    of_starlette: starlette.types.ASGIApp,
    of_hypercorn: hypercorn.typing.ASGIFramework,
    of_uvicorn: uvicorn._types.ASGI3Application,
    of_litestar: litestar.types.ASGIApp,
) -> None:
    wanted: ASGIApp = of_asgiref
    wanted = of_starlette
    wanted = of_uvicorn
    wanted = of_litestar
    wanted = of_hypercorn
    del wanted


async def lifespan(scope: LifespanScope, receive: Receive, send: Send) -> None:
    assert_type(scope["type"], Literal["lifespan"])
    event: LifespanReceiveMessage = await receive()
    if event["type"] == "lifespan.startup":
        complete: LifespanStartupCompleteEvent = {"type": "lifespan.startup.complete"}
        await send(complete)
    else:
        failed: LifespanShutdownFailedEvent = {"type": "lifespan.shutdown.failed", "message": "busy"}
        await send(failed)


def wrong_lifespan_event() -> LifespanStartupFailedEvent:
    return {"type": "lifespan.startup.failed", "reason": "no"}  # type: ignore[typeddict-unknown-key]  # the key is message


async def not_an_application(scope: Scope, receive: Receive) -> None: ...


def wants_an_application(_app: ASGIApp) -> None:
    wants_an_application(not_an_application)  # type: ignore[arg-type]  # no send


async def untyped_server(scope: Any, receive: Any, send: Any) -> None:
    Request(scope, receive, send)


async def starlette_middleware(
    application: starlette.types.ASGIApp,
    scope: starlette.types.Scope,
    receive: starlette.types.Receive,
    send: starlette.types.Send,
) -> None:
    await application(scope, Request(scope, receive).replay, send)


async def asgiref_middleware(
    application: asgiref.typing.ASGI3Application,
    scope: asgiref.typing.Scope,
    receive: asgiref.typing.ASGIReceiveCallable,
    send: asgiref.typing.ASGISendCallable,
) -> None:
    await application(scope, Request(scope, receive).replay, send)


async def uvicorn_middleware(
    application: uvicorn._types.ASGI3Application,
    scope: uvicorn._types.Scope,
    receive: uvicorn._types.ASGIReceiveCallable,
    send: uvicorn._types.ASGISendCallable,
) -> None:
    request = Request(scope, receive, send)
    await application(scope, request.tee(len), request.send)
    await application(request.scope, request.receive, send)  # type: ignore[arg-type]  # a Scope is not a TypedDict


async def litestar_middleware(
    application: litestar.types.ASGIApp,
    scope: litestar.types.Scope,
    receive: litestar.types.Receive,
    send: litestar.types.Send,
) -> None:
    await application(scope, Request(scope, receive).replay, send)
