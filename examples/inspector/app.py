"""The ASGI application, for all three types of scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire import Limits, Request, WebSocket
from asgiwire.exceptions import ClientDisconnect, ClientException
from asgiwire.serialization import encode_json

from .conversation import converse
from .page import ASSETS, render_page
from .report import describe_request
from .responses import HTML, JSON, Response, send_response

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope, Send

ASSET_PATH = "/-/"


class InspectedRequest(Request):
    """A request with a larger limit on the body size than the default."""

    limits = Limits(max_body_size=256 * 1024 * 1024)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Handle a request, a WebSocket or the lifespan."""
    match scope["type"]:
        case "http":
            await respond(InspectedRequest(scope, receive, send))
        case "websocket":
            await converse(WebSocket(scope, receive, send))
        case "lifespan":
            await handle_lifespan(receive, send)
        case other:
            raise NotImplementedError(f"expected a scope of type http, websocket or lifespan, got {other!r}")


async def respond(request: Request) -> None:
    """Send the report or the error of the client; send nothing after a disconnect."""
    try:
        response = find_asset(request) or await create_report(request)
    except ClientException as error:
        problem = {"status_code": error.status_code, "detail": error.detail}
        response = Response(encode_json(problem), JSON, status=error.status_code)
    except ClientDisconnect:
        return
    await send_response(request, response)


async def create_report(request: Request) -> Response:
    """Return the report as JSON or, for a browser, as an HTML page."""
    media_type = request.accept.best_match([JSON, HTML], default=JSON)
    report = await describe_request(request)
    report["negotiated"] = media_type
    if media_type == HTML:
        return Response(render_page(report, request.base_url), HTML)
    return Response(encode_json(report), JSON)


def find_asset(request: Request) -> Response | None:
    """Return the requested stylesheet, script or icon, or ``None`` if the path names none."""
    _, found, name = request.url.path.rpartition(ASSET_PATH)
    return ASSETS.get(name) if found and request.method in {"GET", "HEAD"} else None


async def handle_lifespan(receive: Receive, send: Send) -> None:
    """Complete startup and shutdown without doing anything."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
