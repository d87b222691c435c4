"""Snapshots: their content, what they mask, their maximum size, and round trips through encoders."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire import ASGIConnection, Request, WebSocket
from asgiwire.connection.snapshot import ConnectionSnapshot, Redaction, take_snapshot
from asgiwire.datastructures import URL, Address
from asgiwire.testing import RequestFactory, ScriptedReceive, http_scope, websocket_scope
from tests.floods import flood, must_end
from tests.test_architecture import run_python

if TYPE_CHECKING:
    from collections.abc import Callable

MASK = "***"
SECRET = "s3cr3t"

ROUND_TRIPS: dict[str, Callable[[ConnectionSnapshot], Any]] = {
    "pickle": lambda snapshot: pickle.loads(pickle.dumps(snapshot)),
    "json": lambda snapshot: msgspec.json.decode(msgspec.json.encode(snapshot), type=ConnectionSnapshot),
    "msgpack": lambda snapshot: msgspec.msgpack.decode(
        msgspec.msgpack.encode(snapshot), type=ConnectionSnapshot
    ),
    "builtins": lambda snapshot: msgspec.convert(msgspec.to_builtins(snapshot), ConnectionSnapshot),
}


def headers_of(headers: Any, redaction: Redaction | None = None) -> dict[str, str]:
    return dict(Request(http_scope(headers=headers)).snapshot(redaction).headers)


def test_a_request() -> None:
    request = RequestFactory(server="test.org", port=80).post(
        "/orders/7",
        query_params="a=1&b=%20",
        json={"item": 1},
        headers=[("X-A", "1"), ("x-a", "2")],
        path_params={"order": 7},
    )
    assert request.snapshot() == ConnectionSnapshot(
        type="http",
        url="http://test.org/orders/7?a=1&b=%20",
        method="POST",
        http_version="1.1",
        client=Address("127.0.0.1", 50000),
        server=Address("test.org", 80),
        headers=(
            ("x-a", "1"), ("x-a", "2"), ("content-type", "application/json"), ("content-length", "10"),
        ),
        path_params={"order": "7"},
    )  # fmt: skip


@pytest.mark.anyio
async def test_a_websocket() -> None:
    socket = RequestFactory(server="test.org", port=80).websocket(
        "/chat", subprotocols=["v2", "v1"], disconnect=4001
    )
    assert socket.snapshot() == ConnectionSnapshot(
        type="websocket",
        url="ws://test.org/chat",
        http_version="1.1",
        client=Address("127.0.0.1", 50000),
        server=Address("test.org", 80),
        subprotocols=("v2", "v1"),
        connection_state="init",
    )
    async for _ in socket:
        pass
    snapshot = socket.snapshot()
    assert (snapshot.connection_state, snapshot.close_code, snapshot.close_reason) == ("disconnect", 4001, "")


@pytest.mark.anyio
async def test_the_body_is_not_read() -> None:
    receive = ScriptedReceive.body(b"tea")
    request = Request(http_scope("POST"), receive)
    before = {**request.scope}
    request.snapshot()
    assert receive.calls == 0
    assert request.scope == before
    assert await request.body() == b"tea"


@pytest.mark.parametrize(
    "connection",
    [
        Request({"type": "http", "method": "GET", "path": "/", "headers": []}),
        Request({"type": "http", "path": "/", "headers": iter([(b"A", b"b")]), "client": None}),
        WebSocket({"type": "websocket"}),
        ASGIConnection(websocket_scope()),
        ASGIConnection(http_scope()),
        Request(http_scope(headers=[(b"\xff", b"\xff\x00")], path="/\udcff", method="\ud800")),
        Request(http_scope(path_params={"a": object(), "b": None, 3: "\ud800"})),
    ],
    ids=str,
)
@pytest.mark.parametrize("trip", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_round_trips_of_unusual_scopes(
    connection: ASGIConnection, trip: Callable[[ConnectionSnapshot], Any]
) -> None:
    snapshot = connection.snapshot()
    assert trip(snapshot) == snapshot
    assert type(trip(snapshot).client) is type(snapshot.client)


@pytest.mark.parametrize(
    "name",
    [
        "Authorization", "PROXY-AUTHORIZATION", "Cookie", "Set-Cookie", "X-API-Key", "api_key", "apikey",
        "key",
        "X-Auth-Token", "X-CSRF-Token", "X-XSRF-TOKEN", "X-Amz-Security-Token", "Ocp-Apim-Subscription-Key",
        "X-Functions-Key", "X-Hub-Signature-256", "X-Forwarded-Access-Token", "x-amzn-oidc-data",
        "Cf-Access-Jwt-Assertion", "X-Session-ID", "PHPSESSID", "access_token", "accessToken",
        "client_secret",
        "password", "passwd", "pwd", "userPwd", "code", "sig", "otp", "X-PIN", "SAMLResponse", "privateKey",
        "AWSAccessKeyId", "X-Original-Authorization", "credentials",
    ],
)  # fmt: skip
def test_masked_names(name: str) -> None:
    assert Redaction().masks(name)
    if name.isascii() and "_" not in name:
        assert SECRET not in str(Request(http_scope(headers={name: SECRET})).snapshot())
    for query in (f"{name}={SECRET}", f"a=1&{name}={SECRET}&b=2", f"a;{name}={SECRET}"):
        url = Request(http_scope(query_params=query)).snapshot().url
        assert SECRET not in url
        assert f"{name}={MASK}" in url
    assert Request(http_scope(path_params={name: SECRET})).snapshot().path_params == {name: MASK}


@pytest.mark.parametrize(
    "name",
    [
        "Accept", "Author", "keyword", "monkey", "passenger", "bypass", "design", "spin", "encode", "barcode",
        "Content-Type", "User-Agent", "X-Request-ID", "Traceparent", "Idempotency-Key", "Sec-WebSocket-Key",
        "If-None-Match", "country", "q", "", "decode", "Codec",
    ],
)  # fmt: skip
def test_shown_names(name: str) -> None:
    assert not Redaction().masks(name)


def test_percent_encoded_names_are_masked() -> None:
    url = Request(http_scope(query_params=f"%74oken={SECRET}&a%ff=1")).snapshot().url
    assert url.endswith("/?%74oken=***&a%ff=1")


def test_the_password_of_a_url_is_masked() -> None:
    class Proxied(Request):
        @property
        def url(self) -> Any:
            return f"http://ada:{SECRET}@x:80@test.org/?next=http://b:{SECRET}@c/"

    assert Proxied(http_scope()).snapshot().url == "http://***@test.org/?next=http://***@c/"


def test_secrets_in_urls_in_headers_are_masked() -> None:
    headers = headers_of(
        {
            "referer": f"https://ada:{SECRET}@test.org/?token={SECRET}&a=1#access_token={SECRET}",
            "x-original-query": f"token={SECRET}&a=1",
            "link": f"<https://test.org/?a=1&sig={SECRET}>; rel=next",
        }
    )
    assert SECRET not in str(headers)
    assert headers["referer"].startswith("https://***@test.org/?token=***&a=1")
    assert headers["x-original-query"] == "token=***&a=1"
    assert headers["link"] == "<https://test.org/?a=1&sig=***>; rel=next"


@pytest.mark.parametrize(
    "offered", [["bearer", SECRET], [f"base64url.bearer.authorization.k8s.io.{SECRET}", "v4"]]
)
def test_a_token_among_the_subprotocols_is_masked(offered: list[str]) -> None:
    headers = {"sec-websocket-protocol": ", ".join(offered)}
    snapshot = WebSocket(websocket_scope(subprotocols=offered, headers=headers)).snapshot()
    assert snapshot.subprotocols == (MASK, MASK)
    assert snapshot.headers == (("sec-websocket-protocol", MASK),)


def test_the_redaction_of_the_call() -> None:
    redaction = Redaction(names=frozenset({"X-Tenant"}), shown=frozenset({"X-Api-Key", "Cookie"}))
    headers = {"x-tenant": "1", "X-API-KEY": "2", "cookie": "a=3", "sec-websocket-key": "4"}
    assert headers_of(headers, redaction) == {
        "x-tenant": MASK, "x-api-key": "2", "cookie": MASK, "sec-websocket-key": MASK,
    }  # fmt: skip


def test_the_redaction_of_the_class() -> None:
    class Strict(Redaction):
        def masks(self, name: str) -> bool:
            return super().masks(name) or name.startswith("x-")

    class Shop(Request):
        redaction = Strict()

    request = Shop(http_scope(headers={"x-a": "1", "b": "2"}))
    assert dict(request.snapshot().headers) == {"x-a": MASK, "b": "2"}
    assert dict(request.snapshot(Redaction()).headers) == {"x-a": "1", "b": "2"}


def test_take_snapshot_needs_no_connection() -> None:
    snapshot = take_snapshot(
        type="http",
        url=f"http://test.org/?token={SECRET}",
        method="GET",
        http_version=None,
        client=None,
        server=None,
        headers=[(b"Cookie", SECRET.encode())],
        path_params={"id": 1},
    )
    assert snapshot == ConnectionSnapshot(
        type="http",
        url="http://test.org/?token=***",
        method="GET",
        headers=(("cookie", MASK),),
        path_params={"id": "1"},
    )


def test_type_hints_can_be_evaluated() -> None:
    assert get_type_hints(take_snapshot)["client"] == Address | None
    assert get_type_hints(ConnectionSnapshot)["client"] == Address | None
    assert get_type_hints(Redaction.masks) == {"name": str, "return": bool}


def test_the_size_is_bounded() -> None:
    flood = "x" * 10_000
    scope = websocket_scope(
        path=f"/{flood}",
        query_params={flood: flood},
        headers=[("x" * 200, flood), (flood, flood)] * 500,
        subprotocols=[flood] * 1000,
        client=(flood, 1),
        server=("test.org", 1),
        http_version=flood,
        path_params={f"{number}": flood for number in range(100)},
    )
    snapshot = WebSocket(scope).snapshot()
    assert len(snapshot.url) == 2048
    assert len(snapshot.headers) == len(snapshot.subprotocols) == 64
    assert snapshot.omitted_headers == 936
    name, value = snapshot.headers[0]
    assert (len(name), len(value), value[-4:]) == (128, 512, "x...")
    assert snapshot.headers[1] == (name, MASK)  # the name is too long to be searched
    assert snapshot.subprotocols == (MASK,) * 64
    assert len(msgspec.json.encode(snapshot)) < 100_000

    small = WebSocket(scope).snapshot(Redaction(max_headers=1, max_value_size=8, max_url_size=2))
    assert small.headers == (("x" * 13 + "...", "xxxxx..."),)
    assert small.url == "..."
    assert small.omitted_headers == 999


def test_values_are_masked_before_they_are_truncated() -> None:
    value = f"http://ada:{SECRET * 100}@test.org/"
    assert SECRET not in str(headers_of({"referer": value}, Redaction(max_value_size=20)))


@must_end
@pytest.mark.parametrize("pattern", [b"a=b&", b"//a:", b"//a:b@", b"?a", b"&", b";=", b"key", b"A"])
def test_time_is_linear(pattern: bytes) -> None:
    def take(data: bytes) -> None:
        Request(http_scope(headers=[(b"referer", data), (data, b"")], query_params=data)).snapshot()

    take(flood(pattern))


def test_the_repr_shows_no_secret() -> None:
    assert SECRET not in repr(Request(http_scope(headers={"authorization": f"Bearer {SECRET}"})).snapshot())


def test_it_is_imported_on_first_use() -> None:
    code = "import sys, asgiwire; print('asgiwire.connection.snapshot' in sys.modules)"
    assert run_python(code).strip() == "False"


@given(
    st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=40))),
    st.binary(max_size=40),
    st.text(max_size=20),
)
def test_no_header_query_or_path_raises(headers: list[tuple[bytes, bytes]], query: bytes, path: str) -> None:
    scope = {**http_scope(), "headers": headers, "query_string": query, "path": path}
    snapshot = Request(scope).snapshot()
    for trip in ROUND_TRIPS.values():
        assert trip(snapshot) == snapshot


@pytest.mark.parametrize(
    ("path", "raw_path", "token", "shown"),
    [
        ("/reset/s3cr3t/now", None, "s3cr3t", "/reset/***/now"),
        ("/reset/ä b", b"/reset/%C3%A4%20b", "ä b", "/reset/***"),
        ("/reset/ab", b"/reset/%61b", "ab", "/reset/***"),
        ("/reset/a/b/c", None, "a/b", "/reset/***/***/c"),
        ("/reset/s3cr3ts", None, "s3cr3t", "/reset/s3cr3ts"),
    ],
)
def test_a_masked_path_parameter_is_masked_in_the_url(
    path: str, raw_path: bytes | None, token: str, shown: str
) -> None:
    scope = {**http_scope(path=path), "path_params": {"token": token, "page": "now"}, "raw_path": raw_path}
    assert URL(Request(scope).snapshot().url).path == shown
