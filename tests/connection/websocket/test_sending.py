"""Messages that a WebSocket sends."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

import anyio
import msgspec
import pytest
from anyio.lowlevel import checkpoint

from asgiwire.connection import WebSocket
from tests.websocket_server import ACCEPTED, Server, connected

pytestmark = pytest.mark.anyio


class Celsius:
    def __init__(self, degrees: int) -> None:
        self.degrees = degrees


class Weather(WebSocket):
    __slots__ = ()

    type_encoders: ClassVar[Any] = {Celsius: lambda value: f"{value.degrees} °C"}


async def test_text_and_bytes() -> None:
    server = Server()
    socket = connected(server)
    await socket.send_text("é")
    await socket.send_text(b"\xc3\xa9")
    await socket.send_text(b"\xe9", encoding="latin-1")
    await socket.send_bytes(b"\xff")
    await socket.send_bytes("é")
    await socket.send_bytes("é", "latin-1")
    await socket.send_data("")
    await socket.send_data(bytearray(b"a"), "binary")  # type: ignore[arg-type]  # accepted, not documented
    sent = [tuple(event.items())[1:] for event in server.sent[1:]]
    assert sent == [
        (("text", "é"),),
        (("text", "é"),),
        (("text", "é"),),
        (("bytes", b"\xff"),),
        (("bytes", b"\xc3\xa9"),),
        (("bytes", b"\xe9"),),
        (("text", ""),),
        (("bytes", b"a"),),
    ]


async def test_str_subclass_is_sent_as_str() -> None:
    class Colour(StrEnum):
        RED = "red"

    server = Server()
    await connected(server).send_text(Colour.RED)
    assert server.sent[1]["text"] == "red"
    assert type(server.sent[1]["text"]) is str


async def test_invalid_data_is_rejected_before_accept() -> None:
    server = Server()
    socket: Any = connected(server)
    with pytest.raises(TypeError, match="got int"):
        await socket.send_bytes(5)
    with pytest.raises(ValueError, match=r"^expected mode 'text' or 'binary', got None$"):
        await socket.send_data("a", mode=None)
    assert server.calls == 0


async def test_sending_accepts() -> None:
    server = Server()
    await connected(server).send_text("a")
    assert server.sent == [ACCEPTED, {"type": "websocket.send", "text": "a"}]


async def test_concurrent_sends_before_accept() -> None:
    server = Server()
    socket = connected(server)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(socket.send_text, str(number))
    assert server.sent_types == ["accept", *["send"] * 4]
    assert {event["text"] for event in server.sent[1:]} == {"0", "1", "2", "3"}


@pytest.mark.parametrize("name", ["send_text", "send_bytes", "send_json"])
async def test_concurrent_sends_keep_their_order_and_do_not_overlap(name: str) -> None:
    active, order = 0, list[str]()

    class SlowServer(Server):
        async def send(self, event: Any) -> None:
            nonlocal active
            active += 1
            assert active == 1
            await checkpoint()
            await super().send(event)
            active -= 1

    server = SlowServer()
    socket = connected(server)
    await socket.accept()

    async def send(data: str) -> None:
        order.append(data)
        await getattr(socket, name)(data)

    async with anyio.create_task_group() as group:
        for data in "123456":
            group.start_soon(send, data)
    sent = [event.get("text") or event["bytes"].decode() for event in server.sent[1:]]
    assert [data.strip('"') for data in sent] == order


async def test_json() -> None:
    server = Server()
    socket = connected(server)
    await socket.send_json({"é": 1})
    await socket.send_json([1], mode="binary")
    await socket.send_json("é", "text", "utf-16")
    assert server.sent[1:] == [
        {"type": "websocket.send", "text": '{"é":1}'},
        {"type": "websocket.send", "bytes": b"[1]"},
        {"type": "websocket.send", "text": '"é"'},
    ]


async def test_msgpack() -> None:
    server = Server()
    await connected(server).send_msgpack({"a": 1})
    assert server.sent[1:] == [{"type": "websocket.send", "bytes": b"\x81\xa1a\x01"}]


async def test_type_encoders_of_the_class() -> None:
    server = Server()
    socket = connected(server, Weather)
    await socket.send_json([Celsius(3)])
    await socket.send_msgpack(Celsius(3))
    assert server.sent[1]["text"] == '["3 °C"]'
    assert msgspec.msgpack.decode(server.sent[2]["bytes"]) == "3 °C"


async def test_serializer_argument_replaces_the_type_encoders() -> None:
    server = Server()
    socket = connected(server, Weather)
    await socket.send_json(Celsius(3), serializer=lambda value: value.degrees)
    await socket.send_msgpack(Celsius(3), serializer=lambda value: value.degrees)
    assert (server.sent[1]["text"], server.sent[2]["bytes"]) == ("3", b"\x03")


async def test_value_of_an_unsupported_type() -> None:
    server = Server()
    with pytest.raises(TypeError, match="Celsius"):
        await connected(server).send_json(Celsius(3))
    assert server.calls == 0
