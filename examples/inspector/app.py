"""The application: one callable for the three kinds of scope that an ASGI server opens."""

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
    """A request that may upload more than the default allows."""

    limits = Limits(max_body_size=256 * 1024 * 1024)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer whatever the server opens: a request, a WebSocket or the lifespan."""
    match scope["type"]:
        case "http":
            await answer(InspectedRequest(scope, receive, send))
        case "websocket":
            await converse(WebSocket(scope, receive, send))
        case "lifespan":
            await live(receive, send)
        case other:
            raise NotImplementedError(f"no answer to a scope of type {other!r}")


async def answer(request: Request) -> None:
    """Send the report, or what is wrong with the request; nothing to a client that has left."""
    try:
        response = find_asset(request) or await report_on(request)
    except ClientException as error:
        problem = {"status_code": error.status_code, "detail": error.detail}
        response = Response(encode_json(problem), JSON, status=error.status_code)
    except ClientDisconnect:
        return
    await send_response(request, response)


async def report_on(request: Request) -> Response:
    """Show a person the page and a program the JSON: one resource, two representations."""
    media_type = request.accept.best_match([JSON, HTML], default=JSON)
    report = await describe_request(request)
    report["negotiated"] = media_type
    if media_type == HTML:
        return Response(render_page(report, request.base_url), HTML)
    return Response(encode_json(report), JSON)


def find_asset(request: Request) -> Response | None:
    """Find the stylesheet, script or icon that is asked for, if it is one of ours."""
    _, found, name = request.url.path.rpartition(ASSET_PATH)
    return ASSETS.get(name) if found and request.method in {"GET", "HEAD"} else None


async def live(receive: Receive, send: Send) -> None:
    """Tell the server that there is nothing to prepare and nothing to put away."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
