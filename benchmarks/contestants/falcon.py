"""Falcon, whose query parser and readers are compiled with Cython.

Two of its requests do not share a body, so ``two_requests`` is missing. A receive queue of size 0 makes its
WebSocket call the server's ``receive`` directly, which is faster than Falcon's own task and queue.
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import falcon.media
import msgspec
from falcon import RequestOptions
from falcon.asgi import Request, WebSocket
from falcon.asgi.ws import WebSocketOptions

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "falcon"
IMPORT = "from falcon.asgi import Request, WebSocket"

decode_order = msgspec.json.Decoder(Order).decode

options = RequestOptions()
multipart = falcon.media.MultipartFormHandler()
multipart.parse_options.max_body_part_count = 1000
options.media_handlers[falcon.MEDIA_MULTIPART] = multipart
websocket_options = WebSocketOptions()


def construct(scope: Scope, receive: Receive, send: Send) -> Request:
    return Request(scope, receive, options=options)


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return Request(scope, receive, options=options).get_header("x-request-id")


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    header = Request(scope, receive, options=options).get_header
    return header("host"), header("user-agent"), header("x-request-id")


def content_type(scope: Scope, receive: Receive, send: Send) -> tuple[str, str]:
    media_type, parameters = falcon.parse_header(Request(scope, receive, options=options).content_type)
    return media_type, parameters["boundary"]


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = Request(scope, receive, options=options).params
    return values["q"], values["page"], values["per_page"], values["sort"], values["order"], values["in"]


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = Request(scope, receive, options=options).cookies
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    return Request(scope, receive, options=options).uri


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    request = Request(scope, receive, options=options)
    return (
        request.method,
        request.path,
        request.get_header("host"),
        request.get_header("user-agent"),
        request.get_header("x-request-id"),
        request.params["page"],
        request.cookies["session"],
        request.remote_addr,
    )


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return await Request(scope, receive, options=options).get_media()


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await Request(scope, receive, options=options).stream.read())


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    return await Request(scope, receive, options=options).stream.read()


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    async for chunk in Request(scope, receive, options=options).stream:
        size += len(chunk)
    return size


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> dict[str, Any]:
    return await Request(scope, receive, options=options).get_media()


async def multipart_fields(scope: Scope, receive: Receive, send: Send) -> dict[str, Any]:
    form = await Request(scope, receive, options=options).get_media()
    return {part.name: await part.get_text() async for part in form}


multipart_many = multipart_fields


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    form = await Request(scope, receive, options=options).get_media()
    return [(part.name, part.filename, part.content_type, await part.get_data()) async for part in form]


async def multipart_file(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    form = await Request(scope, receive, options=options).get_media()
    files = []
    async for part in form:
        # Falcon has no upload class. This is the shortest code of an application; it blocks the event loop.
        with SpooledTemporaryFile(max_size=1024 * 1024) as file:
            async for chunk in part.stream:
                file.write(chunk)
            file.seek(0)
            files.append((part.name, part.filename, part.content_type, file.read()))
    return files


async def multipart_stream(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, int]]:
    form = await Request(scope, receive, options=options).get_media()
    files = []
    async for part in form:
        size = 0
        async for chunk in part.stream:
            size += len(chunk)
        files.append((part.name, part.filename, part.content_type, size))
    return files


def pairs(form: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(form.items())


def websocket(scope: Scope, receive: Receive, send: Send) -> WebSocket:
    return WebSocket(
        scope["asgi"]["spec_version"],
        scope,
        receive,
        send,
        websocket_options.media_handlers,
        0,
        websocket_options.default_close_reasons,
    )


async def accepted(scope: Scope, receive: Receive, send: Send) -> WebSocket:
    await receive()  # as falcon.asgi.App does
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
        await socket.send_media(await socket.receive_media())
