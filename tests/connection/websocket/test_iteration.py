"""Iteration over the messages of a WebSocket, until the client disconnects."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from asgiwire.exceptions import ValidationException, WebSocketDisconnect
from tests.websocket_server import Server, binary, connected, disconnect, text

pytestmark = pytest.mark.anyio


class Order(msgspec.Struct):
    name: str
    count: int = 1


async def test_iter_data() -> None:
    socket = connected(Server(text("a"), text(""), text("c"), disconnect(code=4001, reason="bye")))
    assert [data async for data in socket.iter_data()] == ["a", "", "c"]
    assert (socket.close_code, socket.close_reason) == (4001, "bye")


async def test_iter_data_binary() -> None:
    socket = connected(Server(binary(b"a"), binary(b""), disconnect()))
    assert [data async for data in socket.iter_data("binary")] == [b"a", b""]


async def test_websocket_and_iter_data_without_a_mode_return_both_kinds() -> None:
    socket = connected(Server(text("a"), binary(b"b"), disconnect()))
    assert [message async for message in socket] == ["a", b"b"]
    socket = connected(Server(text("a"), binary(b"b"), disconnect()))
    assert [message async for message in socket.iter_data(None)] == ["a", b"b"]


async def test_second_loop_continues_after_the_first() -> None:
    socket = connected(Server(text("a"), text("b"), disconnect()))
    async for message in socket:
        assert message == "a"
        break
    assert [message async for message in socket] == ["b"]
    assert [message async for message in socket] == []


async def test_iter_json() -> None:
    socket = connected(Server(text('{"a":1}'), text("[]"), disconnect()))
    assert [value async for value in socket.iter_json()] == [{"a": 1}, []]
    socket = connected(Server(binary(b"1"), text("2"), disconnect()))
    assert [value async for value in socket.iter_json(mode=None)] == [1, 2]


async def test_iter_msgpack() -> None:
    socket = connected(Server(binary(b"\x81\xa1a\x01"), disconnect()))
    assert [value async for value in socket.iter_msgpack()] == [{"a": 1}]


async def test_typed_iteration() -> None:
    orders = [Order("tea"), Order("cake", 2)]
    documents = [msgspec.json.encode(order) for order in orders]
    socket = connected(Server(*(text(document.decode()) for document in documents), disconnect()))
    assert [order async for order in socket.iter_json(type=Order)] == orders
    socket = connected(Server(*map(binary, documents), disconnect()))
    assert [order async for order in socket.iter_json("binary", type=Order)] == orders
    socket = connected(Server(*(binary(msgspec.msgpack.encode(order)) for order in orders), disconnect()))
    assert [order async for order in socket.iter_msgpack(type=Order)] == orders


async def test_rejected_message_ends_the_iterator_and_a_new_one_continues() -> None:
    socket = connected(Server(text("a"), binary(b"b"), text("c"), disconnect()))
    messages = socket.iter_data("text")
    assert await anext(messages) == "a"
    with pytest.raises(ValidationException) as caught:
        await anext(messages)
    assert caught.value.message == binary(b"b")
    with pytest.raises(StopAsyncIteration):
        await anext(messages)
    assert [data async for data in socket.iter_data("text")] == ["c"]


async def test_disconnect_raised_in_the_loop_body_propagates() -> None:
    server = Server(text("a"), disconnect())
    socket = connected(server)
    await socket.accept()
    server.error = lambda _event: OSError()

    async def echo() -> None:
        message: Any
        async for message in socket:
            await socket.send_data(message)

    with pytest.raises(WebSocketDisconnect):
        await echo()
