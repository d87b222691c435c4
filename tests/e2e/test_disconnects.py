"""A client that leaves in the middle of a request's body, over real servers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from h2.errors import ErrorCodes

from .clients import HTTP2Connection, RawHTTP, leave
from .servers import HTTP1, HTTP2, each

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

BODY = b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + b"x" * 20_000
TYPE = "multipart/form-data; boundary=b"
TOLD = {"error": "ClientDisconnect", "at_once": True}

each_reader = pytest.mark.parametrize("how", ["body", "stream", "form"])


def assert_told(server: Running, key: str) -> None:
    record: dict[str, Any] = server.record(key, "over")
    assert record["first"]["error"] == "ClientDisconnect"
    # A server may deliver the disconnect but once: the second read must not ask it again.
    assert record["again"] == TOLD
    assert record["other"] == TOLD
    assert record["connected"] is False


@each(HTTP1)
@each_reader
@pytest.mark.parametrize("ending", ["FIN", "RST"])
def test_leaving_http1(server: Running, key: str, how: str, ending: str) -> None:
    server.require("streaming")
    with RawHTTP(server) as raw:
        head = f"POST /disconnect?key={key}&how={how} HTTP/1.1".encode()
        raw.send_head(head, b"content-length: 1000000", f"content-type: {TYPE}".encode())
        raw.socket.sendall(BODY)
        wait_for_reader(server, key)
        leave(raw.socket, ending)
    assert_told(server, key)


@each(HTTP1)
def test_leaving_a_chunked_body(server: Running, key: str) -> None:
    """Without a Content-Length nothing but the last chunk tells a whole body from a part of one."""
    server.require("streaming")
    with RawHTTP(server) as raw:
        raw.send_head(f"POST /disconnect?key={key}&how=body HTTP/1.1".encode(), b"transfer-encoding: chunked")
        raw.socket.sendall(b"5\r\nhello\r\n")
        wait_for_reader(server, key)
        leave(raw.socket, "FIN")
    assert_told(server, key)


@each(HTTP2)
@each_reader
@pytest.mark.parametrize("ending", ["CANCEL", "INTERNAL_ERROR", "FIN", "RST"])
def test_leaving_http2(server: Running, key: str, how: str, ending: str) -> None:
    with HTTP2Connection(server) as client:
        target = f"/disconnect?key={key}&how={how}"
        stream = client.begin("POST", target, [("content-type", TYPE)], end=False)
        client.send(stream, BODY)
        wait_for_reader(server, key)
        if ending in {"FIN", "RST"}:
            leave(client.socket, ending)
        else:
            client.reset(stream, ErrorCodes[ending])
            assert_told(server, key)
            # The connection lives on, and so does the server.
            assert client.read_answer(client.begin("GET", "/inspect", [], end=True))[0] == 200
    assert_told(server, key)


def wait_for_reader(server: Running, key: str) -> None:
    """Wait until the application reads, and has had the time to come to the end of what there is."""
    server.record(key, "reading")
    time.sleep(0.05)
