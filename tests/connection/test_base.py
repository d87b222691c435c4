"""What every connection has: the scope read as values."""

from __future__ import annotations

import dataclasses
from typing import Any

import attrs
import msgspec
import pydantic
import pytest

from asgiwire import ASGIConnection, Request, WebSocket, empty_receive, empty_send
from asgiwire.datastructures import Address, Headers, MultiDict, State
from asgiwire.exceptions import ImproperlyConfiguredException, NoRouteMatchFoundException
from asgiwire.testing import ScriptedReceive, http_scope, websocket_scope
from asgiwire.types import Empty

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


def test_a_bare_http_scope_answers_every_accessor() -> None:
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


def test_a_bare_websocket_scope_answers_every_accessor() -> None:
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


def test_the_three_arguments_are_public() -> None:
    scope, receive = http_scope(), ScriptedReceive()

    async def send(message: object) -> None: ...

    request = Request(scope, receive, send)
    assert (request.scope, request.receive, request.send) == (scope, receive, send)
    assert request.scope is scope


@pytest.mark.parametrize(
    ("kind", "scope", "sentence"),
    [
        (Request, BARE_WEBSOCKET, "Request is for scopes of type 'http', not 'websocket'"),
        (WebSocket, BARE_HTTP, "WebSocket is for scopes of type 'websocket', not 'http'"),
        (
            ASGIConnection,
            {"type": "lifespan"},
            "ASGIConnection is for scopes of type 'http' or 'websocket', not 'lifespan'",
        ),
        (Request, {}, "Request is for scopes of type 'http', not None"),
    ],
)
def test_the_wrong_scope_type_is_an_error_at_construction(
    kind: Any, scope: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfiguredException) as caught:
        kind(scope)
    assert str(caught.value) == sentence
    assert isinstance(caught.value, ValueError)


@pytest.mark.anyio
async def test_the_placeholders_say_what_is_missing() -> None:
    with pytest.raises(ImproperlyConfiguredException, match="without a receive callable"):
        await empty_receive()
    with pytest.raises(ImproperlyConfiguredException, match="without a send callable"):
        await empty_send({})
    with pytest.raises(ImproperlyConfiguredException, match="without a receive callable"):
        await Request(dict(BARE_HTTP)).body()


def test_no_dict_and_identity_equality() -> None:
    scope = http_scope()
    for kind in (ASGIConnection, Request):
        one = kind(scope)
        assert not hasattr(one, "__dict__")
        assert one != kind(scope)
        assert one == one  # noqa: PLR0124 - identity is what is tested
        assert hash(one) == hash(one)
    assert not hasattr(WebSocket(websocket_scope()), "__dict__")


def test_a_subclass_may_add_attributes() -> None:
    class Mine(Request):
        tenant: str

    class Slotted(Request):
        __slots__ = ("tenant",)

    for kind in (Mine, Slotted):
        request = kind(http_scope())
        request.tenant = "acme"
        assert request.tenant == "acme"


@pytest.mark.parametrize("name", ["headers", "query_params", "cookies", "url", "base_url", "state"])
def test_a_value_is_computed_once_and_is_this_connections_own(name: str) -> None:
    scope = http_scope(query_params="a=1", cookies={"a": "1"})
    one, other = connection(scope), connection(scope)

    assert getattr(one, name) is getattr(one, name)
    assert getattr(one, name) is not getattr(other, name)


def test_writing_to_cookies_or_query_is_seen_nowhere_else() -> None:
    """A process-wide cache of parsed cookies let one client's cookies be changed by another's request."""
    scope = http_scope(query_params="a=1", cookies={"sid": "1"})
    one = connection(scope)
    one.cookies["admin"] = "yes"
    one.query_params["admin"] = "yes"
    one.url.query_params["admin"] = "yes"

    other = connection(http_scope(query_params="a=1", cookies={"sid": "1"}))
    assert other.cookies == {"sid": "1"}
    assert other.query_params.dict() == other.url.query_params.dict() == {"a": ["1"]}
    assert connection(scope).cookies == {"sid": "1"}


