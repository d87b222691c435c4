"""URL, headers, cookies and addresses of requests on real servers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from .clients import RawHTTP
from .servers import HTTP1, HTTP2, each

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90), each(HTTP1 | HTTP2)]


def inspect(client: httpx.Client, target: str = "/inspect", **options: Any) -> dict[str, Any]:
    response = client.get(target, **options)
    response.raise_for_status()
    values: dict[str, Any] = response.json()
    return values


def test_get_request_without_reading_the_body(client: httpx.Client, server: Running) -> None:
    values = inspect(client)
    assert values["method"] == "GET"
    assert values["http_version"] == ("2" if server.server.http2 else "1.1")
    assert values["content_type"] == ["", {}]
    assert values["content_length"] is None
    assert values["connected"] is True
    assert values["repr"].startswith("<Request GET ")


def test_post_request_without_reading_the_body(client: httpx.Client, server: Running) -> None:
    server.require("early answer")
    response = client.post(
        "/inspect", content=b"x" * 50_000, headers={"content-type": "Text/Plain; Charset=UTF-8"}
    )
    values = response.json()
    assert values["content_type"] == ["text/plain", {"charset": "UTF-8"}]
    assert values["content_length"] == 50_000
    # The server may use the connection again or close it, because the body was not read (RFC 9112 section
    # 9.3). granian may close it after the next request was sent.
    with suppress(httpx.RemoteProtocolError):
        assert inspect(client)["method"] == "GET"
    assert inspect(client)["method"] == "GET"


def test_url_contains_the_path_as_sent(client: httpx.Client, server: Running) -> None:
    values = inspect(client, "/inspect/a%20b/%C3%A9/%2F/%25/%FF?x=1")
    path = "/inspect/a%20b/%C3%A9/%2F/%25/%FF"
    assert values["url"] == f"{server.base_url}{path}?x=1"
    assert values["path"] == path
    assert values["base_url"] == f"{server.base_url}/"
    # The decoded path has two more slashes and has lost a byte, so the URL cannot be rebuilt from it.
    assert values["decoded_path"] == "/inspect/a b/é///%/\ufffd"


@pytest.mark.parametrize("host", ["example.test", "example.test:8080", "[::1]:8000"])
def test_url_contains_the_host_header(client: httpx.Client, server: Running, host: str) -> None:
    assert (
        inspect(client, headers={"host": host})["url"]
        == f"{server.base_url.partition(':')[0]}://{host}/inspect"
    )


def test_query_preserves_order_duplicates_and_blank_values(client: httpx.Client) -> None:
    values = inspect(client, "/inspect?b=2&a=1&b=&c&%C3%A9=%E2%9C%93+1&bad=%FF")
    assert values["query"] == [
        *(["b", "2"], ["a", "1"], ["b", ""], ["c", ""]),
        *(["é", "✓ 1"], ["bad", "\ufffd"]),
    ]


def test_client_and_server_addresses(client: httpx.Client, server: Running) -> None:
    response = client.get("/inspect")
    connection = response.extensions["network_stream"]
    assert response.json()["client"] == list(connection.get_extra_info("client_addr"))
    assert response.json()["server"] == ["127.0.0.1", server.port]


def test_headers_preserve_duplicates_and_bytes(client: httpx.Client, server: Running) -> None:
    sent = [
        (b"x-multi", b"one"),
        (b"x-latin", b"caf\xe9"),
        (b"X-Multi", b"two, three"),
        (b"x-utf8", "✓".encode()),
        (b"x-empty", b""),
        (b"x-multi", b"four"),
    ]
    headers = [
        (name, value) for name, value in inspect(client, headers=sent)["headers"] if name.startswith("x-")
    ]
    expected = [(name.decode().lower(), value.decode("latin-1")) for name, value in sent]
    if not server.server.header_order:  # only the order of equal names is preserved
        expected.sort(key=lambda header: header[0])
        headers.sort(key=lambda header: header[0])
    assert headers == expected


def test_accept_joins_all_accept_headers(client: httpx.Client) -> None:
    sent = [("accept", "text/html;q=0.5"), ("accept", "application/json, text/*;q=0.1")]
    assert inspect(client, headers=sent)["accept"] == ["application/json", "text/html;q=0.5", "text/*;q=0.1"]


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        pytest.param(["a=1; b=2"], {"a": "1", "b": "2"}, id="one header"),
        # RFC 9113 section 8.2.3: "the Cookie header field MAY be split into separate header fields".
        pytest.param(["a=1; b=2", "c=3", "d=4"], {"a": "1", "b": "2", "c": "3", "d": "4"}, id="split"),
        pytest.param(["a=1", "a=2; =nameless"], {"a": "2", "": "nameless"}, id="duplicate and nameless"),
        pytest.param(['q="quoted"; e=x%3Dy; flag'], {"q": "quoted", "e": "x=y", "": "flag"}, id="values"),
        pytest.param(["u=caf\u00e9 ✓"], {"u": "café ✓"}, id="raw UTF-8"),
        pytest.param([b"l=caf\xe9"], {"l": "café"}, id="latin-1"),
    ],
)
def test_cookies(client: httpx.Client, headers: list[str | bytes], cookies: dict[str, str]) -> None:
    sent = [(b"cookie", value if isinstance(value, bytes) else value.encode()) for value in headers]
    assert inspect(client, headers=sent)["cookies"] == cookies


def test_requests_on_one_connection_share_nothing(client: httpx.Client) -> None:
    for number in range(20):
        values = inspect(client, f"/inspect/{number}?n={number}", headers={"cookie": f"n={number}"})
        assert values["path"] == f"/inspect/{number}"
        assert values["query"] == [["n", str(number)]]
        assert values["cookies"] == {"n": str(number)}


def test_target_with_raw_utf8(server: Running) -> None:
    if server.server.http2:
        pytest.skip("httpx and h2 encode the target; only a raw HTTP/1.1 client sends it unchanged")
    server.require("raw query")
    with RawHTTP(server) as raw:
        raw.send_head("GET /inspect/é?q=é&r=%C3%A9 HTTP/1.1".encode())
        answer = raw.read_response()
    assert '"query":[["q","é"],["r","é"]]'.encode() in answer
    assert b"/inspect/%C3%A9?q=%C3%A9&r=%C3%A9" in answer
