"""Parameters, reserved names and dependencies that Litestar injects into handlers."""

import copy
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from litestar import Controller, Litestar, Request, Router, WebSocket, get, post, websocket
from litestar.connection import ASGIConnection
from litestar.datastructures import Accept, FormMultiDict, Headers, MultiDict, State
from litestar.datastructures.url import URL
from litestar.di import NamedDependency, Provide
from litestar.params import FromCookie, FromHeader, FromPath, FromQuery, QueryParams, RawBody, RequestCookies
from litestar.testing import TestClient
from litestar.types import Scope

import asgiwire
from asgiwire import datastructures
from asgiwire.integrations import litestar as integration

from .litestar_apps import ask_asgiwire, ask_both

Client = TestClient[Litestar]


@dataclass
class User:
    name: str


def test_parameters_of_every_kind() -> None:
    @get("/{number:int}/{rest:path}")
    async def handler(
        number: FromPath[int],
        rest: FromPath[Path],
        q: FromQuery[str],
        xtea: FromHeader[str],
        sid: FromCookie[str | None] = None,
        many: FromQuery[list[int] | None] = None,
    ) -> Any:
        return [number, str(rest), q, xtea, sid, many]

    def talk(client: Client) -> list[Any]:
        client.cookies.set("sid", "a%20b")
        headers = {"xtea": "mint"}
        return [
            client.get("/7/a/b?q=caf%C3%A9+x&many=1&many=2", headers=headers),
            client.get("/7/a/b?q=&many=1", headers=headers),
            client.get("/7/a/b?q=1"),
            client.get("/7/a/b", headers=headers),
            client.get("/7/a/b?q=1&many=x", headers=headers),
            client.get("/x/a/b?q=1", headers=headers),
        ]

    answers = ask_both([handler], talk)
    assert answers[0] == (200, [7, "/a/b", "café x", "mint", "a b", [1, 2]])
    assert [status for status, _ in answers] == [200, 200, 400, 400, 400, 404]


def test_unencoded_utf8_in_a_query() -> None:
    @get("/")
    async def handler(request: Request[Any, Any, Any], q: FromQuery[str]) -> Any:
        return [q, request.query_params["q"]]

    async def ask() -> list[Any]:
        from asgiwire.testing import RecordedSend, http_scope

        send = RecordedSend()
        scope = http_scope(path="/", query_string="q=é".encode())
        app = Litestar([handler], request_class=integration.Request, openapi_config=None)
        await app(scope, None, send)  # type: ignore[arg-type]
        return [message.get("body") for message in send.messages]

    import anyio

    assert '["é","é"]'.encode() in anyio.run(ask)


def test_reserved_names() -> None:
    @post("/")
    async def handler(
        headers: Headers,
        query: QueryParams,
        cookies: RequestCookies,
        scope: Scope,
        state: State,
        body: RawBody,
    ) -> Any:
        assert isinstance(headers, Headers)
        return [headers["x-tea"], sorted(query.multi_items()), cookies, scope["path"], state.a, body.decode()]

    def talk(client: Client) -> list[Any]:
        client.cookies.set("c", "1")
        return [client.post("/?a=1&b=2&a=3", content=b"raw", headers={"X-Tea": "mint"})]

    (answer,) = ask_both([handler], talk, state=State({"a": 1}))
    assert answer == (201, ["mint", [["a", "1"], ["a", "3"], ["b", "2"]], {"c": "1"}, "/", 1, "raw"])


def test_the_members_of_a_request() -> None:
    @get("/{tea:str}", name="named")
    async def handler(request: Request[Any, Any, Any]) -> Any:
        return {
            "url": str(request.url),
            "base_url": str(request.base_url),
            "method": request.method,
            "path_params": request.path_params,
            "query": sorted(request.query_params.dict().items()),
            "accept": request.accept.best_match(["text/html", "application/json"]),
            "content_type": request.content_type,
            "content_length": request.content_length,
            "client": request.client and request.client.host,
            "cookies": request.cookies,
            "header": request.headers.getall("x-two"),
            "url_for": request.url_for("named", tea="x"),
            "app": isinstance(request.app, Litestar),
            "handler": request.route_handler.name,
            "session_id": request.get_session_id(),
            "state": request.state.get("nothing"),
            "push": request.supports_push_promise,
        }

    def talk(client: Client) -> list[Any]:
        headers = [
            ("x-two", "1"),
            ("x-two", "2"),
            ("cookie", "a=1; b=2"),
            ("accept", "text/*;q=0.2, */*;q=0.1"),
        ]
        return [client.get("/tea?x=1&y=2&x=3", headers=headers)]

    ((status, seen),) = ask_both([handler], talk)
    assert status == 200
    assert seen["url"] == "http://testserver.local/tea?x=1&y=2&x=3"
    assert seen["url_for"] == "http://testserver.local/x"


# Every annotation that a handler may use for the injected connection.
ANNOTATIONS = [
    Request,
    Request[User, str, State],
    ASGIConnection[Any, User, str, State],
    integration.Request,
    integration.Request[User, str, State],
    asgiwire.Request,
    asgiwire.Request[User, str, State],
]


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@pytest.mark.filterwarnings("ignore:.*Reserved kwarg 'request' declared as")
def test_the_request_is_injected_for_every_annotation(annotation: Any) -> None:
    async def who(request: annotation) -> str:
        return str(request.headers["x-tea"])

    @get("/", dependencies={"tea": Provide(who)})
    async def handler(request: annotation, tea: NamedDependency[str]) -> Any:
        return [tea, isinstance(request, integration.Request)]

    assert ask_asgiwire([handler], lambda client: [client.get("/", headers={"x-tea": "mint"})]) == [
        (200, ["mint", True])
    ]


