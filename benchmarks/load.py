"""The load generator of the server part: persistent connections with one request in flight each.

It takes the length of a response from the first one and only counts the bytes of the others. This keeps the
client cheap, so nearly all the time is spent in the server.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    import socket

CONNECTIONS: Final = 32

BODY: Final = b'{"id": 1000000000000, "customer": "Grace Hopper", "tags": ["new", "red"]}' * 14
REQUEST: Final = b"\r\n".join(
    [
        b"POST /items?page=2 HTTP/1.1",
        b"Host: shop.example.org",
        b"User-Agent: load",
        b"Accept: */*",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(BODY),
        b"",
        BODY,
    ]
)


class Connection(asyncio.Protocol):
    """One connection; while active, it sends the next request as soon as a response is complete."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.is_active = False
        self.responses = 0
        self.size = 0  # of a response; 0 before the first one
        self.pending = b""
        self.missing = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        self.is_active = True
        self.responses = 0
        self.idle.clear()
        self.send_request()

    def send_request(self) -> None:
        self.missing = self.size
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        if not self.size:
            self.read_first_response(data)
            return
        self.missing -= len(data)
        if self.missing < 0:
            raise AssertionError("a response is longer than the first one")
        if self.missing == 0:
            self.end_response()

    def read_first_response(self, data: bytes) -> None:
        """Check that the first response is an echo, and store its size."""
        self.pending += data
        head, found, body = self.pending.partition(b"\r\n\r\n")
        if found and len(body) >= len(BODY):
            assert head.startswith(b"HTTP/1.1 200 "), head
            assert body == BODY
            self.size = len(self.pending)
            self.end_response()

    def end_response(self) -> None:
        self.responses += 1
        if self.is_active:
            self.send_request()
        else:
            self.idle.set()


async def connect(address: socket._RetAddress, count: int = CONNECTIONS) -> list[Connection]:
    loop = asyncio.get_running_loop()
    host, port = address
    return [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]


async def run(connections: list[Connection], seconds: float) -> tuple[int, float]:
    """Send requests for ``seconds`` and wait for the last responses; return their number and the time."""
    start = perf_counter()
    for connection in connections:
        connection.start()
    await asyncio.sleep(seconds)
    for connection in connections:
        connection.is_active = False
    await asyncio.wait_for(asyncio.gather(*(connection.idle.wait() for connection in connections)), 30)
    return sum(connection.responses for connection in connections), perf_counter() - start
