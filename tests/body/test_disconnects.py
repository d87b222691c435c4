"""``is_disconnected()`` loses no message and never calls ``receive`` twice at once or after a disconnect."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Request
from asgiwire.exceptions import ClientDisconnect, ProtocolError
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, part, parts, run_other_tasks

pytestmark = pytest.mark.anyio

MEGABYTE = 1024 * 1024

# Messages of real servers for a body of five bytes.
SEQUENCES: dict[str, list[dict[str, Any]]] = {
    "one part (uvicorn, daphne)": [part(b"hello", more_body=False)],
    "a part and an empty one (hypercorn, granian)": [part(b"hello"), part(b"", more_body=False)],
    "several parts": [part(b"he"), part(b"ll"), part(b"o", more_body=False)],
    "an empty part first (granian, chunked)": [part(b""), part(b"hello"), part(b"", more_body=False)],
    "optional keys absent (test clients)": [
        {"type": "http.request", "body": b"hello", "more_body": True},
        {"type": "http.request"},
    ],
    "bytearray": [{"type": "http.request", "body": bytearray(b"hello")}],
}
each_sequence = pytest.mark.parametrize("messages", SEQUENCES.values(), ids=SEQUENCES)


@each_sequence
async def test_body_after_is_disconnected_is_complete(messages: list[dict[str, Any]]) -> None:
    receive = Live(*messages)
    request = Request(http_scope(), receive)

    answers = [await request.is_disconnected() for _ in range(5)]
    assert answers == [False] * 5
    assert receive.given == len(messages)
    assert await request.body() == b"hello"


@each_sequence
@pytest.mark.parametrize("calls", [1, 2, 3])
async def test_stream_after_is_disconnected_is_complete(messages: list[dict[str, Any]], calls: int) -> None:
    request = Request(http_scope(), Live(*messages))
    for _ in range(calls):
        assert not await request.is_disconnected()

    assert b"".join([chunk async for chunk in request.stream()]) == b"hello"


@each_sequence
async def test_is_disconnected_between_the_chunks_of_a_stream(messages: list[dict[str, Any]]) -> None:
    request = Request(http_scope(), Live(*messages))
    chunks: list[bytes] = []
    async for chunk in request.stream():
        chunks.append(chunk)
        assert not await request.is_disconnected()

    assert b"".join(chunks) == b"hello"
    assert chunks[-1] == b""
    assert b"" not in chunks[:-1]


@each_sequence
async def test_disconnect_after_the_body_leaves_the_body_readable(messages: list[dict[str, Any]]) -> None:
    receive = Live(*messages, DISCONNECT)
    request = Request(http_scope(), receive)
    answers = [await request.is_disconnected() for _ in range(len(messages) + 3)]

    assert answers == [False] * len(messages) + [True] * 3
    assert not request.is_connected
    assert await request.body() == b"hello"


async def test_is_disconnected_after_the_body_was_read() -> None:
    receive = Live(part(b"hello", more_body=False))
    request = Request(http_scope(), receive)
    assert await request.body() == b"hello"
    assert not await request.is_disconnected()

    receive.put(DISCONNECT)
    assert await request.is_disconnected()
    assert await request.is_disconnected()
    assert receive.calls <= 3
    assert await request.body() == b"hello"


@pytest.mark.parametrize("received", [(), (b"one",), (b"one", b"two")], ids=["none", "one", "two"])
async def test_disconnect_within_the_body_is_raised_by_every_read(received: tuple[bytes, ...]) -> None:
    request = Request(http_scope(), Live(*map(part, received), DISCONNECT))
    answers = [await request.is_disconnected() for _ in range(len(received) + 2)]

    assert answers == [False] * len(received) + [True, True]
    for _ in range(2):
        with pytest.raises(ClientDisconnect), anyio.fail_after(1):
            await request.body()


async def test_stream_raises_a_disconnect_that_is_disconnected_received() -> None:
    receive = Live(part(b"one"), DISCONNECT)
    request = Request(http_scope(), receive)
    stream = request.stream()
    assert await anext(stream) == b"one"
    assert await request.is_disconnected()

    for _ in range(2):
        with pytest.raises(ClientDisconnect), anyio.fail_after(1):
            await anext(stream)
        stream = request.stream()
    assert receive.calls == receive.given == 2


# --- errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [OSError, RuntimeError])
async def test_error_of_receive_after_the_body_is_a_disconnect(kind: type[Exception]) -> None:
    request = Request(http_scope(), Live(part(b"hello", more_body=False), kind("gone")))
    assert await request.body() == b"hello"

    assert await request.is_disconnected()
    assert await request.body() == b"hello"


async def test_error_of_receive_within_the_body_is_raised_by_the_read() -> None:
    receive = Live(OSError("gone"))
    request = Request(http_scope(), receive)
    assert not await request.is_disconnected()
    assert not await request.is_disconnected()

    with pytest.raises(OSError, match="gone"):
        await request.body()
    assert receive.calls == 1


async def test_unknown_message_type_is_raised_by_the_read() -> None:
    request = Request(http_scope(), Live({"type": "websocket.receive"}))
    assert not await request.is_disconnected()

    with pytest.raises(ProtocolError, match=r"websocket\.receive"):
        await request.body()


async def test_receive_that_repeats_the_last_part_is_not_called_forever() -> None:
    """A simple receive returns a constant and never waits; a loop over it would block the event loop."""
    calls = 0

    async def receive() -> Any:
        nonlocal calls
        calls += 1
        return part(b"hello", more_body=False)

    request = Request(http_scope(), receive)
    assert await request.body() == b"hello"
    for _ in range(5):
        assert not await request.is_disconnected()
    async with request.cancel_on_disconnect() as watch:
        await anyio.sleep(0.01)

    assert calls <= 20
    assert not watch.cancelled_caught


async def test_stray_message_after_the_last_part_does_not_hide_the_disconnect() -> None:
    stray = part(b"", more_body=False)
    request = Request(http_scope(), Live(part(b"hello", more_body=False), stray, DISCONNECT))
    assert await request.body() == b"hello"
    answers = [await request.is_disconnected() for _ in range(4)]

    assert answers[-1] is True
    assert await request.body() == b"hello"


async def test_stray_message_after_the_last_part_does_not_end_the_watching() -> None:
    stray = part(b"", more_body=False)
    request = Request(http_scope(), Live(part(b"hello", more_body=False), stray, DISCONNECT))
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()
    assert watch.cancelled_caught


# --- futures ------------------------------------------------------------------------------------------


class FutureReceive:
    """A receive that returns futures, as granian's does; a cancelled future loses its message."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[Any]] = []

    def __call__(self) -> asyncio.Future[Any]:
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]


