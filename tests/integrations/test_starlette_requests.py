"""The members of a request, except for its body, in a Starlette application with the integration on."""

from __future__ import annotations

import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
import starlette.datastructures
import starlette.exceptions
import starlette.requests
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, SimpleUser
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Mount, NoMatchFound, Route

import asgiwire
from asgiwire.datastructures import Headers, State
from asgiwire.exceptions import ImproperlyConfiguredException, NoRouteMatchFoundException
from asgiwire.integrations.starlette import HTTPConnection, Request, install
from asgiwire.testing import RecordedSend, http_scope

from .starlette_apps import call, compare

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


def app_of(endpoint: Callable[..., Any], **arguments: Any) -> Callable[[], Starlette]:
    routes = [Route("/{name}", endpoint, name="named", methods=["GET", "POST"])]
    return lambda: Starlette(routes=routes, **arguments)


def new_request(**scope: Any) -> Request:
    return Request(http_scope() | scope)


def test_request_is_of_both_classes() -> None:
    request = new_request()
    assert isinstance(request, asgiwire.Request)
    assert isinstance(request, starlette.requests.Request)
    assert isinstance(request, HTTPConnection)
    assert (request["method"], request.get("nothing")) == ("GET", None)
    assert dict(request) == request.scope
    assert len(request) == len(request.scope)
    assert {request: 1}[request] == 1


async def test_values_are_of_both_classes() -> None:
    request = new_request()
    for name in ("Headers", "QueryParams", "URL", "State", "Address"):
        values = {
            "Headers": request.headers,
            "QueryParams": request.query_params,
            "URL": request.url,
            "State": request.state,
            "Address": request.client,
        }
        assert isinstance(values[name], getattr(starlette.datastructures, name))
    assert isinstance(request.base_url, starlette.datastructures.URL)
    assert isinstance(request.headers, Headers)
    for name in ("headers", "query_params", "url", "base_url", "state", "cookies"):
        assert getattr(request, name) is getattr(request, name)


@pytest.mark.parametrize(
    "path",
    [
        "/caf%C3%A9?q=%C3%A9&q=2",
        "/a%3Fb%23c?x",
        "/a?a=1&a=2&b=&c=%2B+",
        "/a",
    ],
)
async def test_url_and_query_are_starlettes(path: str) -> None:
    def endpoint(request: Any) -> JSONResponse:
        query = request.query_params
        return JSONResponse(
            [
                str(request.url),
                request.url.path,
                str(request.base_url),
                query.multi_items(),
                dict(query),
                str(request.url_for("named", name="x")),
                request.path_params,
                request.method,
            ]
        )

    await compare(app_of(endpoint), "GET", path)


async def test_headers_cookies_and_client_are_starlettes() -> None:
    def endpoint(request: Any) -> JSONResponse:
        headers = {name: value for name, value in request.headers.items() if name.startswith("x-")}
        return JSONResponse([headers, request.headers.getlist("x-a"), request.cookies, request.client])

    headers = [("x-a", "1"), ("x-a", "2"), ("cookie", 'a=%41; b="x\\054y"; c')]
    await compare(app_of(endpoint), "GET", "/a", headers=headers)


async def test_state_is_shared_and_starlettes() -> None:
    def endpoint(request: Any) -> JSONResponse:
        request.state.items = [1]
        again = starlette.requests.Request(request.scope)
        return JSONResponse([again.state.items, hasattr(again.state, "other"), request.state["items"]])

    await compare(app_of(endpoint), "GET", "/a")


async def test_session_is_starlettes(monkeypatch: pytest.MonkeyPatch) -> None:
    # The signature contains the time, and both responses are compared.
    monkeypatch.setattr("itsdangerous.TimestampSigner.get_timestamp", lambda _self: 1_700_000_000)

    def endpoint(request: Any) -> JSONResponse:
        seen = dict(request.session)
        request.session["a"] = 1
        return JSONResponse(seen)

    middleware = [Middleware(SessionMiddleware, secret_key="secret")]
    answer = await compare(app_of(endpoint, middleware=middleware), "GET", "/a")
    app = app_of(endpoint, middleware=middleware)()
    install(app)
    again = await call(app, path="/a", headers={"cookie": answer.headers["set-cookie"].partition(";")[0]})
    assert again.json() == {"a": 1}


async def test_cleared_session_is_deleted() -> None:
    def endpoint(request: Any) -> PlainTextResponse:
        request.session["a"] = 1
        request.clear_session()
        return PlainTextResponse(str(request.session))

    app = app_of(endpoint, middleware=[Middleware(SessionMiddleware, secret_key="secret")])()
    install(app)
    answer = await call(app, path="/a")
    assert answer.text == "{}"
    assert "set-cookie" not in answer.headers


