"""The messages of a WebSocket, both ways, and conversations recorded from real servers."""

from __future__ import annotations

from contextlib import aclosing
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import msgspec
import pytest
from anyio.lowlevel import checkpoint

from asgiwire._websocket.states import OPEN
from asgiwire.connection import WebSocket
from asgiwire.exceptions import (
    ProtocolError,
    RequestEntityTooLarge,
    SerializationException,
    ValidationException,
    WebSocketDisconnect,
    WebSocketException,
    WebSocketStateError,
)
from asgiwire.limits import Limits
from tests.fixtures import BLOCKED, load_receives
from tests.websocket_server import ACCEPTED, CONNECT, Server, binary, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from asgiwire.types import WebSocketMode

pytestmark = pytest.mark.anyio

BINARY_CAME = "a text message was wanted and a binary one came; it is kept, and receive_bytes() reads it"
TEXT_CAME = "a binary message was wanted and a text one came; it is kept, and receive_text() reads it"


def connected(server: Server, kind: type[WebSocket] = WebSocket) -> WebSocket:
    return kind(scope(), server.receive, server.send)


class TestReceiving:
    """One message at a time."""

    async def test_text_and_bytes_as_they_came(self) -> None:
        websocket = connected(Server(text("é"), binary(b"\0\xff"), text(""), binary(b"")))
        assert await websocket.receive_text() == "é"
        assert await websocket.receive_bytes() == b"\0\xff"
        assert await websocket.receive_text() == ""
        assert await websocket.receive_bytes() == b""

    async def test_without_a_mode_either_is_taken(self) -> None:
        websocket = connected(Server(text("a"), binary(b"b"), text("c")))
        assert await websocket.receive_data() == "a"
        assert await websocket.receive_data(None) == b"b"
        assert await websocket.receive_data(mode="text") == "c"

    async def test_both_keys_may_be_there(self) -> None:
        """One server always sends both, the other being None."""
        websocket = connected(Server({**text("a"), "bytes": None}, {**binary(b"b"), "text": None}))
        assert await websocket.receive_text() == "a"
        assert await websocket.receive_bytes() == b"b"

    @pytest.mark.parametrize("message", [{}, {"text": None}, {"bytes": None, "text": None}], ids=repr)
    async def test_a_message_without_anything(self, message: Any) -> None:
        websocket = connected(Server({"type": "websocket.receive", **message}, text("next")))
        with pytest.raises(ProtocolError, match="without text or bytes"):
            await websocket.receive_text()
        assert await websocket.receive_text() == "next"

    async def test_no_such_mode(self) -> None:
        server = Server(text("a"))
        websocket: Any = connected(server)
        with pytest.raises(ValueError, match=r"^mode is 'text' or 'binary', not 'bytes'$"):
            await websocket.receive_data("bytes")
        assert server.asked == 0

    async def test_reading_accepts(self) -> None:
        server = Server(text("a"))
        await connected(server).receive_text()
        assert server.sent == [ACCEPTED]

    async def test_reading_accepts_after_the_connect_event_was_received_by_hand(self) -> None:
        server = Server(text("a"))
        websocket = connected(server)
        assert await websocket.receive() == CONNECT
        assert await websocket.receive_text() == "a"
        assert server.sent == [ACCEPTED]

    async def test_reading_when_the_client_left_before_the_handshake(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        with pytest.raises(WebSocketDisconnect) as caught:
            await connected(server).receive_text()
        assert caught.value.code == 1006
        assert server.sent == []

    async def test_a_second_reader_is_refused(self) -> None:
        server, got = Server(), list[str]()
        websocket = connected(server)
        await websocket.accept()

        async def reader() -> None:
            got.append(await websocket.receive_text())

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(reader)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(WebSocketStateError, match="another task is receiving"):
                    await websocket.receive_text()
                group.cancel_scope.cancel()
        server.script.append(text("a"))
        assert await websocket.receive_text() == "a"
        assert got == []

    async def test_reading_and_writing_at_once_before_accept(self) -> None:
        """Neither task has accepted, both have to, and neither takes the other's part for a second reader."""
        server, got = Server(text("a")), list[str]()
        websocket = connected(server)

        async def reader() -> None:
            got.append(await websocket.receive_text())

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(reader)
                group.start_soon(websocket.send_text, "b")
        assert got == ["a"]
        assert server.sent_types == ["accept", "send"]


class TestRefusing:
    """A message that a read does not want lies aside for one that does, and is in nobody's way."""

    @pytest.mark.parametrize("data", ["a", ""])
    async def test_text_where_bytes_are_wanted(self, data: str) -> None:
        websocket = connected(Server(text(data), binary(b"next")))
        with pytest.raises(ValidationException) as caught:
            await websocket.receive_bytes()
        assert str(caught.value) == TEXT_CAME
        assert await websocket.receive_text() == data
        assert await websocket.receive_bytes() == b"next"

    @pytest.mark.parametrize("data", [b"a", b""])
    async def test_bytes_where_text_is_wanted(self, data: bytes) -> None:
        websocket = connected(Server(binary(data), text("next")))
        with pytest.raises(ValidationException) as caught:
            await websocket.receive_text()
        assert str(caught.value) == BINARY_CAME
        assert await websocket.receive_bytes() == data
        assert await websocket.receive_text() == "next"

    @pytest.mark.parametrize("read", ["receive_data", "__anext__"])
    async def test_whoever_takes_either_gets_it_first(self, read: str) -> None:
        websocket = connected(Server(binary(b"a"), text("b")))
        with pytest.raises(ValidationException):
            await websocket.receive_text()
        assert [await getattr(websocket, read)() for _ in range(2)] == [b"a", "b"]

    async def test_the_same_read_again_goes_on(self) -> None:
        """Else the loop that answers with the error and goes on would do so for ever."""
        websocket = connected(Server(binary(b"a"), text("b"), text("c")))
        with pytest.raises(ValidationException):
            await websocket.receive_text()
        assert await websocket.receive_text() == "b"
        assert await websocket.receive_bytes() == b"a"
        assert await websocket.receive_text() == "c"

    async def test_only_the_last_is_kept(self) -> None:
        """A client that sends nothing else fills no memory."""
        websocket = connected(Server(binary(b"a"), binary(b"b"), disconnect()))
        for _ in range(2):
            with pytest.raises(ValidationException):
                await websocket.receive_text()
        assert await websocket.receive_data() == b"b"
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_data()

    async def test_a_loop_that_goes_on_is_told_once_of_each(self) -> None:
        server = Server(binary(b"a"), text("b"), binary(b"c"), text("d"), disconnect())
        websocket, seen = connected(server), list[str]()
        with anyio.fail_after(5):
            while not websocket.disconnected:
                try:
                    seen.append(await websocket.receive_text())
                except ValidationException:
                    seen.append("error")
                except WebSocketDisconnect:
                    seen.append("end")
        assert seen == ["error", "b", "error", "d", "end"]
        assert server.asked == 6

    async def test_a_raw_receive_goes_on_too(self) -> None:
        """What was refused was received already."""
        websocket = connected(Server(text("a"), text("b")))
        with pytest.raises(ValidationException):
            await websocket.receive_bytes()
        assert await websocket.receive() == text("b")
        assert await websocket.receive_text() == "a"

    @pytest.mark.parametrize("how", ["send", "receive"])
    async def test_it_outlives_the_connection(self, how: str) -> None:
        server = Server(text("a"), *([disconnect()] if how == "receive" else []))
        websocket = connected(server)
        with pytest.raises(ValidationException):
            await websocket.receive_bytes()
        server.refuse = lambda _event: OSError()
        with pytest.raises(WebSocketDisconnect):
            await (websocket.send_text("b") if how == "send" else websocket.receive_bytes())
        assert await websocket.receive_text() == "a"
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_text()

    async def test_a_limit_holds_for_it(self) -> None:
        class Limited(WebSocket):
            limits = Limits(max_message_size=1)

        websocket = connected(Server(text("ab")), Limited)
        with pytest.raises(ValidationException):
            await websocket.receive_bytes()
        with pytest.raises(RequestEntityTooLarge):
            await websocket.receive_text()
        assert websocket.close_code == 1009


class TestDisconnect:
    """The client left: once and for all, with the code and the reason that it gave."""

    @pytest.mark.parametrize(
        ("values", "code", "reason"),
        [
            ({"code": 1001, "reason": "away"}, 1001, "away"),
            ({"code": 4321}, 4321, ""),
            ({}, 1005, ""),
            ({"code": None, "reason": None}, 1005, ""),
        ],
        ids=["both", "no reason", "neither", "None"],
    )
    async def test_code_and_reason(self, values: dict[str, Any], code: int, reason: str) -> None:
        server = Server(disconnect(**values), disconnect(code=1005))
        websocket = connected(server)
        for action in (websocket.receive_text, websocket.receive_bytes, websocket.receive, websocket.accept):
            with pytest.raises(WebSocketDisconnect) as caught:
                await action()
            assert (caught.value.code, caught.value.reason) == (code, reason)
            assert type(caught.value.code) is int
        assert (websocket.close_code, websocket.close_reason) == (code, reason)
        assert server.asked == 2

    async def test_writing_afterwards(self) -> None:
        server = Server(disconnect(code=1001, reason="away"))
        websocket = connected(server)
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_text()
        for sending in (websocket.send_text("a"), websocket.send_json({}), websocket.send_msgpack({})):
            with pytest.raises(
                WebSocketDisconnect, match=r"^the WebSocket is closed \(code 1001, reason 'away'\)$"
            ):
                await sending
        assert server.sent_types == ["accept"]

    async def test_writing_after_our_own_close(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        await websocket.close(4001, "bye")
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.send_text("a")
        assert (caught.value.code, caught.value.reason) == (4001, "bye")
        assert server.sent_types == ["accept", "close"]

    async def test_reading_after_our_own_close(self) -> None:
        """What was on its way still comes, then the end under our own code."""
        websocket = connected(Server(text("late"), disconnect(code=1005)))
        await websocket.accept()
        await websocket.close(4001)
        assert await websocket.receive_text() == "late"
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
        assert caught.value.code == websocket.close_code == 4001

    @pytest.mark.parametrize(
        "send",
        [lambda it: it.send_text("a"), lambda it: it.send_bytes(b"a"), lambda it: it.send_json("a")],
        ids=["text", "bytes", "JSON"],
    )
    async def test_the_server_finds_the_connection_lost(self, send: Any) -> None:
        """ASGI 2.4: the server's send raises an OSError, and nobody has to know of which server."""
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        server.refuse = lambda _event: ConnectionResetError("peer")
        for action in (send, send, WebSocket.receive_text, WebSocket.receive_json, WebSocket.receive_data):
            with anyio.fail_after(5), pytest.raises(WebSocketDisconnect) as caught:
                await action(websocket)
            assert caught.value.code == websocket.close_code == 1006
            server.refuse = lambda _event: None
        assert (server.sent_types, server.asked) == (["accept"], 1)
        assert websocket.connection_state == "disconnect"

    @pytest.mark.parametrize("how", ["send_text", "send_bytes", "send_json"])
    async def test_the_servers_other_errors_are_its_own(self, how: str) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.accept()
        server.refuse = lambda _event: RuntimeError("server")
        with pytest.raises(RuntimeError, match=r"^server$"):
            await getattr(websocket, how)("a")
        server.refuse = lambda _event: None
        await getattr(websocket, how)("b")
        assert server.sent_types == ["accept", "send"]


class TestIteration:
    """Until the client leaves."""

    async def test_data(self) -> None:
        websocket = connected(Server(text("a"), text(""), text("c"), disconnect(code=4001, reason="bye")))
        assert [data async for data in websocket.iter_data()] == ["a", "", "c"]
        assert (websocket.close_code, websocket.close_reason) == (4001, "bye")

    async def test_binary_data(self) -> None:
        websocket = connected(Server(binary(b"a"), binary(b""), disconnect()))
        assert [data async for data in websocket.iter_data("binary")] == [b"a", b""]

    async def test_the_object_itself_and_no_mode_take_either(self) -> None:
        websocket = connected(Server(text("a"), binary(b"b"), disconnect()))
        assert [message async for message in websocket] == ["a", b"b"]
        websocket = connected(Server(text("a"), binary(b"b"), disconnect()))
        assert [message async for message in websocket.iter_data(None)] == ["a", b"b"]

    async def test_it_goes_on_where_it_was_left(self) -> None:
        websocket = connected(Server(text("a"), text("b"), disconnect()))
        async for message in websocket:
            assert message == "a"
            break
        assert [message async for message in websocket] == ["b"]
        assert [message async for message in websocket] == []

    async def test_json(self) -> None:
        websocket = connected(Server(text('{"a":1}'), text("[]"), disconnect()))
        assert [value async for value in websocket.iter_json()] == [{"a": 1}, []]
        websocket = connected(Server(binary(b"1"), text("2"), disconnect()))
        assert [value async for value in websocket.iter_json(mode=None)] == [1, 2]

    async def test_msgpack(self) -> None:
        websocket = connected(Server(binary(b"\x81\xa1a\x01"), disconnect()))
        assert [value async for value in websocket.iter_msgpack()] == [{"a": 1}]

    async def test_the_other_mode_is_an_error_and_the_message_is_kept(self) -> None:
        websocket = connected(Server(text("a"), binary(b"b"), disconnect()))
        messages = websocket.iter_data("text")
        assert await anext(messages) == "a"
        with pytest.raises(ValidationException):
            await anext(messages)
        assert await websocket.receive_bytes() == b"b"

    async def test_a_disconnect_that_the_loop_itself_meets_is_not_swallowed(self) -> None:
        server = Server(text("a"), disconnect())
        websocket = connected(server)
        await websocket.accept()
        server.refuse = lambda _event: OSError()

        async def echo() -> None:
            async for data in websocket:
                await websocket.send_data(data)

        with pytest.raises(WebSocketDisconnect):
            await echo()


class TestDecoding:
    """JSON and MessagePack."""

    async def test_json(self) -> None:
        websocket = connected(Server(text('{"é":[1]}'), binary(b"\xef\xbb\xbf[]"), text("null")))
        assert await websocket.receive_json() == {"é": [1]}
        assert await websocket.receive_json(mode="binary") == []
        assert await websocket.receive_json("text") is None

    async def test_json_of_the_other_mode_is_kept(self) -> None:
        websocket = connected(Server(binary(b"[]")))
        with pytest.raises(ValidationException) as caught:
            await websocket.receive_json()
        assert str(caught.value) == BINARY_CAME
        assert await websocket.receive_json("binary") == []

    async def test_msgpack(self) -> None:
        websocket = connected(Server(binary(b"\x93\x01\x02\x03"), text("{}")))
        assert await websocket.receive_msgpack() == [1, 2, 3]
        with pytest.raises(ValidationException):
            await websocket.receive_msgpack()

    @pytest.mark.parametrize(
        "document", ['{"a":', "", "[" * 100_000, '"\ud800"'], ids=["cut", "empty", "deep", "bad"]
    )
    async def test_malformed_json(self, document: str) -> None:
        websocket = connected(Server(text(document), text("1")))
        with pytest.raises(SerializationException):
            await websocket.receive_json()
        assert await websocket.receive_json() == 1

    async def test_malformed_msgpack(self) -> None:
        websocket = connected(Server(binary(b"\x93"), binary(b"\x01")))
        with pytest.raises(SerializationException):
            await websocket.receive_msgpack()
        assert await websocket.receive_msgpack() == 1


class Order(msgspec.Struct):
    name: str
    count: int = 1


class Cancel(msgspec.Struct):
    cancel: str


async def first(messages: AsyncGenerator[Any, None]) -> Any:
    async with aclosing(messages):
        return await anext(messages)


def packed(value: Any) -> dict[str, Any]:
    return binary(msgspec.msgpack.encode(value))


class TestTyped:
    """``type=``: decoded and validated by msgspec."""

    async def test_json(self) -> None:
        websocket = connected(Server(text('{"name":"tea"}'), binary(b"[1,2]"), text('"a"'), text("1")))
        assert await websocket.receive_json(type=Order) == Order("tea")
        assert await websocket.receive_json("binary", type=list[int]) == [1, 2]
        assert await websocket.receive_json(mode=None, type=str) == "a"
        assert await websocket.receive_json(type=int | None) == 1

    async def test_msgpack(self) -> None:
        websocket = connected(Server(packed({"name": "tea"}), packed([1, 2])))
        assert await websocket.receive_msgpack(type=Order) == Order("tea")
        assert await websocket.receive_msgpack(type=list[int]) == [1, 2]

    async def test_iteration(self) -> None:
        orders = [Order("tea"), Order("cake", 2)]
        websocket = connected(
            Server(*(text(msgspec.json.encode(it).decode()) for it in orders), disconnect())
        )
        assert [order async for order in websocket.iter_json(type=Order)] == orders
        websocket = connected(Server(*(binary(msgspec.json.encode(it)) for it in orders), disconnect()))
        assert [order async for order in websocket.iter_json("binary", type=Order)] == orders
        websocket = connected(Server(*map(packed, orders), disconnect()))
        assert [order async for order in websocket.iter_msgpack(type=Order)] == orders

    async def test_decoders_of_the_class(self) -> None:
        class Thermometer(WebSocket):
            type_decoders = ((lambda kind: kind is Celsius, lambda kind, value: kind(value)),)

        websocket = connected(Server(text("3"), packed(4)), Thermometer)
        assert (await websocket.receive_json(type=Celsius)).degrees == 3
        assert (await websocket.receive_msgpack(type=Celsius)).degrees == 4

    @pytest.mark.parametrize(
        ("message", "error", "sentence"),
        [
            (
                text('{"name":"secret","count":"secret"}'),
                ValidationException,
                "Expected `int`, got `str` - at `$.count`",
            ),
            (text("{}"), ValidationException, "Object missing required field `name`"),
            (text('{"name":'), SerializationException, "Input data was truncated"),
            (text(""), SerializationException, "Input data was truncated"),
            (
                binary(b"{}"),
                ValidationException,
                BINARY_CAME,
            ),
        ],
        ids=["wrong type", "missing", "cut", "empty", "other mode"],
    )
    async def test_errors_name_the_place_and_show_nothing(
        self, message: Any, error: type[Exception], sentence: str
    ) -> None:
        websocket = connected(Server(message, text('{"name":"next"}')))
        with pytest.raises(error) as caught:
            await websocket.receive_json(type=Order)
        assert str(caught.value) == sentence
        assert not websocket.disconnected
        assert await websocket.receive_json(type=Order) == Order("next")

    async def test_errors_of_msgpack(self) -> None:
        websocket = connected(
            Server(packed({"name": 1}), binary(b"\x81\xa4name"), text("a"), packed({"name": "next"}))
        )
        for error, sentence in (
            (ValidationException, "Expected `str`, got `int` - at `$.name`"),
            (SerializationException, "Input data was truncated"),
            (ValidationException, TEXT_CAME),
        ):
            with pytest.raises(error) as caught:
                await websocket.receive_msgpack(type=Order)
            assert str(caught.value) == sentence
        assert await websocket.receive_msgpack(type=Order) == Order("next")


class TestRetrying:
    """What does not decode is kept for one more try, by another read than the one that failed."""

    @pytest.mark.parametrize(
        "retry",
        [
            lambda websocket: websocket.receive_json(type=Cancel),
            lambda websocket: websocket.receive_json(),
            lambda websocket: websocket.receive_text(),
            lambda websocket: websocket.receive_data(),
            WebSocket.__anext__,
            lambda websocket: first(websocket.iter_json(type=Cancel)),
        ],
        ids=["other type", "no type", "text", "either", "iteration", "typed iteration"],
    )
    async def test_another_read_gets_it(self, retry: Any) -> None:
        websocket = connected(Server(text('{"cancel":"tea"}'), text("next")))
        with pytest.raises(ValidationException):
            await websocket.receive_json(type=Order)
        assert await retry(websocket) in ('{"cancel":"tea"}', {"cancel": "tea"}, Cancel("tea"))
        assert await websocket.receive_text() == "next"

    async def test_msgpack_too(self) -> None:
        websocket = connected(Server(packed({"cancel": "tea"}), packed({"cancel": "cake"}), binary(b"{}")))
        with pytest.raises(ValidationException):
            await websocket.receive_msgpack(type=Order)
        assert await websocket.receive_msgpack(type=Cancel) == Cancel("tea")
        with pytest.raises(ValidationException):
            await websocket.receive_msgpack(type=Order)
        assert await websocket.receive_msgpack() == {"cancel": "cake"}
        with pytest.raises(ValidationException):
            await websocket.receive_msgpack(type=Order)
        assert await websocket.receive_json("binary") == {}

    async def test_the_same_read_goes_on(self) -> None:
        websocket, seen = (
            connected(Server(text("1"), text('{"name":"tea"}'), text("2"), disconnect())),
            list[Any](),
        )
        with anyio.fail_after(5):
            while not websocket.disconnected:
                try:
                    seen.append(await websocket.receive_json(type=Order))
                except ValidationException:
                    seen.append("error")
                except WebSocketDisconnect:
                    seen.append("end")
        assert seen == ["error", Order("tea"), "error", "end"]

    async def test_two_tries_and_no_third(self) -> None:
        """Two reads that take turns would else be given it for ever."""
        websocket = connected(Server(text("1"), text('{"name":"tea"}')))
        for wanted in (Order, Cancel):
            with pytest.raises(ValidationException):
                await websocket.receive_json(type=wanted)
        assert await websocket.receive_json(type=Order) == Order("tea")

    async def test_the_other_mode_counts_as_a_try(self) -> None:
        websocket = connected(Server(binary(b"1"), binary(b"2")))
        with pytest.raises(ValidationException, match="is kept"):
            await websocket.receive_json(type=Order)
        with pytest.raises(ValidationException, match="Expected"):
            await websocket.receive_json("binary", type=Order)
        assert await websocket.receive_json("binary") == 2

    async def test_a_type_that_is_made_anew_is_the_same(self) -> None:
        websocket = connected(Server(text("{}"), text("[1]")))
        with pytest.raises(ValidationException):
            await websocket.receive_json(type=list[int])
        assert await websocket.receive_json(type=list[int]) == [1]

    async def test_a_second_failure_after_a_success(self) -> None:
        """Whether a message had its chance is known of that message, not of the WebSocket."""
        websocket = connected(Server(text("1"), text("2"), text("3")))
        for number in (1, 2, 3):
            with pytest.raises(ValidationException):
                await websocket.receive_json(type=Order)
            assert await websocket.receive_json() == number

    async def test_while_a_second_reader_is_refused(self) -> None:
        server, seen = Server(), list[Any]()
        websocket = connected(server)
        await websocket.accept()
        arrived = anyio.Event()

        async def wait() -> Any:
            await arrived.wait()
            return text("1")

        server.receive = wait  # type: ignore[method-assign]  # the wrapper has the server's own
        websocket = connected(server)
        websocket._channel.state = OPEN

        async def reader() -> None:
            with pytest.raises(ValidationException):
                await websocket.receive_json(type=Order)
            seen.append(await websocket.receive_text())

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(reader)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(WebSocketStateError):
                    await websocket.receive_json(type=Cancel)
                arrived.set()
        assert seen == ["1"]

    async def test_an_override_that_changes_what_is_read(self) -> None:
        """It is given the message as it came, both times."""

        class Reversed(WebSocket):
            async def receive_data(self, mode: WebSocketMode | None = None) -> Any:
                return (await super().receive_data(mode))[::-1]

        websocket = connected(Server(text("]1[")), Reversed)
        with pytest.raises(ValidationException):
            await websocket.receive_json(type=Order)
        assert await websocket.receive_json() == [1]

    async def test_nothing_is_held_of_what_was_decoded(self) -> None:
        websocket = connected(Server(text("1"), text("2")))
        await websocket.receive_json()
        await websocket.receive_text()
        channel = websocket._channel
        assert (channel.refused, channel.decoding) == (None, None)


class TestContext:
    """``async with``: accepted on entry, closed on exit."""

    async def test_a_block_that_ends(self) -> None:
        server = Server(text("a"))
        async with connected(server) as websocket:
            assert server.sent == [ACCEPTED]
            assert await websocket.receive_text() == "a"
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1000, "reason": ""}]

    async def test_accepted_before_with_a_subprotocol(self) -> None:
        server = Server()
        websocket = WebSocket(scope(subprotocols=["chat"]), server.receive, server.send)
        await websocket.accept("chat")
        async with websocket as entered:
            assert entered is websocket
        assert server.sent_types == ["accept", "close"]

    async def test_closed_in_the_block(self) -> None:
        server = Server()
        async with connected(server) as websocket:
            await websocket.close(4001, "bye")
        assert server.sent_types == ["accept", "close"]
        assert websocket.close_code == 4001

    async def test_a_block_that_raises(self) -> None:
        server = Server()
        error = ValueError("secret")
        with pytest.raises(ValueError, match="secret") as caught:
            async with connected(server):
                raise error
        assert caught.value is error
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]

    async def test_an_exception_that_says_how(self) -> None:
        server = Server()
        with pytest.raises(WebSocketException):
            async with connected(server):
                raise WebSocketException("log in first", code=4401)
        assert server.sent[1:] == [{"type": "websocket.close", "code": 4401, "reason": "log in first"}]

    async def test_the_client_leaves(self) -> None:
        """That is how a conversation ends, and no error."""
        server = Server(disconnect(code=1001, reason="away"))
        async with connected(server) as websocket:
            await websocket.receive_text()
            pytest.fail("the client has left")
        assert server.sent_types == ["accept"]
        assert (websocket.close_code, websocket.close_reason) == (1001, "away")

    async def test_the_loss_is_found_by_sending(self) -> None:
        server = Server()
        async with connected(server) as websocket:
            server.refuse = lambda _event: OSError()
            await websocket.send_text("a")
        assert websocket.close_code == 1006

    async def test_another_client_leaves(self) -> None:
        """This one is still there, and what the block has missed is an error."""
        other, server = connected(Server(disconnect(code=1001))), Server()
        with pytest.raises(WebSocketDisconnect):
            async with connected(server):
                await other.receive_text()
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]

    async def test_an_error_after_the_client_has_left(self) -> None:
        server = Server(disconnect())

        async def application() -> None:
            async with connected(server) as websocket:
                async for _ in websocket:
                    pass
                raise ValueError("cleaning up")

        with pytest.raises(ValueError, match="cleaning up"):
            await application()
        assert server.sent_types == ["accept"]

    async def test_the_client_left_before(self) -> None:
        """There is no block to be left."""
        server = Server(disconnect(code=1006), connect=False)
        with pytest.raises(WebSocketDisconnect):
            async with connected(server):
                pytest.fail("the client has left")
        assert server.sent == []

    async def test_a_cancelled_block(self) -> None:
        """The cancellation goes on; the close is sent where the event loop still lets it."""
        server = Server()

        async def send(event: Any) -> None:
            server.sent.append(event)

        with anyio.move_on_after(0.01) as cancelled:
            async with WebSocket(scope(), server.receive, send):
                await anyio.sleep_forever()
        assert cancelled.cancelled_caught
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]

    def test_a_coroutine_that_is_thrown_away(self) -> None:
        """Nothing may be awaited in it any more."""
        server = Server()

        class Yielding:
            def __await__(self) -> Any:
                yield

        async def receive() -> Any:
            return CONNECT

        async def send(event: Any) -> None:
            server.sent.append(event)
            if event["type"] == "websocket.close":
                await Yielding()

        async def application() -> None:
            async with WebSocket(scope(), receive, send):
                await Yielding()

        coroutine = application()
        coroutine.send(None)
        coroutine.close()
        assert server.sent_types == ["accept"]


