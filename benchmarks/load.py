"""The load generator of the server part: connections that are kept, each with one request under way.

As a client it is as cheap as it can be: it knows from the first answer how long the others are, and counts
bytes. So nearly all the time is the server's.
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
    """One connection; while it is active, it sends the next request as soon as it has an answer."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.is_active = False
        self.answered = 0
        self.size = 0  # of an answer; not known before the first
        self.pending = b""
        self.missing = 0
        self.idle = asyncio.Event()
        self.idle.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        self.is_active = True
        self.answered = 0
        self.idle.clear()
        self.next()

    def next(self) -> None:
        self.missing = self.size
        self.transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        if not self.size:
            self.learn(data)
            return
        self.missing -= len(data)
        if self.missing < 0:
            raise AssertionError("an answer is longer than the first one")
        if self.missing == 0:
            self.finished()

    def learn(self, data: bytes) -> None:
        """Take the first answer, which has to be an echo."""
        self.pending += data
        head, found, body = self.pending.partition(b"\r\n\r\n")
        if found and len(body) >= len(BODY):
            assert head.startswith(b"HTTP/1.1 200 "), head
            assert body == BODY
            self.size = len(self.pending)
            self.finished()

    def finished(self) -> None:
        self.answered += 1
        if self.is_active:
            self.next()
        else:
            self.idle.set()


async def connected(address: socket._RetAddress, count: int = CONNECTIONS) -> list[Connection]:
    loop = asyncio.get_running_loop()
    host, port = address
    return [(await loop.create_connection(Connection, host, port))[1] for _ in range(count)]


async def run(connections: list[Connection], seconds: float) -> tuple[int, float]:
    """Load a server for so long and until it has answered everything: answers, and seconds in the end."""
    start = perf_counter()
    for connection in connections:
        connection.start()
    await asyncio.sleep(seconds)
    for connection in connections:
        connection.is_active = False
    await asyncio.wait_for(asyncio.gather(*(connection.idle.wait() for connection in connections)), 30)
    return sum(connection.answered for connection in connections), perf_counter() - start
