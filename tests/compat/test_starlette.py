"""asgiwire in Starlette applications: in endpoints, in middleware, and beside Starlette's request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest

from asgiwire import Limits, Request, WebSocket
from asgiwire.exceptions import ClientDisconnect, ClientException
from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope, websocket_scope

pytest.importorskip("starlette", reason="needs starlette")

from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Host, Mount, Route, WebSocketRoute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.websockets import WebSocket as StarletteWebSocket

    from asgiwire.types import Message, Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

TEA = {"tea": 2}


class ReadThrough:
    """A receive callable that reads the body with Starlette's request, which caches it (from the how-to)."""

    def __init__(self, request: StarletteRequest) -> None:
        self.request = request
        self.complete = False

    async def __call__(self) -> Message:
        if self.complete:
            return await self.request.receive()  # the disconnect
        body = await self.request.body()
        self.complete = True
        return {"type": "http.request", "body": body, "more_body": False}


def application(endpoint: Any, *middleware: Any, **options: Any) -> Starlette:
    route = Route("/orders/{number:int}", endpoint, methods=["POST"], name="order")
    return Starlette(routes=[route], middleware=[Middleware(one) for one in middleware], **options)


async def post(app: Any, path: str = "/orders/7", **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with anyio.fail_after(5):
            return await client.post(path, **options)


# --- In an endpoint ---


async def test_endpoint_reads_the_scope_of_starlette() -> None:
    async def endpoint(original: StarletteRequest) -> Response:
        request = Request(original.scope, original.receive)
        assert await request.json() == TEA
        assert request.path_params == original.path_params == {"number": 7}
        assert request.app is original.app
        assert request.url_for("order", number=8) == str(original.url_for("order", number=8))
        assert str(request.url) == str(original.url)
        assert str(request.base_url) == str(original.base_url)
        request.state.tea = 1
        assert original.state.tea == 1
        return JSONResponse(request.query_params.getall("q"))

    response = await post(application(endpoint), "/orders/7?q=1&q=2", json=TEA)
    assert response.json() == ["1", "2"]


async def test_starlette_reads_a_replayed_body() -> None:
    async def endpoint(original: StarletteRequest) -> Response:
        request = Request(original.scope, original.receive)
        assert await request.json() == TEA
        again = StarletteRequest(original.scope, request.replay)
        return JSONResponse(await again.json())

    assert (await post(application(endpoint), json=TEA)).json() == TEA


async def test_endpoint_reads_a_form() -> None:
    async def endpoint(original: StarletteRequest) -> Response:
        async with await Request(original.scope, original.receive).form() as form:
            return JSONResponse([form["a"], (await form["f"].read()).decode(), form["f"].filename])

    response = await post(application(endpoint), data={"a": "1"}, files={"f": ("é.txt", b"tea")})
    assert response.json() == ["1", "tea", "é.txt"]


async def test_body_read_by_starlette_cannot_be_received_again() -> None:
    """The next message of the server is the disconnect, so a second read waits for it."""
    request = StarletteRequest(http_scope("POST"), ScriptedReceive.body(b"tea"))
    assert await request.body() == b"tea"
    with anyio.move_on_after(0.01) as waited:
        await Request(request.scope, request.receive).body()
    assert waited.cancelled_caught

    server = ScriptedReceive({"type": "http.request", "body": b"tea"}, {"type": "http.disconnect"})
    request = StarletteRequest(http_scope("POST"), server)
    await request.body()
    with pytest.raises(ClientDisconnect):
        await Request(request.scope, request.receive).body()


@pytest.mark.parametrize("first", ["Starlette", "asgiwire"])
async def test_read_through_makes_the_body_readable_by_both(first: str) -> None:
    async def endpoint(original: StarletteRequest) -> Response:
        if first == "Starlette":
            await original.json()
        request = Request(original.scope, ReadThrough(original))
        assert await request.json() == TEA
        assert await original.json() == TEA
        another = Request(original.scope, ReadThrough(original))
        return JSONResponse([await another.json(), await another.is_disconnected()])

    assert (await post(application(endpoint), json=TEA)).json() == [TEA, False]


async def test_read_through_passes_the_disconnect_on() -> None:
    receive = ScriptedReceive({"type": "http.request", "body": b"tea"}, {"type": "http.disconnect"})
    request = Request(http_scope("POST"), ReadThrough(StarletteRequest(http_scope("POST"), receive)))
    assert await request.body() == b"tea"
    assert await request.is_disconnected()


@pytest.mark.parametrize("consume", ["stream", "form"])
async def test_body_consumed_by_starlette_raises(consume: str) -> None:
    scope = http_scope("POST", headers={"content-type": "application/x-www-form-urlencoded"})
    request = StarletteRequest(scope, ScriptedReceive.body(b"tea=2"))
    if consume == "stream":
        assert [chunk async for chunk in request.stream()] == [b"tea=2", b""]
    else:
        assert (await request.form())["tea"] == "2"
    with pytest.raises(RuntimeError, match="Stream consumed"):
        await Request(request.scope, ReadThrough(request)).body()


async def test_one_handler_answers_all_client_exceptions() -> None:
    class Small(Request):
        limits = Limits(max_body_size=10)

    async def endpoint(original: StarletteRequest) -> Response:
        return JSONResponse(await Small(original.scope, original.receive).json(type=dict[str, int]))

    async def handle_error(_: StarletteRequest, error: Any) -> Response:
        return JSONResponse({"detail": error.detail}, error.status_code)

    app = application(endpoint, exception_handlers={ClientException: handle_error})
    response = await post(app, content=b'{"tea":""}')
    assert (response.status_code, response.json()) == (
        400,
        {"detail": "Expected `int`, got `str` - at `$[...]`"},
    )
    assert (await post(app, content=b'{"tea":"1"}')).status_code == 413


# --- In middleware ---


class Reading:
    """A pure ASGI middleware that reads the body and replays it."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        url = request.url_for("order", number=1)
        request.state.seen = (await request.json(), request.path_params, url)
        await self.app(scope, request.replay, send)


class Dispatching(BaseHTTPMiddleware):
    """A ``BaseHTTPMiddleware`` that does not read the body."""

    async def dispatch(
        self, request: StarletteRequest, call_next: Callable[[StarletteRequest], Awaitable[Response]]
    ) -> Response:
        return await call_next(request)


class Peeking(BaseHTTPMiddleware):
    """A ``BaseHTTPMiddleware`` that reads the body with both requests."""

    async def dispatch(
        self, request: StarletteRequest, call_next: Callable[[StarletteRequest], Awaitable[Response]]
    ) -> Response:
        assert await Request(request.scope, ReadThrough(request)).json() == TEA
        assert await request.json() == TEA
        return await call_next(request)


async def read_with_both(original: StarletteRequest) -> Response:
    """Read the body with asgiwire, then with Starlette."""
    own_json = await Request(original.scope, ReadThrough(original)).json()
    return JSONResponse([own_json, await original.json(), *getattr(original.state, "seen", ())])


async def read_with_asgiwire(original: StarletteRequest) -> Response:
    request = Request(original.scope, original.receive)
    return JSONResponse([await request.json(), await request.json(), *getattr(original.state, "seen", ())])


@pytest.mark.parametrize("endpoint", [read_with_both, read_with_asgiwire])
@pytest.mark.parametrize(
    "middleware",
    [[Reading], [Reading, Dispatching], [Dispatching, Reading], [Reading, Peeking], [Peeking, Reading],
     [Dispatching, Reading, Peeking, Reading]],
    ids=lambda it: "-".join(one.__name__ for one in it),
)  # fmt: skip
async def test_middleware_before_routing(endpoint: Any, middleware: list[Any]) -> None:
    response = await post(application(endpoint, *middleware), json=TEA)
    assert response.json() == [TEA, TEA, TEA, {}, "http://test/orders/1"]


@pytest.mark.parametrize("endpoint", [read_with_both, read_with_asgiwire])
@pytest.mark.parametrize("outside", [[], [Dispatching], [Peeking], [Reading]], ids=str)
async def test_middleware_after_routing(endpoint: Any, outside: list[Any]) -> None:
    reading = [Middleware(Reading)]
    route = Route("/orders/{number:int}", endpoint, methods=["POST"], middleware=reading, name="order")
    response = await post(
        Starlette(routes=[route], middleware=[Middleware(one) for one in outside]), json=TEA
    )
    assert response.json() == [TEA, TEA, TEA, {"number": 7}, "http://test/orders/1"]


async def test_under_a_mount() -> None:
    async def endpoint(original: StarletteRequest) -> Response:
        request = Request(original.scope, original.receive)
        assert str(request.url) == str(original.url)
        assert str(request.base_url) == str(original.base_url)
        return JSONResponse([request.url.path, request.path_params, request.url_for("shop:order", number=8)])

    inner = Route("/orders/{number:int}", endpoint, methods=["POST"], name="order")
    response = await post(Starlette(routes=[Mount("/shop", routes=[inner], name="shop")]), "/shop/orders/7")
    assert response.json() == ["/shop/orders/7", {"number": 7}, "http://test/shop/orders/8"]


async def test_read_past_starlette_in_dispatch_consumes_the_body() -> None:
    """A ``BaseHTTPMiddleware`` has to read with Starlette's request, as in ``ReadThrough``."""

    class PastStarlette(BaseHTTPMiddleware):
        async def dispatch(self, request: StarletteRequest, call_next: Any) -> Any:
            assert await Request(request.scope, request.receive).json() == TEA
            return await call_next(request)

    receive = ScriptedReceive({"type": "http.request", "body": b'{"tea":2}'}, {"type": "http.disconnect"})
    with pytest.raises(ClientDisconnect):
        await application(read_with_asgiwire, PastStarlette)(
            http_scope("POST", "/orders/1"), receive, RecordedSend()
        )


async def test_endpoint_receives_the_disconnect() -> None:
    seen = []

    async def endpoint(original: StarletteRequest) -> Response:
        request = Request(original.scope, original.receive)
        await request.body()
        seen.append(await request.is_disconnected())
        return Response()

    receive = ScriptedReceive({"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"})
    app = application(endpoint, Reading, Dispatching)
    await app(http_scope("POST", "/orders/1"), receive, RecordedSend())
    assert seen == [True]


# --- Scope keys of Starlette's middleware ---


class Backend(AuthenticationBackend):
    async def authenticate(self, conn: Any) -> Any:
        return AuthCredentials(["drink"]), SimpleUser(conn.headers["x-user"])


async def test_user_and_auth_of_authentication_middleware() -> None:
    async def endpoint(original: StarletteRequest) -> Response:
        request = Request[SimpleUser, AuthCredentials](original.scope, original.receive)
        return JSONResponse([request.user.username, request.auth.scopes])

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])],
        middleware=[Middleware(AuthenticationMiddleware, backend=Backend())],
    )
    assert (await post(app, "/", headers={"x-user": "ada"})).json() == ["ada", ["drink"]]


