"""A cancelled read or peek loses no message, also if the server's ``receive`` returns a future.

granian returns a future to which another thread may already be handing a message, so it must not be
cancelled. No server that returns futures runs on trio.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire.connection import WebSocket
from asgiwire.exceptions import WebSocketDisconnect, WebSocketStateError
from tests.websocket_server import CONNECT, Server, binary, connected, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

pytestmark = pytest.mark.anyio


async def first(values: AsyncGenerator[Any, None]) -> Any:
    async with aclosing(values):
        return await anext(values)


READERS: dict[str, tuple[Callable[[WebSocket], Any], Any, Any]] = {
    "receive": (lambda socket: socket.receive(), text("1"), text("1")),
    "receive_data": (lambda socket: socket.receive_data(), text("1"), "1"),
    "receive_text": (WebSocket.receive_text, text("1"), "1"),
    "receive_bytes": (WebSocket.receive_bytes, binary(b"1"), b"1"),
    "receive_json": (WebSocket.receive_json, text("1"), 1),
    "receive_msgpack": (WebSocket.receive_msgpack, binary(b"\x01"), 1),
    "async for": (WebSocket.__anext__, text("1"), "1"),
    "iter_data": (lambda socket: first(socket.iter_data()), text("1"), "1"),
    "iter_json": (lambda socket: first(socket.iter_json()), text("1"), 1),
    "iter_msgpack": (lambda socket: first(socket.iter_msgpack()), binary(b"\x01"), 1),
}


class FutureServer:
    """A server whose ``receive`` returns a future; a message for a cancelled future is lost."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[Any]] = []

    def receive(self) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        if not self.futures:
            future.set_result(CONNECT)
        self.futures.append(future)
        return future

    async def send(self, event: Any) -> None:
        pass

    def deliver(self, message: Any) -> None:
        assert not self.futures[-1].cancelled(), "the message is lost"
        self.futures[-1].set_result(message)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
class TestFutures:
    async def test_cancelled_read_loses_no_message(self, reader: str, anyio_backend: str) -> None:
        read, message, expected = READERS[reader]
        server = FutureServer()
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        for _ in range(2):
            with anyio.move_on_after(0.001):
                await read(socket)
                pytest.fail("there is no message")
        server.deliver(message)
        assert await read(socket) == expected
        assert len(server.futures) == 2

    async def test_message_that_arrives_with_the_cancellation_is_not_lost(
        self, reader: str, anyio_backend: str
    ) -> None:
        read, message, expected = READERS[reader]
        server = FutureServer()
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        task = asyncio.ensure_future(read(socket))
        await asyncio.sleep(0.001)
        server.deliver(message)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await read(socket) == expected

    async def test_peek_loses_no_message(self, reader: str, anyio_backend: str) -> None:
        read, message, expected = READERS[reader]
        server = FutureServer()
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        for _ in range(3):
            assert not await socket.is_disconnected()
        server.deliver(message)
        assert await read(socket) == expected
        assert len(server.futures) == 2

    async def test_peeked_message_is_read(self, reader: str, anyio_backend: str) -> None:
        read, message, expected = READERS[reader]
        server = FutureServer()
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        assert not await socket.is_disconnected()
        server.deliver(message)
        assert not await socket.is_disconnected()
        assert await read(socket) == expected

    async def test_second_reader_is_rejected(self, reader: str, anyio_backend: str) -> None:
        read, message, expected = READERS[reader]
        server = FutureServer()
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        task = asyncio.ensure_future(read(socket))
        await asyncio.sleep(0.001)
        with pytest.raises(WebSocketStateError):
            await read(socket)
        server.deliver(message)
        assert await task == expected


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_peek_finds_the_disconnect_of_a_pending_future(anyio_backend: str) -> None:
    server = FutureServer()
    socket = WebSocket(scope(), server.receive, server.send)
    await socket.accept()
    with anyio.move_on_after(0.001):
        await socket.receive_text()
    server.deliver(disconnect(code=1001))
    assert await socket.is_disconnected()
    with pytest.raises(WebSocketDisconnect) as caught:
        await socket.receive_text()
    assert caught.value.code == 1001


@pytest.mark.parametrize("reader", READERS)
async def test_cancelled_read_of_a_coroutine(reader: str) -> None:
    read, message, expected = READERS[reader]
    server = Server()
    socket = connected(server)
    await socket.accept()
    with anyio.move_on_after(0.001):
        await read(socket)
        pytest.fail("there is no message")
    server.script.append(message)
    assert await read(socket) == expected
