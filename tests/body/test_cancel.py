"""``cancel_on_disconnect()``: the block, the body and the watcher."""

from __future__ import annotations

import gc
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect, ProtocolError, RequestEntityTooLarge
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, form_body, part, parts, run_other_tasks, running_tasks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio

MEGABYTE = 1024 * 1024


@pytest.fixture(autouse=True)
async def _no_task_remains(anyio_backend: str) -> AsyncIterator[None]:
    before = running_tasks()
    yield
    await run_other_tasks()
    assert running_tasks() == before


def disconnected_request(*messages: dict[str, Any]) -> Request:
    """Return a request whose client disconnected after these messages."""
    return Request(http_scope(), Live(*messages, DISCONNECT))


def connected_request(*messages: dict[str, Any]) -> tuple[Request, Live]:
    receive = Live(*messages)
    return Request(http_scope(), receive), receive


async def test_block_is_not_cancelled_while_the_client_is_connected() -> None:
    request, receive = connected_request(part(b"hello", more_body=False))
    async with request.cancel_on_disconnect() as watch:
        await anyio.sleep(0.002)

    assert not watch.cancelled_caught
    assert not receive.waiting
    assert await request.body() == b"hello"


async def test_block_without_an_await_is_not_cancelled() -> None:
    for request in (connected_request()[0], disconnected_request()):
        async with request.cancel_on_disconnect() as watch:
            pass
        assert not watch.cancelled_caught
        await anyio.lowlevel.checkpoint()


async def test_disconnect_cancels_the_block_only() -> None:
    request, receive = connected_request(part(b"", more_body=False))
    reached: list[str] = []
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            async with request.cancel_on_disconnect() as watch:
                await run_other_tasks()
                group.start_soon(disconnect_soon, receive)
                await anyio.sleep_forever()
                reached.append("end of the block")
            await anyio.lowlevel.checkpoint()
            reached.append("after the block")

    assert watch.cancelled_caught
    assert reached == ["after the block"]
    assert not request.is_connected


async def disconnect_soon(receive: Live) -> None:
    await run_other_tasks()
    receive.put(DISCONNECT)


async def test_disconnect_before_the_block_cancels_it() -> None:
    request = disconnected_request(part(b"", more_body=False))
    await request.body()
    assert await request.is_disconnected()
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()
    assert watch.cancelled_caught


async def test_disconnect_within_the_body_is_raised_by_later_reads() -> None:
    request = disconnected_request(part(b"one"))
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()

    assert watch.cancelled_caught
    for _ in range(2):
        with pytest.raises(ClientDisconnect):
            await request.body()


@pytest.mark.parametrize("reader", ["body", "stream"])
async def test_body_is_read_inside_the_block(reader: str) -> None:
    request, receive = connected_request()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group, request.cancel_on_disconnect() as watch:
            group.start_soon(put_slowly, receive, parts(b"hello", 2))
            if reader == "body":
                body = await request.body()
            else:
                body = b"".join([chunk async for chunk in request.stream()])

    assert not watch.cancelled_caught
    assert body == b"hello"


async def test_stream_waits_for_the_message_that_the_watcher_receives() -> None:
    request, receive = connected_request()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group, request.cancel_on_disconnect():
            await run_other_tasks()
            group.start_soon(put_slowly, receive, parts(b"hello", 2))
            body = b"".join([chunk async for chunk in request.stream()])

    assert body == b"hello"


async def put_slowly(receive: Live, messages: list[dict[str, Any]]) -> None:
    for message in messages:
        await run_other_tasks()
        receive.put(message)


async def test_parts_received_by_the_watcher_stay_readable() -> None:
    request, receive = connected_request(*parts(b"hello", 2))
    async with request.cancel_on_disconnect():
        await run_other_tasks()
    assert receive.given == 4

    assert await request.body() == b"hello"


