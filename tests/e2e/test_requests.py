"""What a request says of itself, over real servers: its URL, headers, cookies and addresses."""

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
    seen: dict[str, Any] = response.json()
    return seen


def test_a_get_is_answered_without_its_body_being_read(client: httpx.Client, server: Running) -> None:
    seen = inspect(client)
    assert seen["method"] == "GET"
    assert seen["http_version"] == ("2" if server.server.http2 else "1.1")
    assert seen["content_type"] == ["", {}]
    assert seen["content_length"] is None
    assert seen["connected"] is True
    assert seen["repr"].startswith("<Request GET ")


def test_a_post_is_answered_without_its_body_being_read(client: httpx.Client, server: Running) -> None:
    server.require("early answer")
    response = client.post(
        "/inspect", content=b"x" * 50_000, headers={"content-type": "Text/Plain; Charset=UTF-8"}
    )
    seen = response.json()
    assert seen["content_type"] == ["text/plain", {"charset": "UTF-8"}]
    assert seen["content_length"] == 50_000
    # The connection is still in order afterwards, or closed: with what was not read it is of no use (RFC 9112
    # section 9.3), and granian may find that out when the next request is already on it.
    with suppress(httpx.RemoteProtocolError):
        assert inspect(client)["method"] == "GET"
    assert inspect(client)["method"] == "GET"


def test_url_has_the_path_as_it_was_sent(client: httpx.Client, server: Running) -> None:
    seen = inspect(client, "/inspect/a%20b/%C3%A9/%2F/%25/%FF?x=1")
    path = "/inspect/a%20b/%C3%A9/%2F/%25/%FF"
    assert seen["url"] == f"{server.base_url}{path}?x=1"
    assert seen["path"] == path
    assert seen["base_url"] == f"{server.base_url}/"
    # This is what the path was rebuilt from elsewhere: two slashes too many, and a byte lost.
    assert seen["decoded_path"] == "/inspect/a b/é///%/\ufffd"


@pytest.mark.parametrize("host", ["example.test", "example.test:8080", "[::1]:8000"])
def test_url_has_the_host_that_was_asked_for(client: httpx.Client, server: Running, host: str) -> None:
    assert (
        inspect(client, headers={"host": host})["url"]
        == f"{server.base_url.partition(':')[0]}://{host}/inspect"
    )


def test_query_keeps_order_duplicates_and_blanks(client: httpx.Client) -> None:
    seen = inspect(client, "/inspect?b=2&a=1&b=&c&%C3%A9=%E2%9C%93+1&bad=%FF")
    assert seen["query"] == [
        *(["b", "2"], ["a", "1"], ["b", ""], ["c", ""]),
        *(["é", "✓ 1"], ["bad", "\ufffd"]),
    ]


def test_client_and_server_are_addresses_with_numbers_for_ports(
    client: httpx.Client, server: Running
) -> None:
    response = client.get("/inspect")
    connection = response.extensions["network_stream"]
    assert response.json()["client"] == list(connection.get_extra_info("client_addr"))
    assert response.json()["server"] == ["127.0.0.1", server.port]


def test_headers_keep_duplicates_and_bytes(client: httpx.Client, server: Running) -> None:
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
    if not server.server.header_order:  # equal names in one place; the order of their values is kept
        expected.sort(key=lambda header: header[0])
        headers.sort(key=lambda header: header[0])
    assert headers == expected


def test_accept_is_read_from_all_of_its_headers(client: httpx.Client) -> None:
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


def test_many_requests_on_one_connection_share_nothing(client: httpx.Client) -> None:
    for number in range(20):
        seen = inspect(client, f"/inspect/{number}?n={number}", headers={"cookie": f"n={number}"})
        assert seen["path"] == f"/inspect/{number}"
        assert seen["query"] == [["n", str(number)]]
        assert seen["cookies"] == {"n": str(number)}


def test_query_with_raw_utf8(server: Running) -> None:
    if server.server.http2:
        pytest.skip("httpx and h2 encode what they send; this is what a raw HTTP/1.1 client can do")
    server.require("raw query")
    with RawHTTP(server) as raw:
        raw.send_head("GET /inspect/é?q=é&r=%C3%A9 HTTP/1.1".encode())
        answer = raw.read_answer()
    assert '"query":[["q","é"],["r","é"]]'.encode() in answer
    assert b"/inspect/%C3%A9?q=%C3%A9&r=%C3%A9" in answer
