"""``ASGIConnection``: the values that are read from a scope."""

from __future__ import annotations

from typing import Any, Self

import pytest

from asgiwire import ASGIConnection, Request, WebSocket, empty_receive, empty_send
from asgiwire.datastructures import Address, Headers, MultiDict, State
from asgiwire.exceptions import ImproperlyConfiguredException, NoRouteMatchFoundException
from asgiwire.testing import ScriptedReceive, http_scope, websocket_scope

BARE_HTTP: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
BARE_WEBSOCKET: dict[str, Any] = {"type": "websocket", "path": "/", "headers": []}
ACCESSORS = (
    "base_url",
    "client",
    "cookies",
    "headers",
    "limits",
    "path_params",
    "query_params",
    "server",
    "state",
    "type_decoders",
    "type_encoders",
    "url",
)
REQUEST_ACCESSORS = (
    *ACCESSORS,
    "accept",
    "content_length",
    "content_type",
    "is_connected",
    "method",
    "supports_push_promise",
)
WEBSOCKET_ACCESSORS = (*ACCESSORS, "connection_state")


def connection(scope: dict[str, Any]) -> ASGIConnection:
    return ASGIConnection(scope)


def test_every_accessor_works_on_a_minimal_http_scope() -> None:
    request = Request(dict(BARE_HTTP))

    values = {name: getattr(request, name) for name in REQUEST_ACCESSORS}
    assert str(values.pop("url")) == "/"
    assert str(values.pop("base_url")) == "/"
    assert values.pop("content_type") == ("", {})
    assert values.pop("accept").accepts("text/html")
    assert values.pop("method") == "GET"
    assert values.pop("is_connected") is True
    assert values.pop("limits").max_body_size == 10_000_000
    assert not any(values.values())


def test_every_accessor_works_on_a_minimal_websocket_scope() -> None:
    websocket = WebSocket(dict(BARE_WEBSOCKET))

    values = {name: getattr(websocket, name) for name in WEBSOCKET_ACCESSORS}
    assert values["connection_state"] == "init"
    assert values["query_params"] == MultiDict()


@pytest.mark.parametrize(
    "key", ["extensions", "client", "server", "state", "root_path", "raw_path", "query_string", "scheme"]
)
@pytest.mark.parametrize("value", [None, "absent"])
def test_optional_keys_may_be_absent_or_none(key: str, value: object) -> None:
    for build, kind, names in (
        (http_scope, Request, REQUEST_ACCESSORS),
        (websocket_scope, WebSocket, WEBSOCKET_ACCESSORS),
    ):
        scope = build()
        if value is None:
            scope[key] = None
        else:
            scope.pop(key, None)
        for name in names:
            getattr(kind(scope), name)


def test_constructor_arguments_are_attributes() -> None:
    scope, receive = http_scope(), ScriptedReceive()

    async def send(message: object) -> None: ...

    request = Request(scope, receive, send)
    assert (request.scope, request.receive, request.send) == (scope, receive, send)
    assert request.scope is scope


@pytest.mark.parametrize(
    ("kind", "scope", "expected", "actual"),
    [
        (Request, BARE_WEBSOCKET, ["'http'"], "'websocket'"),
        (WebSocket, BARE_HTTP, ["'websocket'"], "'http'"),
        (ASGIConnection, {"type": "lifespan"}, ["'http'", "'websocket'"], "'lifespan'"),
        (Request, {}, ["'http'"], "None"),
    ],
)
def test_wrong_scope_type_raises_at_construction(
    kind: Any, scope: dict[str, Any], expected: list[str], actual: str
) -> None:
    with pytest.raises(
        ImproperlyConfiguredException, match=f"{kind.__name__}.*{'.*'.join(expected)}.*{actual}"
    ) as caught:
        kind(scope)
    assert isinstance(caught.value, ValueError)


@pytest.mark.anyio
async def test_missing_receive_and_send_raise() -> None:
    with pytest.raises(ImproperlyConfiguredException, match="receive"):
        await empty_receive()
    with pytest.raises(ImproperlyConfiguredException, match="send"):
        await empty_send({})
    with pytest.raises(ImproperlyConfiguredException, match="receive"):
        await Request(dict(BARE_HTTP)).body()
    with pytest.raises(RuntimeError, match="receive"):  # as in Starlette and Litestar
        await Request(dict(BARE_HTTP)).json()
    with pytest.raises(RuntimeError, match="receive"):
        await WebSocket({"type": "websocket"}).accept()
    with pytest.raises(RuntimeError, match="send"):
        await Request(http_scope(extensions={"http.response.push": {}})).send_push_promise("/")


