"""The framework in 160 lines and the tea shop that uses it: in process, and once on a real server."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from asgiwire import Request, WebSocket
from asgiwire.exceptions import ClientException, NoRouteMatchFoundException, WebSocketException
from asgiwire.testing import RecordedSend, RequestFactory, ScriptedReceive, http_scope, websocket_scope
from examples.framework import app as shop
from examples.framework import framework
from examples.framework.app import orders

pytestmark = pytest.mark.anyio

App, Response = framework.App, framework.Response
factory = RequestFactory()
DENIAL: dict[str, Any] = {"websocket.http.response": {}}


class Upload(Request):
    """A connection class that a handler selects by annotation."""


@pytest.fixture(autouse=True)
def _no_orders() -> None:
    orders.clear()


@pytest.fixture
def app() -> framework.App:
    return App(secret="secret")


async def ask(application: Any, method: str, path: str, **options: Any) -> Any:
    request = factory.request(method, path, **options)
    await application(request.scope, request.receive, request.send)
    return request.send


async def talk(
    application: Any, path: str, *messages: Any, disconnect: int | None = 1000, **keys: Any
) -> Any:
    sent = RecordedSend()
    receive = ScriptedReceive.websocket(*messages, disconnect=disconnect)
    await application(websocket_scope(path, **keys), receive, sent)
    return sent.messages


def cookie_of(sent: Any) -> str:
    """Return the cookie of the Set-Cookie header."""
    return str(sent.headers["set-cookie"]).partition(";")[0]


async def login(name: str = "ada") -> str:
    return cookie_of(await ask(shop, "POST", "/login", json={"name": name}))


def test_the_framework_has_at_most_160_lines() -> None:
    assert framework.__file__ is not None
    assert len(Path(framework.__file__).read_text().splitlines()) <= 160


# --- Routes ---


async def test_path_parameters_have_the_types_of_their_annotations(app: framework.App) -> None:
    @app.route("GET", "/a+b/{number}/{name}")
    async def handler(request: Request, name: str, number: float) -> Any:
        return [number, name, request.path_params, request.route_handler is handler, request.app is app]

    sent = await ask(app, "GET", "/a+b/1.5/x y")
    assert json.loads(sent.body) == [1.5, "x y", {"number": 1.5, "name": "x y"}, True, True]
    for path in ("/a+b/one/x", "/aab/1/x", "/a+b/1/x/", "/a+b/1/", "/x/a+b/1/x"):
        assert (await ask(app, "GET", path)).status == 404


async def test_a_parameter_of_the_wrong_type_does_not_match_the_route(app: framework.App) -> None:
    @app.route("GET", "/{number}")
    async def numbered(request: Request, number: int) -> str:
        return f"number {number}"

    @app.route("GET", "/{name}")
    async def named(request: Request, name: str) -> str:
        return f"name {name}"

    assert (await ask(app, "GET", "/7")).body == b'"number 7"'
    assert (await ask(app, "GET", "/seven")).body == b'"name seven"'


async def test_the_root_path_is_not_part_of_the_route(app: framework.App) -> None:
    @app.route("GET", "/tea")
    async def tea(request: Request) -> str:
        return request.url_for("tea")

    scope = http_scope(path="/api/tea", root_path="/api")
    sent = RecordedSend()
    await app(scope, ScriptedReceive.body(), sent)
    assert sent.body == b'"http://test.org/api/tea"'


async def test_url_for(app: framework.App) -> None:
    @app.route("GET", "/orders/{number}/{tea}")
    async def order(request: Request, number: int, tea: str) -> str:
        return request.url_for("order", number=number + 1, tea="x y/é")

    sent = await ask(app, "GET", "/orders/1/x")
    assert json.loads(sent.body) == "http://test.org:3000/orders/2/x%20y%2F%C3%A9"
    for name, parameters in (("nothing", {}), ("order", {}), ("order", {"number": 1})):
        with pytest.raises(NoRouteMatchFoundException):
            factory.get("/", app=app).url_for(name, **parameters)


async def test_head_responds_with_the_headers_of_get(app: framework.App) -> None:
    @app.route("GET", "/")
    async def hello(request: Request) -> str:
        return request.method

    sent = await ask(app, "HEAD", "/")
    assert (sent.status, sent.headers["content-length"], sent.body) == (200, "6", b"")
    assert (await ask(app, "POST", "/")).status == 404


# --- Handlers ---


class Point(msgspec.Struct):
    x: int
    y: int = 0


async def test_structs_in_and_out(app: framework.App) -> None:
    @app.route("POST", "/")
    async def mirror(request: Request, points: list[Point]) -> list[Point]:
        return [Point(one.y, one.x) for one in points]

    sent = await ask(app, "POST", "/", json=[{"x": 1}, {"x": 2, "y": 3}])
    assert sent.status == 200
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.body) == [{"x": 0, "y": 1}, {"x": 3, "y": 2}]
    sent = await ask(app, "POST", "/", json=[{"x": 1}, {"x": "2"}])
    assert sent.status == 400
    assert json.loads(sent.body) == {"detail": "Expected `int`, got `str` - at `$[1].x`"}


async def test_the_annotation_selects_the_connection_class(app: framework.App) -> None:
    @app.route("GET", "/upload")
    async def upload(request: Upload) -> str:
        return type(request).__name__

    @app.route("GET", "/generic")
    async def generic(request: Request[str, int]) -> str:
        return type(request).__name__

    assert (await ask(app, "GET", "/upload")).body == b'"Upload"'
    assert (await ask(app, "GET", "/generic")).body == b'"Request"'


async def test_a_response_is_sent_unchanged(app: framework.App) -> None:
    @app.route("GET", "/")
    async def page(request: Request) -> Response:
        return Response(b"<p>", 203, {"Content-Type": "text/html"})

    @app.route("DELETE", "/")
    async def nothing(request: Request) -> Response:
        return Response(status=204)

    sent = await ask(app, "GET", "/")
    assert (sent.status, sent.body) == (203, b"<p>")
    assert sent.headers.getall("content-type") == ["text/html"]
    sent = await ask(app, "DELETE", "/")
    assert (sent.status, sent.body, sent.headers.to_header_list()) == (204, b"", [])


async def test_a_client_exception_becomes_a_response(app: framework.App) -> None:
    @app.route("GET", "/")
    async def fail(request: Request) -> None:
        raise ClientException("no tea", status_code=418)

    sent = await ask(app, "GET", "/")
    assert (sent.status, sent.body) == (418, b'{"detail":"no tea"}')


async def test_nothing_is_sent_after_a_client_disconnect() -> None:
    sent = RecordedSend()
    await shop(http_scope("POST", "/orders"), ScriptedReceive.body(b'{"tea', disconnect=True), sent)
    assert sent.messages == []


async def test_other_exceptions_propagate_to_the_server(app: framework.App) -> None:
    @app.route("GET", "/")
    async def fail(request: Request) -> None:
        raise ZeroDivisionError

    sent = RecordedSend()
    with pytest.raises(ZeroDivisionError):
        await app(http_scope(), ScriptedReceive.body(), sent)
    assert sent.messages == []
    with pytest.raises(KeyError, match="lifespan"):
        await app({"type": "lifespan"}, ScriptedReceive(), sent)


# --- WebSockets ---


async def test_a_websocket_is_closed_after_its_handler(app: framework.App) -> None:
    @app.route("WEBSOCKET", "/{number}")
    async def count(socket: WebSocket, number: int) -> None:
        await socket.send_json(number)

    assert await talk(app, "/3", disconnect=None) == [
        {"type": "websocket.accept", "subprotocol": None, "headers": []},
        {"type": "websocket.send", "text": "3"},
        {"type": "websocket.close", "code": 1000, "reason": ""},
    ]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (ClientException("é" * 200), 1008, "é" * 30),
        (WebSocketException("bye", 4001), 4001, "bye"),
        (ZeroDivisionError(), 1011, ""),
    ],
)
async def test_errors_close_a_websocket(app: framework.App, error: Exception, code: int, reason: str) -> None:
    @app.route("WEBSOCKET", "/")
    async def fail(socket: WebSocket) -> None:
        await socket.accept()
        raise error

    sent = RecordedSend()
    try:
        await app(websocket_scope(extensions=DENIAL), ScriptedReceive.websocket(), sent)
    except ZeroDivisionError:
        assert code == 1011
    assert sent.messages[1:] == [{"type": "websocket.close", "code": code, "reason": reason}]


async def test_the_close_code_of_another_websocket_is_not_used(app: framework.App) -> None:
    @app.route("WEBSOCKET", "/")
    async def handler(socket: WebSocket) -> None:
        other = factory.websocket(disconnect=1006)
        await socket.send_json(await other.receive_json())

    assert (await talk(app, "/", disconnect=None))[-1]["code"] == 1000


async def test_an_error_before_accept_becomes_a_denial_response() -> None:
    start, body = await talk(shop, "/counter/green", extensions=DENIAL)
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert body["body"] == b"log in first"
    assert [one["type"] for one in await talk(shop, "/counter/green")] == ["websocket.close"]
    assert (await talk(shop, "/nowhere", extensions=DENIAL))[0]["status"] == 404


async def test_ordering_over_a_websocket() -> None:
    messages = await talk(
        shop, "/counter/green", '{"tea":"green","cups":2}', '{"tea":7}', headers={"cookie": await login()}
    )
    assert [json.loads(one["text"]) for one in messages if "text" in one] == [
        {"for": "ada", "poured": ["green", "green"]}
    ]
    assert messages[-1]["type"] == "websocket.close"
    assert messages[-1]["code"] == 1008


# --- Sessions ---


async def test_a_session_is_stored_in_a_cookie() -> None:
    sent = await ask(shop, "POST", "/login", json={"name": "ada"})
    attributes = sent.headers["set-cookie"].split("; ")[1:]
    assert {attribute.lower() for attribute in attributes} == {
        "path=/", "max-age=1209600", "httponly", "samesite=lax",
    }  # fmt: skip
    cookie = cookie_of(sent)
    sent = await ask(shop, "POST", "/orders", json={"tea": "green"}, headers={"cookie": cookie})
    assert sent.status == 201
    assert sent.headers["location"] == "http://test.org:3000/orders/1"
    assert json.loads(sent.body) == {"for": "ada", "order": {"tea": "green", "cups": 1}}
    assert "set-cookie" not in sent.headers  # the session did not change

    sent = await ask(shop, "POST", "/logout", headers={"cookie": cookie})
    assert "max-age=0" in sent.headers["set-cookie"].lower()


@pytest.mark.parametrize("part", [slice(None, -1), slice(9), slice(0, None, 2)], ids=str)
async def test_a_manipulated_cookie_is_ignored(part: slice) -> None:
    headers = {"cookie": "session=" + (await login()).removeprefix("session=")[part]}
    sent = await ask(shop, "POST", "/orders", json={"tea": "green"}, headers=headers)
    assert (sent.status, sent.body) == (401, b'{"detail":"log in first"}')
    assert orders == []


async def test_a_session_expires() -> None:
    app = App(secret="secret", session_age=-1)

    @app.route("GET", "/")
    async def count(request: Request) -> Any:
        request.session["count"] = request.session.get("count", 0) + 1
        return request.session["count"]

    sent = await ask(app, "GET", "/")
    assert sent.body == b"1"
    assert (await ask(app, "GET", "/", headers={"cookie": cookie_of(sent)})).body == b"1"
    app.session_age = 60
    assert (await ask(app, "GET", "/", headers={"cookie": cookie_of(sent)})).body == b"2"


async def test_the_cookie_is_secure_on_a_tls_connection() -> None:
    request = RequestFactory(scheme="https").post("/login", json={"name": "ada"})
    await shop(request.scope, request.receive, request.send)
    assert "secure" in request.send.headers["set-cookie"].lower().split("; ")


async def test_a_websocket_can_start_a_session(app: framework.App) -> None:
    @app.route("WEBSOCKET", "/")
    async def begin(socket: WebSocket) -> None:
        socket.session["name"] = "ada"
        await socket.accept(headers={"x-a": "1"})

    accept, _ = await talk(app, "/", disconnect=None)
    assert [name for name, _ in accept["headers"]] == [b"x-a", b"set-cookie"]


# --- The shop ---


async def test_the_connection_class_sets_the_limits() -> None:
    sent = await ask(shop, "POST", "/login", json={"name": "x" * 1000})
    assert sent.status == 413
    sent = await ask(shop, "PUT", "/orders/1/picture", content=b"x" * 1001)
    assert (sent.status, json.loads(sent.body)) == (200, {"order": 1, "size": 1001})
    assert (await ask(shop, "PUT", "/orders/1/picture", content=b"x" * 1_000_001)).status == 413


async def test_orders() -> None:
    headers = {"cookie": await login()}
    for tea in ("green", "black"):
        assert (await ask(shop, "POST", "/orders", json={"tea": tea}, headers=headers)).status == 201
    assert json.loads((await ask(shop, "GET", "/orders")).body) == [
        {"tea": "green", "cups": 1},
        {"tea": "black", "cups": 1},
    ]
    black = await ask(shop, "GET", "/orders", query_params={"tea": "black"})
    assert json.loads(black.body) == [{"tea": "black", "cups": 1}]
    assert json.loads((await ask(shop, "GET", "/orders/2")).body) == {"tea": "black", "cups": 1}
    missing = await ask(shop, "GET", "/orders/3")
    assert (missing.status, missing.body) == (404, b'{"detail":"order 3 does not exist"}')
    many = await ask(shop, "POST", "/orders", json={"tea": "x", "cups": 13}, headers=headers)
    assert (many.status, len(orders)) == (400, 2)


# --- On a real server ---


@pytest.fixture
def address() -> Iterator[str]:
    uvicorn = pytest.importorskip("uvicorn", reason="needs uvicorn: pip install uvicorn websockets")
    server = uvicorn.Server(uvicorn.Config(shop, port=0, ws="websockets-sansio", log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.e2e
def test_on_uvicorn(address: str) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with httpx.Client(base_url=f"http://{address}") as client:
        assert client.post("/orders", json={"tea": "green"}).status_code == 401
        assert client.post("/login", json={"name": "ada"}).json() == {"hello": "ada"}
        response = client.post("/orders", json={"tea": "green", "cups": 2})
        assert response.status_code == 201
        assert response.headers["location"] == f"http://{address}/orders/1"
        assert client.get(response.headers["location"]).json() == {"tea": "green", "cups": 2}
        assert client.put("/orders/1/picture", content=iter([b"x" * 600_000] * 2)).status_code == 413
        cookie = {"cookie": f"session={client.cookies['session']}"}
    with pytest.raises(InvalidStatus) as error:
        connect(f"ws://{address}/counter/green")
    assert (error.value.response.status_code, error.value.response.body) == (401, b"log in first")
    with connect(f"ws://{address}/counter/green", additional_headers=cookie) as socket:
        socket.send('{"tea":"green"}')
        assert json.loads(socket.recv()) == {"for": "ada", "poured": ["green"]}
