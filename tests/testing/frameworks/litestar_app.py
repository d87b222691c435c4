"""A Litestar application."""

from typing import Any

from litestar import Litestar, Request, Response, WebSocket, get, post, websocket
from litestar.datastructures import Cookie
from litestar.exceptions import WebSocketDisconnect
from litestar.response import File, Redirect, Stream

from . import FILE, numbers


@get("/")
async def home() -> dict[str, int]:
    return {"a": 1}


@post("/echo", status_code=200)
async def echo(request: Request[Any, Any, Any]) -> bytes:
    return await request.body()


@get("/stream")
async def stream() -> Stream:
    return Stream(numbers())


@get("/redirect", status_code=302)
async def redirect() -> Redirect:
    return Redirect("/")


@get("/empty", status_code=204)
async def empty() -> None:
    return None


@get("/cookie")
async def cookie() -> Response[str]:
    return Response("x", cookies=[Cookie("a", value="1")])


@get("/file")
async def file() -> File:
    return File(FILE)


@get("/fail")
async def fail() -> None:
    raise KeyError


@websocket("/talk")
async def talk(socket: WebSocket[Any, Any, Any]) -> None:
    if "deny" in socket.query_params:
        await socket.receive()
        await socket.close(code=1008)
        return
    await socket.accept(subprotocols=next(iter(socket.scope["subprotocols"]), None))
    try:
        async for text in socket.iter_data():
            await socket.send_text(text)
    except WebSocketDisconnect:
        pass


app = Litestar([home, echo, stream, redirect, empty, cookie, file, fail, talk])
