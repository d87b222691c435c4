"""The application of the tests: asgiwire without a framework, which responds with JSON.

The first segment of the path selects a route: here for HTTP, in ``websocket_routes.py`` for WebSockets.
``RECORDS`` has results for tests whose client disconnects; ``FAILURES`` has unexpected exceptions.
"""

from __future__ import annotations

import hashlib
import os
import time
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import anyio

from asgiwire import Limits, Request, WebSocket
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import AsgiwireException, ClientDisconnect, ClientException
from asgiwire.serialization import encode_json

from .parent import end_with_parent
from .records import FAILURES, RECORDS, SIGNALS, note
from .websocket_routes import WEBSOCKET_ROUTES, LimitedSocket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.connection import ASGIConnection
    from asgiwire.types import Receive, Scope, Send

SPOOL_SIZE = 64 * 1024
LIMIT = 100_000
HANGING = 3.0

end_with_parent()


class SpoolingRequest(Request):
    """A request that writes small files to disk."""

    limits = Limits(spool_size=SPOOL_SIZE)


class LimitedRequest(Request):
    """A request with a small limit."""

    limits = Limits(max_body_size=LIMIT)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Handle a connection of any type."""
    try:
        match scope["type"]:
            case "http":
                await handle_http(scope, receive, send)
            case "websocket":
                await handle_websocket(scope, receive, send)
            case _:
                await run_lifespan(receive, send)
    except Exception:
        FAILURES.append(traceback.format_exc())
        raise


async def run_lifespan(receive: Receive, send: Send) -> None:
    """Complete the lifespan events."""
    kind = ""
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})


async def handle_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """Call the WebSocket route of the path."""
    route = route_of(WebSocket(scope))
    kind = LimitedSocket if route == "limited" else WebSocket
    await WEBSOCKET_ROUTES[route](kind(scope, receive, send))


async def handle_http(scope: Scope, receive: Receive, send: Send) -> None:
    """Send the result of the route; send nothing after a disconnect."""
    request = Request(scope, receive, send)
    status = 200
    try:
        value = await ROUTES[route_of(request)](request)
    except ClientException as error:
        status, value = error.status_code, {"error": type(error).__name__, "detail": error.detail}
    except ClientDisconnect:
        return
    body = encode_json(value)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    # hypercorn on trio fails in this last send if the client disconnects before it returns.
    if key := request.query_params.get("then"):
        note(key, state="answered")


def route_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return the first segment of the path."""
    return connection.url.path.split("/")[1]


def as_request(kind: type[Request], request: Request) -> Request:
    """Return the same request with the limits of another class."""
    return kind(request.scope, request.receive, request.send)


def digest(data: bytes) -> dict[str, Any]:
    """Return the size and hash of bytes."""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


async def token(_request: Request) -> Any:
    """Return the token that identifies this process."""
    return os.environ.get("ASGIWIRE_E2E_TOKEN")


async def record(request: Request) -> Any:
    """Return the record of a key."""
    return RECORDS.get(request.query_params["key"], {})


async def signal(request: Request) -> Any:
    """Set the signal of a key."""
    SIGNALS.setdefault(request.query_params["key"], anyio.Event()).set()


async def failures(_request: Request) -> Any:
    """Return and remove the unexpected exceptions."""
    taken = FAILURES.copy()
    FAILURES.clear()
    return taken


async def inspect(request: Request) -> Any:
    """Return all values that need no body; the body stays unread."""
    return {
        "method": request.method,
        "http_version": request.scope["http_version"],
        "url": str(request.url),
        "base_url": str(request.base_url),
        "path": request.url.path,
        "decoded_path": request.scope["path"],
        "query": list(request.query_params.multi_items()),
        "headers": list(request.headers.multi_items()),
        "cookies": request.cookies,
        "client": request.client,
        "server": request.server,
        "accept": list(request.accept),
        "content_type": request.content_type,
        "content_length": request.content_length,
        "connected": request.is_connected,
        "repr": repr(request),
    }


async def body(request: Request) -> Any:
    """Read the body twice."""
    first = await request.body()
    return digest(first) | {"again": await request.body() == first}


