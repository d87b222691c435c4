"""Threads, events, polling and pending receives on asyncio and trio."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from types import coroutine
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from asgiwire._concurrency import PendingReceive, finish_within, new_event, poll, run_in_thread

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.mark.anyio
async def test_thread_returns_its_result() -> None:
    here = threading.get_ident()
    assert await run_in_thread(threading.get_ident) != here


@pytest.mark.anyio
async def test_thread_raises_its_error() -> None:
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 // 0)


@pytest.mark.anyio
async def test_event_loop_runs_while_the_thread_works() -> None:
    started, release = threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        assert release.wait(10)
        return "done"

    async def release_thread() -> None:
        assert await anyio.to_thread.run_sync(started.wait, 10)
        release.set()

    async with anyio.create_task_group() as group:
        group.start_soon(release_thread)
        assert await run_in_thread(work) == "done"


@pytest.mark.anyio
async def test_cancellation_waits_for_the_thread() -> None:
    """A cancelled task must not close a file while the thread writes to it."""
    started, release, finished = threading.Event(), threading.Event(), threading.Event()
    finished_before_cancellation: list[bool] = []

    def work() -> None:
        started.set()
        assert release.wait(10)
        finished.set()

    async def write() -> None:
        try:
            await run_in_thread(work)
        finally:
            finished_before_cancellation.append(finished.is_set())

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        assert await anyio.to_thread.run_sync(started.wait, 10)
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.02)
            assert finished_before_cancellation == []
            release.set()
    assert finished_before_cancellation == [True]


def test_error_after_a_cancellation_is_not_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The event loop must not report the error of the thread as never retrieved."""
    started, release = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        assert release.wait(10)
        raise OSError("disk full")

    async def main() -> None:
        task = asyncio.ensure_future(run_in_thread(work))
        assert await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.sleep(0.005)
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        gc.collect()

    asyncio.run(main())
    assert "disk full" not in caplog.text  # other records can come from other tests


def test_second_cancellation_waits_too() -> None:
    started, release, finished = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        assert release.wait(10)
        finished.set()

    async def main() -> None:
        task = asyncio.ensure_future(run_in_thread(work))
        assert await asyncio.to_thread(started.wait, 10)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0.005)
            assert not task.done()
        release.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert finished.is_set()

    asyncio.run(main())


def test_call_that_the_executor_dropped_is_cancelled() -> None:
    """An executor that shuts down with ``cancel_futures`` cancels pending calls."""

    class Dropping(ThreadPoolExecutor):
        def submit(self, *_: object, **__: object) -> Future[object]:  # type: ignore[override]
            future: Future[object] = Future()
            future.cancel()
            return future

    async def main() -> None:
        executor = Dropping()
        asyncio.get_running_loop().set_default_executor(executor)
        with pytest.raises(asyncio.CancelledError):
            await run_in_thread(threading.get_ident)

    asyncio.run(main())


@pytest.mark.parametrize("second", [False, True], ids=["once", "twice"])
def test_call_that_no_thread_has_begun_is_dropped(second: bool) -> None:
    """The default executor may be busy for longer than a timeout."""
    release, called = threading.Event(), list[str]()

    async def main() -> None:
        executor = ThreadPoolExecutor(1)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(executor)
        blocking = loop.run_in_executor(None, release.wait, 10)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await run_in_thread(lambda: called.append("dropped"))
        if second:
            task = asyncio.ensure_future(run_in_thread(lambda: called.append("run")))
            await asyncio.sleep(0.005)
            release.set()
            await task
        release.set()
        assert await blocking

    asyncio.run(main())
    assert called == ["run"] * second


class TestFinishWithin:
    pytestmark = pytest.mark.anyio

    async def test_cancelled_task_finishes_the_call(self) -> None:
        finished = list[int]()

        async def work() -> None:
            for number in range(3):
                await anyio.sleep(0.001)
                finished.append(number)

        with anyio.move_on_after(0) as scope:
            try:
                await anyio.sleep_forever()
            finally:
                await finish_within(5, work)
        assert scope.cancelled_caught
        assert finished == [0, 1, 2]

    async def test_call_is_cancelled_after_the_time(self) -> None:
        ended = list[str]()

        async def work() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                ended.append("cancelled")

        with anyio.fail_after(5):
            await finish_within(0.05, work)
        assert ended == ["cancelled"]

    @pytest.mark.parametrize("cancelled", [False, True])
    async def test_error_of_the_call(self, cancelled: bool) -> None:
        """A cancellation wins over it on asyncio, trio has both."""

        async def work() -> None:
            await anyio.sleep(0.001)
            raise ValueError("work")

        with anyio.CancelScope() as scope:
            if cancelled:
                scope.cancel()
            with pytest.raises((ValueError, anyio.get_cancelled_exc_class())):
                await finish_within(5, work)


