"""A Quart application."""

from typing import Any

from quart import Quart, Response, abort, redirect, request, send_file, websocket

from . import FILE, numbers

app = Quart(__name__)


@app.get("/")
async def home() -> dict[str, int]:
    return {"a": 1}


@app.post("/echo")
async def echo() -> Any:
    return await request.get_data()


@app.get("/stream")
async def stream() -> Any:
    return numbers(), 200


@app.get("/redirect")
async def redirected() -> Any:
    return redirect("/")


@app.get("/empty")
async def empty() -> Any:
    return "", 204


@app.get("/cookie")
async def cookie() -> Any:
    response = Response("x")
    response.set_cookie("a", "1")
    return response


@app.get("/file")
async def file() -> Any:
    return await send_file(FILE)


@app.get("/fail")
async def fail() -> Any:
    raise KeyError


@app.websocket("/talk")
async def talk() -> None:
    if "deny" in websocket.args:
        abort(403)
    await websocket.accept(subprotocol=next(iter(websocket.requested_subprotocols), None))
    while True:
        await websocket.send(await websocket.receive())