@pytest.mark.parametrize("name", ["headers", "query_params", "cookies", "url", "base_url", "state"])
def test_value_is_cached_and_not_shared(name: str) -> None:
    scope = http_scope(query_params="a=1", cookies={"a": "1"})
    one, other = connection(scope), connection(scope)

    assert getattr(one, name) is getattr(one, name)
    assert getattr(one, name) is not getattr(other, name)


def test_changed_cookies_and_query_are_not_shared() -> None:
    """With a process-wide cache of parsed cookies, one request could change the cookies of another."""
    scope = http_scope(query_params="a=1", cookies={"sid": "1"})
    one = connection(scope)
    one.cookies["admin"] = "yes"
    one.query_params["admin"] = "yes"
    one.url.query_params["admin"] = "yes"

    other = connection(http_scope(query_params="a=1", cookies={"sid": "1"}))
    assert other.cookies == {"sid": "1"}
    assert other.query_params.dict() == other.url.query_params.dict() == {"a": ["1"]}
    assert connection(scope).cookies == {"sid": "1"}


def test_new_connection_reads_the_changed_scope() -> None:
    scope = http_scope(path="/a", query_params="x=1", headers={"x": "1"}, cookies={"a": "1"})
    first = connection(scope)
    for name in ACCESSORS:
        getattr(first, name)
    changed = {**scope, "path": "/b", "query_string": b"x=2", "headers": [(b"x", b"2"), (b"cookie", b"a=2")]}
    second = connection(changed)

    assert second.url.path == "/b"
    assert second.url.query == "x=2"
    assert second.query_params["x"] == "2"
    assert second.headers["x"] == "2"
    assert second.cookies == {"a": "2"}


def test_headers_may_be_a_one_shot_iterator() -> None:
    """ASGI allows any iterable; a second connection must not get an exhausted one."""
    scope = {**BARE_HTTP, "headers": iter([(b"Host", b"h.test"), (b"cookie", b"a=1")])}
    assert str(Request(scope).url) == "http://h.test/"
    assert Request(scope).cookies == {"a": "1"}
    assert Request(scope).headers["host"] == "h.test"


@pytest.mark.parametrize(
    "pairs",
    [
        [(b"Content-Type", b"text/plain"), (b"COOKIE", b"a=1"), (b"Host", b"h.test")],
        [[b"content-type", b"text/plain"], [b"cookie", b"a=1"], [b"host", b"h.test"]],
        ((b"content-type", b"text/plain"), (b"cookie", b"a=1"), (b"host", b"h.test")),
    ],
    ids=["mixed case", "lists", "tuple"],
)
def test_header_names_of_any_case_and_pairs_of_any_type(pairs: Any) -> None:
    request = Request({**BARE_HTTP, "headers": pairs})

    assert request.content_type[0] == "text/plain"
    assert request.cookies == {"a": "1"}
    assert request.headers["content-type"] == "text/plain"
    assert request.url.hostname == "h.test"


def test_headers_are_headers() -> None:
    assert isinstance(connection(http_scope()).headers, Headers)


def test_query_params_preserve_order_blank_values_and_invalid_utf8() -> None:
    query = connection(http_scope(query_params=b"b=1&a=&b=%FF&c=\xc3\xa9")).query_params

    assert list(query.multi_items()) == [("b", "1"), ("a", ""), ("b", "\ufffd"), ("c", "é")]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        (None, None),
        (("127.0.0.1", 80), Address("127.0.0.1", 80)),
        (["127.0.0.1", 80], Address("127.0.0.1", 80)),
        (("127.0.0.1", "80"), Address("127.0.0.1", 80)),
        (("/run/x.sock", None), Address("/run/x.sock", None)),
    ],
)
def test_client_and_server(given: object, address: Address | None) -> None:
    both = connection({**BARE_HTTP, "client": given, "server": given})

    assert both.client == both.server == address


def test_client_ignores_forwarded_headers() -> None:
    headers = {"x-forwarded-for": "6.6.6.6", "forwarded": "for=6.6.6.6"}
    scope = http_scope(client=("10.0.0.1", 1), headers=headers)

    assert connection(scope).client == Address("10.0.0.1", 1)


def test_url_ignores_forwarded_headers() -> None:
    headers = {"host": "h.test", "x-forwarded-host": "evil.test", "x-forwarded-proto": "https"}

    assert str(connection(http_scope(headers=headers)).url) == "http://h.test/"


