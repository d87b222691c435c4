"""Where ``install()`` takes effect, and how exceptions become responses."""

from __future__ import annotations

import copy
import importlib.util
from typing import TYPE_CHECKING, Any

import pytest
import starlette.requests
import starlette.websockets
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute

import asgiwire
from asgiwire.exceptions import (
    AsgiwireWarning,
    ClientException,
    NoRouteMatchFoundException,
    RequestEntityTooLarge,
    ValidationException,
    WebSocketException,
)
from asgiwire.integrations.starlette import Request, WebSocket, install
from asgiwire.testing import ScriptedReceive, http_scope

from .starlette_apps import call, talk

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


def name_of_class(request: Any) -> JSONResponse:
    return JSONResponse([isinstance(request, asgiwire.Request), type(request).__name__])


def app_that_raises(error: Exception, **arguments: Any) -> Starlette:
    def endpoint(_request: Any) -> Any:
        raise error

    app = Starlette(routes=[Route("/", endpoint)], **arguments)
    install(app)
    return app


async def test_other_applications_are_not_changed() -> None:
    installed, other = (Starlette(routes=[Route("/", name_of_class)]) for _ in range(2))
    install(installed)
    assert (await call(installed)).json() == [True, "Request"]
    assert (await call(other)).json() == [False, "Request"]
    assert type(starlette.requests.Request(http_scope())) is starlette.requests.Request


async def test_application_that_has_started() -> None:
    app = Starlette(routes=[Route("/", name_of_class)])
    assert (await call(app)).json() == [False, "Request"]
    install(app)
    assert (await call(app)).json() == [True, "Request"]


async def test_second_call_replaces_the_classes() -> None:
    class First(Request):
        pass

    class Second(Request):
        pass

    app = Starlette(routes=[Route("/", name_of_class)])
    install(app, request_class=First)
    install(app, request_class=Second)
    assert (await call(app)).json() == [True, "Second"]


async def test_middleware_that_is_added_afterwards() -> None:
    seen: list[Any] = []

    class Late:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            seen.append(starlette.requests.Request(scope))
            await self.app(scope, receive, send)

    app = Starlette(routes=[Route("/", name_of_class)])
    install(app)
    app.add_middleware(Late)
    await call(app)
    assert isinstance(seen[0], Request)
    assert len(app.user_middleware) == 1


async def test_mounted_application_background_task_and_exception_handler() -> None:
    seen: list[Any] = []

    def endpoint(request: Any) -> JSONResponse:
        return JSONResponse(None, background=BackgroundTask(seen.append, request))

    def failing(_request: Any) -> Any:
        raise LookupError

    def handler(request: Any, _error: Exception) -> JSONResponse:
        seen.append(request)
        return JSONResponse(None)

    inner = Starlette(
        routes=[Route("/task", endpoint), Route("/error", failing)], exception_handlers={LookupError: handler}
    )
    app = Starlette(routes=[Mount("/inner", app=inner)])
    install(app)
    await call(app, path="/inner/task")
    await call(app, path="/inner/error")
    assert [isinstance(request, Request) for request in seen] == [True, True]


async def test_lifespan_is_passed_on() -> None:
    app = Starlette()
    install(app)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    receive = ScriptedReceive({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    await app({"type": "lifespan", "state": {}}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_subclass_with_a_constructor_of_its_own() -> None:
    class ByName(starlette.requests.Request):
        def __init__(self, scope: Any, receive: Any, user: str) -> None:
            starlette.requests.Request.__init__(self, scope, receive)
            self.name = user

        async def body(self) -> bytes:
            return (await super().body()).upper()

    class Other(ByName):
        pass

    async def endpoint(original: Any) -> JSONResponse:
        request = Other(scope=original.scope, receive=original.receive, user="ada")
        assert isinstance(request, Other)
        assert isinstance(request, Request)
        assert type(request) is type(Other(original.scope, original.receive, "ada"))
        assert type(request) is not type(ByName(original.scope, original.receive, "ada"))
        assert type(copy.copy(request)) is type(request)
        return JSONResponse([request.name, await request.json(type=str), request.headers["host"]])

    app = Starlette(routes=[Route("/", endpoint, methods=["POST"])])
    install(app)
    assert (await call(app, "POST", content=b'"a"')).json() == ["ada", "A", "test.example"]


async def test_subclass_with_slots_stays_as_it_is() -> None:
    class Slotted(starlette.requests.Request):
        __slots__ = ("value",)

    async def endpoint(original: Any) -> JSONResponse:
        with pytest.warns(AsgiwireWarning, match="objects of Slotted are not asgiwire's"):
            request = Slotted(original.scope)
        assert request.headers["host"] == "test.example"
        return JSONResponse(isinstance(request, asgiwire.Request))

    app = Starlette(routes=[Route("/", endpoint)])
    install(app)
    assert (await call(app)).json() is False


async def test_subclass_of_a_connection_and_of_the_integration() -> None:
    class Own(starlette.requests.HTTPConnection):
        pass

    class Mine(Request):
        pass

    def endpoint(request: Any) -> JSONResponse:
        assert type(Mine(request.scope)) is Mine
        assert type(WebSocket({**request.scope, "type": "websocket"})) is WebSocket
        assert isinstance(Own(request.scope), asgiwire.ASGIConnection)
        return JSONResponse(None)

    app = Starlette(routes=[Route("/", endpoint)])
    install(app)
    assert (await call(app)).status_code == 200


def test_annotation_of_asgiwires_class_is_a_subclass_of_starlettes() -> None:
    install(Starlette())
    assert issubclass(asgiwire.Request, starlette.requests.Request)
    assert issubclass(asgiwire.WebSocket, starlette.websockets.WebSocket)
    assert not issubclass(asgiwire.WebSocket, starlette.requests.Request)


async def test_subclass_of_a_websocket() -> None:
    class Own(starlette.websockets.WebSocket):
        pass

    async def endpoint(websocket: Any) -> None:
        own = Own(websocket.scope, websocket.receive, websocket.send)
        assert isinstance(own, asgiwire.WebSocket)
        assert isinstance(own, Own)
        await own.accept()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    install(app)
    assert [event["type"] for event in await talk(app, "/")] == ["websocket.accept"]


def test_error_if_starlette_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.find_spec("asgiwire.integrations.starlette")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ModuleNotFoundError, match="needs Starlette, which is not installed"):
        spec.loader.exec_module(module)


# Exceptions


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ClientException("no", status_code=403), 403, "no"),
        (ClientException("token", status_code=401, headers={"WWW-Authenticate": "Bearer"}), 401, "token"),
        (ValidationException("wrong"), 400, "wrong"),
        (RequestEntityTooLarge("large"), 413, "large"),
    ],
)
async def test_client_exception_of_the_application_is_answered_by_its_status(
    error: ClientException, status: int, text: str
) -> None:
    answer = await call(app_that_raises(error))
    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers.get("www-authenticate") == (error.headers or {}).get("WWW-Authenticate")
    assert isinstance(error, HTTPException)