class PlainFuture:
    """A server whose coroutine awaits a plain future; a result for a cancelled future is lost."""

    def __init__(self) -> None:
        self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def receive(self) -> str:
        return await self.future


def test_poll_takes_a_result_that_arrives_with_its_end() -> None:
    """Asyncio delivers a cancellation in place of a result of the same iteration."""

    async def at(iteration: int) -> tuple[str | None, bool]:
        server, loop = PlainFuture(), asyncio.get_running_loop()

        def tick(left: int) -> None:
            if left:
                loop.call_soon(tick, left - 1)
            elif not server.future.done():
                server.future.set_result("message")

        loop.call_soon(tick, iteration)
        result = await poll(server.receive)
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return result, server.future.cancelled()

    async def main() -> None:
        outcomes = [await at(iteration) for iteration in range(15)]
        assert all(result == "message" or cancelled for result, cancelled in outcomes)
        assert {result for result, _ in outcomes} == {"message", None}

    asyncio.run(main())


def test_poll_ends_a_call_that_waits_again_after_its_end() -> None:
    """A queue of several readers wakes one that then finds the queue empty."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ended = list[str]()

        for iteration in range(15):
            server = PlainFuture()

            async def receive(server: PlainFuture = server) -> None:
                try:
                    await server.receive()
                    await loop.create_future()
                except asyncio.CancelledError:
                    ended.append("cancelled")
                    raise

            def tick(left: int, server: PlainFuture = server) -> None:
                if left:
                    loop.call_soon(tick, left - 1, server)
                elif not server.future.done():
                    server.future.set_result("message")

            loop.call_soon(tick, iteration)
            async with asyncio.timeout(5):
                assert await poll(receive) is None
        assert ended == ["cancelled"] * 15

    asyncio.run(main())


def test_poll_that_is_thrown_away() -> None:
    async def main() -> None:
        server = PlainFuture()
        polling: Any = poll(server.receive)
        polling.send(None)
        polling.close()
        await asyncio.sleep(0.001)
        assert not server.future.done()

    asyncio.run(main())


@pytest.mark.parametrize("iterations", range(14))
def test_cancellation_during_a_poll_is_not_swallowed(iterations: int) -> None:
    async def main() -> None:
        server = PlainFuture()
        task = asyncio.ensure_future(poll(server.receive))
        for _ in range(iterations):
            await asyncio.sleep(0)
        if task.cancel():
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


@pytest.mark.anyio
async def test_event_wakes_all_tasks() -> None:
    event = new_event()
    woken: list[int] = []

    async def wait(number: int) -> None:
        await event.wait()
        woken.append(number)

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(wait, number)
        await anyio.sleep(0.001)
        assert woken == []
        event.set()
    assert sorted(woken) == [0, 1, 2]


@pytest.mark.anyio
async def test_event_that_is_set_does_not_wait() -> None:
    event = new_event()
    event.set()
    with anyio.fail_after(5):
        await event.wait()


@pytest.mark.anyio
async def test_poll_returns_a_result_that_is_available() -> None:
    async def receive() -> str:
        await anyio.lowlevel.checkpoint()
        return "message"

    assert await poll(receive) == "message"


@pytest.mark.anyio
async def test_poll_cancels_a_call_that_waits() -> None:
    ended: list[str] = []

    async def receive() -> None:
        try:
            await new_event().wait()
        finally:
            ended.append("cancelled")

    with anyio.fail_after(5):
        assert await poll(receive) is None
    assert ended == ["cancelled"]


@pytest.mark.anyio
@pytest.mark.parametrize("error_type", [OSError, TimeoutError])
async def test_poll_raises_the_error_of_the_function(error_type: type[Exception]) -> None:
    """A TimeoutError of the function is not the end of the poll."""

    async def receive() -> None:
        raise error_type("from receive")

    with pytest.raises(error_type, match="from receive"):
        await poll(receive)
    await anyio.sleep(0.002)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("way", ["cancelled", "failed"])
def test_finished_poll_leaves_no_callback(backend: str, way: str) -> None:
    """In trio, an error in a callback during shutdown is an internal error."""

    async def receive() -> None:
        if way == "failed":
            raise OSError
        await new_event().wait()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poll, receive)
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    if way == "cancelled":
        anyio.run(main, backend=backend)
    else:
        with pytest.raises(OSError):  # noqa: PT011  # the error has no message
            anyio.run(poll, receive, backend=backend)


class Server:
    """A server that returns a future from ``receive``, like granian."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[Any]] = []

    def receive(self) -> asyncio.Future[Any]:
        future = asyncio.get_running_loop().create_future()
        self.futures.append(future)
        return future


