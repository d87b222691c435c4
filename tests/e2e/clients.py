"""Clients for what httpx, curl and ``websockets`` are too well behaved to do, or do not show.

A raw HTTP/1.1 socket that stops in the middle; HTTP/2 through the ``h2`` package, which shows promises and
resets streams; a WebSocket that breaks off. Each is a context manager, and each wait in it has a time-out.
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


def leave(connection: socket.socket, how: str) -> None:
    """Close a connection: ``FIN`` ends it in order, ``RST`` breaks it off."""
    if how == "RST":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class RawHTTP:
    """HTTP/1.1 byte by byte."""

    def __init__(self, server: Running) -> None:
        self.socket = socket.create_connection((HOST, server.port), timeout=TIMEOUT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send_head(self, line: bytes, *headers: bytes) -> None:
        """Send the request line and the headers; Host comes by itself."""
        self.socket.sendall(b"\r\n".join((line, b"host: test", *headers, b"", b"")))

    def read_answer(self) -> bytes:
        """Read until the server closes, or until as much has come as it says."""
        answer = b""
        while not _is_complete(answer):
            piece = self.socket.recv(65536)
            if not piece:
                break
            answer += piece
        return answer


def _is_complete(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    if not found:
        return False
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(lengths) and len(body) >= int(lengths[0].partition(b":")[2])


class HTTP2Connection:
    """HTTP/2 event by event.

    Attributes:
        events: All that the server has sent.
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
        """Send what is waiting."""
        self.socket.sendall(self.connection.data_to_send())

    def begin(self, method: str, target: str, headers: Headers, *, end: bool) -> int:
        """Send the headers of a request; gives its stream."""
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
        """Send a part of a body, as fast as the server widens the window."""
        while data:
            if room := min(self.connection.local_flow_control_window(stream), 16_384):
                self.connection.send_data(stream, data[:room])
                data = data[room:]
                self.flush()
            else:
                self.receive()

    def send_last(self, stream: int, data: bytes) -> None:
        """Send the last part of a body, with its end in the same frame."""
        self.connection.send_data(stream, data, end_stream=True)
        self.flush()

    def reset(self, stream: int, code: h2.errors.ErrorCodes) -> None:
        """Break off one stream and keep the connection."""
        self.connection.reset_stream(stream, code)
        self.flush()

    def read_until(self, seen: Callable[[h2.events.Event], bool]) -> None:
        """Receive until an event like this was seen."""
        while not any(seen(event) for event in self.events):
            self.receive()

    def receive(self) -> None:
        """Receive what comes next."""
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError(self.events)
        for event in self.connection.receive_data(data):
            if isinstance(event, h2.events.DataReceived):
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            self.events.append(event)
        self.flush()

    def read_answer(self, stream: int) -> tuple[int, bytes]:
        """Receive until the answer on a stream is complete: its status and body."""
        self.read_until(lambda it: isinstance(it, h2.events.StreamEnded) and it.stream_id == stream)
        mine: list[Any] = [event for event in self.events if getattr(event, "stream_id", None) == stream]
        (heads,) = (event.headers for event in mine if isinstance(event, h2.events.ResponseReceived))
        body = b"".join(event.data for event in mine if isinstance(event, h2.events.DataReceived))
        return int(dict(heads)[b":status"]), body


class RawWebSocket:
    """A WebSocket whose connection is in our hands; the protocol is that of ``websockets``."""

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
        """Send an empty close frame and wait for the other one."""
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
def conversation(server: Running, target: str, **options: Any) -> Iterator[ClientConnection]:
    """A WebSocket of the client that most Python programs use, compression and all."""
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


def read_to_the_end(socket: ClientConnection) -> list[str | bytes]:
    """Receive until the server closes, whatever the code."""
    received = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            received.append(socket.recv(timeout=TIMEOUT))
    return received
