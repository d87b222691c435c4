"""WebSockets over HTTP/2 (RFC 8441), which hypercorn supports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import h2.events
import pytest
from wsproto.frame_protocol import CloseReason, FrameProtocol

from .clients import HTTP2Connection
from .servers import each
from .socket_app import CHUNKS
from .socket_servers import HTTP2_SOCKETS

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60), each(HTTP2_SOCKETS)]


class HTTP2WebSocket:
    """A WebSocket on one stream.

    Attributes:
        status: The status of the handshake response.
        headers: The headers of the handshake response.
    """

    def __init__(self, http2: HTTP2Connection, target: str, *headers: tuple[str, str]) -> None:
        self.http2 = http2
        self.frames = FrameProtocol(client=True, extensions=[])
        http2.read_until(lambda event: isinstance(event, h2.events.RemoteSettingsChanged))
        self.stream = http2.connection.get_next_available_stream_id()
        http2.connection.send_headers(
            self.stream,
            [
                (":method", "CONNECT"),
                (":protocol", "websocket"),
                (":scheme", "https"),
                (":authority", http2.authority),
                (":path", target),
                ("sec-websocket-version", "13"),
                *headers,
            ],
        )
        http2.flush()
        http2.read_until(self._is_response)
        events: list[Any] = http2.events
        (self.headers,) = (dict(event.headers) for event in events if self._is_response(event))
        self.status = int(self.headers[b":status"])
        self._position = 0

    def _is_response(self, event: Any) -> bool:
        return isinstance(event, h2.events.ResponseReceived) and event.stream_id == self.stream

    def send(self, data: str | bytes) -> None:
        self.http2.send(self.stream, bytes(self.frames.send_data(data, fin=True)))

    def close(self, code: int, reason: str) -> None:
        self.http2.send(self.stream, bytes(self.frames.close(code, reason)))

    def receive(self) -> Any:
        """Return a payload, or the code and reason of a close frame."""
        while True:
            for frame in self.frames.received_frames():
                return frame.payload
            while self._position == len(self.http2.events):
                self.http2.receive()
            event: Any = self.http2.events[self._position]
            self._position += 1
            if isinstance(event, h2.events.DataReceived) and event.stream_id == self.stream:
                self.frames.receive_bytes(event.data)

    def body(self) -> bytes:
        return self.http2.read_response(self.stream)[1]


def test_echo(server: Running) -> None:
    with HTTP2Connection(server) as http2:
        socket = HTTP2WebSocket(http2, "/echo?mode=either")
        assert socket.status == 200
        messages: list[str | bytes] = ["hello", b"\x00\xff", "é ✓"]
        for message in messages:
            socket.send(message)
        assert [socket.receive() for _ in messages] == messages


def test_typed_errors(server: Running) -> None:
    with HTTP2Connection(server) as http2:
        socket = HTTP2WebSocket(http2, "/typed?kind=json")
        socket.send('{"name":7}')
        assert json.loads(socket.receive())["error"] == "ValidationException"
        socket.send('{"name":"tea"}')
        assert json.loads(socket.receive()) == {"ordered": ["tea", 1]}


def test_application_closes(server: Running, key: str) -> None:
    with HTTP2Connection(server) as http2:
        socket = HTTP2WebSocket(http2, f"/close?key={key}&code=4001&reason=bye")
        assert socket.receive() == (4001, "bye")
    assert server.record(key, "over")["after"]["code"] == 4001


def test_client_closes(server: Running, key: str) -> None:
    with HTTP2Connection(server) as http2:
        socket = HTTP2WebSocket(http2, f"/receive_all?key={key}&mode=text")
        socket.send("last words")
        server.record(key, "open")
        socket.close(CloseReason.NORMAL_CLOSURE, "done")
        record = server.record(key, "over")
    assert record["received"] == ["last words"]
    assert record["after"]["disconnected"]


def test_subprotocol(server: Running) -> None:
    with HTTP2Connection(server) as http2:
        socket = HTTP2WebSocket(http2, "/negotiate", ("sec-websocket-protocol", "v1, v2"))
        assert socket.headers[b"sec-websocket-protocol"] == b"v2"


def test_denial_response(server: Running, key: str) -> None:
    with HTTP2Connection(server) as http2:
        socket = HTTP2WebSocket(http2, f"/deny?key={key}&status=401&how=chunks")
        assert socket.status == 401
        assert socket.body() == b"".join(CHUNKS)
