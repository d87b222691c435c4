"""The bridge to both event loops: a thread is waited for whatever happens, an event wakes who waits."""

from __future__ import annotations

import asyncio
import gc
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from asgiwire._concurrency import new_event, poll, run_in_thread


@pytest.mark.anyio
async def test_thread_gives_its_result() -> None:
    here = threading.get_ident()
    assert await run_in_thread(threading.get_ident) != here


@pytest.mark.anyio
async def test_thread_raises_its_error() -> None:
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(lambda: 1 // 0)


@pytest.mark.anyio
async def test_loop_goes_on_while_the_thread_works() -> None:
    started, release = threading.Event(), threading.Event()

    def work() -> str:
        started.set()
        assert release.wait(10)
        return "done"

    async def let_go() -> None:
        assert await anyio.to_thread.run_sync(started.wait, 10)
        release.set()

    async with anyio.create_task_group() as group:
        group.start_soon(let_go)
        assert await run_in_thread(work) == "done"


@pytest.mark.anyio
async def test_cancellation_waits_for_the_thread() -> None:
    """A file that the thread still writes to must not be closed by the task that gave up waiting."""
    started, release, finished = threading.Event(), threading.Event(), threading.Event()
    seen: list[bool] = []

    def work() -> None:
        started.set()
        assert release.wait(10)
        finished.set()

    async def write() -> None:
        try:
            await run_in_thread(work)
        finally:
            seen.append(finished.is_set())

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        assert await anyio.to_thread.run_sync(started.wait, 10)
        group.cancel_scope.cancel()
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.02)
            assert seen == []
            release.set()
    assert seen == [True]


def test_error_that_nobody_waits_for_is_not_reported_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The task was cancelled and says so; the loop must not complain that nobody took the thread's error."""
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
    assert "disk full" not in caplog.text  # what other tests have left may be collected here too


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


def test_call_that_the_executor_dropped_is_a_cancellation() -> None:
    """An executor that shuts down with ``cancel_futures`` cancels what it has not begun."""

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


@pytest.mark.anyio
async def test_event_wakes_everybody() -> None:
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
async def test_event_that_was_set_does_not_wait() -> None:
    event = new_event()
    event.set()
    with anyio.fail_after(5):
        await event.wait()


@pytest.mark.anyio
async def test_poll_waits_for_what_is_there() -> None:
    arrived: list[str] = []

    async def look() -> None:
        await anyio.lowlevel.checkpoint()
        arrived.append("message")

    await poll(look)
    assert arrived == ["message"]


@pytest.mark.anyio
async def test_poll_gives_up_on_what_is_not_there() -> None:
    ended: list[str] = []

    async def look() -> None:
        try:
            await new_event().wait()
        finally:
            ended.append("cancelled")

    with anyio.fail_after(5):
        await poll(look)
    assert ended == ["cancelled"]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [OSError, TimeoutError])
async def test_poll_raises_what_its_function_raises(kind: type[Exception]) -> None:
    """A socket that timed out is an error of the server, and no sign that nothing has arrived."""

    async def look() -> None:
        raise kind("from receive")

    with pytest.raises(kind, match="from receive"):
        await poll(look)
    await anyio.sleep(0.002)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("way", ["cancelled", "failed"])
def test_a_poll_that_is_over_asks_nothing_of_a_loop_that_ends(backend: str, way: str) -> None:
    """To trio, an error in a callback of its last turns is one of its own, and ends the program."""

    async def look() -> None:
        if way == "failed":
            raise OSError
        await new_event().wait()

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(poll, look)
            await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()

    if way == "cancelled":
        anyio.run(main, backend=backend)
    else:
        with pytest.raises(OSError):  # noqa: PT011  # it has no words
            anyio.run(poll, look, backend=backend)
