"""All readers of the headers of one connection agree, also after the scope has changed."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire import Request, WebSocket
from asgiwire.datastructures import Accept, Authorization, MutableScopeHeaders
from asgiwire.testing import RecordedSend, http_scope, websocket_scope

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATER_DATE = "Mon, 07 Nov 1994 08:49:37 GMT"

# Property, header, value before the change, value after it.
PROPERTIES = [
    ("accept", "accept", "text/html", "application/json"),
    ("accept_charset", "accept-charset", "utf-8", "latin-1"),
    ("accept_encoding", "accept-encoding", "gzip", "br"),
    ("accept_language", "accept-language", "en", "de"),
    ("authorization", "authorization", "Bearer old", "Bearer new"),
    ("content_length", "content-length", "1", "2"),
    ("content_type", "content-type", "text/plain", "application/json"),
    ("cookies", "cookie", "a=1", "a=2"),
    ("if_match", "if-match", '"a"', '"b"'),
    ("if_modified_since", "if-modified-since", DATE, LATER_DATE),
    ("if_none_match", "if-none-match", '"a"', '"b"'),
    ("if_range", "if-range", '"a"', '"b"'),
    ("if_unmodified_since", "if-unmodified-since", DATE, LATER_DATE),
    ("range", "range", "bytes=0-1", "bytes=2-3"),
]
WEBSOCKET_PROPERTIES = [
    ("authorization", "authorization", "Bearer old", "Bearer new"),
    ("cookies", "cookie", "a=1", "a=2"),
    ("subprotocols", "sec-websocket-protocol", "v1", "v2"),
]


def replace_list(scope: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    scope["headers"] = headers


def change_list(scope: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    scope["headers"][:] = headers


def use_mutable_headers(scope: dict[str, Any], headers: list[tuple[bytes, bytes]]) -> None:
    mutable = MutableScopeHeaders(scope)
    for name in list(mutable):
        del mutable[name]
    for name, value in headers:
        mutable.add(name.decode(), value.decode())


CHANGES = {
    "replaced list": replace_list,
    "changed list": change_list,
    "MutableScopeHeaders": use_mutable_headers,
}
each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


def encode(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def expected_value(kind: Any, scope: dict[str, Any], name: str, header: str, value: str | None) -> Any:
    """Return the property of a new connection whose only header is the given one."""
    headers = [] if value is None else [(header.encode(), value.encode())]
    return getattr(kind({**scope, "headers": headers}), name)


def comparable(value: Any) -> Any:
    """Return the content of the values that have no equality."""
    if isinstance(value, Authorization):
        return value.scheme, value.token68, value.parameters
    return list(value) if isinstance(value, Accept) else value


def assert_agrees(connection: Any, name: str, header: str) -> None:
    value = connection.headers.get(header)
    expected = expected_value(type(connection), connection.scope, name, header, value)
    actual = getattr(connection, name)
    assert comparable(actual) == comparable(expected)


@each_change
@pytest.mark.parametrize(
    ("name", "header", "before", "after"), PROPERTIES, ids=[name for name, *_ in PROPERTIES]
)
@pytest.mark.parametrize("removed", [False, True], ids=["changed", "removed"])
def test_property_agrees_with_headers(
    change: Any, name: str, header: str, before: str, after: str, removed: bool
) -> None:
    scope = http_scope(headers={header: before})
    request = Request(scope)
    assert request.headers[header] == before
    change(scope, [] if removed else encode({header: after}))

    assert_agrees(request, name, header)
    assert_agrees(request, name, header)


@each_change
@pytest.mark.parametrize(
    ("name", "header", "before", "after"),
    WEBSOCKET_PROPERTIES,
    ids=[name for name, *_ in WEBSOCKET_PROPERTIES],
)
def test_property_of_a_websocket_agrees_with_headers(
    change: Any, name: str, header: str, before: str, after: str
) -> None:
    scope = websocket_scope(headers={header: before})
    scope.pop("subprotocols", None)
    websocket = WebSocket(scope)
    assert websocket.headers[header] == before
    change(scope, encode({header: after}))

    value = websocket.headers[header]
    new = WebSocket({**scope, "headers": encode({header: value})})
    assert comparable(getattr(websocket, name)) == comparable(getattr(new, name))


@each_change
def test_all_properties_agree_after_one_change(change: Any) -> None:
    scope = http_scope(headers={header: before for _, header, before, _ in PROPERTIES})
    request = Request(scope)
    assert len(request.headers) == len(PROPERTIES)
    change(scope, encode({header: after for _, header, _, after in PROPERTIES}))

    for name, header, _, _ in PROPERTIES:
        assert_agrees(request, name, header)


@each_change
def test_url_agrees_with_headers(change: Any) -> None:
    scope = http_scope(headers={"host": "old.test"})
    request = Request(scope)
    assert request.headers["host"] == "old.test"
    change(scope, encode({"host": "new.test"}))

    assert request.url.hostname == request.headers["host"]


@each_change
def test_snapshot_agrees_with_headers(change: Any) -> None:
    scope = http_scope(headers={"x-a": "old"})
    request = Request(scope)
    assert request.headers["x-a"] == "old"
    change(scope, encode({"x-a": "new"}))

    assert dict(request.snapshot().headers)["x-a"] == request.headers["x-a"]


@pytest.mark.anyio
@each_change
async def test_push_promise_agrees_with_headers(change: Any) -> None:
    scope = http_scope(headers={"accept": "text/html"}, extensions={"http.response.push": {}})
    send = RecordedSend()
    request = Request(scope, send=send)
    assert request.headers["accept"] == "text/html"
    change(scope, encode({"accept": "application/json"}))
    await request.send_push_promise("/style.css")

    assert send.messages[0]["headers"] == [(b"accept", request.headers["accept"].encode())]


@each_change
def test_new_connection_reads_the_changed_scope(change: Any) -> None:
    scope = http_scope(headers={"authorization": "Bearer old", "accept": "text/html"})
    assert Request(scope).headers["authorization"] == "Bearer old"
    change(scope, encode({"authorization": "Bearer new", "accept": "application/json"}))
    request = Request(scope)

    assert request.headers["authorization"] == "Bearer new"
    assert request.authorization is not None
    assert request.authorization.token == "new"
    assert list(request.accept) == ["application/json"]