class TestLooking:
    """``is_disconnected()``, for who only sends."""

    async def test_a_sender_learns_that_the_client_left(self) -> None:
        server = Server(text("a"), disconnect(code=1001, reason="away"))
        websocket, sent = connected(server), 0
        with anyio.fail_after(5):
            while not await websocket.is_disconnected():
                await websocket.send_text("tick")
                sent += 1
        assert sent >= 1
        assert websocket.close_code == 1001
        assert await websocket.receive_text() == "a"
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
        assert (caught.value.code, caught.value.reason) == (1001, "away")
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive()

    async def test_before_the_handshake(self) -> None:
        server = Server()
        websocket = connected(server)
        assert not await websocket.is_disconnected()
        assert server.asked == 0
        await websocket.accept()
        assert not await websocket.is_disconnected()
        assert server.sent_types == ["accept"]

    async def test_after_our_own_close(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.close()
        assert await websocket.is_disconnected()

    async def test_the_readers_get_what_came_meanwhile_in_order(self) -> None:
        websocket = connected(Server(text("a"), binary(b"b"), text("c"), disconnect()))
        await websocket.accept()
        for _ in range(10):
            await websocket.is_disconnected()
        assert [message async for message in websocket] == ["a", b"b", "c"]

    async def test_what_came_meanwhile_may_be_refused_too(self) -> None:
        websocket = connected(Server(binary(b"a"), text("b")))
        await websocket.accept()
        for _ in range(10):
            await websocket.is_disconnected()
        with pytest.raises(ValidationException):
            await websocket.receive_text()
        assert await websocket.receive_text() == "b"
        assert await websocket.receive_bytes() == b"a"


class Celsius:
    def __init__(self, degrees: int) -> None:
        self.degrees = degrees


class Weather(WebSocket):
    __slots__ = ()

    type_encoders: ClassVar[Any] = {Celsius: lambda value: f"{value.degrees} °C"}


class TestSending:
    """One event with one key."""

    async def test_text_and_bytes(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.send_text("é")
        await websocket.send_text(b"\xc3\xa9")
        await websocket.send_text(b"\xe9", encoding="latin-1")
        await websocket.send_bytes(b"\xff")
        await websocket.send_bytes("é")
        await websocket.send_bytes("é", "latin-1")
        await websocket.send_data("")
        await websocket.send_data(bytearray(b"a"), "binary")  # type: ignore[arg-type]  # taken, not promised
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

    async def test_a_subclass_goes_out_as_what_it_is_one_of(self) -> None:
        class Colour(StrEnum):
            RED = "red"

        server = Server()
        await connected(server).send_text(Colour.RED)
        assert server.sent[1]["text"] == "red"
        assert type(server.sent[1]["text"]) is str

    async def test_what_cannot_be_sent_does_not_even_accept(self) -> None:
        server = Server()
        websocket: Any = connected(server)
        with pytest.raises(TypeError, match="not int"):
            await websocket.send_bytes(5)
        with pytest.raises(ValueError, match=r"^mode is 'text' or 'binary', not None$"):
            await websocket.send_data("a", mode=None)
        assert server.asked == 0

    async def test_writing_accepts(self) -> None:
        server = Server()
        await connected(server).send_text("a")
        assert server.sent == [ACCEPTED, {"type": "websocket.send", "text": "a"}]

    async def test_writing_from_many_tasks_before_accept(self) -> None:
        server = Server()
        websocket = connected(server)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                for number in range(4):
                    group.start_soon(websocket.send_text, str(number))
        assert server.sent_types == ["accept", *["send"] * 4]
        assert {event["text"] for event in server.sent[1:]} == {"0", "1", "2", "3"}

    @pytest.mark.parametrize("how", ["send_text", "send_bytes", "send_json"])
    async def test_sends_of_many_tasks_keep_their_order_and_never_overlap(self, how: str) -> None:
        inside, order = 0, list[str]()

        class Slow(Server):
            async def send(self, event: Any) -> None:
                nonlocal inside
                inside += 1
                assert inside == 1
                await checkpoint()
                await super().send(event)
                inside -= 1

        server = Slow()
        websocket = connected(server)
        await websocket.accept()

        async def sender(name: str) -> None:
            order.append(name)
            await getattr(websocket, how)(name)

        async with anyio.create_task_group() as group:
            for name in "123456":
                group.start_soon(sender, name)
        sent = [event.get("text") or event["bytes"].decode() for event in server.sent[1:]]
        assert [name.strip('"') for name in sent] == order

    async def test_json(self) -> None:
        server = Server()
        websocket = connected(server)
        await websocket.send_json({"é": 1})
        await websocket.send_json([1], mode="binary")
        await websocket.send_json("é", "text", "utf-16")
        assert server.sent[1:] == [
            {"type": "websocket.send", "text": '{"é":1}'},
            {"type": "websocket.send", "bytes": b"[1]"},
            {"type": "websocket.send", "text": '"é"'},
        ]

    async def test_msgpack(self) -> None:
        server = Server()
        await connected(server).send_msgpack({"a": 1})
        assert server.sent[1:] == [{"type": "websocket.send", "bytes": b"\x81\xa1a\x01"}]

    async def test_the_encoders_of_the_class(self) -> None:
        server = Server()
        websocket = connected(server, Weather)
        await websocket.send_json([Celsius(3)])
        await websocket.send_msgpack(Celsius(3))
        assert server.sent[1]["text"] == '["3 °C"]'
        assert msgspec.msgpack.decode(server.sent[2]["bytes"]) == "3 °C"

    async def test_a_serializer_that_was_given_is_the_only_one(self) -> None:
        server = Server()
        websocket = connected(server, Weather)
        await websocket.send_json(Celsius(3), serializer=lambda value: value.degrees)
        await websocket.send_msgpack(Celsius(3), serializer=lambda value: value.degrees)
        assert (server.sent[1]["text"], server.sent[2]["bytes"]) == ("3", b"\x03")

    async def test_a_value_that_nobody_encodes(self) -> None:
        server = Server()
        with pytest.raises(TypeError, match="Celsius"):
            await connected(server).send_json(Celsius(3))
        assert server.asked == 0


class TestLimit:
    """``max_message_size`` bytes, text counted in UTF-8."""

    @staticmethod
    def limited(maximum: int | None, server: Server) -> WebSocket:
        class Limited(WebSocket):
            limits = Limits(max_message_size=maximum)

        return connected(server, Limited)

    @pytest.mark.parametrize("message", [text("abcd"), text("éé"), text("😀"), binary(b"\xff" * 4)], ids=repr)
    async def test_at_the_limit(self, message: Any) -> None:
        websocket = self.limited(4, Server(text("1"), message, message))
        assert await websocket.receive_data() == "1"
        assert await websocket.receive_data() == message.get("text", message.get("bytes"))
        read = websocket.receive_text if "text" in message else websocket.receive_bytes
        assert await read() == message.get("text", message.get("bytes"))

    @pytest.mark.parametrize("read", ["receive_data", "receive_text", "receive_json"])
    @pytest.mark.parametrize(
        "message", [text("abcde"), text("ééa"), text("😀a"), binary(b"\xff" * 5)], ids=repr
    )
    async def test_one_above_closes_and_raises(self, message: Any, read: str) -> None:
        """RFC 6455 section 7.4.1: 1009 is for a message that "is too big for it to process"."""
        if "bytes" in message:
            read = "receive_bytes"
        server = Server(message, text("more"))
        websocket = self.limited(4, server)
        await websocket.accept()
        with pytest.raises(RequestEntityTooLarge) as caught:
            await getattr(websocket, read)()
        assert (caught.value.limit, caught.value.maximum) == ("max_message_size", 4)
        assert str(caught.value) == (
            "the message exceeds max_message_size=4; raise it with Limits(max_message_size=...) on the class"
        )
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1009, "reason": ""}]
        assert (websocket.disconnected, websocket.close_code) == (True, 1009)

    async def test_when_the_client_has_left(self) -> None:
        server = Server(text("abcde"))
        websocket = self.limited(4, server)
        await websocket.accept()
        server.refuse = lambda _event: OSError()
        with pytest.raises(RequestEntityTooLarge):
            await websocket.receive_text()
        assert websocket.close_code == 1006

    async def test_zero_is_zero(self) -> None:
        websocket = self.limited(0, Server(text(""), text("a")))
        assert await websocket.receive_text() == ""
        with pytest.raises(RequestEntityTooLarge):
            await websocket.receive_text()

    async def test_none_is_no_limit(self) -> None:
        big = "a" * 20_000_000
        assert await self.limited(None, Server(text(big))).receive_text() == big

    async def test_there_is_one_by_default(self) -> None:
        with pytest.raises(RequestEntityTooLarge):
            await connected(Server(text("a" * (16 * 1024 * 1024 + 1)))).receive_text()

    async def test_it_may_be_a_property(self) -> None:
        class Careful(WebSocket):
            @property
            def limits(self) -> Limits:  # type: ignore[override]  # the class documents that it may be one
                return Limits(max_message_size=1)

        with pytest.raises(RequestEntityTooLarge):
            await connected(Server(text("ab")), Careful).receive_text()

    async def test_iteration_raises_too(self) -> None:
        websocket = self.limited(4, Server(text("abcde")))
        with pytest.raises(RequestEntityTooLarge):
            await anext(websocket)


