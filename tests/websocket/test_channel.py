"""The channel of a WebSocket: state changes, concurrent readers and writers, and peeks."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asgiwire._websocket.channel import MAX_PENDING, MESSAGE_OVERHEAD, WebSocketChannel
from asgiwire._websocket.states import (
    CLOSED,
    CLOSING,
    DENYING,
    HANDSHAKE,
    INITIAL,
    LOST,
    OPEN,
    WebSocketState,
)
from asgiwire.exceptions import ProtocolError, WebSocketDisconnect, WebSocketStateError

if TYPE_CHECKING:
    from asgiwire.types import Receive, Send

pytestmark = pytest.mark.anyio

TEXT = {"type": "websocket.send", "text": "a"}
CLOSE = {"type": "websocket.close", "code": 4001, "reason": "bye"}
ACCEPT = {"type": "websocket.accept", "subprotocol": None}
TEXTS = [{"type": "websocket.receive", "text": text} for text in "abc"]
DISCONNECT = {"type": "websocket.disconnect", "code": 1001}


def channel_in(
    state: WebSocketState, receive: Receive | None = None, send: Send | None = None
) -> WebSocketChannel:
    channel = WebSocketChannel(receive or must_not_receive, send or must_not_send)
    channel.state = state
    return channel


def scripted(*messages: Any) -> Receive:
    """A server that returns these messages after a checkpoint each."""
    remaining = list(messages)

    async def receive() -> Any:
        await checkpoint()
        return remaining.pop(0)

    return receive


def immediate(*messages: Any) -> Receive:
    """A server that returns these messages without a checkpoint."""
    remaining = list(messages)

    async def receive() -> Any:
        return remaining.pop(0)

    return receive


async def block() -> Any:
    await anyio.sleep_forever()


async def block_send(_event: Any) -> None:
    await anyio.sleep_forever()


async def accept_event(_event: Any) -> None:
    await checkpoint()


async def must_not_send(_event: Any) -> None:
    pytest.fail("send was called")


async def must_not_receive() -> Any:
    pytest.fail("receive was called")


class TestReceiving:
    async def test_state_follows_a_conversation(self) -> None:
        receive = scripted(
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": "a"},
            {"type": "websocket.disconnect", "code": 1001, "reason": "bye"},
        )
        channel = channel_in(INITIAL, receive, accept_event)
        states = [channel.state]
        await channel.receive()
        states.append(channel.state)
        await channel.send(ACCEPT)
        states.append(channel.state)
        assert not channel.received_any
        await channel.receive()
        assert channel.received_any
        states.append(channel.state)
        await channel.receive()
        assert [*states, channel.state] == [INITIAL, HANDSHAKE, OPEN, OPEN, CLOSED]
        assert (channel.close_code, channel.close_reason) == (1001, "bye")

    async def test_server_is_not_called_after_disconnect(self) -> None:
        """Two servers would block forever, others report another code."""
        channel = channel_in(OPEN, scripted({"type": "websocket.disconnect", "code": 1000, "reason": "done"}))
        await channel.receive()
        channel.source = must_not_receive
        for _ in range(2):
            with pytest.raises(WebSocketDisconnect, match=r"closed \(code 1000, reason 'done'\)$"):
                await channel.receive()

    async def test_second_reader_is_rejected_and_first_continues(self) -> None:
        received, arrived = list[Any](), anyio.Event()

        async def receive() -> Any:
            await arrived.wait()
            return TEXTS[0]

        channel = channel_in(OPEN, receive)

        async def read() -> None:
            received.append(await channel.receive())

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(WebSocketStateError) as caught:
                await channel.receive()
            arrived.set()
        assert str(caught.value) == (
            "another task is receiving from this WebSocket; only one may receive at a time"
        )
        assert (caught.value.event, caught.value.state) == ("websocket.receive", "open")
        assert received == [TEXTS[0]]
        assert await channel.receive() == TEXTS[0]

    async def test_cancelled_receive_changes_nothing(self) -> None:
        channel = channel_in(OPEN, block)
        with anyio.move_on_after(0):
            await channel.receive()
        assert channel.state is OPEN
        channel.source = scripted(TEXTS[0])
        assert await channel.receive() == TEXTS[0]

    async def test_reader_may_try_again_after_an_error_of_the_server(self) -> None:
        async def fail() -> Any:
            raise KeyError("server")

        channel = channel_in(OPEN, fail)
        for _ in range(2):
            with pytest.raises(KeyError, match="server"):
                await channel.receive()

    @pytest.mark.parametrize(
        ("state", "message"),
        [
            (INITIAL, {"type": "websocket.receive", "text": "a"}),
            (OPEN, {"type": "websocket.ping"}),
            (OPEN, {}),
        ],
        ids=["too early", "unknown type", "no type"],
    )
    async def test_unexpected_message_is_a_protocol_error(self, state: WebSocketState, message: Any) -> None:
        channel = channel_in(state, scripted(message))
        with pytest.raises(ProtocolError):
            await channel.receive()
        assert channel.state is state

    async def test_messages_in_flight_are_received_after_our_close(self) -> None:
        channel = channel_in(OPEN, scripted(TEXTS[0], DISCONNECT), accept_event)
        await channel.send(CLOSE)
        assert await channel.receive() == TEXTS[0]
        assert channel.state is CLOSING
        await channel.receive()
        assert channel.state is CLOSED

    async def test_our_close_code_stays(self) -> None:
        """After close(4001) one server reports 1005, one 1000 and one 4001."""
        disconnect = {"type": "websocket.disconnect", "code": 1005}
        channel = channel_in(OPEN, scripted(disconnect), accept_event)
        await channel.send(CLOSE)
        await channel.receive()
        assert (channel.close_code, channel.close_reason) == (4001, "bye")


class TestPeek:
    """A peek receives a message without waiting; the next read returns it."""

    async def test_reads_return_peeked_messages_in_order(self) -> None:
        channel = channel_in(OPEN, immediate(*TEXTS))
        await channel.peek()
        await channel.peek()
        assert channel.state is OPEN
        assert [await channel.receive() for _ in TEXTS] == TEXTS

    async def test_rejected_message_is_not_pending(self) -> None:
        channel = channel_in(OPEN, immediate({"type": "websocket.connect"}, *TEXTS))
        with pytest.raises(ProtocolError):
            await channel.peek()
        assert await channel.receive() == TEXTS[0]

    async def test_later_message_is_not_lost(self) -> None:
        """Neither by peeks that found nothing nor by a reader that timed out."""
        arrived = anyio.Event()

        async def receive() -> Any:
            await arrived.wait()
            return TEXTS[0]

        channel = channel_in(OPEN, receive)
        await channel.peek()
        await channel.peek()
        with anyio.move_on_after(0.001):
            await channel.receive()
        await channel.peek()
        arrived.set()
        assert await channel.receive() == TEXTS[0]

    async def test_peek_leaves_no_task_behind(self) -> None:
        started, ended = 0, 0

        async def receive() -> Any:
            nonlocal started, ended
            started += 1
            try:
                await anyio.sleep_forever()
            finally:
                ended += 1

        channel = channel_in(OPEN, receive)
        for _ in range(3):
            await channel.peek()
        assert (started, ended) == (3, 3)

    async def test_server_error_propagates(self) -> None:
        async def fail() -> Any:
            raise KeyError("server")

        channel = channel_in(OPEN, fail)
        for _ in range(2):
            with pytest.raises(KeyError, match="server"):
                await channel.peek()

    async def test_receive_may_return_any_awaitable(self) -> None:
        class Answer:
            def __await__(self) -> Any:
                yield from checkpoint().__await__()
                return TEXTS[0]

        channel = channel_in(OPEN, Answer)
        await channel.peek()
        assert await channel.receive() == TEXTS[0]

    @pytest.mark.parametrize("state", [HANDSHAKE, OPEN, DENYING])
    async def test_disconnect_event_is_found_and_read_once(self, state: WebSocketState) -> None:
        channel = channel_in(state, immediate(DISCONNECT))
        await channel.peek()
        assert (channel.state, channel.close_code) == (CLOSED, 1001)
        assert await channel.receive() == DISCONNECT
        with pytest.raises(WebSocketDisconnect):
            await channel.receive()

    async def test_messages_before_the_disconnect_are_read_first(self) -> None:
        channel = channel_in(OPEN, immediate(*TEXTS, DISCONNECT))
        for _ in range(5):
            await channel.peek()
        assert channel.state is CLOSED
        assert [await channel.receive() for _ in range(4)] == [*TEXTS, DISCONNECT]

    @pytest.mark.parametrize("state", [INITIAL, CLOSING, CLOSED])
    async def test_nothing_is_received_in_these_states(self, state: WebSocketState) -> None:
        """In INITIAL the connect event is for accept()."""
        channel = channel_in(state)
        await channel.peek()
        assert channel.state is state

    async def test_nothing_is_received_while_a_task_is_receiving(self) -> None:
        received, calls = list[Any](), 0
        arrived = anyio.Event()

        async def receive() -> Any:
            nonlocal calls
            calls += 1
            await arrived.wait()
            return TEXTS[0]

        channel = channel_in(OPEN, receive)

        async def read() -> None:
            received.append(await channel.receive())

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            await channel.peek()
            assert calls == 1
            arrived.set()
        assert received == [TEXTS[0]]

    @pytest.mark.parametrize("peeked", [[], TEXTS[:1]], ids=["nothing", "message"])
    async def test_reader_waits_for_a_peek(self, peeked: list[Any]) -> None:
        """A peek does not count as a concurrent reader."""
        received, calls = list[Any](), 0
        arrived = anyio.Event()

        async def receive() -> Any:
            nonlocal calls
            calls += 1
            await checkpoint()
            if calls > len(peeked):
                await arrived.wait()
                return TEXTS[2]
            return peeked[calls - 1]

        channel = channel_in(OPEN, receive)

        async def read() -> None:
            received.append(await channel.receive())

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(channel.peek)
                await checkpoint()
                group.start_soon(read)
                group.start_soon(channel.peek)
                await anyio.wait_all_tasks_blocked()
                arrived.set()
        assert received == (peeked or TEXTS[2:])

    @pytest.mark.parametrize("size", [0, 1000, 600_000, 2_000_000])
    async def test_pending_messages_are_bounded(self, size: int) -> None:
        calls = 0

        async def receive() -> Any:
            nonlocal calls
            calls += 1
            return {"type": "websocket.receive", "bytes": bytes(size)}

        channel = channel_in(OPEN, receive)
        most = ceil(MAX_PENDING / (MESSAGE_OVERHEAD + size))
        for _ in range(most + 5):
            await channel.peek()
        assert calls == most
        await channel.receive()
        await channel.peek()
        assert calls == most + 1

    async def test_cancelled_peek_loses_nothing(self) -> None:
        channel = channel_in(OPEN, immediate(*TEXTS))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await channel.peek()
        assert await channel.receive() == TEXTS[0]


class TestSending:
    @pytest.mark.parametrize(
        ("before", "event", "after"),
        [
            (HANDSHAKE, ACCEPT, OPEN),
            (HANDSHAKE, CLOSE, CLOSING),
            (HANDSHAKE, {"type": "websocket.http.response.start", "status": 401, "headers": []}, DENYING),
            (DENYING, {"type": "websocket.http.response.body", "body": b"a", "more_body": True}, DENYING),
            (DENYING, {"type": "websocket.http.response.body", "body": b""}, CLOSED),
            (OPEN, TEXT, OPEN),
            (OPEN, CLOSE, CLOSING),
        ],
        ids=["accept", "reject", "deny", "more body", "last body", "send", "close"],
    )
    async def test_state_changes_after_the_server_took_the_event(
        self, before: WebSocketState, event: Any, after: WebSocketState
    ) -> None:
        states = list[WebSocketState]()

        async def send(_event: Any) -> None:
            states.append(channel.state)
            await checkpoint()
            states.append(channel.state)

        channel = channel_in(before, send=send)
        await channel.send(event)
        assert states == [before, before]
        assert channel.state is after

    async def test_event_that_the_state_does_not_allow_is_not_sent(self) -> None:
        channel = channel_in(HANDSHAKE)
        with pytest.raises(
            WebSocketStateError, match=r"^'websocket\.send' is not allowed in state 'handshake'"
        ):
            await channel.send(TEXT)
        channel.sink = accept_event
        await channel.send(ACCEPT)

    @pytest.mark.parametrize("event", [TEXT, CLOSE, ACCEPT], ids=lambda event: str(event["type"]))
    async def test_nothing_is_sent_after_the_client_disconnected(self, event: Any) -> None:
        disconnect = {"type": "websocket.disconnect", "code": 1001, "reason": "away"}
        channel = channel_in(OPEN, scripted(disconnect))
        await channel.receive()
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(event)
        assert (caught.value.code, caught.value.reason) == (1001, "away")

    @pytest.mark.parametrize("event", [TEXT, CLOSE, ACCEPT], ids=lambda event: str(event["type"]))
    async def test_nothing_is_sent_after_our_close(self, event: Any) -> None:
        """One server answers an accept after a close with HTTP 101."""
        channel = channel_in(HANDSHAKE, send=accept_event)
        await channel.send(CLOSE)
        channel.sink = must_not_send
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(event)
        assert (caught.value.code, caught.value.reason) == (4001, "bye")

    async def test_close_code_after_a_denial_is_1006(self) -> None:
        """RFC 6455 section 7.1.5: without a close frame the code is 1006."""
        channel = channel_in(DENYING, send=accept_event)
        await channel.send({"type": "websocket.http.response.body", "body": b""})
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(TEXT)
        assert (caught.value.code, caught.value.reason) == (1006, "")

    async def test_close_code_of_a_raw_close_defaults_to_1000(self) -> None:
        """ASGI: the code of a close event defaults to 1000."""
        channel = channel_in(OPEN, send=accept_event)
        await channel.send({"type": "websocket.close"})
        assert (channel.close_code, channel.close_reason) == (1000, "")

    async def test_os_error_is_a_disconnect(self) -> None:
        """ASGI 2.4: on a closed connection the server should raise an OSError."""
        error = BrokenPipeError()

        async def fail(_event: Any) -> None:
            raise error

        channel = channel_in(OPEN, block, fail)
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(TEXT)
        assert (caught.value.code, caught.value.reason) == (1006, "")
        assert caught.value.__cause__ is error
        assert channel.state is LOST
        with pytest.raises(WebSocketDisconnect):
            await channel.receive()

    async def test_other_server_errors_propagate_and_do_not_change_the_state(self) -> None:
        async def fail(_event: Any) -> None:
            raise RuntimeError("server")

        channel = channel_in(OPEN, block, fail)
        for event in (TEXT, CLOSE):
            with pytest.raises(RuntimeError, match=r"^server$"):
                await channel.send(event)
        assert channel.state is OPEN
        channel.sink = accept_event
        await channel.send(TEXT)

    async def test_cancelled_send_does_not_change_the_state_and_releases_the_lock(self) -> None:
        channel = channel_in(OPEN, send=block_send)
        with anyio.move_on_after(0):
            await channel.send(CLOSE)
        assert channel.state is OPEN
        channel.sink = accept_event
        await channel.send(CLOSE)
        assert channel.state is CLOSING

    async def test_concurrent_sends_do_not_interleave(self) -> None:
        wire = list[str]()

        async def send(event: Any) -> None:
            wire.append("[" + event["text"])
            await checkpoint()
            await checkpoint()
            wire.append(event["text"] + "]")

        channel = channel_in(OPEN, send=send)
        async with anyio.create_task_group() as group:
            for name in "abcde":
                group.start_soon(channel.send, {"type": "websocket.send", "text": name})
                await checkpoint() if name == "c" else None
        assert len(wire) == 10
        assert all(wire[i].strip("[]") == wire[i + 1].strip("[]") for i in range(0, 10, 2))
        assert all(entry.startswith("[") for entry in wire[::2])

    async def test_sends_that_wait_behind_a_close_raise_disconnect(self) -> None:
        codes, proceed = list[int](), anyio.Event()

        async def slow(event: Any) -> None:
            assert event is CLOSE
            await proceed.wait()

        channel = channel_in(OPEN, send=slow)

        async def send_late() -> None:
            with pytest.raises(WebSocketDisconnect) as caught:
                await channel.send(TEXT)
            codes.append(caught.value.code)

        async with anyio.create_task_group() as group:
            group.start_soon(channel.send, CLOSE)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(send_late)
            group.start_soon(send_late)
            await anyio.wait_all_tasks_blocked()
            proceed.set()
        assert codes == [4001, 4001]


class TestSendingAndReceivingAtOnce:
    async def test_disconnect_during_a_close_is_final(self) -> None:
        async def send(_event: Any) -> None:
            await channel.receive()

        channel = channel_in(OPEN, scripted(DISCONNECT), send)
        await channel.send(CLOSE)
        assert channel.state is CLOSED
        assert channel.close_code == 1001

    async def test_disconnect_wakes_sends_behind_a_blocked_one(self) -> None:
        """One server never returns from a send to a lost connection."""
        codes = list[int]()
        channel = channel_in(OPEN, scripted(DISCONNECT), block_send)

        async def send_late() -> None:
            with pytest.raises(WebSocketDisconnect) as caught:
                await channel.send(TEXT)
            codes.append(caught.value.code)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(channel.send, TEXT)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(send_late)
                group.start_soon(send_late)
                await anyio.wait_all_tasks_blocked()
                await channel.receive()
                await anyio.wait_all_tasks_blocked()
                assert codes == [1001, 1001]
                group.cancel_scope.cancel()

    async def test_runtime_error_after_the_disconnect_event_is_a_disconnect(self) -> None:
        """One server raises it from a send after the disconnect event was received."""

        async def send(_event: Any) -> None:
            await channel.receive()
            raise RuntimeError("Unexpected ASGI message")

        channel = channel_in(OPEN, scripted(DISCONNECT), send)
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(TEXT)
        assert caught.value.code == 1001

    @pytest.mark.parametrize(
        ("message", "code", "state"),
        [(DISCONNECT, 1001, CLOSED), (TEXTS[0], 1006, LOST)],
        ids=["disconnect", "message"],
    )
    async def test_waiting_receive_gets_the_code_after_a_send_found_the_loss(
        self, message: Any, code: int, state: WebSocketState
    ) -> None:
        """The code that the server reports replaces 1006."""
        received, arrived = list[Any](), anyio.Event()

        async def receive() -> Any:
            await arrived.wait()
            return message

        async def fail(_event: Any) -> None:
            raise OSError

        channel = channel_in(OPEN, receive, fail)

        async def read() -> None:
            received.append(await channel.receive())

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(WebSocketDisconnect):
                await channel.send(TEXT)
            assert channel.close_code == 1006
            arrived.set()
        assert received == [message]
        assert channel.state is state
        assert channel.close_code == code
