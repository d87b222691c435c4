"""What real servers violate, found by ``validate``; the page on validation lists it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from websockets.exceptions import ConnectionClosed

from .clients import RawHTTP, RawWebSocket, open_websocket
from .servers import APP, HTTP2, WEBSOCKET, Server, each

if TYPE_CHECKING:
    import httpx

    from .processes import Running


def validated(server: Server) -> Server:
    """The server with the application of ``validated_app.py``."""
    arguments = server.arguments.replace(APP, "tests.e2e.validated_app:app")
    return replace(server, name=f"{server.name}-validated", arguments=arguments)


SERVERS: Final = {name: validated(server) for name, server in (WEBSOCKET | HTTP2).items()}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90), each(SERVERS)]


# By the first word of the name of a server: the event, and what the error says.
METHOD: Final = ("http scope", "'method': expected a method in upper case")
PORTS: Final = {
    (scope, f"{key!r}: expected a port of type {kind}, got str")
    for scope in ("http scope", "websocket scope")
    for key, kind in (("client", "int"), ("server", "int, or None"))
}
VERSION: Final = ("http scope", "'http_version': expected '1.0' or '1.1' or '2' or '3', got another text")
NO_CODE: Final = ("websocket.disconnect", "'code': expected int, got NoneType")
FINDINGS: Final[dict[str, set[tuple[str, str]]]] = {
    "uvicorn-h11": {METHOD},
    "granian-h2": {finding for finding in PORTS if finding[0] == "http scope"},
    "granian": {METHOD, VERSION, *PORTS},
    "daphne": {METHOD, NO_CODE},
}


def test_findings(server: Running) -> None:
    expected = next((found for name, found in FINDINGS.items() if server.name.startswith(name)), set())
    with server.client() as client:
        for content in (b"", b"a" * 100_000):
            assert client.post("/echo?a=1", content=content, headers={"X-A": "1"}).content == content
        assert client.get("/echo/a%20b%2F?q=%C3%A9").content == b""
        if not server.server.http2:
            send_unusual_requests(server)
            talk(server)
        deadline = time.monotonic() + 5
        while (found := findings(client)) != expected and time.monotonic() < deadline:
            time.sleep(0.05)  # the end of a connection is noticed later
    assert found == expected


def findings(client: httpx.Client) -> set[tuple[str, str]]:
    found: list[Any] = client.get("/errors").json()
    return {(event, text.partition(": ")[2].partition(" (")[0]) for event, _, text in found}


def send_unusual_requests(server: Running) -> None:
    for line in (b"GET /echo HTTP/1.0", b"get /echo HTTP/1.1", b"GET http://test/echo HTTP/1.1"):
        with RawHTTP(server) as raw:
            raw.send_head(line)
            raw.read_response()
    leave_in_the_middle(server)


def leave_in_the_middle(server: Running) -> None:
    with RawHTTP(server) as client:
        client.send_head(b"POST /echo HTTP/1.1", b"content-length: 10")
        client.socket.sendall(b"abc")


def talk(server: Running) -> None:
    for how in ("client closes", "server closes"):
        with open_websocket(server, "/talk") as socket:
            socket.send("text")
            assert socket.recv() == "text"
            socket.send(b"bytes")
            assert socket.recv() == b"bytes"
            if how == "server closes":
                socket.send("close")
                with pytest.raises(ConnectionClosed):
                    socket.recv()
    with RawWebSocket(server, "/talk") as raw:
        raw.close_without_code()