class TestPendingReceive:
    @pytest.mark.anyio
    async def test_coroutine_is_returned_unchanged(self) -> None:
        async def receive() -> str:
            await anyio.lowlevel.checkpoint()
            return "message"

        awaitable = receive()
        assert PendingReceive().start(lambda: awaitable) is awaitable
        assert await awaitable == "message"

    @pytest.mark.anyio
    async def test_awaitable_that_is_not_a_future(self) -> None:
        class Awaitable:
            def __await__(self) -> Generator[Any, None, str]:
                yield from anyio.lowlevel.checkpoint().__await__()
                return "message"

        @coroutine
        def generator() -> Generator[Any, None, str]:
            yield from anyio.lowlevel.checkpoint().__await__()
            return "message"

        pending = PendingReceive()
        for receive in (Awaitable, generator, Awaitable):
            assert await pending.start(receive) == "message"

    def test_future(self) -> None:
        async def main() -> None:
            server, pending = Server(), PendingReceive()
            for message in ("first", "second"):
                task = asyncio.ensure_future(pending.start(server.receive))
                await asyncio.sleep(0)
                server.futures[-1].set_result(message)
                assert await task == message
            assert len(server.futures) == 2

        asyncio.run(main())

    @pytest.mark.parametrize("early", [True, False], ids=["before", "after"])
    def test_future_is_reused_after_a_cancellation(self, early: bool) -> None:
        """The message can arrive before or after the next call."""

        async def main() -> None:
            server, pending = Server(), PendingReceive()
            for _ in range(3):
                task = asyncio.ensure_future(pending.start(server.receive))
                await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            (future,) = server.futures
            assert not future.cancelled()
            if early:
                future.set_result("message")
            else:
                asyncio.get_running_loop().call_soon(future.set_result, "message")
            assert await pending.start(server.receive) == "message"
            assert server.futures == [future]

        asyncio.run(main())

    def test_poll_does_not_lose_a_message(self) -> None:
        async def main() -> None:
            server, pending = Server(), PendingReceive()
            assert await poll(lambda: pending.start(server.receive)) is None
            server.futures[0].set_result("message")
            assert await poll(lambda: pending.start(server.receive)) == "message"
            assert len(server.futures) == 1

        asyncio.run(main())

    def test_future_that_the_server_cancelled_is_not_kept(self) -> None:
        async def main() -> None:
            server, pending = Server(), PendingReceive()
            task = asyncio.ensure_future(pending.start(server.receive))
            await asyncio.sleep(0)
            server.futures[0].cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            task = asyncio.ensure_future(pending.start(server.receive))
            await asyncio.sleep(0)
            server.futures[1].set_result("message")
            assert await task == "message"

        asyncio.run(main())

    @pytest.mark.parametrize("cancelled", [True, False])
    def test_future_that_fails(self, cancelled: bool) -> None:
        """The error is raised once, and the next call receives again."""

        async def main() -> None:
            server, pending = Server(), PendingReceive()
            task = asyncio.ensure_future(pending.start(server.receive))
            await asyncio.sleep(0)
            if cancelled:
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                task = asyncio.ensure_future(pending.start(server.receive))
                await asyncio.sleep(0)
            server.futures[0].set_exception(OSError("lost"))
            with pytest.raises(OSError, match="lost"):
                await task
            task = asyncio.ensure_future(pending.start(server.receive))
            await asyncio.sleep(0)
            server.futures[1].set_result("message")
            assert await task == "message"

        asyncio.run(main())
