"""asgi-tools, whose form parsers are compiled with Cython.

Two of its requests do not share a body, so ``two_requests`` is missing. Its spooled upload is written to
disk only above the maximum size of the form, that is never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from asgi_tools import Request, ResponseWebSocket

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from multidict import MultiDict

    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "asgi-tools"
IMPORT = "from asgi_tools import Request, ResponseWebSocket"

decode_order = msgspec.json.Decoder(Order).decode


def construct(scope: Scope, receive: Receive, send: Send) -> Request:
    return Request(scope, receive, send)


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return Request(scope, receive, send).headers["x-request-id"]


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    headers = Request(scope, receive, send).headers
    return headers["host"], headers["user-agent"], headers["x-request-id"]


def content_type(scope: Scope, receive: Receive, send: Send) -> tuple[str, str]:
    media = Request(scope, receive, send).media
    return media["content_type"], media["boundary"]


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = Request(scope, receive, send).query
    return values["q"], values["page"], values["per_page"], values["sort"], values["order"], values["in"]


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = Request(scope, receive, send).cookies
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    return str(Request(scope, receive, send).url)


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    request = Request(scope, receive, send)
    headers = request.headers
    return (
        request.method,
        request.path,
        headers["host"],
        headers["user-agent"],
        headers["x-request-id"],
        request.query["page"],
        request.cookies["session"],
        request.client[0],
    )


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return await Request(scope, receive, send).json()


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await Request(scope, receive, send).body())


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    return await Request(scope, receive, send).body()


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    async for chunk in Request(scope, receive, send).stream():
        size += len(chunk)
    return size


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> MultiDict[Any]:
    return await Request(scope, receive, send).form()


multipart_fields = multipart_many = urlencoded


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    files = []
    for name, file in (await Request(scope, receive, send).form(max_size=20_000_000)).items():
        with file:
            files.append((name, file.name, file.content_type, file.read()))
    return files


multipart_file = multipart_files


def pairs(form: MultiDict[Any]) -> list[tuple[str, Any]]:
    return list(form.items())


def websocket(scope: Scope, receive: Receive, send: Send) -> ResponseWebSocket:
    return ResponseWebSocket(scope, receive, send)


async def accepted(scope: Scope, receive: Receive, send: Send) -> ResponseWebSocket:
    socket = websocket(scope, receive, send)
    await socket.accept()
    return socket


async def websocket_texts(scope: Scope, receive: Receive, send: Send) -> None:
    socket = await accepted(scope, receive, send)
    for _ in range(100):
        await socket.send(await socket.receive())


async def websocket_json(scope: Scope, receive: Receive, send: Send) -> None:
    socket = await accepted(scope, receive, send)
    for _ in range(100):
        # asgi-tools has send_json(), but no receive_json().
        await socket.send_json(msgspec.json.decode(await socket.receive()))
