"""Snapshots: their content, what they mask, their maximum size, and round trips through encoders."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire import ASGIConnection, Request, WebSocket
from asgiwire._parsers.secrets import mask_text, mask_url
from asgiwire.connection.snapshot import ConnectionSnapshot, Redaction, take_snapshot
from asgiwire.datastructures import URL, Address
from asgiwire.testing import RecordedSend, RequestFactory, ScriptedReceive, http_scope, websocket_scope
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


# Every notation of a name and a secret, in every place that a client controls.

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.5ecret"

PARAMETERS = (
    "password=5ecret",
    "PASSWORD=5ecret",
    "user[password]=5ecret",
    "p%61ssword=5ecret",
    "%70assword=%35ecret",
    "password=it's5ecret",
    "password=a;5ecret",
    "password=a,5ecret",
    "password=a=5ecret",
    "password=a+5ecret",
    "password=a/5ecret",
    "password=a?5ecret",
    "password=a:5ecret@h",
    "password=%225ecret%22",
    "password='5ecret'",
    "password={5ecret}",
    "password=[5ecret]",
    "password==5ecret",
    "password%3D5ecret",
    "password%3d5ecret",
    "a=1;password=5ecret",
    "a=1&password=5ecret&b=2",
    ";password=5ecret",
    "a=b&&password=5ecret",
    "?password=5ecret",
    "next=https://h/cb?access_token=5ecret",
    "next=https%3A%2F%2Fh%2Fcb%3Faccess_token%3D5ecret",
    "next=https%253A%252F%252Fh%252Fcb%253Faccess_token%253D5ecret",
    "next=//u:5ecret@h/",
    "next=//5ecret@h/",
    "next=%2F%2F5ecret%40h",
    "next=https%3A%2F%2Fu%3A5ecret%40h",
    "next=/a%23id_token%3D5ecret",
    'q={"password":"5ecret"}',
    "q=%7B%22password%22%3A%225ecret%22%7D",
    "q=%7B%22a%22%3A%7B%22pw%22%3A%225ecret%22%7D%7D",
    "q=Bearer%205ecret",
    "q=Bearer+5ecret",
    f"q={JWT}",
    "q=ghp_5ecret",
    "pw=5ecret",
    "ticket=5ecret",
    "otp=5ecret",
    "code=5ecret",
    "sessionid=5ecret",
    "X-Amz-Signature=5ecret",
    "q=" + "%25" * 10 + "41password%3D5ecret",
)

TEXTS = (
    '{"password":"5ecret"}',
    '{"password" : "5ecret"}',
    '{"password":"a\\"5ecret"}',
    '{"pass\\u0077ord":"5ecret"}',
    '{"api key":"5ecret"}',
    '{"pin":5ecret}',
    '{"password":["5ecret"]}',
    '{"password":{"a":"5ecret"}}',
    "{'password': '5ecret'}",
    'a, token="5ecret"',
    'a, token="a\\"5ecret"',
    'a, token = "5ecret"',
    "a; token=5ecret; b",
    "token: 5ecret",
    "token: two 5ecret",
    "token='two 5ecret'",
    "token*=utf-8''5ecret",
    "basic 5ecret",
    "Bearer 5ecret",
    "x, DPoP 5ecret",
    JWT,
    f"a {JWT} b",
    f"a={JWT}",
    "xoxb-5ecret",
    "sk_live_5ecret",
    "https://5ecret@h/",
    "https://5ecret:@h/",
    "https://u:5ecret@h/",
    "https://u:a@5ecret@h/",
    "https:\\\\5ecret@h/",
    "https:/\\5ecret@h/",
    "https:5ecret@h".replace(":", ":u:"),
    "//5ecret@h",
    "u:5ecret@h",
    'for=a;host="u:5ecret@h"',
    "<https://h/?a=1&sig=5ecret>; rel=next",
    "see https://h/#access_token=5ecret",
    "https%3A%2F%2Fu%3A5ecret%40h",
    "/cb%3Ftoken%3D5ecret",
    "/a;token=5ecret/b",
    "(token=5ecret)",
    "a|token=5ecret",
)

HOST_HEADERS = ("host", "x-forwarded-host", "x-original-host", "forwarded", ":authority")
AUTHORITIES = ("u:5ecret@h", "5ecret@h", "u:a:5ecret@h", "u:a@5ecret@h:80", 'host="5ecret@h"', "a, 5ecret@h")

NAMES = (
    "pw",
    "ticket",
    "authentication",
    "x-authentication",
    "dpop",
    "x-api-key",
    "x-auth-token",
    "x-amz-security-token",
    "x-shopify-hmac-sha256",
    "x-oauth-scopes",
    "creds",
    "mfa",
    "x-app-key",
    "connect.sid",
    "x-csrf",
    "sso",
    "a" * 300,
)


def shown_everywhere(connection: ASGIConnection) -> str:
    """Return everything that a connection shows of itself."""
    request = connection
    texts = [connection.snapshot(), request.headers, request.url, request.base_url, connection]
    return "\n".join(map(repr, texts))


@pytest.mark.parametrize("text", PARAMETERS)
@pytest.mark.parametrize("wrap", ["{}", "a=1&{}", "{}&a=1"])
def test_no_secret_of_a_query_is_shown(text: str, wrap: str) -> None:
    query = wrap.format(text)
    headers = [
        ("referer", f"https://h/?{query}"),
        ("referer", f"/?{query}"),
        ("x-url", f"?{query}"),
        ("x-query", query),
        ("location", f"https://h/#{query}"),
    ]
    request = Request(http_scope(query_params=query, headers=headers))
    assert "5ecret" not in shown_everywhere(request)
    assert "5ecret" not in repr(URL(f"https://h/a?{query}#{query}"))


@pytest.mark.parametrize("text", [*TEXTS, *PARAMETERS])
def test_no_secret_of_a_text_is_shown(text: str) -> None:
    scope = websocket_scope(
        headers=[("x-a", text), ("user-agent", f"a {text}"), ("link", f"{text} b")],
        path_params={"a": text},
        client=(f"/{text}", None),
        subprotocols=[text, "a"],
    )
    assert "5ecret" not in shown_everywhere(WebSocket(scope))
    request = Request(
        {**http_scope(path_params={"a": text}), "path": f"/a/{text}", "method": text, "raw_path": None}
    )
    assert "5ecret" not in shown_everywhere(request).replace(f"<Request {text} ", "")


@pytest.mark.parametrize("name", HOST_HEADERS)
@pytest.mark.parametrize("text", AUTHORITIES)
def test_no_userinfo_of_a_host_is_shown(name: str, text: str) -> None:
    scope = {**http_scope(), "headers": [(name.encode(), text.encode())]}
    assert "5ecret" not in shown_everywhere(Request(scope))


@pytest.mark.parametrize("name", NAMES)
def test_no_value_of_a_secret_name_is_shown(name: str) -> None:
    assert Redaction().masks(name)
    scope = {**http_scope(), "headers": [(name.encode(), b"5ecret"), (name.upper().encode(), b"5ecret")]}
    scope |= {"query_string": f"{name}=5ecret".encode(), "path_params": {name: "5ecret"}}
    assert "5ecret" not in shown_everywhere(Request(scope))


@pytest.mark.parametrize(
    "offered", [[JWT], ["a", JWT], ["Bearer", "5ecret"], ["a" * 65 + "5ecret"], ["token.5ecret"]]
)
def test_no_secret_subprotocol_is_shown(offered: list[str]) -> None:
    headers = {"sec-websocket-protocol": ", ".join(offered)}
    assert "5ecret" not in shown_everywhere(WebSocket(websocket_scope(subprotocols=offered, headers=headers)))


@pytest.mark.anyio
async def test_no_secret_of_a_close_reason_is_shown() -> None:
    receive = ScriptedReceive(
        {"type": "websocket.connect"},
        {"type": "websocket.disconnect", "code": 1000, "reason": "token=5ecret"},
    )
    socket = WebSocket(websocket_scope(), receive, RecordedSend())
    async for _ in socket:
        pass
    assert socket.snapshot().close_reason == f"token={MASK}"


@pytest.mark.parametrize(
    "text",
    [
        "https://h/a/b?page=2&sort=new#top",
        "text/html, */*;q=0.8",
        'W/"abc"',
        "joe@example.org",
        "a=1; b=2",
        "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
        "bytes=0-1",
        "12:30",
        "[::1]:80",
        '"Chromium";v="120", "Not A(Brand";v="24"',
        "max-age=0",
        '{"page":2,"q":"a b"}',
        "Mon, 01 Jan 2024 00:00:00 GMT",
        "?0",
        "100%",
        "50%25",
        "%zz",
        "a%20b",
        "@scope/package",
        "keyword=a&design=b&monkey=c",
    ],
)
def test_text_without_secrets_is_unchanged(text: str) -> None:
    assert headers_of({"x-a": text}) == {"x-a": text}


@pytest.mark.parametrize("cut", range(1, 80))
def test_a_value_that_is_cut_shows_no_part_of_a_secret(cut: int) -> None:
    for text in (
        f"https://{'5ecret' * 20}@h/",
        f"https://u:{'5ecret' * 20}@h/",
        f"u:{'5ecret' * 20}@h",
        f"https%3A%2F%2F{'5ecret' * 20}%40h",
        f'{{"password":"{"5ecret" * 20}"}}',
        f"token={'5ecret' * 20}",
        f"x https://{'5ecret' * 20}@h/",
        f"token%3D{'5ecret' * 20}",
        f"Bearer {'5ecret' * 20}",
    ):
        redaction = Redaction(max_value_size=cut, max_url_size=cut)
        assert "5ecret"[:4] not in str(headers_of({"x-a": text}, redaction))
        url = Request({**http_scope(), "path": f"/{text}"}).snapshot(redaction).url
        assert "5ecret"[:4] not in url
    scope = {**http_scope(path=f"/reset/{'5ecret' * 40}"), "path_params": {"token": "5ecret" * 40}}
    assert "5ecret"[:4] not in Request(scope).snapshot(Redaction(max_url_size=cut)).url


def test_the_values_of_all_headers_are_searched_up_to_a_total() -> None:
    headers = headers_of([(f"x-{number}", f"{number}" + "a" * 600) for number in range(40)])
    assert headers["x-0"] == "0" + "a" * 508 + "..."
    assert headers["x-15"] == "15" + "a" * 507 + "..."
    assert headers["x-16"] == headers["x-39"] == "..."


def test_the_repr_of_many_headers_is_bounded() -> None:
    text = repr(Request(http_scope(headers=[(f"x-{number}", "a" * 1000) for number in range(1000)])).headers)
    assert text.startswith("<Headers('x-0': 'aaa")
    assert text.endswith(", ...)>")
    assert len(text) < 20_000


FLOODS = (
    b";A=",
    b"a:",
    b'"a":"',
    b"@",
    b"a@",
    b":@",
    b"//",
    b"basic ",
    b"eyJ",
    b'\\"',
    b"\\u0041",
    b"%25",
    b"a=%25252541&",
    b"token=",
    b"token:",
    b"'",
    b"{",
    b"=",
    b" =",
    b"a b:",
    b"https:",
    b"pw",
)


@must_end
@pytest.mark.parametrize("pattern", FLOODS)
def test_time_is_bounded(pattern: bytes) -> None:
    data = flood(pattern)
    headers = [(b"referer", data), (b"x-a", data), (data, data), (b"sec-websocket-protocol", data)] * 20
    text = data.decode("latin-1")
    scope = {**websocket_scope(query_params=data), "headers": headers, "path_params": {"a": text, "b": text}}
    scope |= {"subprotocols": [text] * 100, "client": (text, 1)}
    shown_everywhere(WebSocket(scope))


PIECES = [*"ab?&;=:@/%25\"'{}[],\\ #<>", "token", "%3D", "//", "eyJhbGciabc", "basic "]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_masking_twice_changes_nothing(text: str) -> None:
    masked = mask_text(text)
    assert mask_text(masked) == masked
    assert len(mask_url(text)) <= len(text) + 3 * (len(text) + 1)
