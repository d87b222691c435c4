"""Cancelling a block when the client leaves: on both loops, and beside every other cancellation."""

from __future__ import annotations

import asyncio
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire._concurrency import in_trio
from asgiwire.exceptions import ClientDisconnect, RequestEntityTooLarge, UsageError
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, form_body, part, parts, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asgiwire._body.cancel import CancelOnDisconnect

pytestmark = pytest.mark.anyio


def running_tasks() -> int:
    if in_trio():
        import trio

        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


@pytest.fixture(autouse=True)
async def _no_task_is_left(anyio_backend: str) -> AsyncIterator[None]:
    before = running_tasks()
    yield
    await settle()
    assert running_tasks() == before


def leaving(*messages: dict[str, Any]) -> Request:
    """A request whose client has left after these messages."""
    return Request(http_scope(), Live(*messages, DISCONNECT))


def staying(*messages: dict[str, Any]) -> tuple[Request, Live]:
    receive = Live(*messages)
    return Request(http_scope(), receive), receive


async def test_a_block_that_ends_by_itself_is_not_cancelled() -> None:
    request, receive = staying(part(b"hello", more_body=False))
    async with request.cancel_on_disconnect() as watch:
        await anyio.sleep(0.002)

    assert not watch.cancelled_caught
    assert not receive.waiting
    assert await request.body() == b"hello"


async def test_a_block_without_an_await() -> None:
    for request in (staying()[0], leaving()):
        async with request.cancel_on_disconnect() as watch:
            pass
        assert not watch.cancelled_caught
        await anyio.lowlevel.checkpoint()


async def test_a_client_that_leaves_cancels_the_block_and_nothing_else() -> None:
    request, receive = staying(part(b"", more_body=False))
    reached: list[str] = []
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            async with request.cancel_on_disconnect() as watch:
                await settle()
                group.start_soon(leave_soon, receive)
                await anyio.sleep_forever()
                reached.append("the end of the block")
            await anyio.lowlevel.checkpoint()
            reached.append("what follows")

    assert watch.cancelled_caught
    assert reached == ["what follows"]
    assert not request.is_connected


async def leave_soon(receive: Live) -> None:
    await settle()
    receive.put(DISCONNECT)


async def test_the_client_had_left_before() -> None:
    request = leaving(part(b"", more_body=False))
    await request.body()
    assert await request.is_disconnected()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()
    assert watch.cancelled_caught


async def test_a_client_that_leaves_in_its_body_is_told_to_whoever_reads_it() -> None:
    request = leaving(part(b"one"))
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()

    assert watch.cancelled_caught
    for _ in range(2):
        with pytest.raises(ClientDisconnect):
            await request.body()


@pytest.mark.parametrize("reader", ["body", "stream"])
async def test_the_body_is_read_in_the_block_while_it_is_watched(reader: str) -> None:
    request, receive = staying()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group, request.cancel_on_disconnect() as watch:
            group.start_soon(send_slowly, receive, parts(b"hello", 2))
            if reader == "body":
                body = await request.body()
            else:
                body = b"".join([piece async for piece in request.stream()])

    assert not watch.cancelled_caught
    assert body == b"hello"


async def test_a_stream_waits_for_the_message_that_a_watcher_is_receiving() -> None:
    request, receive = staying()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group, request.cancel_on_disconnect():
            await settle()
            group.start_soon(send_slowly, receive, parts(b"hello", 2))
            body = b"".join([piece async for piece in request.stream()])

    assert body == b"hello"


async def send_slowly(receive: Live, messages: list[dict[str, Any]]) -> None:
    for message in messages:
        await settle()
        receive.put(message)


async def test_what_was_received_to_watch_is_read_afterwards() -> None:
    request, receive = staying(*parts(b"hello", 2))
    async with request.cancel_on_disconnect():
        await settle()
    assert receive.given == 4

    assert await request.body() == b"hello"


async def test_a_form_is_parsed_in_the_block() -> None:
    body = form_body(("a", None, b"1"), ("f", "x.txt", b"hello"))
    scope = http_scope(headers={"content-type": "multipart/form-data; boundary=B"})
    request = Request(scope, Live(*parts(body, 10)))
    async with request.cancel_on_disconnect() as watch, await request.form() as form:
        assert (form["a"], await form["f"].read()) == ("1", b"hello")
    assert not watch.cancelled_caught


async def test_an_error_of_the_block_comes_out() -> None:
    request, _ = staying()
    with pytest.raises(ZeroDivisionError):
        async with request.cancel_on_disconnect() as watch:
            await anyio.lowlevel.checkpoint()
            raise ZeroDivisionError
    assert not watch.cancelled_caught