def test_a_new_connection_sees_a_changed_scope() -> None:
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
    """ASGI: ``headers`` is an iterable; a second connection must not find it exhausted."""
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
def test_header_names_in_any_case_and_pairs_of_any_shape(pairs: Any) -> None:
    request = Request({**BARE_HTTP, "headers": pairs})

    assert request.content_type[0] == "text/plain"
    assert request.cookies == {"a": "1"}
    assert request.headers["content-type"] == "text/plain"
    assert request.url.hostname == "h.test"


def test_headers_are_headers() -> None:
    assert isinstance(connection(http_scope()).headers, Headers)


def test_query_keeps_order_blank_values_and_bad_utf8() -> None:
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


def test_client_is_read_from_the_scope_alone() -> None:
    headers = {"x-forwarded-for": "6.6.6.6", "forwarded": "for=6.6.6.6"}
    scope = http_scope(client=("10.0.0.1", 1), headers=headers)

    assert connection(scope).client == Address("10.0.0.1", 1)


def test_forwarded_headers_do_not_move_the_url() -> None:
    headers = {"host": "h.test", "x-forwarded-host": "evil.test", "x-forwarded-proto": "https"}

    assert str(connection(http_scope(headers=headers)).url) == "http://h.test/"


# --- app, route_handler, path_params ------------------------------------------------------------------


def test_litestar_app_comes_before_app() -> None:
    """A mounted application overwrites ``app``; Litestar keeps its own under a key of its own."""
    assert connection({**BARE_HTTP, "app": "mounted", "litestar_app": "outer"}).app == "outer"
    assert connection({**BARE_HTTP, "app": "mounted"}).app == "mounted"


@pytest.mark.parametrize("name", ["app", "route_handler", "user", "auth", "session"])
def test_what_is_not_in_the_scope_says_who_sets_it(name: str) -> None:
    with pytest.raises(ImproperlyConfiguredException, match=f"^'{name}' is not defined in scope, ") as caught:
        getattr(connection(dict(BARE_HTTP)), name)
    assert caught.value.status_code == 500
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", ["route_handler", "user", "auth"])
@pytest.mark.parametrize("value", ["value", None])
def test_what_is_in_the_scope_comes_back_as_it_is(name: str, value: object) -> None:
    assert getattr(connection({**BARE_HTTP, name: value}), name) is value


def test_path_params() -> None:
    assert connection(dict(BARE_HTTP)).path_params == {}
    assert connection({**BARE_HTTP, "path_params": {"id": 1}}).path_params == {"id": 1}


# --- state --------------------------------------------------------------------------------------------


def test_state_is_one_live_view_with_nothing_of_ours_in_it() -> None:
    scope = {**BARE_HTTP, "state": {"a": 1}}
    one = connection(scope)
    one.state.b = 2
    scope["state"]["c"] = 3

    assert one.state is one.state
    assert isinstance(one.state, State)
    assert dict(one.state) == {"a": 1, "b": 2, "c": 3}
    assert connection(scope).state.b == 2


@pytest.mark.anyio
async def test_state_stays_empty_whatever_is_read() -> None:
    request = Request(http_scope(cookies={"a": "1"}), ScriptedReceive.body(b"1"))
    await request.json()
    for name in REQUEST_ACCESSORS:
        getattr(request, name)

    assert len(request.state) == 0
    assert not request.state


def test_state_without_a_scope_state_is_shared_by_the_connections_on_the_scope() -> None:
    scope = dict(BARE_HTTP)
    connection(scope).state.a = 1

    assert connection(scope).state.a == 1


def test_state_that_was_replaced_in_the_scope_is_seen() -> None:
    one = connection({**BARE_HTTP, "state": {"a": 1}})
    assert one.state.a == 1
    one.scope["state"] = {"a": 2}

    assert one.state.a == 2


def test_a_state_object_in_the_scope_is_used_as_it_is() -> None:
    state = State({"a": 1})
    one = connection({**BARE_HTTP, "state": state})

    assert one.state is state
    assert one.state is state


