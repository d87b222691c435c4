"""``Request.replay``: a receive callable that returns a body which was read here, in memory or on disk."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire._concurrency import run_in_thread
from asgiwire.exceptions import ClientDisconnect, ClientException, RequestEntityTooLarge, StreamConsumed
from asgiwire.testing import http_scope
from tests.receives import (
    DISCONNECT,
    Live,
    form_body,
    part,
    parts,
    patch_everywhere,
    receive_body,
    run_other_tasks,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Receive

pytestmark = pytest.mark.anyio

MEGABYTE = 1024 * 1024
BODY = bytes(range(256)) * 40
LARGE_BODY = bytes(range(256)) * 10_000
FORM_TYPE = {"content-type": "multipart/form-data; boundary=B"}


class Spooling(Request):
    limits = Limits(spool_size=100)


class Small(Request):
    limits = Limits(max_body_size=4)


@pytest.fixture
def thread_calls(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """A list that grows by one for each call of a worker thread."""
    calls: list[None] = []

    async def counted(function: Callable[[], Any]) -> Any:
        calls.append(None)
        return await run_in_thread(function)

    patch_everywhere(monkeypatch, "run_in_thread", counted)
    return calls


async def receives_the_disconnect(receive: Receive, live: Live) -> bool:
    """Whether ``receive`` waits for the disconnect of the client and then returns it."""
    received: list[str] = []

    async def wait() -> None:
        received.append((await receive())["type"])

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await run_other_tasks()
        early = bool(received)
        live.put(DISCONNECT)
    return not early and received == ["http.disconnect"]


async def test_replay_returns_the_buffered_body_then_the_disconnect() -> None:
    live = Live(*parts(b"hello", 2))
    request = Request(http_scope(), live)
    await request.body()
    replay = request.replay

    assert await replay() == part(b"hello", more_body=False)
    assert await receives_the_disconnect(replay, live)
    # Repeated, as uvicorn does; servers that return it once block afterwards.
    assert await replay() == DISCONNECT


async def test_replay_reads_an_unread_body() -> None:
    live = Live(*parts(b"hello", 2))
    request = Request(http_scope(), live)
    replay = request.replay
    assert live.calls == 0

    assert await receive_body(replay) == ([b"hello"], False)
    assert await request.body() == b"hello"


async def test_replay_of_an_empty_body() -> None:
    assert await Request(http_scope(), Live({"type": "http.request"})).replay() == part(b"", more_body=False)


async def test_each_replay_starts_at_the_beginning() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    first, second = request.replay, request.replay

    assert await receive_body(first) == ([b"hello"], False)
    assert await receive_body(second) == ([b"hello"], False)


async def test_request_over_a_replay_shares_body_and_form() -> None:
    body = form_body(("a", None, b"1"))
    request = Request(http_scope(headers=FORM_TYPE), Live(*parts(body, 7)))
    await request.body()
    form = await request.form()
    downstream = Request({**request.scope}, request.replay)

    assert await downstream.body() == body
    assert await downstream.form() is form
    assert not await downstream.is_disconnected()


async def test_request_over_a_replay_knows_of_the_disconnect() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2), DISCONNECT))
    downstream = Request(request.scope, request.replay)
    assert downstream.is_connected
    assert await downstream.body() == b"hello"
    assert await downstream.is_disconnected()
    assert not downstream.is_connected


async def test_request_over_an_unused_replay_reads_the_body() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    downstream = Request(http_scope(), request.replay)

    assert await downstream.body() == b"hello"
    assert await request.body() == b"hello"


async def test_wrapped_replay_is_a_separate_body() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    replay = request.replay

    async def upper() -> Any:
        message = await replay()
        return {**message, "body": message["body"].upper()}

    assert await Request({**request.scope}, upper).body() == b"HELLO"
    assert await request.body() == b"hello"


async def test_large_body_is_written_to_disk_in_large_blocks(thread_calls: list[None]) -> None:
    request = Spooling(http_scope(), Live(*parts(LARGE_BODY, 10_000)))
    chunks, disconnected = await receive_body(request.replay)
    assert b"".join(chunks) == LARGE_BODY
    assert not disconnected

    # A write of the first part, of 1 MiB twice, and of the rest; a read of each block. Not one for each part.
    assert len(thread_calls) <= 4 + len(chunks)
    assert await request.body() == LARGE_BODY
    assert b"".join([chunk async for chunk in request.stream()]) == LARGE_BODY


async def test_body_on_disk_is_replayed_in_blocks_and_its_file_closed_with_the_request() -> None:
    request = Spooling(http_scope(), Live(*parts(LARGE_BODY, 100_000)))
    chunks, _ = await receive_body(request.replay)

    assert b"".join(chunks) == LARGE_BODY
    assert max(map(len, chunks)) == MEGABYTE
    assert [len(chunk) async for chunk in request.stream()] == [*map(len, chunks), 0]
    del request
    gc.collect()  # a file that is left open is a ResourceWarning, which is an error


async def test_form_and_multipart_over_a_body_on_disk() -> None:
    body = form_body(("a", None, b"1"), ("f", "x.txt", BODY))
    request = Spooling(http_scope(headers=FORM_TYPE), Live(*parts(body, 1000)))
    assert b"".join((await receive_body(request.replay))[0]) == body

    async with await request.form() as form:
        assert await form["f"].read() == BODY
    assert [(one.name, await one.read()) async for one in request.multipart()] == [("a", b"1"), ("f", BODY)]


async def test_parts_received_by_a_watcher_during_a_write_are_not_lost(thread_calls: list[None]) -> None:
    live = Live()
    request = Spooling(http_scope(), live)
    results: list[tuple[list[bytes], bool]] = []

    async def read() -> None:
        results.append(await receive_body(request.replay))

    with anyio.fail_after(5):
        async with request.cancel_on_disconnect(), anyio.create_task_group() as group:
            group.start_soon(read)
            for message in parts(LARGE_BODY, 50_000):
                live.put(message)
                await anyio.lowlevel.checkpoint()

    ((chunks, disconnected),) = results
    assert b"".join(chunks) == LARGE_BODY
    assert not disconnected
    assert len(thread_calls) >= 3


async def test_body_waits_while_replay_writes_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    class AlwaysSpooling(Request):
        limits = Limits(spool_size=0)

    request = AlwaysSpooling(http_scope(), Live(part(BODY, more_body=False)))
    writing, may_write = anyio.Event(), anyio.Event()

    async def run_when_allowed(function: Callable[[], Any]) -> Any:
        writing.set()
        await may_write.wait()
        return await run_in_thread(function)

    patch_everywhere(monkeypatch, "run_in_thread", run_when_allowed)
    bodies: list[bytes] = []

    async def read() -> None:
        bodies.append(await request.body())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(request.replay)
            await writing.wait()
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            assert bodies == []
            may_write.set()

    assert bodies == [BODY]


async def test_replay_after_a_cancelled_call_is_complete() -> None:
    live = Live(part(b"one"))
    request = Spooling(http_scope(), live)
    replay = request.replay
    with anyio.move_on_after(0.005) as waited:
        await replay()
    assert waited.cancelled_caught

    live.put(part(b"two", more_body=False))
    assert await receive_body(replay) == ([b"onetwo"], False)


@pytest.mark.parametrize("reader", ["body", "stream", "replay"])
async def test_body_partly_on_disk_is_complete_after_a_cancelled_replay(reader: str) -> None:
    live = Live(*parts(BODY, 200)[:5])
    request = Spooling(http_scope(), live)
    with anyio.move_on_after(0.02) as waited:
        await request.replay()
    assert waited.cancelled_caught

    live.put(*parts(BODY, 200)[5:])
    if reader == "body":
        assert await request.body() == BODY
    elif reader == "stream":
        chunks = [chunk async for chunk in request.stream()]
        assert b"".join(chunks) == BODY
        assert chunks[-1] == b""
    else:
        assert await receive_body(request.replay) == ([BODY], False)


async def test_concurrent_calls_of_a_replay_return_the_body_once() -> None:
    """Some applications wait for a disconnect in a task while they read."""
    live = Live()
    replay = Request(http_scope(), live).replay
    messages: list[Any] = []

    async def call() -> None:
        messages.append(await replay())

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)
        await run_other_tasks()
        live.put(part(b"hello", more_body=False))
        await run_other_tasks()
        assert messages == [part(b"hello", more_body=False)]
        live.put(DISCONNECT)

    assert messages[1:] == [DISCONNECT]


@pytest.mark.parametrize("received", [(), (b"one",)], ids=["first message", "second message"])
async def test_disconnect_within_the_body_is_replayed(received: tuple[bytes, ...]) -> None:
    request = Request(http_scope(), Live(*map(part, received), DISCONNECT))
    replay = request.replay

    assert await replay() == DISCONNECT
    assert await replay() == DISCONNECT
    with pytest.raises(ClientDisconnect):
        await request.body()


async def test_replay_of_a_consumed_body_raises_stream_consumed() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    replay = request.replay
    async for _ in request.stream():
        pass

    with pytest.raises(StreamConsumed, match=r"consumed by stream\(\)"):
        await replay()


async def test_replay_raises_the_limit() -> None:
    replay = Small(http_scope(), Live(part(b"hello", more_body=False))).replay

    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await replay()


async def test_declared_length_over_the_limit_raises_before_receiving() -> None:
    live = Live(part(b"hello", more_body=False))
    request = Small(http_scope(headers={"content-length": "5"}), live)

    replay = request.replay  # a property never raises because of the client's input
    with pytest.raises(RequestEntityTooLarge):
        await replay()
    with pytest.raises(RequestEntityTooLarge):
        await request.tee(len)()
    assert live.calls == 0


async def test_invalid_content_length_raises_from_the_call() -> None:
    live = Live(part(b"hello", more_body=False))
    replay = Request(http_scope(headers={"content-length": "abc"}), live).replay
    with pytest.raises(ClientException, match="Content-Length"):
        await replay()
    assert live.calls == 0


async def test_downstream_request_may_have_a_smaller_limit() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    await request.body()

    with pytest.raises(RequestEntityTooLarge):
        await Small(request.scope, request.replay).body()
    assert await receive_body(request.replay) == ([b"hello"], False)


@pytest.mark.parametrize("reader", ["replay", "body"])
async def test_disconnect_during_a_write_to_disk_is_the_failure(
    monkeypatch: pytest.MonkeyPatch, reader: str
) -> None:
    """The thread still writes when a watcher receives the disconnect, so the file must stay open."""
    writing, written = anyio.Event(), anyio.Event()

    async def slow(function: Callable[[], Any]) -> Any:
        writing.set()
        await written.wait()
        return await run_in_thread(function)

    patch_everywhere(monkeypatch, "run_in_thread", slow)
    receive = Live(part(BODY))
    request = Spooling(http_scope(), receive)
    result: list[Any] = []

    async def read() -> None:
        try:
            result.append(await request.replay())
        except Exception as error:
            result.append(error)

    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await writing.wait()
            receive.put(DISCONNECT)
            assert await request.is_disconnected()
            written.set()
    assert result == [DISCONNECT]
    if reader == "replay":
        assert await request.replay() == DISCONNECT
    else:
        with pytest.raises(ClientDisconnect):
            await request.body()