async def test_several_headers_of_one_name_are_joined() -> None:
    pairs = [("WWW-Authenticate", "Bearer"), ("WWW-Authenticate", "Basic"), ("Retry-After", "1")]
    error = ClientException("token", status_code=401, headers=pairs)
    answer = await call(app_that_raises(error))
    assert answer.headers["www-authenticate"] == "Bearer, Basic"
    error.headers = ()
    assert error.headers is None
    error.headers = {"a": "b"}  # type: ignore[assignment]  # as Starlette's exception has them
    assert error.headers == {"a": "b"}


@pytest.mark.parametrize("key", [HTTPException, 403, ClientException])
@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("where", ["endpoint", "middleware"])
async def test_handlers_of_the_application_answer(key: Any, is_async: bool, where: str) -> None:
    def handler(request: Any, error: Any) -> PlainTextResponse:
        return PlainTextResponse(f"{type(request).__name__} {error.detail}", 418)

    async def async_handler(request: Any, error: Any) -> PlainTextResponse:
        return handler(request, error)

    handlers: dict[Any, Any] = {key: async_handler if is_async else handler, LookupError: handler}
    error = ClientException("no", status_code=403)
    app = app_that_raises(error, exception_handlers=handlers)
    if where == "middleware":
        app = app_with_raising_middleware(error, exception_handlers=handlers)
    answer = await call(app)
    assert (answer.status_code, answer.text) == (418, "Request no")


def app_with_raising_middleware(error: Exception, started: bool = False, **arguments: Any) -> Starlette:
    class Raising:
        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if started:
                await self.app(scope, receive, send)
            raise error

    routes = [Route("/", name_of_class)]
    app = Starlette(routes=routes, middleware=[Middleware(Raising)], **arguments)
    install(app)
    return app


async def test_client_exception_of_a_middleware() -> None:
    answer = await call(app_with_raising_middleware(ClientException("no", status_code=403)))
    assert (answer.status_code, answer.text) == (403, "no")


async def test_exception_after_the_start_of_the_response_is_raised() -> None:
    error = ClientException("no")
    transport_error: Callable[[], Any] = app_with_raising_middleware(error, started=True)  # type: ignore[assignment]
    answer = await call(transport_error)
    assert answer.json() == [True, "Request"]


async def test_client_exception_in_a_mounted_application() -> None:
    inner = app_that_raises(ClientException("no", status_code=403))
    plain = Starlette(routes=inner.routes)
    app = Starlette(routes=[Mount("/inner", app=plain)])
    install(app)
    answer = await call(app, path="/inner/")
    assert (answer.status_code, answer.text) == (403, "no")


async def test_other_exceptions_are_not_answered() -> None:
    assert (await call(app_that_raises(NoRouteMatchFoundException(name="x")))).status_code == 500


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (WebSocketException("bye", code=4001), 4001, "bye"),
        (ClientException("no"), 1008, "no"),
        (ClientException("é" * 100), 1008, "é" * 61),
    ],
)
async def test_exceptions_of_the_application_close_a_websocket(
    error: Exception, code: int, reason: str
) -> None:
    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        raise error

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    install(app)
    events = await talk(app, "/", "text")
    assert events[-1] == {"type": "websocket.close", "code": code, "reason": reason}


async def test_disconnect_that_nobody_handles_is_raised() -> None:
    async def endpoint(websocket: Any) -> None:
        await websocket.accept()
        await websocket.receive_text()

    app = Starlette(routes=[WebSocketRoute("/", endpoint)])
    install(app)
    with pytest.raises(starlette.websockets.WebSocketDisconnect):
        await talk(app, "/")
