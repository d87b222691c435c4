"""The lock for tasks."""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asgiwire._concurrency import Lock

pytestmark = pytest.mark.anyio


async def test_acquired_and_released_without_waiting() -> None:
    lock = Lock()
    for _ in range(3):
        async with lock:
            assert lock.locked
    assert not lock.locked


async def test_tasks_acquire_in_the_order_of_asking() -> None:
    lock, order = Lock(), list[int]()

    async def work(number: int) -> None:
        async with lock:
            await checkpoint()
            order.append(number)

    async with anyio.create_task_group() as group, lock:
        for number in range(5):
            group.start_soon(work, number)
            await anyio.wait_all_tasks_blocked()
    assert order == [0, 1, 2, 3, 4]
    assert not lock.locked


async def test_released_lock_goes_to_the_waiting_task() -> None:
    """A task that asks later does not get it first."""
    lock, order = Lock(), list[str]()

    async def work() -> None:
        async with lock:
            order.append("waiting")

    async with anyio.create_task_group() as group:
        await lock.acquire()
        group.start_soon(work)
        await anyio.wait_all_tasks_blocked()
        lock.release()
        async with lock:
            order.append("later")
    assert order == ["waiting", "later"]


async def test_cancelled_waiter_is_skipped() -> None:
    lock, order = Lock(), list[str]()
    scope = anyio.CancelScope()

    async def cancelled() -> None:
        with scope:
            async with lock:
                order.append("cancelled")

    async def other() -> None:
        async with lock:
            order.append("other")

    async with anyio.create_task_group() as group, lock:
        group.start_soon(cancelled)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(other)
        await anyio.wait_all_tasks_blocked()
        scope.cancel()
        await anyio.wait_all_tasks_blocked()
    assert order == ["other"]
    assert not lock.locked


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_lock_acquired_at_the_moment_of_cancellation_is_released(anyio_backend: str) -> None:
    """On asyncio a task can be woken and cancelled in the same iteration of the event loop."""
    import asyncio

    lock, order = Lock(), list[str]()

    async def work(name: str) -> None:
        async with lock:
            order.append(name)

    await lock.acquire()
    first = asyncio.create_task(work("first"))
    await asyncio.sleep(0)
    second = asyncio.create_task(work("second"))
    await asyncio.sleep(0)
    lock.release()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert order == ["second"]
    assert not lock.locked


async def test_exception_releases_the_lock() -> None:
    lock = Lock()
    with pytest.raises(KeyError):
        async with lock:
            raise KeyError
    assert not lock.locked
