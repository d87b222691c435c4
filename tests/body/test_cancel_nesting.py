"""``cancel_on_disconnect()`` together with other cancellations, timeouts and task groups."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Request
from asgiwire.exceptions import UsageError
from asgiwire.testing import http_scope
from tests.body.test_cancel import _no_task_remains, connected_request, disconnect_soon, disconnected_request
from tests.receives import DISCONNECT, Live, run_other_tasks

if TYPE_CHECKING:
    from asgiwire._body.cancel import CancelOnDisconnect

__all__ = ("_no_task_remains",)  # an autouse fixture

pytestmark = pytest.mark.anyio


async def test_outer_cancellation_is_not_caught() -> None:
    request, receive = connected_request()
    watch = request.cancel_on_disconnect()
    with anyio.move_on_after(0.01) as outside:
        async with watch:
            await anyio.sleep_forever()
        pytest.fail("the block suppressed the outer cancellation")

    assert outside.cancelled_caught
    assert not watch.cancelled_caught
    assert not receive.waiting


async def test_outer_cancellation_wins_over_a_simultaneous_disconnect() -> None:
    request, receive = connected_request()
    watch = request.cancel_on_disconnect()
    with anyio.CancelScope() as outside:
        async with watch:
            await run_other_tasks()
            receive.put(DISCONNECT)
            outside.cancel()
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()
        pytest.fail("the outer cancellation was lost")

    assert outside.cancelled_caught


async def test_outer_cancellation_at_the_end_of_the_block() -> None:
    request, _ = connected_request()
    reached = False
    with anyio.CancelScope() as outside:
        async with request.cancel_on_disconnect() as watch:
            await run_other_tasks()
            outside.cancel()
        await anyio.lowlevel.checkpoint()
        reached = True

    assert outside.cancelled_caught
    assert not reached
    assert not watch.cancelled_caught


async def test_disconnect_at_the_end_of_the_block_cancels_nothing() -> None:
    request, receive = connected_request()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await run_other_tasks()
            receive.put(DISCONNECT)
        await anyio.sleep(0.002)

    assert not watch.cancelled_caught


async def test_timeout_inside_the_block_is_not_a_disconnect() -> None:
    request, _ = connected_request()
    async with request.cancel_on_disconnect() as watch:
        with anyio.move_on_after(0.005) as inner:
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()

    assert inner.cancelled_caught
    assert not watch.cancelled_caught


async def test_disconnect_cancels_scopes_inside_the_block() -> None:
    request = disconnected_request()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            with anyio.move_on_after(60) as inner:
                await anyio.sleep_forever()
            pytest.fail("the inner scope took the cancellation")

    assert not inner.cancelled_caught
    assert watch.cancelled_caught


async def test_disconnect_cancels_a_task_group_inside_the_block() -> None:
    request, receive = connected_request()
    ended: list[str] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("child")

    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch, anyio.create_task_group() as group:
            group.start_soon(work)
            group.start_soon(disconnect_soon, receive)
            await anyio.sleep_forever()

    assert watch.cancelled_caught
    assert ended == ["child"]


@pytest.mark.parametrize("same", [True, False], ids=["one request", "two requests"])
async def test_nested_blocks_are_cancelled_by_the_outer_one(same: bool) -> None:
    request, receive = connected_request()
    other = request if same else Request(request.scope, request.receive)
    inner = other.cancel_on_disconnect()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as outer:
            async with inner:
                await run_other_tasks()
                receive.put(DISCONNECT)
                await anyio.sleep_forever()
            pytest.fail("the outer block continued")

    assert outer.cancelled_caught
    assert not inner.cancelled_caught
    await anyio.lowlevel.checkpoint()


async def test_outer_block_is_watched_after_an_inner_block() -> None:
    request, receive = connected_request()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as outer:
            async with request.cancel_on_disconnect() as inner:
                await run_other_tasks()
            await run_other_tasks()
            assert receive.waiting
            receive.put(DISCONNECT)
            await anyio.sleep_forever()

    assert outer.cancelled_caught
    assert not inner.cancelled_caught


# --- asyncio -------------------------------------------------------------------------------------------

only_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@only_asyncio
async def test_asyncio_timeout_around_the_block() -> None:
    request, receive = connected_request()
    watch = request.cancel_on_disconnect()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), watch:
            await asyncio.sleep(60)

    assert not watch.cancelled_caught
    assert not receive.waiting
    assert_not_cancelling()


@only_asyncio
async def test_disconnect_inside_an_asyncio_timeout() -> None:
    async with asyncio.timeout(5) as limit, disconnected_request().cancel_on_disconnect() as watch:
        await asyncio.sleep(60)

    assert watch.cancelled_caught
    assert not limit.expired()
    assert_not_cancelling()


@only_asyncio
async def test_asyncio_timeout_inside_the_block() -> None:
    request, receive = connected_request()
    async with request.cancel_on_disconnect() as watch:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.sleep(60)
        await run_other_tasks()
        receive.put(DISCONNECT)
        async with asyncio.timeout(5):
            await asyncio.sleep(60)

    assert watch.cancelled_caught
    assert_not_cancelling()


@only_asyncio
async def test_asyncio_timeout_and_a_simultaneous_disconnect() -> None:
    request, receive = connected_request()
    watch = request.cancel_on_disconnect()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit, watch:
            await run_other_tasks()
            receive.put(DISCONNECT)
            limit.reschedule(asyncio.get_running_loop().time())
            await asyncio.sleep(60)

    assert not watch.cancelled_caught
    assert_not_cancelling()


@only_asyncio
@pytest.mark.parametrize("around", [True, False], ids=["around", "inside"])
async def test_asyncio_task_group_around_and_inside_the_block(around: bool) -> None:
    request, receive = connected_request()
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("child")

    async def use(watch: CancelOnDisconnect) -> None:
        if around:
            async with asyncio.TaskGroup() as group:
                child = group.create_task(work())
                async with watch:
                    await disconnect_soon(receive)
                    await asyncio.sleep(60)
                assert not ended
                child.cancel()
        else:
            async with watch, asyncio.TaskGroup() as group:
                group.create_task(work())
                group.create_task(disconnect_soon(receive))

    watch = request.cancel_on_disconnect()
    await use(watch)
    assert watch.cancelled_caught
    assert ended == ["child"]
    assert_not_cancelling()


@only_asyncio
async def test_error_in_an_outer_task_group_cancels_the_block() -> None:
    request, receive = connected_request()
    watch = request.cancel_on_disconnect()

    async def fail() -> None:
        await asyncio.sleep(0.002)
        raise ZeroDivisionError

    async def use() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            async with watch:
                await asyncio.sleep(60)

    with pytest.raises(BaseExceptionGroup) as caught:
        await use()
    assert caught.group_contains(ZeroDivisionError)
    assert not watch.cancelled_caught
    assert not receive.waiting
    assert_not_cancelling()


@only_asyncio
async def test_task_cancellation_wins_over_an_error_of_the_block() -> None:
    """A cancellation that arrives while the block raises an error must not be lost."""
    request, _ = connected_request()

    async def run() -> None:
        async with request.cancel_on_disconnect():
            await asyncio.sleep(0.001)
            asyncio.get_running_loop().call_soon(task.cancel)
            raise ZeroDivisionError

    task = asyncio.ensure_future(run())
    with pytest.raises(asyncio.CancelledError):
        await task


@only_asyncio
async def test_block_that_suppresses_its_cancellation_continues() -> None:
    async with disconnected_request().cancel_on_disconnect() as watch:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)

    assert not watch.cancelled_caught
    assert_not_cancelling()
    await asyncio.sleep(0)


@only_asyncio
@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
async def test_eager_tasks_are_supported() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore] # 3.12
    try:
        request = disconnected_request()
        assert await request.is_disconnected()
        async with request.cancel_on_disconnect() as watch:
            pass
        await asyncio.sleep(0)
        assert not watch.cancelled_caught
        async with request.cancel_on_disconnect() as watch:
            await asyncio.sleep(60)
        assert watch.cancelled_caught
    finally:
        loop.set_task_factory(None)


@only_asyncio
async def test_entering_outside_of_a_task_raises_usage_error() -> None:
    entering = Request(http_scope(), Live()).cancel_on_disconnect().__aenter__()
    outcome = asyncio.get_running_loop().create_future()

    def step() -> None:
        try:
            entering.send(None)
        except Exception as error:
            outcome.set_exception(error)

    asyncio.get_running_loop().call_soon(step)
    with pytest.raises(UsageError, match="task"):
        await outcome


def assert_not_cancelling() -> None:
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


# --- trio ----------------------------------------------------------------------------------------------

only_trio = pytest.mark.parametrize("anyio_backend", ["trio"])


@only_trio
async def test_trio_cancellation_is_removed_from_an_exception_group() -> None:
    import trio

    watch = disconnected_request().cancel_on_disconnect()

    async def fail() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ZeroDivisionError

    async def use() -> None:
        async with watch, trio.open_nursery() as nursery:
            nursery.start_soon(fail)
            await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as caught:
        await use()
    assert caught.group_contains(ZeroDivisionError)
    assert not caught.group_contains(trio.Cancelled)
    assert watch.cancelled_caught


@only_trio
async def test_trio_shield_inside_the_block_is_respected() -> None:
    import trio

    reached = False
    async with disconnected_request().cancel_on_disconnect() as watch:
        with trio.CancelScope(shield=True):
            await trio.sleep(0.005)
        reached = True
        await trio.sleep_forever()

    assert reached
    assert watch.cancelled_caught