only_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@only_asyncio
@pytest.mark.parametrize("wait", ["is_disconnected", "cancelled body", "cancel_on_disconnect"])
async def test_pending_future_is_awaited_by_the_next_read(wait: str) -> None:
    receive = FutureReceive()
    request = Request(http_scope(), receive)
    if wait == "is_disconnected":
        assert not await request.is_disconnected()
        assert not await request.is_disconnected()
    elif wait == "cancel_on_disconnect":
        async with request.cancel_on_disconnect():
            await run_other_tasks()
    else:
        with anyio.move_on_after(0.002):
            await request.body()
    (future,) = receive.futures
    assert not future.done()

    future.set_result(part(b"hello", more_body=False))
    assert await request.body() == b"hello"
    assert not await request.is_disconnected()
    assert len(receive.futures) == 2
    receive.futures[1].set_result(DISCONNECT)
    assert await request.is_disconnected()


@only_asyncio
async def test_error_of_a_pending_future_is_raised_by_the_read() -> None:
    receive = FutureReceive()
    request = Request(http_scope(), receive)
    assert not await request.is_disconnected()
    receive.futures[0].set_exception(OSError("gone"))

    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            await request.body()
    assert len(receive.futures) == 1


# --- several tasks ------------------------------------------------------------------------------------


async def test_is_disconnected_while_another_task_receives_returns_at_once() -> None:
    receive = Live()
    request = Request(http_scope(), receive)
    bodies: list[bytes] = []

    async def read() -> None:
        bodies.append(await request.body())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await run_other_tasks()
            assert receive.waiting
            assert not await request.is_disconnected()
            receive.put(part(b"hello", more_body=False))

    assert bodies == [b"hello"]
    assert receive.calls == 1


async def test_concurrent_calls_receive_one_at_a_time() -> None:
    receive = Live(*parts(b"hello", 1))
    request = Request(http_scope(), receive)

    async def ask() -> None:
        for _ in range(4):
            assert not await request.is_disconnected()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(ask)
    assert await request.body() == b"hello"


# --- memory -------------------------------------------------------------------------------------------


async def test_is_disconnected_reads_at_most_one_megabyte_ahead() -> None:
    body = bytes(range(256)) * 4096 * 3
    receive = Live(*parts(body, MEGABYTE // 4))
    request = Request(http_scope(), receive)

    for _ in range(10):
        assert not await request.is_disconnected()
    assert receive.given == 4
    assert await request.body() == body


async def test_is_disconnected_reads_at_most_1024_chunks_ahead() -> None:
    """They are counted at each message, which a client that sends single bytes must not make slow."""
    receive = Live(*[part(b"x") for _ in range(3000)], part(b"", more_body=False))
    request = Request(http_scope(), receive)
    for _ in range(1100):
        assert not await request.is_disconnected()

    assert receive.given == 1024
    assert await request.body() == b"x" * 3000