class TestOverriding:
    """Readers go through ``receive_data``, writers through ``send_data``."""

    async def test_readers(self) -> None:
        modes = list[Any]()

        class Shouting(WebSocket):
            async def receive_data(self, mode: WebSocketMode | None = None) -> Any:
                modes.append(mode)
                return (await super().receive_data(mode)).upper()

        websocket = connected(
            Server(
                text("a"), binary(b"b"), text('"c"'), binary(b"\xa1d"), text("e"), text("f"), disconnect()
            ),
            Shouting,
        )
        assert await websocket.receive_text() == "A"
        assert await websocket.receive_bytes() == b"B"
        assert await websocket.receive_json() == "C"
        assert await websocket.receive_msgpack() == "D"
        assert await anext(websocket) == "E"
        assert [data async for data in websocket.iter_data()] == ["F"]
        assert modes == ["text", "binary", "text", "binary", None, "text", "text"]

    async def test_writers(self) -> None:
        class Shouting(WebSocket):
            async def send_data(
                self, data: Any, mode: WebSocketMode = "text", encoding: str = "utf-8"
            ) -> None:
                await super().send_data(data.upper(), mode, encoding)

        server = Server()
        websocket = connected(server, Shouting)
        await websocket.send_text("a")
        await websocket.send_bytes(b"b")
        await websocket.send_json("c")
        await websocket.send_msgpack("d")
        assert [event.get("text", event.get("bytes")) for event in server.sent[1:]] == [
            "A",
            b"B",
            '"C"',
            b"\xa1D",
        ]


