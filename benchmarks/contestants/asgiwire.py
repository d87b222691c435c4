"""asgiwire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiwire import Limits, WebSocket
from asgiwire import Request as DefaultRequest
from benchmarks.inputs import Order, Registration, Search

if TYPE_CHECKING:
    from asgiwire.datastructures import FormMultiDict
    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "asgiwire"
IMPORT = "from asgiwire import Request, WebSocket"
PACKAGE = "asgiwire"


class Request(DefaultRequest):
    __slots__ = ()
    limits = Limits(max_body_size=None)


def construct(scope: Scope, receive: Receive, send: Send) -> Request:
    return Request(scope, receive, send)


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return Request(scope, receive, send).headers["x-request-id"]


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    headers = Request(scope, receive, send).headers
    return headers["host"], headers["user-agent"], headers["x-request-id"]


def content_type(scope: Scope, receive: Receive, send: Send) -> tuple[str, str]:
    media_type, parameters = Request(scope, receive, send).content_type
    return media_type, parameters["boundary"]


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = Request(scope, receive, send).query_params
    return values["q"], values["page"], values["per_page"], values["sort"], values["order"], values["in"]


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = Request(scope, receive, send).cookies
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    return str(Request(scope, receive, send).url)


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    request = Request(scope, receive, send)
    headers = request.headers
    client = request.client
    return (
        request.method,
        request.scope["path"],
        headers["host"],
        headers["user-agent"],
        headers["x-request-id"],
        request.query_params["page"],
        request.cookies["session"],
        client.host if client else "",
    )


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return await Request(scope, receive, send).json()


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return await Request(scope, receive, send).json(type=Order)


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    return await Request(scope, receive, send).body()


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    async for chunk in Request(scope, receive, send).stream():
        size += len(chunk)
    return size


async def two_requests(scope: Scope, receive: Receive, send: Send) -> tuple[bytes, bytes]:
    first = await Request(scope, receive, send).body()
    return first, await Request(scope, receive, send).body()


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> FormMultiDict:
    return await Request(scope, receive, send).form()


multipart_fields = multipart_many = urlencoded


async def typed_query(scope: Scope, receive: Receive, send: Send) -> Search:
    return Request(scope, receive, send).query(type=Search)


async def typed_form(scope: Scope, receive: Receive, send: Send) -> Registration:
    return await Request(scope, receive, send).form(type=Registration)


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    async with await Request(scope, receive, send).form() as form:
        return [
            (name, file.filename, file.content_type, await file.read()) for name, file in form.multi_items()
        ]


multipart_file = multipart_files


async def multipart_stream(
    scope: Scope, receive: Receive, send: Send
) -> list[tuple[str, str | None, str, int]]:
    files = []
    async for part in Request(scope, receive, send).multipart():
        size = 0
        async for chunk in part:
            size += len(chunk)
        files.append((part.name, part.filename, part.content_type, size))
    return files


def pairs(form: FormMultiDict) -> list[tuple[str, str]]:
    return list(form.multi_items())


def websocket(scope: Scope, receive: Receive, send: Send) -> WebSocket:
    return WebSocket(scope, receive, send)


async def accepted(scope: Scope, receive: Receive, send: Send) -> WebSocket:
    socket = websocket(scope, receive, send)
    await socket.accept()
    return socket


async def websocket_texts(scope: Scope, receive: Receive, send: Send) -> None:
    socket = await accepted(scope, receive, send)
    for _ in range(100):
        await socket.send_text(await socket.receive_text())


async def websocket_json(scope: Scope, receive: Receive, send: Send) -> None:
    socket = await accepted(scope, receive, send)
    for _ in range(100):
        await socket.send_json(await socket.receive_json())
