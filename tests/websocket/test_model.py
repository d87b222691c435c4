"""A WebSocket compared with a model, by hypothesis: calls and messages in any order, valid or not.

The model knows what the client and the server sent, and computes the result of each read. It has no states;
a regular expression checks that the sequence of sent events is valid.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from asgiwire._websocket import channel
from asgiwire.connection import WebSocket
from asgiwire.exceptions import (
    AsgiwireException,
    ClientException,
    ProtocolError,
    WebSocketDisconnect,
    WebSocketException,
)
from tests.websocket_server import CONNECT, binary, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from asgiwire.types import Receive, Send

VALID_EVENTS = re.compile(
    r"(accept (send )*(close )?|close |http\.response\.start (http\.response\.body )*)?"
)

MESSAGES = (
    text("[1]"),
    text("{}"),
    text(""),
    binary(b"[1]"),
    binary(b"\x91\x01"),
    binary(b"\xc1"),
    disconnect(code=1001),
    CONNECT,
    {"type": "x"},
)
MODES: Any = st.sampled_from(["text", "binary", None])
TYPES: Any = st.sampled_from([Any, list[int], dict[str, int]])


def data_of(message: dict[str, Any], mode: str | None) -> Any:
    """The data that a reader of this mode returns; ``None`` if the message is of the other mode."""
    data = message.get("text", message.get("bytes"))
    expected = {"text": str, "binary": bytes, None: object}[mode]
    return data if isinstance(data, expected) else None


async def call(function: Callable[[], Awaitable[Any]]) -> Any:
    """Stand in for ``poll()``: without an event loop nothing waits."""
    return await function()


async def finish(_seconds: float, function: Callable[[], Awaitable[Any]]) -> None:
    """Stand in for ``finish_within()``."""
    await function()


class Conversation(RuleBasedStateMachine):
    """A server, its client, and an application that calls methods at random."""

    socket_class: ClassVar[type[WebSocket]] = WebSocket

    def __init__(self) -> None:
        super().__init__()
        self.script: list[Any] = []
        self.received: list[Any] = []
        self.peeked: list[Any] = []
        self.sent: list[Any] = []
        self.ends: list[Any] = []
        extended = scope(extensions={"websocket.http.response": {}}, subprotocols=["chat"])
        self.websocket = self.socket_class(extended, self.receive, self.send)
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(channel, "poll", call)
        self.patch.setattr("asgiwire.connection.websocket.finish_within", finish)

    def teardown(self) -> None:
        self.patch.undo()

    async def receive(self) -> Any:
        ended = any(message["type"] == "websocket.disconnect" for message in self.received)
        assert not ended, "receive was called after the disconnect event"
        message = self.script.pop(0) if self.script else disconnect(code=4000)
        self.received.append(message)
        if message["type"] == "websocket.disconnect":
            self.ends.append(message)
        return message

    async def send(self, event: Any) -> None:
        assert CONNECT in self.received, "an event was sent before the connect event was received"
        self.sent.append(event)
        kind = event["type"]
        if kind == "websocket.close" or (kind.endswith("body") and not event.get("more_body")):
            self.ends.append({"code": 1006} if kind.endswith("body") else event)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Return the result of a coroutine, or its exception if that is documented."""
        try:
            coroutine.send(None)
        except StopIteration as result:
            return result.value
        except (AsgiwireException, StopAsyncIteration) as error:
            return error
        return pytest.fail("the coroutine waited")

    @property
    def accepted(self) -> bool:
        return any(event["type"] == "websocket.accept" for event in self.sent)

    def expected(self, mode: str | None, decode: Callable[[Any], Any]) -> tuple[Any, Any]:
        """The message of the next read, and its result: a value or the type of an exception."""
        ended = any(message["type"] == "websocket.disconnect" for message in self.received)
        rest = [] if ended else [*self.script, disconnect()]
        message = [*self.peeked, *rest, disconnect()][0]
        if self.peeked:
            self.peeked.pop(0)
        if message["type"] == "websocket.disconnect":
            return message, WebSocketDisconnect
        if message["type"] != "websocket.receive":
            return message, ProtocolError
        data = data_of(message, mode)
        if data is None:
            return message, ClientException
        try:
            return message, decode(data)
        except ValueError:
            return message, ClientException

    def check(
        self,
        coroutine: Coroutine[Any, Any, Any],
        mode: str | None,
        decode: Callable[[Any], Any] = lambda data: data,
    ) -> None:
        """Compare a read with the model."""
        self.run(self.websocket.accept())
        if not self.accepted:
            self.run(coroutine)
            return
        message, expected = self.expected(mode, decode)
        result = self.run(coroutine)
        if isinstance(expected, type) and issubclass(expected, Exception):
            assert isinstance(result, expected | StopAsyncIteration)
            assert isinstance(result, StopAsyncIteration) <= (expected is WebSocketDisconnect)
            if isinstance(result, ClientException):
                assert result.message == message
        else:
            assert result == expected
            assert type(result) is type(expected)

    @rule(message=st.sampled_from(MESSAGES))
    def add_message(self, message: Any) -> None:
        self.script.append({**message})

    @precondition(lambda self: not self.script and not self.received)
    @rule()
    def add_connect(self) -> None:
        self.script.append(CONNECT)

    @precondition(lambda self: self.received == [CONNECT])
    @rule()
    def accept(self) -> None:
        self.run(self.websocket.accept("chat"))

    @rule(code=st.sampled_from([1000, 4001]))
    def close(self, code: int) -> None:
        self.run(self.websocket.close(code))

    @rule(data=st.sampled_from(["a", b"b"]), mode=st.sampled_from(["text", "binary"]))
    def send_data(self, data: Any, mode: Any) -> None:
        accepted, ended, count = self.accepted, bool(self.ends), len(self.sent)
        result = self.run(self.websocket.send_data(data, mode))
        if ended:
            assert isinstance(result, WebSocketDisconnect)
        elif accepted:
            assert (result, len(self.sent)) == (None, count + 1)

    @rule(status=st.sampled_from([401, 503]), streamed=st.booleans())
    def deny(self, status: int, streamed: bool) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        count = len(self.sent)
        result = self.run(self.websocket.send_denial_response(status, body=chunks() if streamed else b"ab"))
        sent = self.sent[count:]
        if result is None:
            assert sent[0]["status"] == status
            assert b"".join(event["body"] for event in sent[1:]) == b"ab"
        else:
            assert sent == []

    @rule(mode=MODES)
    def receive_data(self, mode: Any) -> None:
        self.check(self.websocket.receive_data(mode), mode)

    @rule()
    def receive_text(self) -> None:
        self.check(self.websocket.receive_text(), "text")

    @rule()
    def receive_bytes(self) -> None:
        self.check(self.websocket.receive_bytes(), "binary")

    @rule()
    def iterate(self) -> None:
        self.check(self.websocket.__anext__(), None)

    @rule(mode=MODES, kind=TYPES)
    def receive_json(self, mode: Any, kind: Any) -> None:
        coroutine = self.websocket.receive_json(mode, type=kind)
        self.check(coroutine, mode, lambda data: msgspec.json.decode(data, type=kind))

    @rule(kind=TYPES)
    def receive_msgpack(self, kind: Any) -> None:
        coroutine = self.websocket.receive_msgpack(type=kind)
        self.check(coroutine, "binary", lambda data: msgspec.msgpack.decode(data, type=kind))

    @rule()
    def is_disconnected(self) -> None:
        connected, count = bool(self.received) and not self.ends, len(self.received)
        result = self.run(self.websocket.is_disconnected())
        received = self.received[count:]
        assert len(received) <= connected
        if not isinstance(result, ProtocolError):
            assert result is bool(self.ends)
            self.peeked += received

    @rule(error=st.sampled_from([None, ValueError(), WebSocketException(code=4002), WebSocketDisconnect()]))
    def exit_context(self, error: Any) -> None:
        is_open = self.accepted and not self.ends
        suppressed = self.run(self.websocket.__aexit__(type(error), error, None))
        if isinstance(error, WebSocketDisconnect) and not is_open and self.accepted:
            assert suppressed is True
        if is_open:
            code = 1000 if error is None else getattr(error, "code", 1011)
            assert suppressed is False
            assert self.sent[-1]["code"] == (1011 if isinstance(error, WebSocketDisconnect) else code)

    @rule(
        kind=st.sampled_from(["accept", "send", "close", "http.response.start", "http.response.body", "ping"])
    )
    def send_raw(self, kind: str) -> None:
        event = {"type": f"websocket.{kind}", "more_body": kind.endswith("body")}
        self.run(self.websocket.send(event))  # type: ignore[arg-type]  # an Awaitable that is a coroutine

    @invariant()
    def sent_events_are_valid(self) -> None:
        types = [event["type"].removeprefix("websocket.") + " " for event in self.sent]
        assert VALID_EVENTS.fullmatch("".join(types))

    @invariant()
    def first_end_sets_the_close_code(self) -> None:
        assert self.websocket.disconnected is bool(self.ends)
        assert self.websocket.close_code == (self.ends[0].get("code", 1000) if self.ends else None)


class WrappedWebSocket(WebSocket):
    """A subclass whose wrappers return coroutine functions of their own."""

    def receive_wrapper(self, receive: Receive) -> Receive:
        inherited = super().receive_wrapper(receive)

        async def wrapped() -> Any:
            return await inherited()

        return wrapped

    def send_wrapper(self, send: Send) -> Send:
        inherited = super().send_wrapper(send)

        async def wrapped(event: Any) -> None:
            await inherited(event)

        return wrapped


class WrappedConversation(Conversation):
    """The same with a subclass."""

    socket_class = WrappedWebSocket


Conversation.TestCase.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
WrappedConversation.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestConversation = Conversation.TestCase
TestWrappedConversation = WrappedConversation.TestCase