async def test_form_is_parsed_inside_the_block() -> None:
    body = form_body(("a", None, b"1"), ("f", "x.txt", b"hello"))
    scope = http_scope(headers={"content-type": "multipart/form-data; boundary=B"})
    request = Request(scope, Live(*parts(body, 10)))
    async with request.cancel_on_disconnect() as watch, await request.form() as form:
        assert (form["a"], await form["f"].read()) == ("1", b"hello")
    assert not watch.cancelled_caught


async def test_error_of_the_block_is_raised() -> None:
    request, _ = connected_request()
    with pytest.raises(ZeroDivisionError):
        async with request.cancel_on_disconnect() as watch:
            await anyio.lowlevel.checkpoint()
            raise ZeroDivisionError
    assert not watch.cancelled_caught


async def test_error_raised_during_the_cancellation_is_raised() -> None:
    watch = disconnected_request().cancel_on_disconnect()
    with pytest.raises(ZeroDivisionError):
        async with watch:
            try:
                await anyio.sleep_forever()
            finally:
                raise ZeroDivisionError
    assert not watch.cancelled_caught
    await anyio.lowlevel.checkpoint()


async def test_body_over_the_limit_does_not_cancel_the_block() -> None:
    class Small(Request):
        limits = Limits(max_body_size=4)

    request = Small(http_scope(), Live(part(b"hello")))
    async with request.cancel_on_disconnect() as watch:
        await run_other_tasks()
    assert not watch.cancelled_caught
    with pytest.raises(RequestEntityTooLarge):
        await request.body()


async def test_unused_context_manager_starts_no_task() -> None:
    request, receive = connected_request()
    before = running_tasks()
    request.cancel_on_disconnect()

    assert running_tasks() == before
    assert receive.calls == 0


async def test_request_may_be_watched_several_times() -> None:
    request, receive = connected_request()
    for _ in range(3):
        async with request.cancel_on_disconnect() as watch:
            await run_other_tasks()
            assert receive.waiting
        assert not watch.cancelled_caught


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
async def test_send_is_restored_in_whatever_order_several_blocks_end(order: tuple[int, ...]) -> None:
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    request = Request(http_scope(), Live(), send)
    ends = [anyio.Event() for _ in order]

    async def watch(end: anyio.Event) -> None:
        async with request.cancel_on_disconnect():
            await end.wait()

    async with anyio.create_task_group() as group:
        for end in ends:
            group.start_soon(watch, end)
            await run_other_tasks()
        for number in order:
            await request.send({"type": "http.response.body", "more_body": True})
            ends[number].set()
            await run_other_tasks()
    assert request.send is send
    assert len(sent) == len(order)


VARIABLE = ContextVar[str]("VARIABLE")


async def test_receive_runs_in_the_context_variables_of_the_block() -> None:
    seen: list[str] = []

    async def receive() -> Any:
        seen.append(VARIABLE.get())
        await anyio.sleep_forever()

    VARIABLE.set("here")
    async with Request(http_scope(), receive).cancel_on_disconnect():
        await run_other_tasks()
    assert seen == ["here"]


# --- the watcher --------------------------------------------------------------------------------------


async def test_watcher_buffers_the_parts_before_the_disconnect() -> None:
    receive = Live(*parts(b"hello", 2), DISCONNECT)
    request = Request(http_scope(), receive)
    with anyio.fail_after(5):
        for _ in range(2):
            async with request.cancel_on_disconnect() as watch:
                await anyio.sleep_forever()
            assert watch.cancelled_caught

    assert await request.body() == b"hello"
    assert receive.calls == 5


async def test_several_watchers_receive_one_at_a_time_and_all_cancel() -> None:
    receive = Live()
    request = Request(http_scope(), receive)
    caught: list[bool] = []

    async def wait() -> None:
        async with request.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()
        caught.append(watch.cancelled_caught)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(wait)
            await run_other_tasks()
            for message in (*parts(b"hello", 2), DISCONNECT):
                receive.put(message)
                await run_other_tasks()

    assert caught == [True, True, True]
    assert await request.body() == b"hello"