# --- session ------------------------------------------------------------------------------------------


class Struct(msgspec.Struct):
    user: str


@dataclasses.dataclass
class Data:
    user: str


@attrs.define
class Attrs:
    user: str


class Model(pydantic.BaseModel):
    user: str


@pytest.mark.parametrize("kind", [dict, Struct, Data, Attrs, Model])
def test_a_session_may_be_set_from(kind: Any) -> None:
    one = connection(dict(BARE_HTTP))
    one.set_session(kind(user="ann"))

    assert one.session == one.scope["session"] == {"user": "ann"}
    one.session["more"] = 1
    assert one.session == {"user": "ann", "more": 1}


def test_a_session_dict_is_stored_as_it_is() -> None:
    session: dict[str, Any] = {}
    one = connection(dict(BARE_HTTP))
    one.set_session(session)

    assert one.session is session


@pytest.mark.parametrize("value", [None, "user", [("user", "ann")], Data])
def test_what_has_no_fields_is_no_session(value: Any) -> None:
    with pytest.raises(TypeError, match="a session is a dict, Struct, dataclass, attrs or pydantic instance"):
        connection(dict(BARE_HTTP)).set_session(value)


@pytest.mark.parametrize("clear", ["clear_session", "set_session"])
def test_a_cleared_session_is_empty_in_the_scope_and_reads_as_an_empty_dict(clear: str) -> None:
    one = connection({**BARE_HTTP, "session": {"user": "ann"}})
    one.clear_session() if clear == "clear_session" else one.set_session(Empty)

    assert one.session == {}
    assert "user" not in one.session
    assert one.scope["session"] is Empty


