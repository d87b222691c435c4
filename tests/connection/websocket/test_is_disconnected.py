"""``is_disconnected()``, for tasks that only send."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from asgiwire.connection import WebSocket
from asgiwire.exceptions import WebSocketDisconnect
from tests.websocket_server import Server, binary, connected, disconnect, text

pytestmark = pytest.mark.anyio


async def test_sender_finds_the_disconnect() -> None:
    server = Server(text("a"), disconnect(code=1001, reason="away"))
    socket, sent = connected(server), 0
    with anyio.fail_after(5):
        while not await socket.is_disconnected():
            await socket.send_text("tick")
            sent += 1
    assert sent >= 1
    assert socket.close_code == 1001
    assert await socket.receive_text() == "a"
    with pytest.raises(WebSocketDisconnect) as caught:
        await socket.receive_text()
    assert (caught.value.code, caught.value.reason) == (1001, "away")
    with pytest.raises(WebSocketDisconnect):
        await socket.receive()


async def test_before_the_handshake_nothing_is_received() -> None:
    server = Server()
    socket = connected(server)
    assert not await socket.is_disconnected()
    assert server.calls == 0
    await socket.accept()
    assert not await socket.is_disconnected()
    assert server.sent_types == ["accept"]


async def test_after_our_close() -> None:
    socket = connected(Server())
    await socket.close()
    assert await socket.is_disconnected()


async def test_readers_get_the_messages_in_order() -> None:
    socket = connected(Server(text("a"), binary(b"b"), text("c"), disconnect()))
    await socket.accept()
    for _ in range(10):
        await socket.is_disconnected()
    assert [message async for message in socket] == ["a", b"b", "c"]


@pytest.mark.parametrize("read_message", [WebSocket.receive_text, WebSocket.receive_json])
async def test_while_another_task_is_receiving(read_message: Any) -> None:
    server, received = Server(), list[Any]()
    socket = connected(server)
    await socket.accept()

    async def read() -> None:
        received.append(await read_message(socket))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            calls = server.calls
            assert not await socket.is_disconnected()
            assert server.calls == calls
            group.cancel_scope.cancel()
    assert received == []
