"""A Litestar application with asgiwire's connection classes."""

# Litestar evaluates the annotations of handlers, so they are not postponed.

import os
from typing import Annotated, Any

from litestar import Litestar, Request, WebSocket, get, post, websocket
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body

from asgiwire.integrations import litestar as integration

FAILURES: list[str] = []


@get("/token")
async def token() -> str:
    return f'"{os.environ["ASGIWIRE_E2E_TOKEN"]}"'


@get("/failures")
async def failures() -> list[str]:
    taken = FAILURES.copy()
    FAILURES.clear()
    return taken


async def note(error: Exception, _scope: Any) -> None:
    if getattr(error, "status_code", 500) >= 500:
        FAILURES.append(repr(error))


@post("/json")
async def echo_json(data: Annotated[dict[str, Any], Body()], request: Request[Any, Any, Any]) -> Any:
    return [data, str(request.url), request.cookies, type(request).__module__]


@post("/upload")
async def upload(data: Annotated[UploadFile, Body(media_type=RequestEncodingType.MULTI_PART)]) -> Any:
    content = await data.read()
    return [data.filename, len(content), data.rolled_to_disk]


@websocket("/ws")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    async for message in socket.iter_json():
        await socket.send_json(message)


app = Litestar(
    [token, failures, echo_json, upload, echo],
    request_class=integration.Request,
    websocket_class=integration.WebSocket,
    request_max_body_size=3_000_000,
    after_exception=[note],
    openapi_config=None,
)
