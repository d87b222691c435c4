"""A Starlette application."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from . import FILE, numbers


async def home(_request: Request) -> Response:
    return JSONResponse({"a": 1})


async def echo(request: Request) -> Response:
    return Response(await request.body())


async def stream(_request: Request) -> Response:
    return StreamingResponse(numbers())


async def redirect(_request: Request) -> Response:
    return RedirectResponse("/")


async def empty(_request: Request) -> Response:
    return Response(status_code=204)


async def cookie(_request: Request) -> Response:
    response = Response("x")
    response.set_cookie("a", "1")
    return response


async def file(_request: Request) -> Response:
    return FileResponse(FILE)


async def fail(_request: Request) -> Response:
    raise KeyError


async def talk(socket: WebSocket) -> None:
    if "deny" in socket.query_params:
        await socket.receive()
        await socket.close(1008)
        return
    await socket.accept(subprotocol=next(iter(socket.scope["subprotocols"]), None))
    async for text in socket.iter_text():
        await socket.send_text(text)


app = Starlette(
    routes=[
        Route("/", home),
        Route("/echo", echo, methods=["POST"]),
        *(Route(f"/{view.__name__}", view) for view in (stream, redirect, empty, cookie, file, fail)),
        WebSocketRoute("/talk", talk),
    ]
)