async def stream(request: Request) -> Any:
    """Read the body as a stream."""
    sha256, sizes = hashlib.sha256(), []
    async for chunk in request.stream():
        sha256.update(chunk)
        sizes.append(len(chunk))
    return {"size": sum(sizes), "sha256": sha256.hexdigest(), "last": sizes[-1], "empty": sizes.count(0)}


async def json(request: Request) -> Any:
    """Return the JSON body."""
    return await request.json()


async def msgpack(request: Request) -> Any:
    """Return the MessagePack body; the response has bytes as base64."""
    return await request.msgpack()


async def form(request: Request) -> Any:
    """Return the fields of the form."""
    request = as_request(SpoolingRequest, request)
    form = await request.form()
    try:
        return [[name, await describe(value)] for name, value in form.multi_items()]
    finally:
        await form.close()


async def describe(value: Any) -> Any:
    """Return a field, or the size, hash and names of a file."""
    if not isinstance(value, UploadFile):
        return value
    return digest(await value.read()) | {
        "filename": value.filename,
        "content_type": value.content_type,
        "on_disk": value.rolled_to_disk,
    }


async def limited(request: Request) -> Any:
    """Read a body with a small limit; a second read must raise the same error."""
    request = as_request(LimitedRequest, request)
    read = READERS[request.query_params["how"]]
    try:
        await read(request)
    except ClientException as error:
        again = await outcome(read, request)
        if again["error"] != type(error).__name__:
            raise AssertionError(again) from error
        raise
    return digest(await request.body())


async def twice(request: Request) -> Any:
    """Read the body with two requests, over one scope or a copy, in sequence or at the same time."""
    bodies: dict[str, bytes] = {}

    async def read(name: str, reader: Request) -> None:
        bodies[name] = await reader.body()

    # A copy of the scope shares the body if it was made after the first read.
    if request.query_params.get("at_once"):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(read, "first", request)
            tasks.start_soon(read, "second", Request(request.scope, request.receive))
    else:
        await read("first", request)
        scope = dict(request.scope) if request.query_params.get("copied") else request.scope
        await read("second", Request(scope, request.receive))
    return {name: digest(data) for name, data in bodies.items()}


async def disconnect(request: Request) -> Any:
    """Read until the client disconnects, and record the outcome of three reads."""
    key, read = request.query_params["key"], READERS[request.query_params["how"]]
    note(key, state="reading")
    first = await outcome(read, request)
    connected = request.is_connected
    again = await outcome(read, request)
    other = await outcome(Request.body, Request(request.scope, request.receive))
    note(key, state="over", first=first, again=again, other=other, connected=connected)
    if first["error"] == "ClientDisconnect":
        raise ClientDisconnect


async def outcome(read: Callable[[Request], Awaitable[Any]], request: Request) -> dict[str, Any]:
    """Return the error of a read, and whether the read ended quickly."""
    started, error = time.monotonic(), None
    with anyio.move_on_after(HANGING) as scope:
        try:
            await read(request)
        except AsgiwireException as raised:
            error = type(raised).__name__
    hangs = scope.cancelled_caught
    return {"error": "hangs" if hangs else error, "at_once": time.monotonic() - started < HANGING / 3}


async def push(request: Request) -> Any:
    """Send push promises, and return warnings and errors."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await request.send_push_promise("/inspect/é?pushed=1")
    raised = await outcome(lambda one: one.send_push_promise("/inspect", raise_if_unavailable=True), request)
    return {
        "supported": request.supports_push_promise,
        "warnings": [f"{warning.category.__name__}: {warning.message}" for warning in caught],
        "error": raised["error"],
    }


async def read_stream(request: Request) -> None:
    """Read the body as a stream."""
    async for _ in request.stream():
        pass


READERS: dict[str, Callable[[Request], Awaitable[Any]]] = {
    "body": Request.body,
    "stream": read_stream,
    "form": Request.form,
}

ROUTES: dict[str, Callable[[Request], Awaitable[Any]]] = {
    route.__name__: route
    for route in (
        *(token, record, signal, failures),
        *(inspect, body, stream, json, msgpack, form, limited, twice, disconnect, push),
    )
}
