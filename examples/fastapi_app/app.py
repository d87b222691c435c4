"""The application: a shop that takes orders, reviews and photos, and has a room to talk."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Form, UploadFile
from pydantic import BaseModel
from starlette.middleware.sessions import SessionMiddleware

from asgiwire import Limits
from asgiwire.integrations.starlette import Request, WebSocket, install

from .csrf import CSRFMiddleware


class ShopRequest(Request):
    """A request that may upload up to 1 GB."""

    base_limits = Limits(max_body_size=1_000_000_000, max_file_size=500_000_000)


class Order(BaseModel):
    """An order."""

    tea: str
    cups: int = 1


app = FastAPI(title="Tea shop")
app.add_middleware(CSRFMiddleware)
app.add_middleware(SessionMiddleware, secret_key=os.environ.get("SECRET_KEY") or secrets.token_hex())
install(app, request_class=ShopRequest)


def visits(request: Request) -> int:
    """Count the requests of a session."""
    count: int = request.session.get("visits", 0) + 1
    request.session["visits"] = count
    return count


@app.get("/")
async def token(request: Request, count: Annotated[int, Depends(visits)]) -> dict[str, Any]:
    """Return the token for forms."""
    return {"token": request.session["token"], "visits": count}


@app.post("/orders")
async def place_order(order: Order, count: Annotated[int, Depends(visits)]) -> dict[str, Any]:
    """Take an order as JSON."""
    return {"tea": order.tea, "cups": order.cups, "visits": count}


@app.post("/reviews")
async def review(
    stars: Annotated[int, Form()], text: Annotated[str, Form()], photo: UploadFile | None = None
) -> dict[str, Any]:
    """Take a review as a form, with or without a photo."""
    size = 0 if photo is None else len(await photo.read())
    return {"stars": stars, "text": text, "photo": size}


@app.put("/photos/{name}")
async def upload(name: str, request: Request) -> dict[str, Any]:
    """Take a photo of any size as the body; nothing is buffered."""
    digest, size = sha256(), 0
    async for chunk in request.stream():
        digest.update(chunk)
        size += len(chunk)
    return {"name": name, "size": size, "sha256": digest.hexdigest()}


MEMBERS: set[WebSocket] = set()


@app.websocket("/room")
async def room(socket: WebSocket, name: str = "guest") -> None:
    """Send each message to everyone in the room."""
    async with socket:
        MEMBERS.add(socket)
        try:
            async for message in socket.iter_json(type=str):
                for member in list(MEMBERS):
                    await member.send_json({"from": name, "text": message})
        finally:
            MEMBERS.discard(socket)
