"""Disconnects within a request body, on real servers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from h2.errors import ErrorCodes

from .clients import HTTP2Connection, RawHTTP, disconnect
from .servers import HTTP1, HTTP2, each

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

BODY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"x" * 20_000
CONTENT_TYPE = "multipart/form-data; boundary=b"
DISCONNECT = {"error": "ClientDisconnect", "at_once": True}

each_reader = pytest.mark.parametrize("how", ["body", "stream", "form"])


def assert_every_read_raised(server: Running, key: str) -> None:
    record: dict[str, Any] = server.record(key, "over")
    assert record["first"]["error"] == "ClientDisconnect"
    # A server may deliver the disconnect only once, so the second read must not call receive.
    assert record["again"] == DISCONNECT
    assert record["other"] == DISCONNECT
    assert record["connected"] is False


@each(HTTP1)
@each_reader
@pytest.mark.parametrize("ending", ["FIN", "RST"])
def test_http1_connection_ends(server: Running, key: str, how: str, ending: str) -> None:
    server.require("streaming")
    with RawHTTP(server) as raw:
        head = f"POST /disconnect?key={key}&how={how} HTTP/1.1".encode()
        raw.send_head(head, b"content-length: 1000000", f"content-type: {CONTENT_TYPE}".encode())
        raw.socket.sendall(BODY)
        wait_for_reader(server, key)
        disconnect(raw.socket, ending)
    assert_every_read_raised(server, key)


@each(HTTP1)
def test_connection_ends_within_a_chunked_body(server: Running, key: str) -> None:
    """Without a Content-Length, only the last chunk marks the end of the body."""
    server.require("streaming")
    with RawHTTP(server) as raw:
        raw.send_head(f"POST /disconnect?key={key}&how=body HTTP/1.1".encode(), b"transfer-encoding: chunked")
        raw.socket.sendall(b"5\r\nhello\r\n")
        wait_for_reader(server, key)
        disconnect(raw.socket, "FIN")
    assert_every_read_raised(server, key)


@each(HTTP2)
@each_reader
@pytest.mark.parametrize("ending", ["CANCEL", "INTERNAL_ERROR", "FIN", "RST"])
def test_http2_stream_or_connection_ends(server: Running, key: str, how: str, ending: str) -> None:
    with HTTP2Connection(server) as client:
        target = f"/disconnect?key={key}&how={how}"
        stream = client.begin("POST", target, [("content-type", CONTENT_TYPE)], end=False)
        client.send(stream, BODY)
        wait_for_reader(server, key)
        if ending in {"FIN", "RST"}:
            disconnect(client.socket, ending)
        else:
            client.reset(stream, ErrorCodes[ending])
            assert_every_read_raised(server, key)
            # The connection and the server still work.
            assert client.read_response(client.begin("GET", "/inspect", [], end=True))[0] == 200
    assert_every_read_raised(server, key)


def wait_for_reader(server: Running, key: str) -> None:
    """Wait until the application has read all data that was sent."""
    server.record(key, "reading")
    time.sleep(0.05)
