"""Who may receive and send on a WebSocket, and when its state moves."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from anyio.lowlevel import checkpoint

from asgiwire._websocket.channel import SocketChannel
from asgiwire._websocket.states import CLOSED, CLOSING, DENYING, HANDSHAKE, INITIAL, OPEN, SocketState
from asgiwire.exceptions import ProtocolError, WebSocketDisconnect, WebSocketStateError

if TYPE_CHECKING:
    from asgiwire.types import Receive

pytestmark = pytest.mark.anyio

TEXT = {"type": "websocket.send", "text": "a"}
CLOSE = {"type": "websocket.close", "code": 4001, "reason": "bye"}
ACCEPT = {"type": "websocket.accept", "subprotocol": None}


def channel_in(state: SocketState, receive: Receive | None = None) -> SocketChannel:
    channel = SocketChannel(receive or never, never_called)
    channel.state = state
    return channel


def delivering(*messages: Any) -> Receive:
    left = list(messages)

    async def receive() -> Any:
        await checkpoint()
        return left.pop(0)

    return receive


def at_hand(*messages: Any) -> Receive:
    """As a server that has them already: the slowest machine has them in a moment."""
    left = list(messages)

    async def receive() -> Any:
        return left.pop(0)

    return receive


async def never() -> Any:
    await anyio.sleep_forever()


async def swallow(_event: Any) -> None:
    await checkpoint()


async def wait_until_blocked() -> None:
    await anyio.wait_all_tasks_blocked()


class TestReceiving:
    """One reader, and none after the disconnect."""

    async def test_the_messages_of_a_conversation_move_the_state(self) -> None:
        channel = channel_in(INITIAL)
        seen = [channel.state]
        receive = delivering(
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": "a"},
            {"type": "websocket.disconnect", "code": 1001, "reason": "bye"},
        )
        await channel.receive(receive)
        seen.append(channel.state)
        await channel.send(swallow, ACCEPT)
        seen.append(channel.state)
        assert not channel.heard
        await channel.receive(receive)
        assert channel.heard
        seen.append(channel.state)
        await channel.receive(receive)
        assert [*seen, channel.state] == [INITIAL, HANDSHAKE, OPEN, OPEN, CLOSED]
        assert (channel.code, channel.reason) == (1001, "bye")

    async def test_the_server_is_never_asked_after_a_disconnect(self) -> None:
        """Two servers would block for ever, the others make up another code."""
        channel = channel_in(OPEN)
        receive = delivering({"type": "websocket.disconnect", "code": 1000, "reason": "done"})
        await channel.receive(receive)
        for _ in range(2):
            with pytest.raises(WebSocketDisconnect, match=r"closed \(code 1000, reason 'done'\)$"):
                await channel.receive(never)

    async def test_a_second_reader_is_refused_and_the_first_goes_on(self) -> None:
        channel, got = channel_in(OPEN), list[Any]()
        arrived = anyio.Event()

        async def receive() -> Any:
            await arrived.wait()
            return {"type": "websocket.receive", "text": "a"}

        async def first() -> None:
            got.append(await channel.receive(receive))

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await wait_until_blocked()
            with pytest.raises(WebSocketStateError) as caught:
                await channel.receive(receive)
            arrived.set()
        assert (
            str(caught.value)
            == "another task is receiving from this WebSocket, and one message cannot go to two"
        )
        assert (caught.value.event, caught.value.state) == ("websocket.receive", "open")
        assert got == [{"type": "websocket.receive", "text": "a"}]
        assert await channel.receive(receive) == got[0]

    async def test_a_cancelled_receive_takes_nothing_and_moves_nothing(self) -> None:
        channel = channel_in(OPEN)
        with anyio.move_on_after(0):
            await channel.receive(never)
        assert channel.state is OPEN
        message = {"type": "websocket.receive", "text": "a"}
        assert await channel.receive(delivering(message)) == message

    async def test_a_failed_receive_frees_the_place(self) -> None:
        channel = channel_in(OPEN)

        async def fail() -> Any:
            raise KeyError("server")

        for _ in range(2):
            with pytest.raises(KeyError, match="server"):
                await channel.receive(fail)

    @pytest.mark.parametrize(
        ("state", "message"),
        [
            (INITIAL, {"type": "websocket.receive", "text": "a"}),
            (OPEN, {"type": "websocket.ping"}),
            (OPEN, {}),
        ],
        ids=["too early", "unknown", "no type"],
    )
    async def test_what_the_server_must_not_send(self, state: SocketState, message: Any) -> None:
        channel = channel_in(state)
        with pytest.raises(ProtocolError):
            await channel.receive(delivering(message))
        assert channel.state is state

    async def test_messages_in_flight_when_we_closed(self) -> None:
        channel = channel_in(OPEN)
        await channel.send(swallow, CLOSE)
        receive = delivering({"type": "websocket.receive", "text": "a"}, {"type": "websocket.disconnect"})
        assert (await channel.receive(receive))["text"] == "a"
        assert channel.state is CLOSING
        await channel.receive(receive)
        assert channel.state is CLOSED

    async def test_our_own_code_outlives_the_servers(self) -> None:
        """After a close(4001) one server reports 1005, one 1000 and one 4001."""
        channel = channel_in(OPEN)
        await channel.send(swallow, CLOSE)
        await channel.receive(delivering({"type": "websocket.disconnect", "code": 1005}))
        assert (channel.code, channel.reason) == (4001, "bye")


TEXTS = [{"type": "websocket.receive", "text": text} for text in "abc"]
LEFT = {"type": "websocket.disconnect", "code": 1001}


class TestLooking:
    """Whether the client is there still, without waiting, and without losing what it says."""

    async def test_what_is_there_is_kept_for_the_next_reads_in_order(self) -> None:
        source = at_hand(*TEXTS)
        channel = channel_in(OPEN, source)
        await channel.look()
        await channel.look()
        assert channel.state is OPEN
        assert [await channel.receive(source) for _ in TEXTS] == TEXTS

    async def test_what_the_server_must_not_send_is_nobodys_to_read(self) -> None:
        source = at_hand({"type": "websocket.connect"}, *TEXTS)
        channel = channel_in(OPEN, source)
        with pytest.raises(ProtocolError):
            await channel.look()
        assert await channel.receive(source) == TEXTS[0]

    async def test_what_comes_later_is_not_lost(self) -> None:
        """Neither to the looks that did not see it, nor to a reader that gave up waiting."""
        arrived = anyio.Event()

        async def source() -> Any:
            await arrived.wait()
            return TEXTS[0]

        channel = channel_in(OPEN, source)
        await channel.look()
        await channel.look()
        with anyio.move_on_after(0.001):
            await channel.receive(source)
        await channel.look()
        assert not channel.receiving
        arrived.set()
        assert await channel.receive(source) == TEXTS[0]

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_a_receive_that_was_begun_is_not_cancelled(self, anyio_backend: str) -> None:
        """One server has taken the message by then, and drops it."""
        asked, arrived = 0, anyio.Event()

        async def source() -> Any:
            nonlocal asked
            asked += 1
            await arrived.wait()
            return TEXTS[asked - 1]

        channel = channel_in(OPEN, source)
        for _ in range(3):
            await channel.look()
        assert asked == 1
        arrived.set()
        for _ in range(3):
            await channel.look()
        assert [await channel.receive(source) for _ in range(3)] == TEXTS
        assert asked == 3

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    async def test_nothing_is_left_behind(self, anyio_backend: str) -> None:
        """A task that goes on for nobody would be reported when the loop ends."""
        ended = anyio.Event()

        async def source() -> Any:
            try:
                await anyio.sleep_forever()
            finally:
                ended.set()

        channel = channel_in(OPEN, source)
        await channel.look()
        del channel
        with anyio.fail_after(5):
            await ended.wait()

    @pytest.mark.parametrize("anyio_backend", ["asyncio"])
    def test_nothing_is_left_behind_of_a_loop_that_has_ended(self, anyio_backend: str) -> None:
        import asyncio

        async def look() -> SocketChannel:
            channel = channel_in(OPEN, never)
            await channel.look()
            return channel

        loop = asyncio.new_event_loop()
        channel = loop.run_until_complete(look())
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.close()
        del channel

    async def test_the_servers_errors_come_through(self) -> None:
        async def source() -> Any:
            raise KeyError("server")

        channel = channel_in(OPEN, source)
        for _ in range(2):
            with pytest.raises(KeyError, match="server"):
                await channel.look()
        assert not channel.receiving

    async def test_any_awaitable_will_do(self) -> None:
        """One server's receive returns an object of its own."""

        class Answer:
            def __await__(self) -> Any:
                yield from checkpoint().__await__()
                return TEXTS[0]

        channel = channel_in(OPEN, Answer)
        await channel.look()
        assert await channel.receive(Answer) == TEXTS[0]

    @pytest.mark.parametrize("state", [HANDSHAKE, OPEN, DENYING])
    async def test_the_client_has_left(self, state: SocketState) -> None:
        """Who receives the events himself is given this one too, and once."""
        channel = channel_in(state, at_hand(LEFT))
        await channel.look()
        assert (channel.state, channel.code) == (CLOSED, 1001)
        assert await channel.receive(never) == LEFT
        with pytest.raises(WebSocketDisconnect):
            await channel.receive(never)

    async def test_what_came_before_the_disconnect_is_read_before_it(self) -> None:
        channel = channel_in(OPEN, at_hand(*TEXTS, LEFT))
        for _ in range(5):
            await channel.look()
        assert channel.state is CLOSED
        assert [await channel.receive(never) for _ in range(4)] == [*TEXTS, LEFT]

    @pytest.mark.parametrize("state", [INITIAL, CLOSING, CLOSED])
    async def test_where_there_is_nothing_to_look_for(self, state: SocketState) -> None:
        """The connect event is left to whoever answers it."""
        channel = channel_in(state, never_received)
        await channel.look()
        assert channel.state is state

    async def test_where_a_task_is_receiving_nothing_is_there(self) -> None:
        channel, got = channel_in(OPEN, never_received), list[Any]()
        arrived = anyio.Event()

        async def receive() -> Any:
            await arrived.wait()
            return TEXTS[0]

        async def reader() -> None:
            got.append(await channel.receive(receive))

        async with anyio.create_task_group() as group:
            group.start_soon(reader)
            await wait_until_blocked()
            await channel.look()
            arrived.set()
        assert got == [TEXTS[0]]

    @pytest.mark.parametrize("messages", [[], TEXTS[:1]], ids=["nothing", "a message"])
    async def test_who_reads_meanwhile_is_no_second_reader(self, messages: list[Any]) -> None:
        """The one that only looks has gone in a moment, and has left what came."""
        got, asked = list[Any](), 0
        arrived = anyio.Event()

        async def source() -> Any:
            nonlocal asked
            asked += 1
            await anyio.lowlevel.cancel_shielded_checkpoint()
            if messages and asked == 1:
                return messages[0]
            await arrived.wait()
            return TEXTS[2]

        channel = channel_in(OPEN, source)

        async def reader() -> None:
            got.append(await channel.receive(source))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(channel.look)
                await checkpoint()
                group.start_soon(reader)
                group.start_soon(channel.look)
                await wait_until_blocked()
                arrived.set()
        assert got == (messages or TEXTS[2:])

    @pytest.mark.parametrize("size", [0, 1000, 600_000, 2_000_000])
    async def test_a_client_that_is_not_read_does_not_fill_the_memory(self, size: int) -> None:
        taken = 0

        async def source() -> Any:
            nonlocal taken
            taken += 1
            return {"type": "websocket.receive", "bytes": bytes(size)}

        channel = channel_in(OPEN, source)
        most = ceil(1024 * 1024 / (256 + size))
        for _ in range(most + 5):
            await channel.look()
        assert taken == most
        await channel.receive(source)
        await channel.look()
        assert taken == most + 1

    async def test_the_servers_fault_is_not_the_clients(self) -> None:
        channel = channel_in(HANDSHAKE, at_hand(TEXTS[0]))
        with pytest.raises(ProtocolError):
            await channel.look()
        assert not channel.receiving

    async def test_cancelled(self) -> None:
        channel = channel_in(OPEN, at_hand(*TEXTS))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await channel.look()
        assert not channel.receiving
        assert await channel.receive(channel.source) == TEXTS[0]


