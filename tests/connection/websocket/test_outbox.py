"""The bounded queue of outgoing messages."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire._concurrency import in_trio
from asgiwire.connection import WebSocket
from tests.receives import run_other_tasks, running_tasks
from tests.websocket_server import Server, connected, disconnect, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


class Impatient(WebSocket):
    close_timeout = 0.02


class Slow(Server):
    """A server whose ``send`` of a message waits for ``go_on``; the close too, if it is ``stalled``."""

    def __init__(self, *messages: Any, stalled: bool = False) -> None:
        super().__init__(*messages)
        self.stalled = stalled
        self.go_on = anyio.Event()

    async def send(self, event: Any) -> None:
        if event["type"] == "websocket.send" or (self.stalled and event["type"] == "websocket.close"):
            await self.go_on.wait()
        await super().send(event)

    @property
    def messages(self) -> list[Any]:
        return [
            event.get("text", event.get("bytes")) for event in self.sent if event["type"].endswith("send")
        ]


@pytest.fixture(autouse=True)
async def _no_task_remains(anyio_backend: str) -> AsyncIterator[None]:
    before = running_tasks()
    with anyio.fail_after(5):
        yield
    await run_other_tasks()
    assert running_tasks() == before


async def test_messages_are_sent_in_order_and_flushed_at_the_end() -> None:
    server = Slow()
    server.go_on.set()
    async with connected(server) as socket:
        async with socket.outbox() as outbox:
            assert outbox.put_nowait("a")
            await run_other_tasks()
            assert outbox.put_nowait(b"b")
            assert await outbox.put("c")
            assert len(outbox) == 2
        assert server.messages == ["a", b"b", "c"]
        assert not outbox.put_nowait("late")
    assert server.sent[-1]["code"] == 1000


async def test_slow_client_is_closed_with_1013() -> None:
    server = Slow()
    async with connected(server) as socket:
        async with socket.outbox(max_messages=2) as outbox:
            outbox.put_nowait("a")
            await run_other_tasks()
            assert [outbox.put_nowait(data) for data in "bcd"] == [True, True, False]
            await socket.receive_text()
            pytest.fail("the block is cancelled")
        assert outbox.overflowed
        assert (socket.close_code, len(outbox)) == (1013, 0)
    assert server.sent_types == ["accept", "close"]


async def test_client_that_reads_nothing_cannot_hold_the_block() -> None:
    server = Slow(stalled=True)
    async with connected(server, Impatient) as socket, socket.outbox(max_messages=1) as outbox:
        outbox.put_nowait("a")
        await run_other_tasks()
        outbox.put_nowait("b")
        outbox.put_nowait("c")
        await anyio.sleep_forever()
    assert (socket.disconnected, socket.close_code) == (True, 1006)


async def test_flush_is_bounded_in_time() -> None:
    async with connected(Slow(stalled=True), Impatient) as socket, socket.outbox() as outbox:
        outbox.put_nowait("a")


async def test_oldest_message_is_dropped() -> None:
    server = Slow()
    async with connected(server) as socket:
        async with socket.outbox(max_messages=2, on_full="drop_oldest") as outbox:
            outbox.put_nowait("a")
            await run_other_tasks()
            for data in "bcd":
                assert outbox.put_nowait(data)
            server.go_on.set()
        assert server.messages == ["a", "c", "d"]
        assert (outbox.dropped, outbox.overflowed) == (1, False)


async def test_put_waits_for_space() -> None:
    server = Slow()
    async with connected(server) as socket:
        async with socket.outbox(max_messages=1, on_full="wait") as outbox:
            outbox.put_nowait("a")
            await run_other_tasks()
            assert outbox.put_nowait("b")
            assert not outbox.put_nowait("rejected")
            async with anyio.create_task_group() as group:
                group.start_soon(outbox.put, "c")
                await run_other_tasks()
                assert len(outbox) == 1
                server.go_on.set()
        assert server.messages == ["a", "b", "c"]


async def test_disconnect_cancels_the_block() -> None:
    server = Slow(disconnect(code=1001))
    server.go_on.set()
    async with connected(server) as socket:
        server.error = lambda event: OSError("lost") if event["type"] == "websocket.send" else None
        async with socket.outbox() as outbox:
            outbox.put_nowait("a")
            await anyio.sleep_forever()
        assert not outbox.overflowed
        assert not await outbox.put("b")
    assert socket.close_code == 1006


async def test_disconnect_wakes_a_task_that_waits_for_space() -> None:
    server = Slow()
    async with connected(server) as socket:
        server.error = lambda event: OSError("lost") if event["type"] == "websocket.send" else None
        async with (
            anyio.create_task_group() as group,
            socket.outbox(max_messages=1, on_full="wait") as outbox,
        ):
            outbox.put_nowait("a")
            await run_other_tasks()
            outbox.put_nowait("b")
            group.start_soon(outbox.put, "c")
            await run_other_tasks()
            server.go_on.set()
            await anyio.sleep_forever()


async def test_disconnect_while_the_end_of_the_block_flushes() -> None:
    server = Slow()
    async with connected(server) as socket:
        server.error = lambda event: OSError("lost") if event["type"] == "websocket.send" else None
        server.go_on.set()
        async with socket.outbox() as outbox:
            outbox.put_nowait("a")
    assert socket.close_code == 1006


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_cancellation_during_the_flush_propagates(anyio_backend: str) -> None:
    server, entered = Slow(), asyncio.Event()

    async def application() -> None:
        async with connected(server) as socket, socket.outbox() as outbox:
            outbox.put_nowait("a")
            outbox.put_nowait("b")
            entered.set()

    task = asyncio.ensure_future(application())
    await entered.wait()
    await run_other_tasks()
    task.cancel()
    await run_other_tasks()
    assert not task.done()
    server.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.messages == ["a", "b"]


async def test_disconnect_after_the_overflow() -> None:
    server = Slow()
    async with connected(server) as socket:
        server.error = lambda event: OSError("lost") if event["type"] == "websocket.send" else None
        async with socket.outbox(max_messages=1) as outbox:
            outbox.put_nowait("a")
            await run_other_tasks()
            outbox.put_nowait("b")
            outbox.put_nowait("c")
            server.go_on.set()
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await run_other_tasks()
    assert socket.disconnected
    task = asyncio.current_task() if not in_trio() else None
    assert task is None or task.cancelling() == 0


async def test_several_tasks_wait_for_space() -> None:
    server = Slow()
    async with connected(server) as socket:
        async with socket.outbox(max_messages=1, on_full="wait") as outbox:
            outbox.put_nowait("a")
            await run_other_tasks()
            outbox.put_nowait("b")
            async with anyio.create_task_group() as group:
                for data in "cd":
                    group.start_soon(outbox.put, data)
                await run_other_tasks()
                server.go_on.set()
        assert sorted(server.messages) == ["a", "b", "c", "d"]


async def test_error_of_the_server_propagates() -> None:
    server = Slow()
    server.go_on.set()
    with pytest.raises(ValueError, match="server"):
        async with connected(server) as socket, socket.outbox() as outbox:
            server.error = lambda event: ValueError("server") if event["type"].endswith("send") else None
            outbox.put_nowait("a")
            await anyio.sleep_forever()


async def test_error_of_the_block_propagates_and_drops_the_messages() -> None:
    server = Slow()
    with pytest.raises(ZeroDivisionError):
        async with connected(server) as socket, socket.outbox() as outbox:
            outbox.put_nowait("a")
            outbox.put_nowait("b")
            raise ZeroDivisionError
    assert server.messages == []


async def test_outer_cancellation_propagates() -> None:
    server = Slow()
    with anyio.move_on_after(0.01) as scope:
        async with connected(server) as socket, socket.outbox() as outbox:
            outbox.put_nowait("a")
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert server.sent[-1]["code"] == 1011


async def test_room_with_a_slow_member() -> None:
    """The slow member is closed, the other one gets every message."""
    fast, slow = Slow(), Slow()
    fast.go_on.set()
    room: set[Any] = set()
    closed = list[int | None]()

    async def member(server: Slow) -> None:
        async with connected(server) as socket:
            async with socket.outbox(max_messages=3) as outbox:
                room.add(outbox)
                try:
                    await socket.receive_text()
                finally:
                    room.discard(outbox)
            closed.append(socket.close_code)

    async with anyio.create_task_group() as group:
        group.start_soon(member, fast)
        group.start_soon(member, slow)
        await run_other_tasks()
        for number in range(10):
            for outbox in list(room):
                outbox.put_nowait(str(number))
            await run_other_tasks()
        assert fast.messages == list("0123456789")
        assert closed == [1013]
        group.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("values", "word"), [({"max_messages": 0}, "max_messages"), ({"on_full": "x"}, "on_full")]
)
async def test_invalid_arguments(values: dict[str, Any], word: str) -> None:
    socket = connected(Server(text("a")))
    with pytest.raises(ValueError, match=word):
        socket.outbox(**values)
