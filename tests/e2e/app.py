"""The application that the servers serve: asgiwire alone, answering what it has seen as JSON.

The first segment of the path chooses what is done: here for HTTP, in ``conversations.py`` for WebSockets.
What a client that has left could not be told is put into ``RECORDS``, where a test asks for it; what should
not have happened goes into ``FAILURES``.
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

from .conversations import CONVERSATIONS, LimitedSocket
from .parent import end_with_parent
from .records import FAILURES, RECORDS, SIGNALS, note

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.connection import ASGIConnection
    from asgiwire.types import Receive, Scope, Send

SPOOL_SIZE = 64 * 1024
LIMIT = 100_000
HANGING = 3.0

end_with_parent()


class SpoolingRequest(Request):
    """A request whose files go to disk early."""

    limits = Limits(spool_size=SPOOL_SIZE)


class LimitedRequest(Request):
    """A request with a small limit."""

    limits = Limits(max_body_size=LIMIT)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer whatever the server opens."""
    try:
        match scope["type"]:
            case "http":
                await answer(scope, receive, send)
            case "websocket":
                await converse(scope, receive, send)
            case _:
                await live(receive, send)
    except Exception:
        FAILURES.append(traceback.format_exc())
        raise


async def live(receive: Receive, send: Send) -> None:
    """Go along with the lifespan."""
    kind = ""
    while kind != "lifespan.shutdown":
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})


async def converse(scope: Scope, receive: Receive, send: Send) -> None:
    """Talk as the path asks for."""
    route = route_of(WebSocket(scope))
    kind = LimitedSocket if route == "limited" else WebSocket
    await CONVERSATIONS[route](kind(scope, receive, send))


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Send what the route returns; nothing to a client that has left."""
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
    # hypercorn on trio fails in this last send where the client does not wait for it to return.
    if key := request.query_params.get("then"):
        note(key, state="answered")


def route_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The first segment of the path."""
    return connection.url.path.split("/")[1]


def as_request(kind: type[Request], request: Request) -> Request:
    """The same request with other limits."""
    return kind(request.scope, request.receive, request.send)


def digest(data: bytes) -> dict[str, Any]:
    """What can be told of bytes without sending them back."""
    return {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


async def token(_request: Request) -> Any:
    """Prove which process this is."""
    return os.environ.get("ASGIWIRE_E2E_TOKEN")


async def record(request: Request) -> Any:
    """What was recorded under the key."""
    return RECORDS.get(request.query_params["key"], {})


async def signal(request: Request) -> Any:
    """Let go on who waits for the signal with the key."""
    SIGNALS.setdefault(request.query_params["key"], anyio.Event()).set()


async def failures(_request: Request) -> Any:
    """Hand over, and forget, what should not have happened."""
    taken = FAILURES.copy()
    FAILURES.clear()
    return taken


async def inspect(request: Request) -> Any:
    """Everything that is known without reading the body, which is left unread."""
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
    """The body, read as a whole and twice."""
    first = await request.body()
    return digest(first) | {"again": await request.body() == first}


async def stream(request: Request) -> Any:
    """The body, read as it comes."""
    sha256, sizes = hashlib.sha256(), []
    async for chunk in request.stream():
        sha256.update(chunk)
        sizes.append(len(chunk))
    return {"size": sum(sizes), "sha256": sha256.hexdigest(), "last": sizes[-1], "empty": sizes.count(0)}


async def json(request: Request) -> Any:
    """The body as JSON."""
    return await request.json()


async def msgpack(request: Request) -> Any:
    """The body as MessagePack; JSON carries bytes as base64."""
    return await request.msgpack()


async def form(request: Request) -> Any:
    """The form, field by field."""
    request = as_request(SpoolingRequest, request)
    form = await request.form()
    try:
        return [[name, await describe(value)] for name, value in form.multi_items()]
    finally:
        await form.close()


async def describe(value: Any) -> Any:
    """A field as it is; of a file what can be told without sending it back."""
    if not isinstance(value, UploadFile):
        return value
    return digest(await value.read()) | {
        "filename": value.filename,
        "content_type": value.content_type,
        "on_disk": value.rolled_to_disk,
    }


async def limited(request: Request) -> Any:
    """A body under a limit, which holds for a second read as well."""
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
    """The body through two requests: over one scope or a copy of it, one after the other or at once."""
    bodies: dict[str, bytes] = {}

    async def read(name: str, reader: Request) -> None:
        bodies[name] = await reader.body()

    # A channel is known to a copy that was made after the first read, or to the scope itself.
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
    """Wait for a client that leaves in mid-body, and record how that is told, once and again."""
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
    """How a read ends, and whether it took its time."""
    started, error = time.monotonic(), None
    with anyio.move_on_after(HANGING) as scope:
        try:
            await read(request)
        except AsgiwireException as raised:
            error = type(raised).__name__
    hangs = scope.cancelled_caught
    return {"error": "hangs" if hangs else error, "at_once": time.monotonic() - started < HANGING / 3}


async def push(request: Request) -> Any:
    """Ask the server to push, and tell what came of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await request.send_push_promise("/inspect/é?pushed=1")
    raised = await outcome(lambda it: it.send_push_promise("/inspect", raise_if_unavailable=True), request)
    return {
        "supported": request.supports_push_promise,
        "warnings": [f"{warning.category.__name__}: {warning.message}" for warning in caught],
        "error": raised["error"],
    }


async def drain(request: Request) -> None:
    """Read the body as it comes."""
    async for _ in request.stream():
        pass


READERS: dict[str, Callable[[Request], Awaitable[Any]]] = {
    "body": Request.body,
    "stream": drain,
    "form": Request.form,
}

ROUTES: dict[str, Callable[[Request], Awaitable[Any]]] = {
    route.__name__: route
    for route in (
        *(token, record, signal, failures),
        *(inspect, body, stream, json, msgpack, form, limited, twice, disconnect, push),
    )
}