WRITES = {
    "item": lambda session: session.__setitem__("a", 1),
    "update": lambda session: session.update(a=1),
    "setdefault": lambda session: session.setdefault("a", 1),
    "in place or": lambda session: session.__ior__({"a": 1}),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("nothing", [None, Empty])
def test_a_cleared_session_is_stored_when_it_is_written_to(write: Any, nothing: Any) -> None:
    one = connection({**BARE_HTTP, "session": nothing})
    session = one.session
    write(session)

    assert one.scope["session"] == {"a": 1}
    assert one.session is session
    assert one.session | {"b": 2} == {"a": 1, "b": 2}


def test_two_views_of_a_cleared_session_are_one() -> None:
    one = connection({**BARE_HTTP, "session": Empty})
    first, second = one.session, one.session
    first["a"] = 1
    second["b"] = 2

    assert one.session == {"a": 1, "b": 2}


def test_a_session_that_was_set_since_is_not_overwritten_by_an_old_view() -> None:
    one = connection({**BARE_HTTP, "session": Empty})
    stale = one.session
    one.set_session({"user": "ann"})
    stale["a"] = 1

    assert one.session == {"user": "ann"}


def test_a_session_cleared_twice_starts_empty_each_time() -> None:
    one = connection({**BARE_HTTP, "session": Empty})
    one.session["a"] = 1
    one.clear_session()

    assert one.session == {}


class TrackedSession(dict[str, Any]):
    """A session as Starlette's middleware puts it into the scope, and asks it afterwards."""

    accessed = modified = False

    def mark_accessed(self) -> None:
        self.accessed = True

    def mark_modified(self) -> None:
        self.modified = True

    def update(self, *args: Any, **kwargs: Any) -> None:
        self.mark_modified()
        super().update(*args, **kwargs)

    def clear(self) -> None:
        self.mark_modified()
        super().clear()


def test_a_session_that_keeps_account_is_told_that_it_is_read() -> None:
    session = TrackedSession(a=1)
    one = connection({**BARE_HTTP, "session": session})
    assert not session.accessed
    assert one.session is session
    assert (session.accessed, session.modified) == (True, False)


@pytest.mark.parametrize(
    ("change", "content"),
    [
        (lambda one: one.set_session({"b": 2}), {"b": 2}),
        (lambda one: one.set_session(one.session), {"a": 1}),
        (lambda one: one.set_session(Empty), {}),
        (lambda one: one.clear_session(), {}),
    ],
    ids=["set", "the same", "Empty", "clear"],
)
def test_a_session_that_keeps_account_stays_in_the_scope(change: Any, content: Any) -> None:
    session = TrackedSession(a=1)
    one = connection({**BARE_HTTP, "session": session})
    change(one)
    assert one.scope["session"] is session
    assert session == content
    assert session.modified == (content != {"a": 1})


def test_an_unstored_session_copies_as_a_plain_dict() -> None:
    import copy
    import pickle

    one = connection({**BARE_HTTP, "session": Empty})
    one.session["a"] = 1

    for made in (copy.deepcopy(one.session), pickle.loads(pickle.dumps(one.session))):
        assert type(made) is dict
        assert made == {"a": 1}


# --- url_for ------------------------------------------------------------------------------------------


class Litestarish:
    def route_reverse(self, name: object, **parameters: Any) -> str:
        if name != "item":
            raise KeyError(name)
        return "/items/{id}".format(**parameters)


class Starlettish:
    def url_path_for(self, name: str, /, **parameters: Any) -> str:
        return Litestarish().route_reverse(name, **parameters)


@pytest.mark.parametrize(
    "where",
    [
        {"litestar_app": Litestarish()},
        {"app": Litestarish()},
        {"app": Starlettish()},
        {"router": Starlettish()},
        {"litestar_app": Litestarish(), "app": object(), "router": object()},
    ],
)
def test_url_for_asks_whoever_is_in_the_scope(where: dict[str, Any]) -> None:
    scope = {**http_scope(headers={"host": "h.test"}, root_path="/api", path="/api/x"), **where}

    assert connection(scope).url_for("item", id=7) == "http://h.test/api/items/7"


@pytest.mark.parametrize(
    ("where", "name", "parameters", "sentence"),
    [
        ({}, "item", {}, "url_for needs an app in the scope with route_reverse() or url_path_for()"),
        ({"app": object()}, "item", {}, "url_for needs an app in the scope"),
        ({"app": Litestarish()}, "nothing", {}, "no route matches 'nothing'"),
        ({"app": Litestarish()}, "item", {}, "no route matches 'item'"),
        ({"app": Starlettish()}, "item", {"wrong": 1}, "no route matches 'item'"),
    ],
    ids=["no app", "an app that cannot", "no route", "no parameters", "wrong parameters"],
)
def test_url_for_that_cannot(where: Any, name: str, parameters: Any, sentence: str) -> None:
    with pytest.raises(NoRouteMatchFoundException) as caught:
        connection({**BARE_HTTP, **where}).url_for(name, **parameters)
    assert sentence in str(caught.value)
    assert isinstance(caught.value, LookupError)
    assert caught.value.name == name


def test_url_for_takes_a_handler() -> None:
    class App:
        def route_reverse(self, handler: object) -> str:
            return f"/{handler.__name__}"  # type: ignore[attr-defined]

    url = connection({**BARE_HTTP, "app": App()}).url_for(test_url_for_takes_a_handler)
    assert url == "/test_url_for_takes_a_handler"


# --- repr ---------------------------------------------------------------------------------------------


def test_repr_names_the_method_or_state_and_the_url() -> None:
    headers = {"host": "h.test"}

    assert repr(Request(http_scope("POST", "/a", headers=headers))) == "<Request POST URL('http://h.test/a')>"
    assert repr(connection(http_scope(headers=headers))) == "<ASGIConnection http URL('http://h.test/')>"
    assert (
        repr(WebSocket(websocket_scope("/a", headers=headers))) == "<WebSocket initial URL('ws://h.test/a')>"
    )


def test_repr_shows_no_secret() -> None:
    scope = http_scope(
        query_params="token=s3cret",
        headers={"authorization": "s3cret", "host": "user:s3cret@h.test"},
        cookies={"sid": "s3cret"},
    )

    assert "s3cret" not in repr(Request(scope))
