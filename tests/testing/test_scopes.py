"""Scopes: complete as in the specification, new at each call, with every key replaceable."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from asgiwire import Request, WebSocket
from asgiwire.datastructures import Cookie, MultiDict
from asgiwire.testing import http_scope, lifespan_scope, websocket_scope

# All keys of the HTTP & WebSocket ASGI Message Format, required and optional; only HTTP has "method".
KEYS = {
    "type", "asgi", "http_version", "scheme", "path", "raw_path", "query_string", "root_path", "headers",
    "client", "server", "state", "extensions",
}  # fmt: skip


def test_http_scope_is_complete() -> None:
    scope = http_scope()
    assert scope.keys() == KEYS | {"method"}
    assert (scope["type"], scope["method"], scope["path"], scope["raw_path"]) == ("http", "GET", "/", b"/")
    assert (scope["scheme"], scope["http_version"], scope["query_string"]) == ("http", "1.1", b"")
    assert (scope["headers"], scope["state"], scope["extensions"], scope["root_path"]) == ([], {}, {}, "")
    assert scope["asgi"] == {"version": "3.0", "spec_version": "2.5"}
    assert [type(part) for part in (*scope["client"], *scope["server"])] == [str, int, str, int]


def test_websocket_scope_is_complete() -> None:
    scope = websocket_scope()
    assert scope.keys() == KEYS | {"subprotocols"}
    assert (scope["type"], scope["scheme"], scope["subprotocols"]) == ("websocket", "ws", [])


def test_lifespan_scope() -> None:
    state = {"a": 1}
    scope = lifespan_scope(state, x=1)
    assert scope == {
        "type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {"a": 1}, "x": 1,
    }  # fmt: skip
    assert scope["state"] is not state
    assert lifespan_scope()["state"] == {}


def test_websocket_scope_has_no_method() -> None:
    with pytest.raises(TypeError, match="expected no method"):
        websocket_scope(method="GET")


@pytest.mark.parametrize("make", [http_scope, websocket_scope])
def test_scopes_share_no_mutable_value(make: Any) -> None:
    state = {"a": 1}
    first, second = make(state=state), make(state=state)
    for key, value in first.items():
        if isinstance(value, dict | list):
            assert value is not second[key]
    assert first["state"] is not state


def test_connections_accept_them() -> None:
    assert (
        str(Request(http_scope("post", "/a b", query_params={"q": "ü"})).url)
        == "http://test.org/a%20b?q=%C3%BC"
    )
    websocket = WebSocket(websocket_scope("/a", scheme="wss", query_params="q"))
    assert str(websocket.url) == "wss://test.org:80/a?q"


@pytest.mark.parametrize(
    ("query_params", "query_string"),
    [
        ("a=1&b", b"a=1&b"),
        ("a=é", b"a=\xc3\xa9"),
        (b"a=\xff", b"a=\xff"),
        ({"a": "1 2", "b": ["x", "y"], "c": 3}, b"a=1+2&b=x&b=y&c=3"),
        ([("a", "ü"), ("a", "&")], b"a=%C3%BC&a=%26"),
        (MultiDict([("a", "1"), ("b", "2"), ("a", "3")]), b"a=1&b=2&a=3"),
        (iter([("a", "1")]), b"a=1"),
        ({}, b""),
    ],
)
def test_query_params(query_params: Any, query_string: bytes) -> None:
    assert http_scope(query_params=query_params)["query_string"] == query_string


@pytest.mark.parametrize(
    ("headers", "pairs"),
    [
        ({"X-A": "1", "X-B": ["2", "3"]}, [(b"x-a", b"1"), (b"x-b", b"2"), (b"x-b", b"3")]),
        ([("X-A", "1"), ("x-a", "2")], [(b"x-a", b"1"), (b"x-a", b"2")]),
        ([(b"X-A", b" caf\xc3\xa9\r\n")], [(b"X-A", b" caf\xc3\xa9\r\n")]),
        (iter([("a", "b")]), [(b"a", b"b")]),
    ],
)
def test_headers(headers: Any, pairs: list[tuple[bytes, bytes]]) -> None:
    assert http_scope(headers=headers)["headers"] == pairs


def test_an_invalid_header_is_an_error() -> None:
    with pytest.raises(ValueError, match="X-A"):
        http_scope(headers={"X-A": "1\r\nX-B: 2"})


@pytest.mark.parametrize(
    ("cookies", "value"),
    [
        ({"a": "1", "b": "ü"}, "a=1; b=ü".encode()),
        ("a=1; b=2", b"a=1; b=2"),
        ([Cookie("a", value="1", path="/x"), Cookie("b")], b"a=1; b="),
    ],
)
def test_cookies(cookies: Any, value: bytes) -> None:
    assert http_scope(headers={"x": "y"}, cookies=cookies)["headers"] == [(b"x", b"y"), (b"cookie", value)]


@pytest.mark.parametrize("cookies", ["", {}, []])
def test_without_cookies_there_is_no_header(cookies: Any) -> None:
    assert http_scope(cookies=cookies)["headers"] == []


def test_every_key_can_be_replaced() -> None:
    values: dict[str, Any] = {
        "client": None,
        "server": ("/run/u.sock", None),
        "root_path": "/root",
        "raw_path": None,
        "http_version": "2",
        "extensions": {"http.response.push": {}},
        "state": {"a": 1},
        "user": "alice",
        "asgi": {"version": "3.0"},
    }
    assert http_scope(**values).items() >= values.items()
    assert (
        websocket_scope(**values, subprotocols=("a", "b")).items()
        >= {**values, "subprotocols": ["a", "b"]}.items()
    )


def test_raw_path_is_the_encoded_path() -> None:
    assert http_scope(path="/a b/é/100%")["raw_path"] == b"/a%20b/%C3%A9/100%25"


def test_a_path_with_a_query_is_an_error() -> None:
    with pytest.raises(ValueError, match="query_params"):
        http_scope(path="/a?b=1")
    assert http_scope(path="/a?b", raw_path=b"/a%3Fb")["path"] == "/a?b"


@pytest.mark.parametrize("make", [http_scope, websocket_scope, lifespan_scope])
def test_type_hints_can_be_evaluated(make: Any) -> None:
    assert get_type_hints(make)["return"] == dict[str, Any]
