"""A FastAPI application."""

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse

from . import FILE, numbers

app = FastAPI()


@app.get("/")
async def home() -> dict[str, int]:
    return {"a": 1}


@app.post("/echo")
async def echo(request: Request) -> Response:
    return Response(await request.body())


@app.get("/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(numbers())


@app.get("/redirect")
async def redirect() -> RedirectResponse:
    return RedirectResponse("/")


@app.get("/empty", status_code=204)
async def empty() -> None:
    return None


@app.get("/cookie")
async def cookie(response: Response) -> str:
    response.set_cookie("a", "1")
    return "x"


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(FILE)


@app.get("/fail")
async def fail() -> None:
    raise KeyError


@app.websocket("/talk")
async def talk(socket: WebSocket) -> None:
    if "deny" in socket.query_params:
        await socket.receive()
        await socket.close(1008)
        return
    await socket.accept(subprotocol=next(iter(socket.scope["subprotocols"]), None))
    async for text in socket.iter_text():
        await socket.send_text(text)


@app.websocket("/typed")
async def typed(socket: WebSocket, number: int) -> None:
    """A missing ``number`` is a validation error."""
    await socket.accept()
