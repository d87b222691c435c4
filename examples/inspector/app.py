"""The ASGI application, for all three types of scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire import Limits, Request, WebSocket
from asgiwire.exceptions import ClientDisconnect

from .conversation import converse
from .page import ASSETS, pretty, render_page
from .report import HTML, JSON, describe_request
from .responses import Response, respond

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
            await answer(InspectedRequest(scope, receive, send))
        case "websocket":
            await converse(WebSocket(scope, receive, send))
        case "lifespan":
            await handle_lifespan(receive, send)
        case other:
            raise NotImplementedError(f"expected a scope of type http, websocket or lifespan, got {other!r}")


async def answer(request: Request) -> None:
    """Send a file of the page or the report; send nothing after a disconnect."""
    try:
        response = find_asset(request) or await create_report(request)
    except ClientDisconnect:
        return
    await respond(request, response)


async def create_report(request: Request) -> Response:
    """Return the report as JSON or, for a browser, as an HTML page; the status is that of the body."""
    media_type = request.accept.best_match([JSON, HTML], default=JSON)
    report = await describe_request(request)
    status = report["body"]["error"]["status_code"] if report["body"]["kind"] == "error" else 200
    if media_type == HTML:
        return Response(render_page(report, request.base_url), HTML, status)
    return Response(f"{pretty(report)}\n".encode(), JSON, status)


def find_asset(request: Request) -> Response | None:
    """Return the requested stylesheet, script, icon or guide, or ``None`` if the path names none."""
    _, found, name = request.url.path.rpartition(ASSET_PATH)
    return ASSETS.get(name) if found and request.method in {"GET", "HEAD"} else None


async def handle_lifespan(receive: Receive, send: Send) -> None:
    """Complete startup and shutdown without doing anything."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
