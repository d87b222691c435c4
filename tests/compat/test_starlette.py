"""asgiwire under Starlette: in endpoints, in middleware before and after routing, beside its own request."""

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
from starlette.routing import Mount, Route, WebSocketRoute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.websockets import WebSocket as StarletteWebSocket

    from asgiwire.types import Message, Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]

TEA = {"tea": 2}


class ReadThrough:
    """A ``receive`` that reads the body through Starlette's request, which keeps it: the how-to's own."""

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


async def ask(app: Any, path: str = "/orders/7", **options: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        with anyio.fail_after(5):
            return await client.post(path, **options)


# --- In an endpoint ---


async def test_an_endpoint_reads_what_starlette_has_put_into_the_scope() -> None:
    async def endpoint(theirs: StarletteRequest) -> Response:
        request = Request(theirs.scope, theirs.receive)
        assert await request.json() == TEA
        assert request.path_params == theirs.path_params == {"number": 7}
        assert request.app is theirs.app
        assert request.url_for("order", number=8) == str(theirs.url_for("order", number=8))
        assert str(request.url) == str(theirs.url)
        assert str(request.base_url) == str(theirs.base_url)
        request.state.tea = 1
        assert theirs.state.tea == 1
        return JSONResponse(request.query_params.getall("q"))

    answer = await ask(application(endpoint), "/orders/7?q=1&q=2", json=TEA)
    assert answer.json() == ["1", "2"]


async def test_what_asgiwire_has_read_starlette_gets_through_replay() -> None:
    async def endpoint(theirs: StarletteRequest) -> Response:
        request = Request(theirs.scope, theirs.receive)
        assert await request.json() == TEA
        again = StarletteRequest(theirs.scope, request.replay)
        return JSONResponse(await again.json())

    assert (await ask(application(endpoint), json=TEA)).json() == TEA


async def test_forms_too() -> None:
    async def endpoint(theirs: StarletteRequest) -> Response:
        async with await Request(theirs.scope, theirs.receive).form() as form:
            return JSONResponse([form["a"], (await form["f"].read()).decode(), form["f"].filename])

    answer = await ask(application(endpoint), data={"a": "1"}, files={"f": ("é.txt", b"tea")})
    assert answer.json() == ["1", "tea", "é.txt"]


async def test_a_body_that_starlette_has_read_is_gone_from_the_channel() -> None:
    """What is next there is the disconnect, for which a reader waits."""
    request = StarletteRequest(http_scope("POST"), ScriptedReceive.body(b"tea"))
    assert await request.body() == b"tea"
    with anyio.move_on_after(0.01) as waited:
        await Request(request.scope, request.receive).body()
    assert waited.cancelled_caught

    left = ScriptedReceive({"type": "http.request", "body": b"tea"}, {"type": "http.disconnect"})
    request = StarletteRequest(http_scope("POST"), left)
    await request.body()
    with pytest.raises(ClientDisconnect):
        await Request(request.scope, request.receive).body()


@pytest.mark.parametrize("first", ["Starlette", "asgiwire"])
async def test_read_through_gives_the_body_to_both(first: str) -> None:
    async def endpoint(theirs: StarletteRequest) -> Response:
        if first == "Starlette":
            await theirs.json()
        request = Request(theirs.scope, ReadThrough(theirs))
        assert await request.json() == TEA
        assert await theirs.json() == TEA
        another = Request(theirs.scope, ReadThrough(theirs))
        return JSONResponse([await another.json(), await another.is_disconnected()])

    assert (await ask(application(endpoint), json=TEA)).json() == [TEA, False]


async def test_read_through_tells_that_the_client_has_left() -> None:
    receive = ScriptedReceive({"type": "http.request", "body": b"tea"}, {"type": "http.disconnect"})
    request = Request(http_scope("POST"), ReadThrough(StarletteRequest(http_scope("POST"), receive)))
    assert await request.body() == b"tea"
    assert await request.is_disconnected()


@pytest.mark.parametrize("consume", ["stream", "form"])
async def test_what_starlette_has_consumed_and_not_kept_is_gone_for_good(consume: str) -> None:
    scope = http_scope("POST", headers={"content-type": "application/x-www-form-urlencoded"})
    request = StarletteRequest(scope, ScriptedReceive.body(b"tea=2"))
    if consume == "stream":
        assert [piece async for piece in request.stream()] == [b"tea=2", b""]
    else:
        assert (await request.form())["tea"] == "2"
    with pytest.raises(RuntimeError, match="Stream consumed"):
        await Request(request.scope, ReadThrough(request)).body()


async def test_errors_become_responses_by_one_handler() -> None:
    class Small(Request):
        limits = Limits(max_body_size=10)

    async def endpoint(theirs: StarletteRequest) -> Response:
        return JSONResponse(await Small(theirs.scope, theirs.receive).json(type=dict[str, int]))

    async def problem(_: StarletteRequest, error: Any) -> Response:
        return JSONResponse({"detail": error.detail}, error.status_code)

    app = application(endpoint, exception_handlers={ClientException: problem})
    answer = await ask(app, content=b'{"tea":""}')
    assert (answer.status_code, answer.json()) == (400, {"detail": "Expected `int`, got `str` - at `$[...]`"})
    assert (await ask(app, content=b'{"tea":"1"}')).status_code == 413


# --- In middleware ---


class Reading:
    """A pure ASGI middleware that reads the body and hands it on."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        url = request.url_for("order", number=1)
        request.state.seen = (await request.json(), request.path_params, url)
        await self.app(scope, request.replay, send)


class Dispatching(BaseHTTPMiddleware):
    """One of Starlette's own kind, that does not look at the body."""

    async def dispatch(
        self, request: StarletteRequest, call_next: Callable[[StarletteRequest], Awaitable[Response]]
    ) -> Response:
        return await call_next(request)


class Peeking(BaseHTTPMiddleware):
    """One of Starlette's own kind, in which both requests look at the body."""

    async def dispatch(
        self, request: StarletteRequest, call_next: Callable[[StarletteRequest], Awaitable[Response]]
    ) -> Response:
        assert await Request(request.scope, ReadThrough(request)).json() == TEA
        assert await request.json() == TEA
        return await call_next(request)


async def both(theirs: StarletteRequest) -> Response:
    """Read the body with asgiwire, then with Starlette."""
    ours = await Request(theirs.scope, ReadThrough(theirs)).json()
    return JSONResponse([ours, await theirs.json(), *getattr(theirs.state, "seen", ())])


async def ours_alone(theirs: StarletteRequest) -> Response:
    request = Request(theirs.scope, theirs.receive)
    return JSONResponse([await request.json(), await request.json(), *getattr(theirs.state, "seen", ())])


@pytest.mark.parametrize("endpoint", [both, ours_alone])
@pytest.mark.parametrize(
    "middleware",
    [[Reading], [Reading, Dispatching], [Dispatching, Reading], [Reading, Peeking], [Peeking, Reading],
     [Dispatching, Reading, Peeking, Reading]],
    ids=lambda it: "-".join(one.__name__ for one in it),
)  # fmt: skip
async def test_middleware_before_routing(endpoint: Any, middleware: list[Any]) -> None:
    answer = await ask(application(endpoint, *middleware), json=TEA)
    assert answer.json() == [TEA, TEA, TEA, {}, "http://test/orders/1"]


@pytest.mark.parametrize("endpoint", [both, ours_alone])
@pytest.mark.parametrize("outside", [[], [Dispatching], [Peeking], [Reading]], ids=str)
async def test_middleware_after_routing(endpoint: Any, outside: list[Any]) -> None:
    reading = [Middleware(Reading)]
    route = Route("/orders/{number:int}", endpoint, methods=["POST"], middleware=reading, name="order")
    answer = await ask(Starlette(routes=[route], middleware=[Middleware(one) for one in outside]), json=TEA)
    assert answer.json() == [TEA, TEA, TEA, {"number": 7}, "http://test/orders/1"]


async def test_under_a_mount() -> None:
    async def endpoint(theirs: StarletteRequest) -> Response:
        request = Request(theirs.scope, theirs.receive)
        assert str(request.url) == str(theirs.url)
        assert str(request.base_url) == str(theirs.base_url)
        return JSONResponse([request.url.path, request.path_params, request.url_for("shop:order", number=8)])

    inner = Route("/orders/{number:int}", endpoint, methods=["POST"], name="order")
    answer = await ask(Starlette(routes=[Mount("/shop", routes=[inner], name="shop")]), "/shop/orders/7")
    assert answer.json() == ["/shop/orders/7", {"number": 7}, "http://test/shop/orders/8"]


async def test_a_read_in_dispatch_that_goes_past_starlette_takes_the_body_from_the_endpoint() -> None:
    """Why a ``BaseHTTPMiddleware`` has to read through Starlette's request."""

    class Taking(BaseHTTPMiddleware):
        async def dispatch(self, request: StarletteRequest, call_next: Any) -> Any:
            assert await Request(request.scope, request.receive).json() == TEA
            return await call_next(request)

    receive = ScriptedReceive({"type": "http.request", "body": b'{"tea":2}'}, {"type": "http.disconnect"})
    with pytest.raises(ClientDisconnect):
        await application(ours_alone, Taking)(http_scope("POST", "/orders/1"), receive, RecordedSend())


async def test_the_endpoint_learns_that_the_client_left() -> None:
    seen = []

    async def endpoint(theirs: StarletteRequest) -> Response:
        request = Request(theirs.scope, theirs.receive)
        await request.body()
        seen.append(await request.is_disconnected())
        return Response()

    receive = ScriptedReceive({"type": "http.request", "body": b"{}"}, {"type": "http.disconnect"})
    app = application(endpoint, Reading, Dispatching)
    await app(http_scope("POST", "/orders/1"), receive, RecordedSend())
    assert seen == [True]


# --- What Starlette's middleware puts into the scope ---


class Backend(AuthenticationBackend):
    async def authenticate(self, conn: Any) -> Any:
        return AuthCredentials(["drink"]), SimpleUser(conn.headers["x-user"])


async def test_user_and_auth() -> None:
    async def endpoint(theirs: StarletteRequest) -> Response:
        request = Request[SimpleUser, AuthCredentials](theirs.scope, theirs.receive)
        return JSONResponse([request.user.username, request.auth.scopes])

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])],
        middleware=[Middleware(AuthenticationMiddleware, backend=Backend())],
    )
    assert (await ask(app, "/", headers={"x-user": "ada"})).json() == ["ada", ["drink"]]


