"""Quart, whose request is made and fed by its connection object.

Quart reads from the server in a task of its own. Here the same is done in line, which takes less time. Left
out: two requests over one scope, which share nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from quart import Quart
from quart.asgi import ASGIHTTPConnection, ASGIWebsocketConnection
from quart.wrappers.request import Body

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from quart.wrappers import Request, Websocket
    from werkzeug.datastructures import MultiDict

    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "quart"
IMPORT = "from quart.wrappers import Request, Websocket"

decode_order = msgspec.json.Decoder(Order).decode

# From 0.23 on, which Python 3.11 does not get, bodies and sockets have queues of their own.
IS_QUEUED = hasattr(Body, "put")

app = Quart(__name__)
app.config["MAX_CONTENT_LENGTH"] = None
app.config["BODY_TIMEOUT"] = None


def construct(scope: Scope, receive: Receive, send: Send) -> Request:
    return ASGIHTTPConnection(app, scope)._create_request_from_scope(send)


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return construct(scope, receive, send).headers["x-request-id"]


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    headers = construct(scope, receive, send).headers
    return headers["host"], headers["user-agent"], headers["x-request-id"]


def content_type(scope: Scope, receive: Receive, send: Send) -> tuple[str, str]:
    request = construct(scope, receive, send)
    return request.mimetype, request.mimetype_params["boundary"]


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = construct(scope, receive, send).args
    return values["q"], values["page"], values["per_page"], values["sort"], values["order"], values["in"]


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = construct(scope, receive, send).cookies
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    return construct(scope, receive, send).url


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    request = construct(scope, receive, send)
    headers = request.headers
    return (
        request.method,
        request.path,
        headers["host"],
        headers["user-agent"],
        headers["x-request-id"],
        request.args["page"],
        request.cookies["session"],
        request.remote_addr,
    )


async def fed(scope: Scope, receive: Receive, send: Send) -> Request:
    request = construct(scope, receive, send)
    while True:
        message = await receive()
        if IS_QUEUED:
            await request.body.put(message.get("body", b""))
        else:
            request.body.append(message.get("body", b""))
        if not message.get("more_body", False):
            request.body.set_complete()
            return request


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return await (await fed(scope, receive, send)).get_json()


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await (await fed(scope, receive, send)).get_data())


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    return await (await fed(scope, receive, send)).get_data()


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    async for chunk in (await fed(scope, receive, send)).body:
        size += len(chunk)
    return size


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> MultiDict[str, str]:
    return await (await fed(scope, receive, send)).form


multipart_fields = multipart_many = urlencoded


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    files = await (await fed(scope, receive, send)).files
    result = [(name, file.filename, file.mimetype, file.read()) for name, file in files.items(multi=True)]
    for file in files.values():
        file.close()
    return result


multipart_file = multipart_files


def pairs(form: MultiDict[str, str]) -> list[tuple[str, str]]:
    return list(form.items(multi=True))


def connection(scope: Scope, receive: Receive, send: Send) -> tuple[ASGIWebsocketConnection, Websocket]:
    made = ASGIWebsocketConnection(app, scope)
    return made, made._create_websocket_from_scope(send)


websocket = connection


async def accepted(scope: Scope, receive: Receive, send: Send) -> tuple[ASGIWebsocketConnection, Websocket]:
    await receive()
    made, socket = connection(scope, receive, send)
    await socket.accept()
    return made, socket


async def websocket_texts(scope: Scope, receive: Receive, send: Send) -> None:
    made, socket = await accepted(scope, receive, send)
    queue = socket.buffer if IS_QUEUED else made.queue
    for _ in range(100):
        await queue.put((await receive())["text"])
        await socket.send(await socket.receive())


async def websocket_json(scope: Scope, receive: Receive, send: Send) -> None:
    made, socket = await accepted(scope, receive, send)
    socket.json_module = app.json
    queue = socket.buffer if IS_QUEUED else made.queue
    for _ in range(100):
        await queue.put((await receive())["text"])
        await socket.send_json(await socket.receive_json())