# --- app, route_handler, path_params ------------------------------------------------------------------


def test_litestar_app_takes_precedence_over_app() -> None:
    """A mounted application replaces ``app``; Litestar uses its own key."""
    assert connection({**BARE_HTTP, "app": "mounted", "litestar_app": "outer"}).app == "outer"
    assert connection({**BARE_HTTP, "app": "mounted"}).app == "mounted"


@pytest.mark.parametrize("name", ["app", "route_handler", "user", "auth", "session"])
def test_missing_scope_key_raises(name: str) -> None:
    with pytest.raises(ImproperlyConfiguredException, match=f"^'{name}' is not defined in scope, ") as caught:
        getattr(connection(dict(BARE_HTTP)), name)
    assert caught.value.status_code == 500
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", ["route_handler", "user", "auth"])
@pytest.mark.parametrize("value", ["value", None])
def test_scope_value_is_returned_unchanged(name: str, value: object) -> None:
    assert getattr(connection({**BARE_HTTP, name: value}), name) is value


def test_path_params() -> None:
    assert connection(dict(BARE_HTTP)).path_params == {}
    assert connection({**BARE_HTTP, "path_params": {"id": 1}}).path_params == {"id": 1}


# --- state --------------------------------------------------------------------------------------------


def test_state_is_one_live_view_of_the_scope() -> None:
    scope = {**BARE_HTTP, "state": {"a": 1}}
    one = connection(scope)
    one.state.b = 2
    scope["state"]["c"] = 3

    assert one.state is one.state
    assert isinstance(one.state, State)
    assert dict(one.state) == {"a": 1, "b": 2, "c": 3}
    assert connection(scope).state.b == 2


@pytest.mark.anyio
async def test_reads_add_nothing_to_the_state() -> None:
    request = Request(http_scope(cookies={"a": "1"}), ScriptedReceive.body(b"1"))
    await request.json()
    for name in REQUEST_ACCESSORS:
        getattr(request, name)

    assert len(request.state) == 0
    assert not request.state


def test_new_state_is_shared_by_connections_on_one_scope() -> None:
    scope = dict(BARE_HTTP)
    connection(scope).state.a = 1

    assert connection(scope).state.a == 1


def test_replaced_state_is_returned() -> None:
    one = connection({**BARE_HTTP, "state": {"a": 1}})
    assert one.state.a == 1
    one.scope["state"] = {"a": 2}

    assert one.state.a == 2


def test_state_object_in_the_scope_is_returned() -> None:
    state = State({"a": 1})
    one = connection({**BARE_HTTP, "state": state})

    assert one.state is state
    assert one.state is state


# --- url_for ------------------------------------------------------------------------------------------


class LitestarLikeApp:
    def route_reverse(self, name: object, **parameters: Any) -> str:
        if name != "item":
            raise KeyError(name)
        return "/items/{id}".format(**parameters)


class StarletteLikeApp:
    def url_path_for(self, name: str, /, **parameters: Any) -> str:
        return LitestarLikeApp().route_reverse(name, **parameters)


@pytest.mark.parametrize(
    "keys",
    [
        {"litestar_app": LitestarLikeApp()},
        {"app": LitestarLikeApp()},
        {"app": StarletteLikeApp()},
        {"router": StarletteLikeApp()},
        {"litestar_app": LitestarLikeApp(), "app": object(), "router": object()},
    ],
)
def test_url_for_uses_the_app_or_router_in_the_scope(keys: dict[str, Any]) -> None:
    scope = {**http_scope(headers={"host": "h.test"}, root_path="/api", path="/api/x"), **keys}

    assert connection(scope).url_for("item", id=7) == "http://h.test/api/items/7"


class Place(str):
    """What Starlette's router returns."""

    protocol: str
    host: str

    def __new__(cls, path: str, protocol: str = "", host: str = "") -> Self:
        place = super().__new__(cls, path)
        place.protocol, place.host = protocol, host
        return place


