"""A Litestar application with asgiwire's connection classes, for the tests of real servers."""

# No postponed annotations: Litestar reads those of handlers.

from typing import Annotated, Any

from litestar import Litestar, Request, WebSocket, get, post, websocket
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body

from asgiwire.integrations import litestar as integration


@get("/ready")
async def ready() -> str:
    return "ready"


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
    [ready, echo_json, upload, echo],
    request_class=integration.Request,
    websocket_class=integration.WebSocket,
    request_max_body_size=3_000_000,
    openapi_config=None,
)
