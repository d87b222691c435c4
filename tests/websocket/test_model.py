"""A WebSocket against a model: calls and messages in any order, legal or not, by hypothesis.

The model knows what a client and a server have said, and in a few lines what every read has to come to. It
has no states; that the wire stays legal is told by a grammar.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from asgiwire._websocket.peek import Lookout
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
    from collections.abc import AsyncIterator, Coroutine

    from asgiwire.types import Receive, Send

# What a server may be sent.
WIRE = re.compile(r"(accept (send )*(close )?|close |http\.response\.start (http\.response\.body )*)?")

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


class Refused(NamedTuple):
    """What lies aside, and what it did not decode as."""

    message: dict[str, Any]
    by: object


def content(message: dict[str, Any], mode: str | None) -> Any:
    """What a reader of this mode takes of a message; ``None`` where it takes nothing."""
    value = message.get("text", message.get("bytes"))
    of_mode = {"text": str, "binary": bytes, None: object}[mode]
    return value if isinstance(value, of_mode) else None


def decoded(by: Any, value: Any) -> Any:
    decode, kind = by
    return decode(value, type=kind)


class Conversation(RuleBasedStateMachine):
    """A server, its client and an application that does what comes into its head."""

    kind: ClassVar[type[WebSocket]] = WebSocket

    def __init__(self) -> None:
        super().__init__()
        self.to_come: list[Any] = []
        self.given: list[Any] = []
        self.unread: list[Any] = []
        self.sent: list[Any] = []
        self.ends: list[Any] = []
        self.refused: Refused | None = None
        extended = scope(extensions={"websocket.http.response": {}}, subprotocols=["chat"])
        self.websocket = self.kind(extended, self.receive, self.send)
        self.look_on_asyncio = Lookout._look_on_asyncio
        lookout: Any = Lookout
        lookout._look_on_asyncio = self.look_without_a_loop

    def teardown(self) -> None:
        Lookout._look_on_asyncio = self.look_on_asyncio  # type: ignore[method-assign]

    async def look_without_a_loop(self) -> Any:
        """Here nothing ever waits."""
        return await self.receive()

    async def receive(self) -> Any:
        ended = any(message["type"] == "websocket.disconnect" for message in self.given)
        assert not ended, "the server was asked after the disconnect"
        message = self.to_come.pop(0) if self.to_come else disconnect(code=4000)
        self.given.append(message)
        if message["type"] == "websocket.disconnect":
            self.ends.append(message)
        return message

    async def send(self, event: Any) -> None:
        assert CONNECT in self.given, "an event came before the connect event was taken"
        self.sent.append(event)
        kind = event["type"]
        if kind == "websocket.close" or (kind.endswith("body") and not event.get("more_body")):
            self.ends.append({"code": 1006} if kind.endswith("body") else event)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """The result, or the exception if it is a documented one."""
        try:
            coroutine.send(None)
        except StopIteration as result:
            return result.value
        except (AsgiwireException, StopAsyncIteration) as error:
            return error
        return pytest.fail("something waited")

    @property
    def opened(self) -> bool:
        return any(event["type"] == "websocket.accept" for event in self.sent)

    def expect(self, mode: str | None, by: object = None) -> Any:
        """What a read has to come to: a value, or the type of an error."""
        refused = self.refused
        if refused is not None and content(refused.message, mode) is not None:
            self.refused = None
            if by is None:
                return content(refused.message, mode)
            if by != refused.by:
                try:
                    return decoded(by, content(refused.message, mode))
                except ValueError:
                    return ClientException
        return self.expect_next(mode, by)

    def expect_next(self, mode: str | None, by: object) -> Any:
        gone = any(message["type"] == "websocket.disconnect" for message in self.given)
        nothing = [] if gone else [*self.to_come, disconnect()]
        message = [*self.unread, *nothing, disconnect()][0]
        if self.unread:
            self.unread.pop(0)
        if message["type"] == "websocket.disconnect":
            return WebSocketDisconnect
        if message["type"] != "websocket.receive":
            return ProtocolError
        value = content(message, mode)
        if value is None:
            self.refused = Refused(message, None)
            return ClientException
        try:
            return value if by is None else decoded(by, value)
        except ValueError:
            self.refused = Refused(message, by)
            return ClientException

    def check(self, coroutine: Coroutine[Any, Any, Any], mode: str | None, by: object = None) -> None:
        """A read, against what it has to come to."""
        self.run(self.websocket.accept())
        if not self.opened:
            self.run(coroutine)
            return
        expected = self.expect(mode, by)
        result = self.run(coroutine)
        if isinstance(expected, type) and issubclass(expected, Exception):
            assert isinstance(result, expected | StopAsyncIteration)
            assert isinstance(result, StopAsyncIteration) <= (expected is WebSocketDisconnect)
        else:
            assert result == expected
            assert type(result) is type(expected)

    @rule(message=st.sampled_from(MESSAGES))
    def the_server_has(self, message: Any) -> None:
        self.to_come.append({**message})

    @precondition(lambda self: not self.to_come and not self.given)
    @rule()
    def the_server_connects(self) -> None:
        self.to_come.append(CONNECT)

    @precondition(lambda self: self.given == [CONNECT])
    @rule()
    def accept(self) -> None:
        self.run(self.websocket.accept("chat"))

    @rule(code=st.sampled_from([1000, 4001]))
    def close(self, code: int) -> None:
        self.run(self.websocket.close(code))

    @rule(data=st.sampled_from(["a", b"b"]), mode=st.sampled_from(["text", "binary"]))
    def send_data(self, data: Any, mode: Any) -> None:
        opened, ended, before = self.opened, bool(self.ends), len(self.sent)
        result = self.run(self.websocket.send_data(data, mode))
        if ended:
            assert isinstance(result, WebSocketDisconnect)
        elif opened:
            assert (result, len(self.sent)) == (None, before + 1)

    @rule(status=st.sampled_from([401, 503]), streamed=st.booleans())
    def deny(self, status: int, streamed: bool) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"a"
            yield b"b"

        before = len(self.sent)
        result = self.run(self.websocket.send_denial_response(status, body=pieces() if streamed else b"ab"))
        sent = self.sent[before:]
        if result is None:
            assert sent[0]["status"] == status
            assert b"".join(event["body"] for event in sent[1:]) == b"ab"
        else:
            assert sent == []

    @rule(mode=MODES)
    def receive_data(self, mode: Any) -> None:
        self.check(self.websocket.receive_data(mode), mode)

    @rule()
    def iterate(self) -> None:
        self.check(self.websocket.__anext__(), None)

    @rule(mode=MODES, kind=TYPES)
    def receive_json(self, mode: Any, kind: Any) -> None:
        self.check(self.websocket.receive_json(mode, type=kind), mode, (msgspec.json.decode, kind))

    @rule(kind=TYPES)
    def receive_msgpack(self, kind: Any) -> None:
        self.check(self.websocket.receive_msgpack(type=kind), "binary", (msgspec.msgpack.decode, kind))

    @rule()
    def look(self) -> None:
        connected, asked = bool(self.given) and not self.ends, len(self.given)
        result = self.run(self.websocket.is_disconnected())
        taken = self.given[asked:]
        assert len(taken) <= connected
        if not isinstance(result, ProtocolError):
            assert result is bool(self.ends)
            self.unread += taken

    @rule(error=st.sampled_from([None, ValueError(), WebSocketException(code=4002), WebSocketDisconnect()]))
    def leave_a_block(self, error: Any) -> None:
        allowed = self.opened and not self.ends
        swallowed = self.run(self.websocket.__aexit__(type(error), error, None))
        if isinstance(error, WebSocketDisconnect) and not allowed and self.opened:
            assert swallowed is True
        if allowed:
            code = 1000 if error is None else getattr(error, "code", 1011)
            assert swallowed is False
            assert self.sent[-1]["code"] == (1011 if isinstance(error, WebSocketDisconnect) else code)

    @rule(
        kind=st.sampled_from(["accept", "send", "close", "http.response.start", "http.response.body", "ping"])
    )
    def send_raw(self, kind: str) -> None:
        event = {"type": f"websocket.{kind}", "more_body": kind.endswith("body")}
        self.run(self.websocket.send(event))  # type: ignore[arg-type]  # an Awaitable that is a coroutine

    @invariant()
    def the_wire_is_legal(self) -> None:
        types = [event["type"].removeprefix("websocket.") + " " for event in self.sent]
        assert WIRE.fullmatch("".join(types))

    @invariant()
    def the_first_end_counts(self) -> None:
        assert self.websocket.disconnected is bool(self.ends)
        assert self.websocket.close_code == (self.ends[0].get("code", 1000) if self.ends else None)


class Overridden(WebSocket):
    """Reads and writes through the channel: what a WebSocket otherwise does only where it has to."""

    def receive_wrapper(self, receive: Receive) -> Receive:
        return super().receive_wrapper(receive)

    def send_wrapper(self, send: Send) -> Send:
        return super().send_wrapper(send)


class OverriddenConversation(Conversation):
    """The same by the longer way."""

    kind = Overridden


Conversation.TestCase.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
OverriddenConversation.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None)
TestConversation = Conversation.TestCase
TestOverriddenConversation = OverriddenConversation.TestCase