def test_dependencies_generators_and_layers() -> None:
    ended: list[str] = []

    async def user(request: Request[Any, Any, Any]) -> User:
        return User(request.headers["x-user"])

    async def resource(request: Request[Any, Any, Any], user: NamedDependency[User]) -> Any:
        yield f"{user.name}@{request.url.path}"
        ended.append(user.name)

    class Own(Controller):
        path = "/own"
        dependencies: ClassVar[dict[str, Any]] = {"resource": Provide(resource)}

        @get()
        async def show(self, resource: NamedDependency[Any], user: NamedDependency[User]) -> Any:
            return [resource, user.name]

    router = Router("/api", route_handlers=[Own], dependencies={"user": Provide(user)})
    answers = ask_both([router], lambda client: [client.get("/api/own", headers={"x-user": "jo"})])
    assert answers == [(200, ["jo@/api/own", "jo"])]
    assert ended == ["jo", "jo"]


def test_a_subclass_of_the_request() -> None:
    class MyRequest(integration.Request[User, str, State]):
        __slots__ = ("tea",)

        base_limits = asgiwire.Limits(max_field_size=10)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.tea = self.headers.get("x-tea")

    @post("/", request_class=MyRequest)
    async def handler(request: MyRequest) -> Any:
        return [request.tea, (await request.form()).dict()]

    def talk(client: Client) -> list[Any]:
        return [
            client.post("/", data={"a": "1"}, headers={"x-tea": "mint"}),
            client.post("/", data={"a": "1" * 10}),
        ]

    answers = ask_asgiwire([handler], talk)
    assert answers[0] == (201, ["mint", {"a": ["1"]}])
    assert answers[1][0] == 413


def test_htmx() -> None:
    from litestar.plugins.htmx import HTMXDetails

    class HTMXRequest(integration.Request[Any, Any, Any]):
        __slots__ = ("htmx",)

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.htmx = HTMXDetails(self)

    @get("/", request_class=HTMXRequest)
    async def handler(request: HTMXRequest) -> Any:
        return [bool(request.htmx), request.htmx.target]

    headers = {"hx-request": "true", "hx-target": "list"}
    assert ask_asgiwire([handler], lambda client: [client.get("/", headers=headers)]) == [
        (200, [True, "list"])
    ]


def test_values_pass_isinstance_for_both_libraries() -> None:
    checked: list[bool] = []

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> None:
        form = await request.form()
        pairs = [
            (request.headers, Headers, datastructures.Headers),
            (request.query_params, MultiDict, datastructures.MultiDict),
            (form, FormMultiDict, datastructures.FormMultiDict),
            (request.url, URL, datastructures.URL),
            (request.base_url, URL, datastructures.URL),
            (request.accept, Accept, datastructures.Accept),
            (request.state, State, datastructures.State),
            (request, Request, asgiwire.Request),
            (request, ASGIConnection, asgiwire.ASGIConnection),
        ]
        checked.extend(isinstance(value, theirs) and isinstance(value, ours) for value, theirs, ours in pairs)
        assert "__class__" not in request.state

    assert ask_asgiwire([handler], lambda client: [client.post("/", data={"a": "1"})]) == [(201, None)]
    assert checked == [True] * 9


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
)
def test_values_can_be_copied_and_pickled(copied: Any) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"a=1",
        "headers": [(b"host", b"h")],
    }
    request: integration.Request[Any, Any, Any] = integration.Request(scope)
    for value in (request.headers, request.query_params, request.url, request.accept, request.state):
        same = copied(value)
        assert str(same) == str(value)
        assert isinstance(same, type(value).__mro__[1])


def test_openapi_omits_the_connection() -> None:
    @post("/{a:int}")
    async def handler(request: Request[Any, Any, Any], a: FromPath[int], q: FromQuery[int]) -> None: ...

    @post("/typed")
    async def typed(request: Request[Any, Any, Any], headers: Headers) -> None: ...

    @websocket("/ws")
    async def socket_handler(socket: WebSocket[Any, Any, Any]) -> None: ...

    from litestar.openapi import OpenAPIConfig

    config = OpenAPIConfig(title="t", version="1")
    handlers = [handler, typed, socket_handler]
    ((status, text),) = ask_both(handlers, lambda c: [c.get("/schema/openapi.json")], openapi_config=config)
    assert status == 200
    schema = json.loads(text)
    assert [p["name"] for p in schema["paths"]["/{a}"]["post"]["parameters"]] == ["a", "q"]
    assert "parameters" not in schema["paths"]["/typed"]["post"]


def test_before_routing_there_is_no_handler() -> None:
    def not_found(request: Request[Any, Any, Any], _error: Exception) -> Any:
        from litestar import Response

        with pytest.raises(KeyError):
            _ = request.route_handler
        limits = [request.limits.max_body_size, request.type_decoders, request.type_encoders]  # type: ignore[attr-defined]
        return Response([request.url.path, *limits], status_code=404)

    answers = ask_asgiwire([], lambda client: [client.get("/nope")], exception_handlers={404: not_found})
    assert answers == [(404, ["/nope", 10_000_000, None, None])]
    assert ask_both([], lambda client: [client.get("/nope")])[0][0] == 404


def test_without_an_application() -> None:
    request: integration.Request[Any, Any, Any] = integration.Request(
        {"type": "http", "method": "GET", "path": "/", "headers": []}
    )
    assert request.limits == asgiwire.Limits()
    assert request.url.path == "/"
    with pytest.raises(KeyError):
        _ = request.app