async def test_an_error_on_the_way_out_of_a_cancelled_block_comes_out() -> None:
    watch = leaving().cancel_on_disconnect()
    with pytest.raises(ZeroDivisionError):
        async with watch:
            try:
                await anyio.sleep_forever()
            finally:
                raise ZeroDivisionError
    assert not watch.cancelled_caught
    await anyio.lowlevel.checkpoint()


async def test_a_limit_that_watching_meets_with_does_not_cancel() -> None:
    class Small(Request):
        limits = Limits(max_body_size=4)

    request = Small(http_scope(), Live(part(b"hello")))
    async with request.cancel_on_disconnect() as watch:
        await settle()
    assert not watch.cancelled_caught
    with pytest.raises(RequestEntityTooLarge):
        await request.body()


async def test_nothing_is_made_where_it_is_not_used() -> None:
    request, receive = staying()
    before = running_tasks()
    request.cancel_on_disconnect()

    assert running_tasks() == before
    assert receive.calls == 0


async def test_it_is_used_again() -> None:
    request, receive = staying()
    for _ in range(3):
        async with request.cancel_on_disconnect() as watch:
            await settle()
            assert receive.waiting
        assert not watch.cancelled_caught


VARIABLE = ContextVar[str]("VARIABLE")


async def test_receive_runs_in_the_context_of_the_block() -> None:
    seen: list[str] = []

    async def receive() -> Any:
        seen.append(VARIABLE.get())
        await anyio.sleep_forever()

    VARIABLE.set("here")
    async with Request(http_scope(), receive).cancel_on_disconnect():
        await settle()
    assert seen == ["here"]


# --- beside other cancellations -----------------------------------------------------------------------


async def test_a_cancellation_from_outside_is_not_the_clients() -> None:
    request, receive = staying()
    watch = request.cancel_on_disconnect()
    with anyio.move_on_after(0.01) as outside:
        async with watch:
            await anyio.sleep_forever()
        pytest.fail("the cancellation was taken for the client's")

    assert outside.cancelled_caught
    assert not watch.cancelled_caught
    assert not receive.waiting


async def test_both_at_once_cancel_what_is_outside() -> None:
    request, receive = staying()
    watch = request.cancel_on_disconnect()
    with anyio.CancelScope() as outside:
        async with watch:
            await settle()
            receive.put(DISCONNECT)
            outside.cancel()
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()
        pytest.fail("the cancellation from outside is lost")

    assert outside.cancelled_caught


async def test_a_cancellation_from_outside_that_comes_while_the_block_ends() -> None:
    request, _ = staying()
    reached = False
    with anyio.CancelScope() as outside:
        async with request.cancel_on_disconnect() as watch:
            await settle()
            outside.cancel()
        await anyio.lowlevel.checkpoint()
        reached = True

    assert outside.cancelled_caught
    assert not reached
    assert not watch.cancelled_caught


async def test_a_disconnect_that_comes_while_the_block_ends_cancels_nothing() -> None:
    request, receive = staying()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await settle()
            receive.put(DISCONNECT)
        await anyio.sleep(0.002)

    assert not watch.cancelled_caught


async def test_a_time_limit_in_the_block_goes_first() -> None:
    request, _ = staying()
    async with request.cancel_on_disconnect() as watch:
        with anyio.move_on_after(0.005) as inner:
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()

    assert inner.cancelled_caught
    assert not watch.cancelled_caught


async def test_a_client_that_leaves_ends_what_is_in_the_block_too() -> None:
    request = leaving()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            with anyio.move_on_after(60) as inner:
                await anyio.sleep_forever()
            pytest.fail("the inner scope took the cancellation")

    assert not inner.cancelled_caught
    assert watch.cancelled_caught


async def test_tasks_of_the_block_end_with_it() -> None:
    request, receive = staying()
    ended: list[str] = []

    async def work() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("child")

    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch, anyio.create_task_group() as group:
            group.start_soon(work)
            group.start_soon(leave_soon, receive)
            await anyio.sleep_forever()

    assert watch.cancelled_caught
    assert ended == ["child"]


@pytest.mark.parametrize("same", [True, False], ids=["one request", "two requests"])
async def test_nested(same: bool) -> None:
    request, receive = staying()
    other = request if same else Request(request.scope, request.receive)
    inner = other.cancel_on_disconnect()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as outer:
            async with inner:
                await settle()
                receive.put(DISCONNECT)
                await anyio.sleep_forever()
            pytest.fail("the outer block went on")

    assert outer.cancelled_caught
    assert not inner.cancelled_caught
    await anyio.lowlevel.checkpoint()


