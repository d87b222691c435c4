"""A FastAPI dependency that returns a typed asgiwire request, before or after FastAPI reads the body."""

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
from fastapi import Request as FastAPIRequest
from fastapi import WebSocket as FastAPIWebSocket
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


def connection(request: FastAPIRequest) -> Request[User]:
    request.scope.setdefault("user", User(request.headers.get("x-user", "ada")))
    return Small(request.scope, ReadThrough(request))


def conversation(websocket: FastAPIWebSocket) -> WebSocket:
    return WebSocket(websocket.scope, websocket.receive, websocket.send)


Connection = Annotated[Request[User], Depends(connection)]

app = FastAPI()


@app.exception_handler(ClientException)
async def handle_error(_: FastAPIRequest, error: Any) -> JSONResponse:
    return JSONResponse({"detail": error.detail}, error.status_code)


@app.post("/read_json/{number}")
async def read_json(number: int, request: Connection) -> Any:
    order = await request.json(type=Order)
    return [request.user.name, number, request.path_params, order.tea]


@app.post("/read_json_and_model")
async def read_json_and_model(request: Connection, model: Model) -> Any:
    return [model.tea, (await request.json(type=Order)).tea]


@app.post("/read_all")
async def read_all(own: Connection, again: Connection, original: FastAPIRequest) -> Any:
    return [
        await original.json(),
        (await own.json()),
        await again.json(),
        own is again,
    ]


@app.post("/url", name="url")
async def url(request: Connection) -> Any:
    return request.url_for("read_json", number=3)


@app.websocket("/echo")
async def echo(socket: Annotated[WebSocket, Depends(conversation)]) -> None:
    async for order in socket.iter_json(type=Order):
        await socket.send_json(order)


async def post(path: str, application: Any = app, **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with anyio.fail_after(5):
            return await client.post(path, **options)


async def test_dependency_returns_a_typed_request() -> None:
    response = await post("/read_json/7", json={"tea": 2}, headers={"x-user": "bob"})
    # FastAPI converts the argument; the scope contains the string from the path.
    assert response.json() == ["bob", 7, {"number": "7"}, 2]


async def test_body_is_readable_after_fastapi_parsed_it() -> None:
    assert (await post("/read_json_and_model", json={"tea": 2})).json() == [2, 2]


async def test_body_is_readable_beside_the_fastapi_request() -> None:
    assert (await post("/read_all", json={"tea": 2})).json() == [{"tea": 2}, {"tea": 2}, {"tea": 2}, True]


async def test_body_is_readable_after_a_middleware_read_it() -> None:
    class ReadingAndReplaying(Reading):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            request = Request(scope, receive, send)
            assert await request.json() == {"tea": 2}
            await self.app(scope, request.replay, send)

    for path, result in (("/read_json_and_model", [2, 2]), ("/read_json/7", ["ada", 7, {"number": "7"}, 2])):
        assert (await post(path, ReadingAndReplaying(app), json={"tea": 2})).json() == result


async def test_client_exceptions_become_responses() -> None:
    response = await post("/read_json/7", json={"tea": "x"})
    assert (response.status_code, response.json()) == (
        400,
        {"detail": "Expected `int`, got `str` - at `$.tea`"},
    )
    assert (await post("/read_json/7", json={"tea": "x" * 20})).status_code == 413


async def test_url_for() -> None:
    assert (await post("/url")).json() == "http://test/read_json/3"


async def test_request_parameter_is_absent_from_the_schema() -> None:
    (operation,) = app.openapi()["paths"]["/read_json/{number}"].values()
    assert [one["name"] for one in operation["parameters"]] == ["number"]
    assert "requestBody" not in operation


async def test_websocket_dependency() -> None:
    sent = RecordedSend()
    receive = ScriptedReceive.websocket('{"tea":1}', disconnect=1000)
    await app(websocket_scope("/echo"), receive, sent)
    assert [one["type"] for one in sent.messages] == ["websocket.accept", "websocket.send"]
    assert sent.messages[1]["text"] == '{"tea":1}'
