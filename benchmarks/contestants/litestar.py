"""Litestar, whose connection classes asgiwire can replace.

Litestar reads a body only with an application and a route handler in the scope. The handler here sets no
limit on the body size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Litestar, Request, WebSocket, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery

from benchmarks.inputs import Order, Registration

if TYPE_CHECKING:
    from litestar.datastructures import FormMultiDict

    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "litestar"
IMPORT = "from litestar.connection import Request, WebSocket"


@post("/", request_max_body_size=None)
async def handler() -> None:
    """Route handler that is never called."""


@get("/search")
async def search(  # noqa: PLR0917 - the parameters of the query
    q: FromQuery[str],
    page: FromQuery[int],
    per_page: FromQuery[int],
    sort: FromQuery[str],
    in_stock: FromQuery[bool],
    max_price: FromQuery[float],
) -> dict[str, Any]:
    """Route handler with the parameters of the typed query."""
    return {}


@post("/registration")
async def register(
    data: Annotated[Registration, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> None:
    """Route handler with the typed form."""


app = Litestar([handler, search, register], multipart_form_part_limit=1000)
routes = {route.path: route for route in app.routes}
registered, _ = routes["/"].route_handler_map["POST"]

decode_order = msgspec.json.Decoder(Order).decode


def prepare(scope: Scope) -> None:
    """Add the scope entries that Litestar's router sets."""
    scope["litestar_app"] = app
    scope["route_handler"] = registered


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
    return decode_order(await Request(scope, receive, send).body())


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


async def handler_arguments(
    path: str, method: str, scope: Scope, receive: Receive, send: Send
) -> dict[str, Any]:
    """Do what a route does before it calls its handler."""
    found, model = routes[path].route_handler_map[method]
    request = Request(scope, receive, send)
    arguments = await model.to_kwargs(connection=request)
    return found.signature_model.parse_values_from_connection_kwargs(connection=request, kwargs=arguments)


async def typed_query(scope: Scope, receive: Receive, send: Send) -> dict[str, Any]:
    return await handler_arguments("/search", "GET", scope, receive, send)


async def typed_form(scope: Scope, receive: Receive, send: Send) -> Registration:
    arguments = await handler_arguments("/registration", "POST", scope, receive, send)
    return arguments["data"]


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    form = await Request(scope, receive, send).form()
    files = [(name, file.filename, file.content_type, await file.read()) for name, file in form.items()]
    await form.close()
    return files


multipart_file = multipart_files


def pairs(form: FormMultiDict) -> list[tuple[str, str]]:
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