async def test_watcher_reads_at_most_1024_chunks_ahead() -> None:
    """They are counted at each message, which a client that sends single bytes must not make slow."""
    receive = Live(*[part(b"x") for _ in range(3000)], part(b"", more_body=False))
    async with Request(http_scope(), receive).cancel_on_disconnect():
        with anyio.fail_after(60):
            while receive.given < 1024:
                await run_other_tasks()
        await run_other_tasks()

    assert receive.given == 1024


async def test_watcher_stops_at_one_megabyte_until_a_reader_takes_it() -> None:
    chunks = [bytes([number]) * MEGABYTE for number in range(3)]
    receive = Live(*map(part, chunks), part(b"last", more_body=False))
    request = Request(http_scope(), receive)
    read: list[bytes] = []
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await run_other_tasks()
            assert receive.given == 1
            async for chunk in request.stream():
                read.append(chunk)
                await run_other_tasks()
            receive.put(DISCONNECT)
            await anyio.sleep_forever()

    assert watch.cancelled_caught
    assert read == [*chunks, b"last", b""]


async def test_watcher_does_not_receive_after_a_failure() -> None:
    receive = Live({"type": "http.response.start"})
    request = Request(http_scope(), receive)
    with anyio.move_on_after(0.02) as waited:
        async with request.cancel_on_disconnect():
            await anyio.sleep_forever()

    assert waited.cancelled_caught
    assert receive.calls == 1
    assert not await request.is_disconnected()
    with pytest.raises(ProtocolError):
        await request.body()


async def test_body_in_several_parts_while_watched() -> None:
    receive = Live(checkpoint=False)
    request = Request(http_scope(), receive)

    async def put_parts() -> None:
        for chunk in (b"a", b"b", b"c"):
            await run_other_tasks()
            receive.put(part(chunk))
        await run_other_tasks()
        receive.put(part(b"", more_body=False))

    async with anyio.create_task_group() as tasks, request.cancel_on_disconnect():
        await run_other_tasks()
        tasks.start_soon(put_parts)
        assert await request.body() == b"abc"


# --- the owner of receive -----------------------------------------------------------------------------


class Wrapper:
    """An object whose bound method is the ``receive`` of an application, as in many middlewares."""

    def __init__(self, receive: Live) -> None:
        self.live = receive

    async def receive(self) -> Any:
        return await self.live()


async def test_owner_of_receive_is_alive_while_the_block_runs() -> None:
    """Only the context manager refers to the wrapper here."""
    receive = Live(part(b"", more_body=False))
    reached = False
    with anyio.fail_after(5):
        async with Request(http_scope(), Wrapper(receive).receive).cancel_on_disconnect() as watch:
            gc.collect()
            await run_other_tasks()
            await anyio.sleep(0.01)
            reached = True

    assert reached
    assert not watch.cancelled_caught


async def test_disconnect_cancels_a_block_that_alone_refers_to_the_owner_of_receive() -> None:
    receive = Live(part(b"", more_body=False))
    with anyio.fail_after(5):
        async with Request(http_scope(), Wrapper(receive).receive).cancel_on_disconnect() as watch:
            gc.collect()
            await run_other_tasks()
            receive.put(DISCONNECT)
            await anyio.sleep_forever()

    assert watch.cancelled_caught
    assert receive.given == 2


async def test_context_manager_refers_to_the_owner_before_and_inside_the_block() -> None:
    receive = Live()
    wrapper = Wrapper(receive)
    reference = weakref.ref(wrapper)
    watch = Request(http_scope(), wrapper.receive).cancel_on_disconnect()
    del wrapper
    gc.collect()
    assert reference() is not None
    async with watch:
        await run_other_tasks()
        assert receive.waiting
        assert reference() is not None