class TestSending:
    """One event at a time, and the state after the server has taken it."""

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
    async def test_the_state_moves_when_the_server_has_taken_the_event(
        self, before: SocketState, event: Any, after: SocketState
    ) -> None:
        channel, during = channel_in(before), list[SocketState]()

        async def send(_event: Any) -> None:
            during.append(channel.state)
            await checkpoint()
            during.append(channel.state)

        await channel.send(send, event)
        assert during == [before, before]
        assert channel.state is after

    async def test_what_the_state_does_not_allow_never_reaches_the_server(self) -> None:
        channel = channel_in(HANDSHAKE)
        with pytest.raises(
            WebSocketStateError, match=r"^'websocket\.send' is not allowed in state 'handshake'"
        ):
            await channel.send(never_called, TEXT)
        await channel.send(swallow, ACCEPT)

    @pytest.mark.parametrize("event", [TEXT, CLOSE, ACCEPT], ids=lambda event: str(event["type"]))
    async def test_nothing_is_sent_after_the_client_left(self, event: Any) -> None:
        channel = channel_in(OPEN)
        await channel.receive(delivering({"type": "websocket.disconnect", "code": 1001, "reason": "away"}))
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(never_called, event)
        assert (caught.value.code, caught.value.reason) == (1001, "away")

    @pytest.mark.parametrize("event", [TEXT, CLOSE, ACCEPT], ids=lambda event: str(event["type"]))
    async def test_nothing_is_sent_after_our_own_close(self, event: Any) -> None:
        """One server accepts, with HTTP 101, after a close."""
        channel = channel_in(HANDSHAKE)
        await channel.send(swallow, CLOSE)
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(never_called, event)
        assert (caught.value.code, caught.value.reason) == (4001, "bye")

    async def test_nothing_is_sent_after_a_denial(self) -> None:
        """There was no close frame, and so RFC 6455 section 7.1.5 has it that the code is 1006."""
        channel = channel_in(DENYING)
        await channel.send(swallow, {"type": "websocket.http.response.body", "body": b""})
        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(never_called, TEXT)
        assert (caught.value.code, caught.value.reason) == (1006, "")

    async def test_a_raw_close_without_code_is_1000(self) -> None:
        """ASGI: the code of a close event defaults to 1000."""
        channel = channel_in(OPEN)
        await channel.send(swallow, {"type": "websocket.close"})
        assert (channel.code, channel.reason) == (1000, "")

    async def test_an_os_error_is_a_disconnect(self) -> None:
        """ASGI 2.4: on a closed connection the server should raise an OSError."""
        channel = channel_in(OPEN)
        error = BrokenPipeError()

        async def fail(_event: Any) -> None:
            raise error

        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(fail, TEXT)
        assert (caught.value.code, caught.value.reason) == (1006, "")
        assert caught.value.__cause__ is error
        assert channel.state is CLOSED
        with pytest.raises(WebSocketDisconnect):
            await channel.receive(never)

    async def test_the_servers_other_errors_are_its_own_and_move_nothing(self) -> None:
        channel = channel_in(OPEN)

        async def fail(_event: Any) -> None:
            raise RuntimeError("server")

        for event in (TEXT, CLOSE):
            with pytest.raises(RuntimeError, match=r"^server$"):
                await channel.send(fail, event)
        assert channel.state is OPEN
        await channel.send(swallow, TEXT)

    async def test_a_cancelled_send_moves_nothing_and_passes_the_turn_on(self) -> None:
        channel = channel_in(OPEN)

        async def hang(_event: Any) -> None:
            await anyio.sleep_forever()

        with anyio.move_on_after(0):
            await channel.send(hang, CLOSE)
        assert channel.state is OPEN
        await channel.send(swallow, CLOSE)
        assert channel.state is CLOSING

    async def test_sends_never_interleave_and_keep_their_order(self) -> None:
        channel, wire = channel_in(OPEN), list[str]()

        async def send(event: Any) -> None:
            wire.append("[" + event["text"])
            await checkpoint()
            await checkpoint()
            wire.append(event["text"] + "]")

        async with anyio.create_task_group() as group:
            for name in "abcde":
                group.start_soon(channel.send, send, {"type": "websocket.send", "text": name})
                await checkpoint() if name == "c" else None
        assert len(wire) == 10
        assert all(wire[i].strip("[]") == wire[i + 1].strip("[]") for i in range(0, 10, 2))
        assert all(entry.startswith("[") for entry in wire[::2])

    async def test_who_waits_behind_a_close_is_told(self) -> None:
        channel, refused = channel_in(OPEN), list[int]()
        go = anyio.Event()

        async def slow(_event: Any) -> None:
            await go.wait()

        async def late() -> None:
            with pytest.raises(WebSocketDisconnect) as caught:
                await channel.send(never_called, TEXT)
            refused.append(caught.value.code)

        async with anyio.create_task_group() as group:
            group.start_soon(channel.send, slow, CLOSE)
            await wait_until_blocked()
            group.start_soon(late)
            group.start_soon(late)
            await wait_until_blocked()
            go.set()
        assert refused == [4001, 4001]


