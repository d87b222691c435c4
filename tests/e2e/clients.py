"""Clients for behaviour that httpx, curl and ``websockets`` do not offer.

A raw HTTP/1.1 socket sends incomplete requests; an HTTP/2 client of the ``h2`` package shows push promises
and resets streams; a raw WebSocket aborts. Each is a context manager, and each wait in it has a timeout.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Any, Final, Self

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame
from websockets.sync.client import ClientConnection, connect
from websockets.uri import parse_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .processes import Running

TIMEOUT: Final = 10
HOST: Final = "127.0.0.1"

Headers = list[tuple[str | bytes, str | bytes]]


def disconnect(connection: socket.socket, how: str) -> None:
    """Close a connection in order (``FIN``) or abort it (``RST``)."""
    if how == "RST":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class RawHTTP:
    """An HTTP/1.1 client on a plain socket."""

    def __init__(self, server: Running) -> None:
        self.socket = socket.create_connection((HOST, server.port), timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send_head(self, line: bytes, *headers: bytes) -> None:
        """Send the request line, a Host header and the headers."""
        self.socket.sendall(b"\r\n".join((line, b"host: test", *headers, b"", b"")))

    def read_response(self) -> bytes:
        """Read until the server closes, or until the body has its Content-Length."""
        response = b""
        while not _is_complete(response):
            chunk = self.socket.recv(65536)
            if not chunk:
                break
            response += chunk
        return response


def _is_complete(response: bytes) -> bool:
    head, found, body = response.partition(b"\r\n\r\n")
    if not found:
        return False
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0].partition(b":")[2])


class HTTP2Connection:
    """An HTTP/2 client that records every event.

    Attributes:
        events: All events of the server.
    """

    def __init__(self, server: Running, *, push: bool = True) -> None:
        trust = ssl.create_default_context(cafile=server.authority_file)
        trust.set_alpn_protocols(["h2"])
        plain = socket.create_connection((HOST, server.port), timeout=TIMEOUT)
        self.socket = trust.wrap_socket(plain, server_hostname=HOST)
        self.authority = f"{HOST}:{server.port}"
        self.events: list[h2.events.Event] = []
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))
        self.connection.local_settings = h2.settings.Settings(
            client=True, initial_values={h2.settings.SettingCodes.ENABLE_PUSH: int(push)}
        )
        self.connection.initiate_connection()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Send the pending data."""
        self.socket.sendall(self.connection.data_to_send())

    def begin(self, method: str, target: str, headers: Headers, *, end: bool) -> int:
        """Send the headers of a request, and return its stream."""
        stream = self.connection.get_next_available_stream_id()
        pseudo: Headers = [
            (":method", method),
            (":scheme", "https"),
            (":authority", self.authority),
            (":path", target),
        ]
        self.connection.send_headers(stream, pseudo + headers, end_stream=end)
        self.flush()
        return stream

    def send(self, stream: int, data: bytes) -> None:
        """Send a part of a body within the flow control window."""
        while data:
            if size := min(self.connection.local_flow_control_window(stream), 16_384):
                self.connection.send_data(stream, data[:size])
                data = data[size:]
                self.flush()
            else:
                self.receive()

    def send_last(self, stream: int, data: bytes) -> None:
        """Send the last part of a body in one frame with END_STREAM."""
        self.connection.send_data(stream, data, end_stream=True)
        self.flush()

    def reset(self, stream: int, code: h2.errors.ErrorCodes) -> None:
        """Reset one stream; the connection stays open."""
        self.connection.reset_stream(stream, code)
        self.flush()

    def read_until(self, matches: Callable[[h2.events.Event], bool]) -> None:
        """Receive until an event matches."""
        while not any(matches(event) for event in self.events):
            self.receive()

    def receive(self) -> None:
        """Receive once, and record the events."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(self.events)
        for event in self.connection.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.events.append(event)
        self.flush()

    def read_response(self, stream: int) -> tuple[int, bytes]:
        """Receive until the response of a stream is complete; return its status and body."""
        self.read_until(lambda it: isinstance(it, h2.events.StreamEnded) and it.stream_id == stream)
        stream_events: list[Any] = [
            event for event in self.events if getattr(event, "stream_id", None) == stream
        ]
        (heads,) = (event.headers for event in stream_events if isinstance(event, h2.events.ResponseReceived))
        body = b"".join(event.data for event in stream_events if isinstance(event, h2.events.DataReceived))
        return int(dict(heads)[b":status"]), body


class RawWebSocket:
    """A WebSocket on a plain socket; the protocol is that of ``websockets``."""

    def __init__(self, server: Running, target: str) -> None:
        self.socket = socket.create_connection((HOST, server.port), timeout=TIMEOUT)
        self.protocol = ClientProtocol(parse_uri(f"ws://{HOST}:{server.port}{target}"))
        self.protocol.send_request(self.protocol.connect())
        self._flush()
        self._receive_event()
        if self.protocol.handshake_exc is not None:
            raise self.protocol.handshake_exc

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self.protocol.send_text(text.encode())
        self._flush()

    def close_without_code(self) -> None:
        """Send an empty close frame, and wait for the one of the server."""
        self.protocol.send_close()
        self._flush()
        while not isinstance(event := self._receive_event(), Frame) or event.opcode.name != "CLOSE":
            pass

    def _flush(self) -> None:
        self.socket.sendall(b"".join(self.protocol.data_to_send()))

    def _receive_event(self) -> Any:
        while not (events := self.protocol.events_received()):
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the server has closed the connection")
            self.protocol.receive_data(data)
        return events[-1]


@contextlib.contextmanager
def open_websocket(server: Running, target: str, **options: Any) -> Iterator[ClientConnection]:
    """Open a WebSocket with the client of ``websockets``, with its default compression."""
    with connect(
        f"ws://127.0.0.1:{server.port}{target}",
        open_timeout=TIMEOUT,
        close_timeout=TIMEOUT,
        max_size=None,
        max_queue=None,
        proxy=None,
        **options,
    ) as socket:
        yield socket


def receive_until_close(socket: ClientConnection) -> list[str | bytes]:
    """Receive until the server closes, with any code."""
    received = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            received.append(socket.recv(timeout=TIMEOUT))
    return received