async def test_backend_of_the_authentication_middleware_gets_a_connection_of_both_classes() -> None:
    class Backend:
        async def authenticate(self, connection: Any) -> Any:
            assert type(connection) is HTTPConnection
            return AuthCredentials(["a"]), SimpleUser(connection.authorization.token)

    def endpoint(request: Any) -> JSONResponse:
        return JSONResponse([request.user.display_name, request.auth.scopes])

    app = app_of(endpoint, middleware=[Middleware(AuthenticationMiddleware, backend=Backend())])()
    install(app)
    answer = await call(app, path="/a", headers={"authorization": "Bearer ada"})
    assert answer.json() == ["ada", ["a"]]


@pytest.mark.parametrize("name", ["session", "user", "auth"])
def test_missing_value_is_an_assertion_error_too(name: str) -> None:
    with pytest.raises(AssertionError, match=f"'{name}' is not defined in scope") as caught:
        getattr(new_request(), name)
    assert isinstance(caught.value, ImproperlyConfiguredException)


def test_missing_app_is_a_key_error_too() -> None:
    with pytest.raises(KeyError, match="'app' is not defined in scope"):
        _ = new_request().app


def test_wrong_type_of_scope_is_an_assertion_error_too() -> None:
    with pytest.raises(AssertionError, match="expected a scope of type 'http', got 'websocket'"):
        new_request(type="websocket")


async def test_missing_receive_is_a_runtime_error() -> None:
    with pytest.raises(RuntimeError, match="without a receive callable"):
        await new_request().body()


def test_unknown_route_is_no_match_found_too() -> None:
    request = new_request(router=Starlette(routes=[Route("/", lambda _: None, name="root")]).router)
    assert request.url_for("root") == "http://test.org/"
    with pytest.raises(NoMatchFound) as caught:
        request.url_for("other", name="x")
    assert isinstance(caught.value, NoRouteMatchFoundException)
    assert caught.value.name == "other"


def test_url_for_without_a_router_is_a_runtime_error_too() -> None:
    with pytest.raises(RuntimeError) as caught:
        new_request().url_for("root")
    assert isinstance(caught.value, NoRouteMatchFoundException)


@pytest.mark.parametrize(
    "scope",
    [
        {"query_string": b"\xff"},
        {"path": "/a\nb"},
        {"scheme": "unknown"},
        {"query_string": None},
    ],
)
def test_url_never_raises(scope: dict[str, Any]) -> None:
    request = new_request(**scope, server=("127.0.0.1", 80), headers=[])
    assert isinstance(request.url, starlette.datastructures.URL)
    assert isinstance(request.base_url, starlette.datastructures.URL)


def test_incomplete_scope() -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    assert (request.client, dict(request.query_params), request.cookies) == (None, {}, {})
    assert str(request.url) == "/"
    assert request.state is request.state
    assert request.scope["state"] == {}


def test_state_of_asgiwire_in_the_scope_stays() -> None:
    state = State({"a": 1})
    assert new_request(state=state).state is state


async def test_push_promise_is_silent_without_support() -> None:
    request = new_request()
    await request.send_push_promise("/style.css")
    with pytest.raises(ImproperlyConfiguredException):
        await request.send_push_promise("/style.css", raise_if_unavailable=True)
    send = RecordedSend()
    scope = http_scope(extensions={"http.response.push": {}})
    await Request(scope, send=send).send_push_promise("/style.css")
    assert send.messages[0]["path"] == "/style.css"


async def test_early_hints() -> None:
    scope = http_scope(extensions={"http.response.early_hint": {}})
    send = RecordedSend()
    await Request(scope, send=send).send_early_hints("</a.css>", "</b.css>")
    assert send.messages == [{"type": "http.response.early_hint", "links": [b"</a.css>", b"</b.css>"]}]
    with pytest.raises(RuntimeError, match="without a send callable"):
        await Request(scope).send_early_hints("</a.css>")


async def test_invalid_content_length_is_an_http_exception() -> None:
    request = new_request(headers=[(b"content-length", b"many")])
    with pytest.raises(starlette.exceptions.HTTPException) as caught:
        _ = request.content_length
    assert caught.value.status_code == 400


def test_private_attributes_that_applications_use() -> None:
    async def receive() -> Any: ...

    async def send(_message: Any) -> None: ...

    request = new_request()
    request._receive, request._send = receive, send
    assert (request.receive, request.send) == (receive, send)
    assert (request._receive, request._send) == (receive, send)


async def test_mounted_application() -> None:
    def endpoint(request: Any) -> JSONResponse:
        return JSONResponse([str(request.url), str(request.base_url), str(request.url_for("inner"))])

    def new_app() -> Starlette:
        inner = Starlette(routes=[Route("/x", endpoint, name="inner")])
        return Starlette(routes=[Mount("/sub", app=inner)])

    await compare(new_app, "GET", "/sub/x")


def test_exceptions_pickle() -> None:
    with pytest.raises(AssertionError) as caught:
        _ = new_request().session
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)


def test_json_error_pickles() -> None:
    from asgiwire.integrations.starlette._json import load_json

    with pytest.raises(json.JSONDecodeError) as caught:
        load_json(b"{")
    assert pickle.loads(pickle.dumps(caught.value)).pos == 1