class TestBothAtOnce:
    """What is received while something is being sent."""

    async def test_a_disconnect_during_a_close_is_final(self) -> None:
        channel = channel_in(OPEN)

        async def send(_event: Any) -> None:
            await channel.receive(delivering({"type": "websocket.disconnect", "code": 1001}))

        await channel.send(send, CLOSE)
        assert channel.state is CLOSED
        assert channel.code == 1001

    async def test_who_waits_behind_a_hanging_send_is_freed_by_the_disconnect(self) -> None:
        """One server never returns from a send to a lost connection."""
        channel, refused = channel_in(OPEN), list[int]()

        async def hang(_event: Any) -> None:
            await anyio.sleep_forever()

        async def waiting() -> None:
            with pytest.raises(WebSocketDisconnect) as caught:
                await channel.send(never_called, TEXT)
            refused.append(caught.value.code)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(channel.send, hang, TEXT)
                await wait_until_blocked()
                group.start_soon(waiting)
                group.start_soon(waiting)
                await wait_until_blocked()
                await channel.receive(delivering({"type": "websocket.disconnect", "code": 1001}))
                await wait_until_blocked()
                assert refused == [1001, 1001]
                group.cancel_scope.cancel()

    async def test_a_late_runtime_error_is_a_disconnect(self) -> None:
        """One server raises that from a send once the disconnect was received."""
        channel = channel_in(OPEN)

        async def send(_event: Any) -> None:
            await channel.receive(delivering({"type": "websocket.disconnect", "code": 1001}))
            raise RuntimeError("Unexpected ASGI message")

        with pytest.raises(WebSocketDisconnect) as caught:
            await channel.send(send, TEXT)
        assert caught.value.code == 1001

    @pytest.mark.parametrize(
        ("late", "code"),
        [
            ({"type": "websocket.disconnect", "code": 1001}, 1001),
            ({"type": "websocket.receive", "text": "a"}, 1006),
        ],
        ids=["disconnect", "message"],
    )
    async def test_a_receive_under_way_when_a_send_found_the_loss(self, late: Any, code: int) -> None:
        """The code that the server reports is better than the 1006 that stood for not knowing."""
        channel, got = channel_in(OPEN), list[Any]()
        arrived = anyio.Event()

        async def receive() -> Any:
            await arrived.wait()
            return late

        async def fail(_event: Any) -> None:
            raise OSError

        async def reader() -> None:
            got.append(await channel.receive(receive))

        async with anyio.create_task_group() as group:
            group.start_soon(reader)
            await wait_until_blocked()
            with pytest.raises(WebSocketDisconnect):
                await channel.send(fail, TEXT)
            assert channel.code == 1006
            arrived.set()
        assert got == [late]
        assert channel.state is CLOSED
        assert channel.code == code


async def never_called(_event: Any) -> None:
    pytest.fail("the event went out")


async def never_received() -> Any:
    pytest.fail("the server was asked")
