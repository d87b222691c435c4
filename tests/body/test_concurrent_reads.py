"""Several tasks that read one body, and reads that are cancelled."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect, RequestEntityTooLarge, StreamConsumed
from asgiwire.testing import ScriptedReceive, http_scope
from tests.body.test_reading import FORM, FORM_TYPE, READERS
from tests.receives import DISCONNECT, part

pytestmark = pytest.mark.anyio


class Gate:
    """A receive callable that waits for ``opened``, and records how many calls wait at the same time."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = list(messages)
        self.waiting = 0
        self.max_waiting = 0
        self.opened = anyio.Event()

    async def __call__(self) -> Any:
        self.waiting += 1
        self.max_waiting = max(self.max_waiting, self.waiting)
        try:
            await self.opened.wait()
            return self.messages.pop(0)
        finally:
            self.waiting -= 1


class SecondPartGate(Gate):
    """A gate that returns the first of two messages at once."""

    async def __call__(self) -> Any:
        if len(self.messages) == 2:
            return self.messages.pop(0)
        return await super().__call__()


@pytest.mark.parametrize("reader", ["body", "stream", "form"])
async def test_concurrent_reads_all_return_the_whole_body(reader: str) -> None:
    receive = Gate(part(FORM[:20]), part(FORM[20:], more_body=False))
    scope = http_scope(headers=FORM_TYPE)
    results: dict[int, Any] = {}

    async def read(number: int, name: str) -> None:
        results[number] = await READERS[name](Request(scope, receive))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            first = "form" if reader == "form" else "body"
            group.start_soon(read, 1, first)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(read, 2, reader)
            group.start_soon(read, 3, reader)
            await anyio.wait_all_tasks_blocked()
            receive.opened.set()

    if reader == "form":
        assert results[1] is results[2] is results[3]
        assert results[1].dict() == {"a": ["1"]}
    else:
        assert results[1] == FORM
        assert results[2] == results[3] == (FORM if reader == "body" else [FORM, b""])
    assert receive.max_waiting == 1


async def test_body_while_a_form_is_parsed_raises_stream_consumed() -> None:
    receive = Gate(part(FORM, more_body=False))
    request = Request(http_scope(headers=FORM_TYPE), receive)
    errors: list[StreamConsumed] = []

    async def read_body() -> None:
        try:
            await request.body()
        except StreamConsumed as error:
            errors.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(request.form)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(read_body)
            await anyio.wait_all_tasks_blocked()
            receive.opened.set()

    assert [error.consumer for error in errors] == ["form()"]


async def test_failure_is_raised_in_every_waiting_task() -> None:
    receive = Gate(DISCONNECT)
    request = Request(http_scope(), receive)
    errors: list[ClientDisconnect] = []

    async def read() -> None:
        try:
            await request.body()
        except ClientDisconnect as error:
            errors.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            receive.opened.set()

    assert len(errors) == 3


async def test_body_after_a_cancelled_body_is_complete() -> None:
    receive, scope = SecondPartGate(part(b"one"), part(b"two", more_body=False)), http_scope()
    with anyio.move_on_after(0.02) as cancelled:
        await Request(scope, receive).body()
    assert cancelled.cancelled_caught

    receive.opened.set()
    assert await Request(scope, receive).body() == b"onetwo"


@pytest.mark.parametrize("reader", ["stream", "form"])
async def test_stream_and_form_after_a_cancelled_body_are_complete(reader: str) -> None:
    receive = SecondPartGate(part(FORM[:10]), part(FORM[10:], more_body=False))
    request = Request(http_scope(headers=FORM_TYPE), receive)
    with anyio.move_on_after(0.02):
        await request.body()

    receive.opened.set()
    result = await READERS[reader](request)
    if reader == "form":
        assert result.dict() == {"a": ["1"]}
    else:
        assert b"".join(result) == FORM


async def test_waiting_reader_continues_after_the_first_is_cancelled() -> None:
    receive = Gate(part(b"whole", more_body=False))
    request = Request(http_scope(), receive)
    results: list[bytes] = []

    async def read() -> None:
        results.append(await request.body())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            first = anyio.CancelScope()

            async def cancellable() -> None:
                with first:
                    await read()

            group.start_soon(cancellable)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            first.cancel()
            await anyio.wait_all_tasks_blocked()
            receive.opened.set()

    assert results == [b"whole"]
    assert receive.max_waiting == 1


async def test_read_after_a_cancelled_form_raises_stream_consumed() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive(part(FORM[:30])))
    with anyio.move_on_after(0.02):
        await request.form()

    for reader in ("form", "body"):
        with pytest.raises(StreamConsumed, match=r"form\(\)") as caught:
            await READERS[reader](request)
        assert caught.value.consumer == "form()"
        assert str(caught.value) != str(StreamConsumed(consumer="form()"))  # it says that a part was read


async def test_limit_counts_what_a_watcher_receives_while_the_body_is_read() -> None:
    receive = Gate(part(b"hello", more_body=False), DISCONNECT)
    request = Request(http_scope(), receive)
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect(), anyio.create_task_group() as group:
            await anyio.wait_all_tasks_blocked()  # the watcher receives
            group.start_soon(expect_too_large, request)
            await anyio.wait_all_tasks_blocked()
            receive.opened.set()
            await anyio.sleep_forever()


async def expect_too_large(request: Request) -> None:
    with pytest.raises(RequestEntityTooLarge):
        await request.body(limits=Limits(max_body_size=4))


async def test_cancellation_at_the_moment_of_a_failure_leaves_the_failure() -> None:
    scope, waiting = anyio.CancelScope(), anyio.Event()

    async def receive() -> Any:
        await waiting.wait()
        scope.cancel()
        raise ConnectionResetError

    request = Request(http_scope(), receive)
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect():
            await anyio.wait_all_tasks_blocked()  # the watcher receives
            with scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(request.body)
                    await anyio.wait_all_tasks_blocked()
                    waiting.set()
    with pytest.raises(ConnectionResetError):
        await request.body()