@pytest.mark.parametrize(
    ("change", "is_set", "varies"),
    [
        (lambda one: None, False, False),
        (lambda one: one.session, False, True),
        (lambda one: one.session.update(a=2), True, True),
        (lambda one: one.set_session({"b": 1}), True, True),
        (lambda one: one.clear_session(), True, True),
    ],
    ids=["none", "read", "write", "set_session", "clear_session"],
)
async def test_session_middleware_sees_reads_and_changes(change: Any, is_set: bool, varies: bool) -> None:
    async def endpoint(original: StarletteRequest) -> Response:
        request = Request(original.scope, original.receive)
        if "begin" in request.query_params:
            request.session["a"] = 1
        else:
            change(request)
        return Response()

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])],
        middleware=[Middleware(SessionMiddleware, secret_key="tea")],
    )
    cookie = (await post(app, "/?begin")).headers["set-cookie"].partition(";")[0]
    response = await post(app, "/", headers={"cookie": cookie})
    assert ("set-cookie" in response.headers, response.headers.get("vary") == "Cookie") == (is_set, varies)


# --- WebSockets ---


async def converse(endpoint: Any, *messages: Any) -> list[Any]:
    app = Starlette(routes=[WebSocketRoute("/{room}", endpoint)])
    sent = RecordedSend()
    scope = websocket_scope("/tea", subprotocols=["tea.v1"])
    with anyio.fail_after(5):
        await app(scope, ScriptedReceive.websocket(*messages, disconnect=1001), sent)
    return sent.messages


