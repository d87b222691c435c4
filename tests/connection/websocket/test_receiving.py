"""Messages that a WebSocket receives: text, bytes, JSON, MessagePack, and the size limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from asgiwire.connection import WebSocket
from asgiwire.exceptions import (
    ProtocolError,
    RequestEntityTooLarge,
    SerializationException,
    ValidationException,
    WebSocketDisconnect,
    WebSocketStateError,
)
from asgiwire.limits import Limits
from asgiwire.serialization import encode_msgpack
from asgiwire.testing import RecordedSend, ScriptedReceive, websocket_scope
from tests.websocket_server import ACCEPTED, CONNECT, Server, binary, connected, disconnect, text

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio

BINARY_RECEIVED = "expected a text message, got a binary one; the exception has it as 'message'"
TEXT_RECEIVED = "expected a binary message, got a text one; the exception has it as 'message'"


class TestReceiving:
    async def test_text_and_bytes(self) -> None:
        socket = connected(Server(text("é"), binary(b"\0\xff"), text(""), binary(b"")))
        assert await socket.receive_text() == "é"
        assert await socket.receive_bytes() == b"\0\xff"
        assert await socket.receive_text() == ""
        assert await socket.receive_bytes() == b""

    async def test_without_a_mode_both_kinds_are_returned(self) -> None:
        socket = connected(Server(text("a"), binary(b"b"), text("c")))
        assert await socket.receive_data() == "a"
        assert await socket.receive_data(None) == b"b"
        assert await socket.receive_data(mode="text") == "c"

    async def test_message_with_both_keys(self) -> None:
        """One server always sends both keys; one of them is None."""
        socket = connected(Server({**text("a"), "bytes": None}, {**binary(b"b"), "text": None}))
        assert await socket.receive_text() == "a"
        assert await socket.receive_bytes() == b"b"

    async def test_bytes_of_another_type(self) -> None:
        message: Any = {"type": "websocket.receive", "bytes": bytearray(b"[1]")}
        socket = connected(Server(message, message))
        assert type(await socket.receive_bytes()) is bytes
        assert await socket.receive_json("binary") == [1]

    async def test_json_after_accept(self) -> None:
        socket = connected(Server(text("[1]"), binary(b"[2]"), text(""), text("[3]")))
        await socket.accept()
        assert await socket.receive_json() == [1]
        with pytest.raises(ValidationException, match="got a binary one") as caught:
            await socket.receive_json()
        assert caught.value.message == binary(b"[2]")
        with pytest.raises(SerializationException):
            await socket.receive_json()
        assert await socket.receive_json() == [3]
        assert socket.connection_state == "receive"

    @pytest.mark.parametrize("message", [{}, {"text": None}, {"bytes": None, "text": None}], ids=repr)
    @pytest.mark.parametrize("read", [WebSocket.receive_text, WebSocket.receive_json, WebSocket.receive_data])
    async def test_message_without_data(self, message: Any, read: Any) -> None:
        socket = connected(Server({"type": "websocket.receive", **message}, text("1")))
        with pytest.raises(ProtocolError, match="expected text or bytes"):
            await read(socket)
        assert str(await read(socket)) == "1"

    @pytest.mark.parametrize(
        "message",
        [{"type": "websocket.connect", "text": "1"}, {"type": "x", "bytes": b"1"}, {"text": "1"}],
        ids=["connect", "unknown", "missing"],
    )
    @pytest.mark.parametrize("read", [WebSocket.receive_text, WebSocket.receive_json, WebSocket.receive_data])
    async def test_message_of_an_unexpected_type(self, message: Any, read: Any) -> None:
        socket = connected(Server(message, text("2")))
        with pytest.raises(ProtocolError, match="unexpected ASGI message type"):
            await read(socket)
        assert str(await read(socket)) == "2"

    async def test_invalid_mode(self) -> None:
        server = Server(text("a"))
        socket: Any = connected(server)
        with pytest.raises(ValueError, match=r"^expected mode 'text' or 'binary', got 'bytes'$"):
            await socket.receive_data("bytes")
        assert server.calls == 0

    async def test_reading_accepts(self) -> None:
        server = Server(text("a"))
        await connected(server).receive_text()
        assert server.sent == [ACCEPTED]

    async def test_reading_accepts_after_a_raw_receive_of_the_connect_event(self) -> None:
        server = Server(text("a"))
        socket = connected(server)
        assert await socket.receive() == CONNECT
        assert await socket.receive_text() == "a"
        assert server.sent == [ACCEPTED]

    async def test_client_disconnected_before_the_handshake(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        with pytest.raises(WebSocketDisconnect) as caught:
            await connected(server).receive_text()
        assert caught.value.code == 1006
        assert server.sent == []

    async def test_second_reader_is_rejected(self) -> None:
        server, received = Server(), list[str]()
        socket = connected(server)
        await socket.accept()

        async def read() -> None:
            received.append(await socket.receive_text())

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(read)
                await anyio.wait_all_tasks_blocked()
                for second in (socket.receive_text, socket.receive_json, socket.receive):
                    with pytest.raises(WebSocketStateError, match="another task is receiving"):
                        await second()
                group.cancel_scope.cancel()
        server.script.append(text("a"))
        assert await socket.receive_text() == "a"
        assert received == []

    async def test_concurrent_read_and_send_before_accept(self) -> None:
        """Both tasks accept, and neither counts as a second reader."""
        server, received = Server(text("a")), list[str]()
        socket = connected(server)

        async def read() -> None:
            received.append(await socket.receive_text())

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(read)
                group.start_soon(socket.send_text, "b")
        assert received == ["a"]
        assert server.sent_types == ["accept", "send"]


class Order(msgspec.Struct):
    name: str
    count: int = 1


READERS: dict[str, Callable[[WebSocket], Any]] = {
    "receive_text": WebSocket.receive_text,
    "receive_bytes": WebSocket.receive_bytes,
    "receive_data, text": lambda socket: socket.receive_data("text"),
    "receive_data, binary": lambda socket: socket.receive_data("binary"),
    "receive_json": WebSocket.receive_json,
    "receive_json, binary": lambda socket: socket.receive_json("binary"),
    "receive_json, either": lambda socket: socket.receive_json(None),
    "receive_json, typed": lambda socket: socket.receive_json(type=Order),
    "receive_json, typed, binary": lambda socket: socket.receive_json("binary", type=Order),
    "receive_msgpack": WebSocket.receive_msgpack,
    "receive_msgpack, typed": lambda socket: socket.receive_msgpack(type=Order),
    "iter_data": lambda socket: anext(socket.iter_data()),
    "iter_json": lambda socket: anext(socket.iter_json(type=Order)),
    "iter_msgpack": lambda socket: anext(socket.iter_msgpack(type=Order)),
}


class TestRejectedMessages:
    """A rejected message is the ``message`` of the exception, and is consumed."""

    @pytest.mark.parametrize(
        ("reader", "message", "error"),
        [
            ("receive_text", binary(b"a"), ValidationException),
            ("receive_text", binary(b""), ValidationException),
            ("receive_text", {**binary(b"a"), "text": None}, ValidationException),
            ("receive_bytes", text("a"), ValidationException),
            ("receive_bytes", text(""), ValidationException),
            ("receive_data, text", binary(b"a"), ValidationException),
            ("receive_data, binary", text("a"), ValidationException),
            ("receive_json", binary(b"[]"), ValidationException),
            ("receive_json", text("{"), SerializationException),
            ("receive_json, binary", text("[]"), ValidationException),
            ("receive_json, binary", binary(b"{"), SerializationException),
            ("receive_json, either", binary(b"{"), SerializationException),
            ("receive_json, typed", text("1"), ValidationException),
            ("receive_json, typed", text("{"), SerializationException),
            ("receive_json, typed, binary", binary(b"1"), ValidationException),
            ("receive_msgpack", text("a"), ValidationException),
            ("receive_msgpack", binary(b"\x93"), SerializationException),
            ("receive_msgpack, typed", binary(b"\x01"), ValidationException),
            ("iter_data", binary(b"a"), ValidationException),
            ("iter_json", text("1"), ValidationException),
            ("iter_msgpack", binary(b"\x01"), ValidationException),
        ],
    )
    async def test_is_on_the_exception_and_the_next_read_continues(
        self, reader: str, message: Any, error: type[ValidationException | SerializationException]
    ) -> None:
        server = Server(message, text("next"))
        socket = connected(server)
        with pytest.raises(error) as caught:
            await READERS[reader](socket)
        assert caught.value.message == message
        assert not socket.disconnected
        assert await socket.receive_data() == "next"
        assert server.calls == 3

    async def test_error_of_the_wrong_mode(self) -> None:
        socket = connected(Server(text("secret"), binary(b"secret")))
        with pytest.raises(ValidationException) as caught:
            await socket.receive_bytes()
        assert str(caught.value) == TEXT_RECEIVED
        with pytest.raises(ValidationException) as caught:
            await socket.receive_text()
        assert str(caught.value) == BINARY_RECEIVED

    async def test_loop_that_continues_after_errors(self) -> None:
        server = Server(binary(b"a"), text("b"), binary(b"c"), text("d"), disconnect())
        socket, seen = connected(server), list[Any]()
        with anyio.fail_after(5):
            while not socket.disconnected:
                try:
                    seen.append(await socket.receive_text())
                except ValidationException as error:
                    assert error.message is not None
                    seen.append(error.message["bytes"])
                except WebSocketDisconnect:
                    seen.append("end")
        assert seen == [b"a", "b", b"c", "d", "end"]
        assert server.calls == 6

    async def test_peeked_message_can_be_rejected(self) -> None:
        socket = connected(Server(binary(b"a"), text("b")))
        await socket.accept()
        for _ in range(10):
            await socket.is_disconnected()
        with pytest.raises(ValidationException) as caught:
            await socket.receive_text()
        assert caught.value.message == binary(b"a")
        assert await socket.receive_text() == "b"

    async def test_other_errors_have_no_message(self) -> None:
        class Limited(WebSocket):
            limits = Limits(max_message_size=1)

        with pytest.raises(RequestEntityTooLarge) as caught:
            await connected(Server(text("ab")), Limited).receive_text()
        assert caught.value.message is None


class TestDecoding:
    async def test_json(self) -> None:
        socket = connected(
            Server(text('{"é":[1]}'), binary(b"\xef\xbb\xbf[]"), text("null"), text("\ufeff1"))
        )
        assert await socket.receive_json() == {"é": [1]}
        assert await socket.receive_json(mode="binary") == []
        assert await socket.receive_json("text") is None
        assert await socket.receive_json() == 1

    async def test_msgpack(self) -> None:
        socket = connected(Server(binary(b"\x93\x01\x02\x03")))
        assert await socket.receive_msgpack() == [1, 2, 3]

    @pytest.mark.parametrize(
        "document",
        ['{"a":', "", "[" * 100_000, '"\ud800"'],
        ids=["truncated", "empty", "nested", "surrogate"],
    )
    async def test_malformed_json(self, document: str) -> None:
        socket = connected(Server(text(document), text("1")))
        with pytest.raises(SerializationException):
            await socket.receive_json()
        assert await socket.receive_json() == 1


class Celsius:
    def __init__(self, degrees: int) -> None:
        self.degrees = degrees


def packed(value: Any) -> dict[str, Any]:
    return binary(msgspec.msgpack.encode(value))


class TestTypedReads:
    async def test_json(self) -> None:
        socket = connected(Server(text('{"name":"tea"}'), binary(b"[1,2]"), text('"a"'), text("1")))
        assert await socket.receive_json(type=Order) == Order("tea")
        assert await socket.receive_json("binary", type=list[int]) == [1, 2]
        assert await socket.receive_json(mode=None, type=str) == "a"
        assert await socket.receive_json(type=int | None) == 1

    async def test_msgpack(self) -> None:
        socket = connected(Server(packed({"name": "tea"}), packed([1, 2])))
        assert await socket.receive_msgpack(type=Order) == Order("tea")
        assert await socket.receive_msgpack(type=list[int]) == [1, 2]

    async def test_type_decoders_of_the_class(self) -> None:
        class Thermometer(WebSocket):
            type_decoders = ((lambda kind: kind is Celsius, lambda kind, value: kind(value)),)

        socket = connected(Server(text("3"), packed(4)), Thermometer)
        assert (await socket.receive_json(type=Celsius)).degrees == 3
        assert (await socket.receive_msgpack(type=Celsius)).degrees == 4

    @pytest.mark.parametrize(
        ("message", "error", "detail"),
        [
            (
                text('{"name":"secret","count":"secret"}'),
                ValidationException,
                "Expected `int`, got `str` - at `$.count`",
            ),
            (text("{}"), ValidationException, "Object missing required field `name`"),
            (text('{"name":'), SerializationException, "Input data was truncated"),
            (text(""), SerializationException, "Input data was truncated"),
            (binary(b"{}"), ValidationException, BINARY_RECEIVED),
        ],
        ids=["wrong type", "missing field", "truncated", "empty", "other mode"],
    )
    async def test_json_errors_name_the_place_and_show_no_data(
        self, message: Any, error: type[Exception], detail: str
    ) -> None:
        socket = connected(Server(message, text('{"name":"next"}')))
        with pytest.raises(error) as caught:
            await socket.receive_json(type=Order)
        assert str(caught.value) == detail
        assert not socket.disconnected
        assert await socket.receive_json(type=Order) == Order("next")

    async def test_msgpack_errors(self) -> None:
        socket = connected(
            Server(packed({"name": 1}), binary(b"\x81\xa4name"), text("a"), packed({"name": "next"}))
        )
        for error, detail in (
            (ValidationException, "Expected `str`, got `int` - at `$.name`"),
            (SerializationException, "Input data was truncated"),
            (ValidationException, TEXT_RECEIVED),
        ):
            with pytest.raises(error) as caught:
                await socket.receive_msgpack(type=Order)
            assert str(caught.value) == detail
        assert await socket.receive_msgpack(type=Order) == Order("next")


class TestSizeLimit:
    """``max_message_size`` bytes; text is counted in UTF-8."""

    @staticmethod
    def limited(maximum: int | None, server: Server) -> WebSocket:
        class Limited(WebSocket):
            limits = Limits(max_message_size=maximum)

        return connected(server, Limited)

    @pytest.mark.parametrize("message", [text("abcd"), text("éé"), text("😀"), binary(b"\xff" * 4)], ids=repr)
    async def test_at_the_limit(self, message: Any) -> None:
        socket = self.limited(4, Server(text("1"), message, message))
        assert await socket.receive_data() == "1"
        assert await socket.receive_data() == message.get("text", message.get("bytes"))
        read = socket.receive_text if "text" in message else socket.receive_bytes
        assert await read() == message.get("text", message.get("bytes"))

    @pytest.mark.parametrize("name", ["receive_data", "receive_text", "receive_json"])
    @pytest.mark.parametrize(
        "message", [text("abcde"), text("ééa"), text("😀a"), binary(b"\xff" * 5)], ids=repr
    )
    async def test_above_the_limit_closes_and_raises(self, message: Any, name: str) -> None:
        """RFC 6455 section 7.4.1: 1009 is for a message that "is too big for it to process"."""
        if "bytes" in message:
            name = "receive_bytes"
        server = Server(message, text("more"))
        socket = self.limited(4, server)
        await socket.accept()
        with pytest.raises(RequestEntityTooLarge) as caught:
            await getattr(socket, name)()
        assert (caught.value.limit, caught.value.maximum) == ("max_message_size", 4)
        assert str(caught.value) == (
            "the message exceeds max_message_size=4; raise it with Limits(max_message_size=...) on the class"
        )
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1009, "reason": ""}]
        assert (socket.disconnected, socket.close_code) == (True, 1009)

    async def test_connection_lost_during_the_close(self) -> None:
        server = Server(text("abcde"))
        socket = self.limited(4, server)
        await socket.accept()
        server.error = lambda _event: OSError()
        with pytest.raises(RequestEntityTooLarge):
            await socket.receive_text()
        assert socket.close_code == 1006

    async def test_zero(self) -> None:
        socket = self.limited(0, Server(text(""), text("a")))
        assert await socket.receive_text() == ""
        with pytest.raises(RequestEntityTooLarge):
            await socket.receive_text()

    async def test_none_means_no_limit(self) -> None:
        large = "a" * 20_000_000
        assert await self.limited(None, Server(text(large))).receive_text() == large

    async def test_default_is_16_mib(self) -> None:
        with pytest.raises(RequestEntityTooLarge):
            await connected(Server(text("a" * (16 * 1024 * 1024 + 1)))).receive_text()

    async def test_limits_may_be_a_property(self) -> None:
        class Limited(WebSocket):
            @property
            def limits(self) -> Limits:
                return Limits(max_message_size=1)

        with pytest.raises(RequestEntityTooLarge):
            await connected(Server(text("ab")), Limited).receive_text()

    async def test_iteration(self) -> None:
        socket = self.limited(4, Server(text("abcde")))
        with pytest.raises(RequestEntityTooLarge):
            await anext(socket)


async def test_max_values() -> None:
    class Small(WebSocket):
        limits = Limits(max_values=3)

    messages = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": "[1,2,3]"},
        {"type": "websocket.receive", "bytes": encode_msgpack([1, 2, 3])},
        {"type": "websocket.receive", "text": "[1,2]"},
    ]
    socket = Small(websocket_scope(), ScriptedReceive(*messages), RecordedSend())
    with pytest.raises(RequestEntityTooLarge, match="max_values=3") as caught:
        await socket.receive_json()
    assert caught.value.message == messages[1]
    with pytest.raises(RequestEntityTooLarge, match="max_values=3"):
        await socket.receive_msgpack()
    assert await socket.receive_json() == [1, 2]