@pytest.mark.parametrize(
    ("use", "is_set", "varies"),
    [
        (lambda one: None, False, False),
        (lambda one: one.session, False, True),
        (lambda one: one.session.update(a=2), True, True),
        (lambda one: one.set_session({"b": 1}), True, True),
        (lambda one: one.clear_session(), True, True),
    ],
    ids=["none", "read", "write", "set_session", "clear_session"],
)
async def test_starlettes_session_is_told_of_reads_and_changes(use: Any, is_set: bool, varies: bool) -> None:
    async def endpoint(theirs: StarletteRequest) -> Response:
        request = Request(theirs.scope, theirs.receive)
        if "begin" in request.query_params:
            request.session["a"] = 1
        else:
            use(request)
        return Response()

    app = Starlette(
        routes=[Route("/", endpoint, methods=["POST"])],
        middleware=[Middleware(SessionMiddleware, secret_key="tea")],
    )
    cookie = (await ask(app, "/?begin")).headers["set-cookie"].partition(";")[0]
    answer = await ask(app, "/", headers={"cookie": cookie})
    assert ("set-cookie" in answer.headers, answer.headers.get("vary") == "Cookie") == (is_set, varies)


# --- WebSockets ---


async def talk(endpoint: Any, *messages: Any) -> list[Any]:
    app = Starlette(routes=[WebSocketRoute("/{room}", endpoint)])
    sent = RecordedSend()
    scope = websocket_scope("/tea", subprotocols=["tea.v1"])
    with anyio.fail_after(5):
        await app(scope, ScriptedReceive.websocket(*messages, disconnect=1001), sent)
    return sent.messages


async def test_a_websocket_endpoint() -> None:
    async def endpoint(theirs: StarletteWebSocket) -> None:
        socket = WebSocket(theirs.scope, theirs.receive, theirs.send)
        await socket.accept(socket.select_subprotocol(["tea.v1"]))
        async for value in socket.iter_json(type=int):
            await socket.send_json({socket.path_params["room"]: value})
        assert socket.close_code == 1001
        assert theirs.client_state.name == "DISCONNECTED"

    accepted, *sent = await talk(endpoint, "1", "2")
    assert accepted["subprotocol"] == "tea.v1"
    assert [one["text"] for one in sent] == ['{"tea":1}', '{"tea":2}']


async def test_one_that_starlette_has_accepted_is_starlettes() -> None:
    """The handshake is over, and asgiwire looks for its beginning."""

    async def endpoint(theirs: StarletteWebSocket) -> None:
        await theirs.accept()
        socket = WebSocket(theirs.scope, theirs.receive, theirs.send)
        with pytest.raises(Exception, match=r"unexpected ASGI message type 'websocket.receive'"):
            await socket.receive_text()

    await talk(endpoint, "1")