RECORDED = {
    name: messages
    for name, messages in load_receives().items()
    if messages[0] != BLOCKED and messages[0]["type"].startswith("websocket.")
}


@pytest.mark.parametrize("name", RECORDED)
async def test_recorded_conversations(name: str) -> None:
    """Every message a server delivered is read, then the end under its first code; it is not asked again."""
    messages = [message for message in RECORDED[name] if message != BLOCKED]
    types = [message["type"] for message in messages]
    server = Server(*messages, connect=False)
    websocket = connected(server)
    with anyio.fail_after(5):
        if "websocket.disconnect" not in types:
            for message in messages[1:]:
                assert await websocket.receive_data() in (message.get("text"), message.get("bytes"))
            return
        end = types.index("websocket.disconnect")
        got = [data async for data in websocket]
        await websocket.close()
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive()
    delivered = [message for message in messages[:end] if message["type"] == "websocket.receive"]
    assert got == [m["bytes"] if m.get("text") is None else m["text"] for m in delivered]
    code = messages[end].get("code")
    assert caught.value.code == websocket.close_code == (1005 if code is None else code)
    assert type(websocket.close_code) is int
    assert websocket.close_reason == (messages[end].get("reason") or "")
    assert server.sent == [ACCEPTED]
    assert server.asked == end + 1


def test_there_are_recorded_conversations_of_every_server() -> None:
    assert len(RECORDED) > 40
    assert {"hypercorn", "granian", "daphne"} < {name.partition(":")[0] for name in RECORDED}