@pytest.mark.parametrize(
    ("place", "scheme", "url"),
    [
        (Place("/a"), "https", "https://h.test/api/a"),
        (Place("/a", "http"), "https", "https://h.test/api/a"),
        (Place("/a", "http"), "wss", "https://h.test/api/a"),
        (Place("/a", "http"), "ws", "http://h.test/api/a"),
        (Place("/a", "websocket"), "http", "ws://h.test/api/a"),
        (Place("/a", "websocket"), "https", "wss://h.test/api/a"),
        (Place("/a", "", "o.test:81"), "https", "https://o.test:81/api/a"),
        (Place("/a", "websocket", "o.test"), "https", "wss://o.test/api/a"),
        (Place("/a", "ftp"), "https", "https://h.test/api/a"),
        ("https://o.test/a?b#c", "http", "https://o.test/a?b#c"),
        ("WSS://o.test", "http", "WSS://o.test"),
        ("//o.test/a", "http", "http://h.test/api//o.test/a"),
        ("/http://o.test/a", "http", "http://h.test/api/http://o.test/a"),
    ],
    ids=lambda value: f"{value} {vars(value)}" if isinstance(value, Place) else value,
)
def test_url_for_keeps_the_scheme_and_host_of_the_router(place: str, scheme: str, url: str) -> None:
    class App:
        def url_path_for(self, name: str) -> str:
            return place

    scope = {
        **http_scope(headers={"host": "h.test"}, root_path="/api", path="/api/x"),
        "scheme": scheme,
        "app": App(),
    }
    assert connection(scope).url_for("a") == url


def test_url_for_without_an_authority() -> None:
    class App:
        def url_path_for(self, name: str) -> str:
            return Place("/a", "websocket", "o.test" if name == "host" else "")

    scope = {**BARE_HTTP, "app": App()}
    assert connection(scope).url_for("path") == "/a"
    assert connection(scope).url_for("host") == "ws://o.test/a"


@pytest.mark.parametrize(
    ("keys", "name", "parameters", "words"),
    [
        ({}, "item", {}, ["route_reverse()", "url_path_for()"]),
        ({"app": object()}, "item", {}, ["route_reverse()", "url_path_for()"]),
        ({"app": LitestarLikeApp()}, "nothing", {}, ["'nothing'"]),
        ({"app": LitestarLikeApp()}, "item", {}, ["'item'"]),
        ({"app": StarletteLikeApp()}, "item", {"wrong": 1}, ["'item'"]),
    ],
    ids=["no app", "unsuitable app", "no route", "missing parameter", "wrong parameter"],
)
def test_url_for_without_a_route_raises(keys: Any, name: str, parameters: Any, words: list[str]) -> None:
    with pytest.raises(NoRouteMatchFoundException) as caught:
        connection({**BARE_HTTP, **keys}).url_for(name, **parameters)
    assert [word for word in words if word not in str(caught.value)] == []
    assert isinstance(caught.value, LookupError)
    assert caught.value.name == name


def test_url_for_accepts_a_handler() -> None:
    class App:
        def route_reverse(self, handler: object) -> str:
            return f"/{handler.__name__}"  # type: ignore[attr-defined]

    url = connection({**BARE_HTTP, "app": App()}).url_for(test_url_for_accepts_a_handler)
    assert url == "/test_url_for_accepts_a_handler"


# --- repr ---------------------------------------------------------------------------------------------


def test_repr_contains_method_or_state_and_url() -> None:
    headers = {"host": "h.test"}

    assert repr(Request(http_scope("POST", "/a", headers=headers))) == "<Request POST URL('http://h.test/a')>"
    assert repr(connection(http_scope(headers=headers))) == "<ASGIConnection http URL('http://h.test/')>"
    assert (
        repr(WebSocket(websocket_scope("/a", headers=headers))) == "<WebSocket initial URL('ws://h.test/a')>"
    )


def test_repr_contains_no_secret() -> None:
    scope = http_scope(
        query_params="token=s3cret",
        headers={"authorization": "s3cret", "host": "user:s3cret@h.test"},
        cookies={"sid": "s3cret"},
    )

    assert "s3cret" not in repr(Request(scope))


def test_values_that_are_computed_within_one_another_are_cached() -> None:
    class Reentrant(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            if key == "query_string":
                assert connection.cookies == {"a": "1"}
            return super().get(key, default)

    connection = ASGIConnection(Reentrant(http_scope(query_string=b"q=1", headers={"cookie": "a=1"})))
    assert connection.query_params["q"] == "1"
    assert connection.query_params is connection.query_params
    assert connection.cookies is connection.cookies


@pytest.mark.parametrize("scope", [{}, {"type": None}, {"type": ["http"]}, {"type": "lifespan"}])
@pytest.mark.parametrize("connection_class", [ASGIConnection, Request, WebSocket])
def test_invalid_scope_type_is_rejected(connection_class: Any, scope: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfiguredException, match="scope of type"):
        connection_class(scope)
