"""asgikit.

Left out: the URL, which it does not build; the media type of a header, which it does not parse; two requests
over one scope, of which the second is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from asgikit.requests import Request
from asgikit.websockets import WebSocket

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from asgikit.multidict import MultiDict

    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "asgikit"
IMPORT = "from asgikit.requests import Request; from asgikit.websockets import WebSocket"

decode_order = msgspec.json.Decoder(Order).decode


def construct(scope: Scope, receive: Receive, send: Send) -> Request:
    return Request(scope, receive, send)


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return Request(scope, receive, send).headers.get("x-request-id")


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    headers = Request(scope, receive, send).headers
    return headers.get("host"), headers.get("user-agent"), headers.get("x-request-id")


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    value = Request(scope, receive, send).query.get
    return value("q"), value("page"), value("per_page"), value("sort"), value("order"), value("in")


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    value = Request(scope, receive, send).cookies.get
    return value("session"), value("csrftoken"), value("theme"), value("_ga"), value("lang")


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    request = Request(scope, receive, send)
    headers = request.headers
    return (
        request.method,
        request.path,
        headers.get("host"),
        headers.get("user-agent"),
        headers.get("x-request-id"),
        request.query.get("page"),
        request.cookies.get("session"),
        request.client[0],
    )


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return await Request(scope, receive, send).body.read_json()


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await Request(scope, receive, send).body.read_bytes())


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    return await Request(scope, receive, send).body.read_bytes()


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    async for chunk in Request(scope, receive, send).body:
        size += len(chunk)
    return size


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> MultiDict[str, Any]:
    return await Request(scope, receive, send).body.read_form()


multipart_fields = multipart_many = urlencoded


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    form = await Request(scope, receive, send).body.read_form()
    files = []
    for name, upload in pairs(form):
        with upload.file as file:
            files.append((name, upload.filename, upload.media_type, file.read()))
    return files


multipart_file = multipart_files


def pairs(form: MultiDict[str, Any]) -> list[tuple[str, Any]]:
    # From 0.22 on, which Python 3.11 does not get, these are pairs already.
    items = list(form.items())
    if items and not isinstance(items[0][1], list):
        return items
    return [(name, value) for name, values in items for value in values]


def websocket(scope: Scope, receive: Receive, send: Send) -> WebSocket:
    return WebSocket(scope, receive, send)


async def accepted(scope: Scope, receive: Receive, send: Send) -> WebSocket:
    socket = websocket(scope, receive, send)
    await socket.accept()
    return socket


async def websocket_texts(scope: Scope, receive: Receive, send: Send) -> None:
    socket = await accepted(scope, receive, send)
    for _ in range(100):
        await socket.write(await socket.read())


async def websocket_json(scope: Scope, receive: Receive, send: Send) -> None:
    socket = await accepted(scope, receive, send)
    for _ in range(100):
        await socket.write_json(await socket.read_json())
