"""A tea shop: customers log in, place orders, upload pictures, and order over a WebSocket."""

import os
import secrets
from typing import Annotated

import msgspec

from asgiwire import ASGIConnection, Limits, Request, WebSocket
from asgiwire.exceptions import ClientException

from .framework import App, Response

# A random secret invalidates all sessions at a restart.
app = App(secret=os.environ.get("SECRET") or secrets.token_hex())


class Order(msgspec.Struct):
    """An order of tea."""

    tea: str
    cups: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1


class Search(msgspec.Struct):
    """What to list."""

    tea: str | None = None
    min_cups: int = 0


class Login(msgspec.Struct):
    """The name of a customer; this example does not check a password."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


orders: list[Order] = []


def customer(connection: ASGIConnection) -> str:
    """Return the name of the customer who is logged in."""
    name: str | None = connection.session.get("name")
    if name is None:
        raise ClientException("log in first", status_code=401)
    return name


class ShopRequest(Request[str]):
    """A request with a small limit on the body size."""

    limits = Limits(max_body_size=1000)

    @property
    def user(self) -> str:
        """The name of the customer."""
        return customer(self)


class PictureRequest(ShopRequest):
    """A request that uploads a picture."""

    limits = Limits(max_body_size=1_000_000)


@app.route("POST", "/login")
async def login(request: ShopRequest, data: Login) -> dict[str, str]:
    """Start a session."""
    request.set_session({"name": data.name})
    return {"hello": data.name}


@app.route("POST", "/logout")
async def logout(request: ShopRequest) -> Response:
    """End the session."""
    request.clear_session()
    return Response(status=204)


@app.route("GET", "/orders")
async def list_orders(request: ShopRequest, query: Search) -> list[Order]:
    """List all orders, or those that the query selects."""
    return [order for order in orders if query.tea in {None, order.tea} and order.cups >= query.min_cups]


@app.route("POST", "/orders")
async def place_order(request: ShopRequest, data: Order) -> Response:
    """Store an order of the customer who is logged in."""
    content = {"for": request.user, "order": data}
    orders.append(data)
    return Response(content, 201, {"location": request.url_for("show_order", number=len(orders))})


@app.route("GET", "/orders/{number}")
async def show_order(request: ShopRequest, number: int) -> Order:
    """Return one order."""
    if not 1 <= number <= len(orders):
        raise ClientException(f"order {number} does not exist", status_code=404)
    return orders[number - 1]


@app.route("PUT", "/orders/{number}/picture")
async def put_picture(request: PictureRequest, number: int) -> dict[str, int]:
    """Receive a picture and return its size."""
    return {"order": number, "size": len(await request.body())}


@app.route("WEBSOCKET", "/counter/{tea}")
async def talk(socket: WebSocket, tea: str) -> None:
    """Pour cups of one tea until the client disconnects."""
    name = customer(socket)  # an error here becomes the response to the handshake
    await socket.accept()
    async for order in socket.iter_json(type=Order):
        await socket.send_json({"for": name, "poured": [tea] * order.cups})