async def test_websocket_endpoint() -> None:
    async def endpoint(original: StarletteWebSocket) -> None:
        socket = WebSocket(original.scope, original.receive, original.send)
        await socket.accept(socket.select_subprotocol(["tea.v1"]))
        async for value in socket.iter_json(type=int):
            await socket.send_json({socket.path_params["room"]: value})
        assert socket.close_code == 1001
        assert original.client_state.name == "DISCONNECTED"

    accepted, *sent = await converse(endpoint, "1", "2")
    assert accepted["subprotocol"] == "tea.v1"
    assert [one["text"] for one in sent] == ['{"tea":1}', '{"tea":2}']


async def test_websocket_accepted_by_starlette_raises() -> None:
    """A ``WebSocket`` expects ``websocket.connect``, which Starlette has received already."""

    async def endpoint(original: StarletteWebSocket) -> None:
        await original.accept()
        socket = WebSocket(original.scope, original.receive, original.send)
        with pytest.raises(Exception, match=r"websocket\.receive"):
            await socket.receive_text()

    await converse(endpoint, "1")


async def test_url_for_of_each_kind_of_route() -> None:
    """The URLs are those of Starlette's own request."""
    urls: list[list[str]] = []

    async def endpoint(request: StarletteRequest) -> Response:
        for name, parameters in (
            ("page", {"n": 1}),
            ("chat", {}),
            ("api:item", {"n": 2}),
            ("sub:page", {"n": 3}),
        ):
            ours = Request(request.scope, request.receive).url_for(name, **parameters)
            urls.append([ours, str(request.url_for(name, **parameters))])
        return Response()

    async def chat(_socket: StarletteWebSocket) -> None: ...

    routes = [
        Route("/{n:int}", endpoint, name="page"),
        WebSocketRoute("/chat", chat, name="chat"),
        Mount("/sub", routes=[Route("/{n:int}", endpoint, name="page")], name="sub"),
        Host(
            "api.example.org", Starlette(routes=[Route("/items/{n:int}", endpoint, name="item")]), name="api"
        ),
    ]
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="https://example.org:8443") as client:
        await client.get("/1")
    assert [ours for ours, _ in urls] == [theirs for _, theirs in urls]
    assert urls[1][0] == "wss://example.org:8443/chat"
    assert urls[2][0] == "https://api.example.org/items/2"