async def test_after_an_inner_block_the_outer_one_still_watches() -> None:
    request, receive = staying()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as outer:
            async with request.cancel_on_disconnect() as inner:
                await settle()
            await settle()
            assert receive.waiting
            receive.put(DISCONNECT)
            await anyio.sleep_forever()

    assert outer.cancelled_caught
    assert not inner.cancelled_caught


# --- asyncio's own ------------------------------------------------------------------------------------

only_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@only_asyncio
async def test_asyncio_timeout_around_it() -> None:
    request, receive = staying()
    watch = request.cancel_on_disconnect()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), watch:
            await asyncio.sleep(60)

    assert not watch.cancelled_caught
    assert not receive.waiting
    assert_not_cancelling()


@only_asyncio
async def test_asyncio_timeout_around_it_when_the_client_leaves() -> None:
    async with asyncio.timeout(5) as limit, leaving().cancel_on_disconnect() as watch:
        await asyncio.sleep(60)

    assert watch.cancelled_caught
    assert not limit.expired()
    assert_not_cancelling()


@only_asyncio
async def test_asyncio_timeout_in_it() -> None:
    request, receive = staying()
    async with request.cancel_on_disconnect() as watch:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.sleep(60)
        await settle()
        receive.put(DISCONNECT)
        async with asyncio.timeout(5):
            await asyncio.sleep(60)

    assert watch.cancelled_caught
    assert_not_cancelling()


@only_asyncio
async def test_asyncio_timeout_and_the_client_at_once() -> None:
    request, receive = staying()
    watch = request.cancel_on_disconnect()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as limit, watch:
            await settle()
            receive.put(DISCONNECT)
            limit.reschedule(asyncio.get_running_loop().time())
            await asyncio.sleep(60)

    assert not watch.cancelled_caught
    assert_not_cancelling()


@only_asyncio
@pytest.mark.parametrize("around", [True, False], ids=["around", "inside"])
async def test_asyncio_task_group(around: bool) -> None:
    request, receive = staying()
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
                    await leave_soon(receive)
                    await asyncio.sleep(60)
                assert not ended
                child.cancel()
        else:
            async with watch, asyncio.TaskGroup() as group:
                group.create_task(work())
                group.create_task(leave_soon(receive))

    watch = request.cancel_on_disconnect()
    await use(watch)
    assert watch.cancelled_caught
    assert ended == ["child"]
    assert_not_cancelling()


@only_asyncio
async def test_an_error_in_a_task_group_around_cancels_the_block() -> None:
    request, receive = staying()
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
async def test_a_cancelled_task_stays_cancelled_whatever_the_block_does() -> None:
    """A cancellation that comes while the block ends in an error must not be lost to that error."""
    request, _ = staying()

    async def run() -> None:
        async with request.cancel_on_disconnect():
            await asyncio.sleep(0.001)
            asyncio.get_running_loop().call_soon(task.cancel)
            raise ZeroDivisionError

    task = asyncio.ensure_future(run())
    with pytest.raises(asyncio.CancelledError):
        await task


@only_asyncio
async def test_a_block_that_swallows_its_cancellation_goes_on() -> None:
    async with leaving().cancel_on_disconnect() as watch:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0)

    assert not watch.cancelled_caught
    assert_not_cancelling()
    await asyncio.sleep(0)


@only_asyncio
@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks are new in 3.12")
async def test_eager_tasks() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore] # 3.12
    try:
        request = leaving()
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
async def test_without_a_task_there_is_nothing_to_cancel() -> None:
    entering = Request(http_scope(), Live()).cancel_on_disconnect().__aenter__()
    outcome = asyncio.get_running_loop().create_future()

    def step() -> None:
        try:
            entering.send(None)
        except Exception as error:
            outcome.set_exception(error)

    asyncio.get_running_loop().call_soon(step)
    with pytest.raises(UsageError, match="needs a running task"):
        await outcome


def assert_not_cancelling() -> None:
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


# --- trio's own ---------------------------------------------------------------------------------------

only_trio = pytest.mark.parametrize("anyio_backend", ["trio"])


@only_trio
async def test_a_group_of_which_a_part_was_the_cancellation() -> None:
    import trio

    watch = leaving().cancel_on_disconnect()

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
async def test_a_shield_in_the_block_is_respected() -> None:
    import trio

    reached = False
    async with leaving().cancel_on_disconnect() as watch:
        with trio.CancelScope(shield=True):
            await trio.sleep(0.005)
        reached = True
        await trio.sleep_forever()

    assert reached
    assert watch.cancelled_caught
