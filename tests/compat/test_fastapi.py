"""A FastAPI dependency that gives a typed asgiwire request, whether FastAPI has read the body or not."""

from typing import Annotated, Any

import anyio
import httpx
import msgspec
import pytest

from asgiwire import Limits, Request, WebSocket
from asgiwire.exceptions import ClientException
from asgiwire.testing import RecordedSend, ScriptedReceive, websocket_scope

from .test_starlette import Reading, ReadThrough

pytest.importorskip("fastapi", reason="needs fastapi")

from fastapi import Depends, FastAPI
from fastapi import Request as TheirRequest
from fastapi import WebSocket as TheirWebSocket
from fastapi.responses import JSONResponse
from pydantic import BaseModel

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]


class User(msgspec.Struct):
    name: str


class Order(msgspec.Struct):
    tea: int


class Model(BaseModel):
    tea: int


class Small(Request[User]):
    limits = Limits(max_body_size=20)


def connection(request: TheirRequest) -> Request[User]:
    request.scope.setdefault("user", User(request.headers.get("x-user", "ada")))
    return Small(request.scope, ReadThrough(request))


def conversation(websocket: TheirWebSocket) -> WebSocket:
    return WebSocket(websocket.scope, websocket.receive, websocket.send)


Connection = Annotated[Request[User], Depends(connection)]

app = FastAPI()


@app.exception_handler(ClientException)
async def problem(_: TheirRequest, error: Any) -> JSONResponse:
    return JSONResponse({"detail": error.detail}, error.status_code)


@app.post("/alone/{number}")
async def alone(number: int, request: Connection) -> Any:
    order = await request.json(type=Order)
    return [request.user.name, number, request.path_params, order.tea]


@app.post("/beside")
async def beside(request: Connection, model: Model) -> Any:
    return [model.tea, (await request.json(type=Order)).tea]


@app.post("/both")
async def both(ours: Connection, again: Connection, theirs: TheirRequest) -> Any:
    return [await theirs.json(), (await ours.json()), await again.json(), ours is again]


@app.post("/url", name="url")
async def url(request: Connection) -> Any:
    return request.url_for("alone", number=3)


@app.websocket("/talk")
async def talk(socket: Annotated[WebSocket, Depends(conversation)]) -> None:
    async for order in socket.iter_json(type=Order):
        await socket.send_json(order)


async def ask(path: str, application: Any = app, **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with anyio.fail_after(5):
            return await client.post(path, **options)


async def test_a_dependency_gives_a_typed_request() -> None:
    answer = await ask("/alone/7", json={"tea": 2}, headers={"x-user": "bob"})
    # What FastAPI has converted is an argument; in the scope, it is as it was in the path.
    assert answer.json() == ["bob", 7, {"number": "7"}, 2]


async def test_beside_a_body_that_fastapi_has_read() -> None:
    assert (await ask("/beside", json={"tea": 2})).json() == [2, 2]


async def test_beside_fastapis_own_request() -> None:
    assert (await ask("/both", json={"tea": 2})).json() == [{"tea": 2}, {"tea": 2}, {"tea": 2}, True]


async def test_behind_a_middleware_that_has_read_the_body() -> None:
    class Counting(Reading):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            request = Request(scope, receive, send)
            assert await request.json() == {"tea": 2}
            await self.app(scope, request.replay, send)

    for path, result in (("/beside", [2, 2]), ("/alone/7", ["ada", 7, {"number": "7"}, 2])):
        assert (await ask(path, Counting(app), json={"tea": 2})).json() == result


async def test_errors_become_responses() -> None:
    answer = await ask("/alone/7", json={"tea": "x"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Expected `int`, got `str` - at `$.tea`"})
    assert (await ask("/alone/7", json={"tea": "x" * 20})).status_code == 413


async def test_url_for() -> None:
    assert (await ask("/url")).json() == "http://test/alone/3"


async def test_a_request_is_no_field_of_the_schema() -> None:
    (operation,) = app.openapi()["paths"]["/alone/{number}"].values()
    assert [one["name"] for one in operation["parameters"]] == ["number"]
    assert "requestBody" not in operation


async def test_a_websocket() -> None:
    sent = RecordedSend()
    receive = ScriptedReceive.websocket('{"tea":1}', disconnect=1000)
    await app(websocket_scope("/talk"), receive, sent)
    assert [one["type"] for one in sent.messages] == ["websocket.accept", "websocket.send"]
    assert sent.messages[1]["text"] == '{"tea":1}'
