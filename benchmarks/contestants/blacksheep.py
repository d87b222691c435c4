"""BlackSheep, which is compiled with Cython.

Two of its requests do not share a body, so ``two_requests`` is missing. It does not parse media types, so
``content_type`` is missing. It writes files from the event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from blacksheep.server.asgi import get_request_url, incoming_request
from blacksheep.server.websocket import WebSocket

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from blacksheep import Request

    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "blacksheep"
IMPORT = """
from blacksheep.server.asgi import incoming_request
from blacksheep.server.websocket import WebSocket
"""

decode_order = msgspec.json.Decoder(Order).decode


def construct(scope: Scope, receive: Receive, send: Send) -> Request:
    return incoming_request(scope, receive)


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return incoming_request(scope, receive).get_first_header(b"x-request-id").decode()


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    first = incoming_request(scope, receive).get_first_header
    return first(b"host").decode(), first(b"user-agent").decode(), first(b"x-request-id").decode()


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = incoming_request(scope, receive).query
    return (
        values["q"][0],
        values["page"][0],
        values["per_page"][0],
        values["sort"][0],
        values["order"][0],
        values["in"][0],
    )


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = incoming_request(scope, receive).cookies
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    # get_request_absolute_url() omits the query.
    return get_request_url(incoming_request(scope, receive))


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    request = incoming_request(scope, receive)
    return (
        request.method,
        request.path,
        request.get_first_header(b"host").decode(),
        request.get_first_header(b"user-agent").decode(),
        request.get_first_header(b"x-request-id").decode(),
        request.query["page"][0],
        request.cookies["session"],
        request.client_ip,
    )


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return await incoming_request(scope, receive).json()


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await incoming_request(scope, receive).read())


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    return await incoming_request(scope, receive).read()


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    async for chunk in incoming_request(scope, receive).stream():
        size += len(chunk)
    return size


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> dict[str, Any]:
    return await incoming_request(scope, receive).form()


async def multipart_fields(scope: Scope, receive: Receive, send: Send) -> dict[str, Any]:
    request = incoming_request(scope, receive)
    form = await request.form()
    request.dispose()  # closes the spooled files, which hold fields too
    return form


multipart_many = multipart_fields


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    request = incoming_request(scope, receive)
    files = [
        (name, part.file_name.decode(), part.content_type.decode(), part.file.read())
        for name, parts in (await request.form()).items()
        for part in parts
    ]
    request.dispose()  # closes the files
    return files


multipart_file = multipart_files


async def multipart_stream(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, int]]:
    files = []
    async for part in incoming_request(scope, receive).multipart_stream():
        size = 0
        async for chunk in part.stream():
            size += len(chunk)
        files.append((part.name, part.file_name, part.content_type, size))
    return files


def pairs(form: dict[str, Any]) -> list[tuple[str, Any]]:
    return list(form.items())


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
