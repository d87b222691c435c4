"""Messages of one receive callable: one call at a time, none after a disconnect, nothing lost by asking."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire._body import channel as _receiver
from asgiwire._body.channel import BodyChannel as Receiver
from asgiwire.exceptions import ClientDisconnect, ProtocolError, RequestEntityTooLarge
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, form_body, part, parts, settle

pytestmark = pytest.mark.anyio

# What real servers were seen to deliver of a body of five bytes, before the client leaves.
SEQUENCES: dict[str, list[dict[str, Any]]] = {
    "one part (uvicorn, daphne)": [part(b"hello", more_body=False)],
    "a part and an empty one (hypercorn, granian)": [part(b"hello"), part(b"", more_body=False)],
    "several parts": [part(b"he"), part(b"ll"), part(b"o", more_body=False)],
    "an empty part first (granian, chunked)": [part(b""), part(b"hello"), part(b"", more_body=False)],
    "keys left out (test clients)": [
        {"type": "http.request", "body": b"hello", "more_body": True},
        {"type": "http.request"},
    ],
    "bytearray": [{"type": "http.request", "body": bytearray(b"hello")}],
}
sequences = pytest.mark.parametrize("messages", SEQUENCES.values(), ids=SEQUENCES)


@sequences
async def test_asking_before_the_body_is_read_loses_nothing(messages: list[dict[str, Any]]) -> None:
    receive = Live(*messages)
    request = Request(http_scope(), receive)

    answers = [await request.is_disconnected() for _ in range(5)]
    assert answers == [False] * 5
    assert receive.given == len(messages)
    assert await request.body() == b"hello"


@sequences
@pytest.mark.parametrize("asked", [1, 2, 3])
async def test_asking_some_times_and_then_streaming_loses_nothing(
    messages: list[dict[str, Any]], asked: int
) -> None:
    request = Request(http_scope(), Live(*messages))
    for _ in range(asked):
        assert not await request.is_disconnected()

    assert b"".join([piece async for piece in request.stream()]) == b"hello"


@sequences
async def test_asking_between_the_pieces_of_a_stream_loses_nothing(messages: list[dict[str, Any]]) -> None:
    request = Request(http_scope(), Live(*messages))
    pieces: list[bytes] = []
    async for piece in request.stream():
        pieces.append(piece)
        assert not await request.is_disconnected()

    assert b"".join(pieces) == b"hello"
    assert pieces[-1] == b""
    assert b"" not in pieces[:-1]


@sequences
async def test_a_client_that_leaves_after_its_body_is_seen_and_the_body_stays(
    messages: list[dict[str, Any]],
) -> None:
    receive = Live(*messages, DISCONNECT)
    request = Request(http_scope(), receive)
    answers = [await request.is_disconnected() for _ in range(len(messages) + 3)]

    assert answers == [False] * len(messages) + [True] * 3
    assert not request.is_connected
    assert await request.body() == b"hello"


async def test_asking_after_the_body_was_read() -> None:
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
async def test_a_client_that_leaves_in_its_body_is_seen_and_every_read_says_so(
    received: tuple[bytes, ...],
) -> None:
    request = Request(http_scope(), Live(*map(part, received), DISCONNECT))
    answers = [await request.is_disconnected() for _ in range(len(received) + 2)]

    assert answers == [False] * len(received) + [True, True]
    for _ in range(2):
        with pytest.raises(ClientDisconnect), anyio.fail_after(1):
            await request.body()


async def test_a_stream_in_progress_ends_at_a_disconnect_that_was_met_with_elsewhere() -> None:
    """The law that servers need: receive is never called after a disconnect."""
    receive = Live(part(b"one"), DISCONNECT)
    request = Request(http_scope(), receive)
    stream = request.stream()
    assert await anext(stream) == b"one"
    assert await request.is_disconnected()

    with pytest.raises(ClientDisconnect), anyio.fail_after(1):
        await anext(stream)
    assert receive.calls == 2


class Futures:
    """A receive that returns futures, as granian's does; one that is cancelled takes its message with it."""

    def __init__(self) -> None:
        self.made: list[asyncio.Future[Any]] = []

    def __call__(self) -> asyncio.Future[Any]:
        self.made.append(asyncio.get_running_loop().create_future())
        return self.made[-1]


only_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])


@only_asyncio
@pytest.mark.parametrize("how", ["poll", "cancelled body", "watch"])
async def test_a_future_that_was_given_up_goes_on_for_whoever_is_next(how: str) -> None:
    receive = Futures()
    request = Request(http_scope(), receive)
    if how == "poll":
        assert not await request.is_disconnected()
        assert not await request.is_disconnected()
    elif how == "watch":
        async with request.cancel_on_disconnect():
            await settle()
    else:
        with anyio.move_on_after(0.002):
            await request.body()
    (future,) = receive.made
    assert not future.done()

    future.set_result(part(b"hello", more_body=False))
    assert await request.body() == b"hello"
    assert not await request.is_disconnected()
    assert len(receive.made) == 2
    receive.made[1].set_result(DISCONNECT)
    assert await request.is_disconnected()


@only_asyncio
async def test_a_future_that_fails_is_the_readers_error() -> None:
    receive = Futures()
    request = Request(http_scope(), receive)
    assert not await request.is_disconnected()
    receive.made[0].set_exception(OSError("gone"))

    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            await request.body()
    assert len(receive.made) == 1


async def test_where_another_task_waits_for_the_body_the_answer_is_there_at_once() -> None:
    receive = Live()
    request = Request(http_scope(), receive)
    bodies: list[bytes] = []

    async def read() -> None:
        bodies.append(await request.body())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await settle()
            assert receive.waiting
            assert not await request.is_disconnected()
            receive.put(part(b"hello", more_body=False))

    assert bodies == [b"hello"]
    assert receive.calls == 1


async def test_two_tasks_that_ask_at_once_receive_once_at_a_time() -> None:
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


async def test_asking_does_not_read_a_large_body_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_receiver, "MAX_READ_AHEAD", 4)
    receive = Live(*parts(b"0123456789", 3))
    request = Request(http_scope(), receive)

    for _ in range(10):
        assert not await request.is_disconnected()
    assert receive.given == 2
    assert await request.body() == b"0123456789"


async def test_nor_in_very_many_pieces() -> None:
    """What watching keeps is counted at each message: a client that sends single bytes must not slow that."""
    many = 3 * _receiver.MAX_READ_AHEAD_CHUNKS
    receive = Live(*[part(b"x") for _ in range(many)], part(b"", more_body=False))
    receiver = Receiver(receive)
    with anyio.move_on_after(0.2):
        await receiver.watch()

    assert receive.given == _receiver.MAX_READ_AHEAD_CHUNKS


async def test_a_limit_that_asking_met_with_is_for_whoever_reads() -> None:
    class Small(Request):
        limits = Limits(max_body_size=4)

    request = Small(http_scope(), Live(part(b"hello")))
    assert not await request.is_disconnected()
    assert not await request.is_disconnected()

    with pytest.raises(RequestEntityTooLarge):
        await request.body()


@pytest.mark.parametrize("kind", [OSError, RuntimeError])
async def test_a_receive_that_fails_after_the_body_is_a_disconnect(kind: type[Exception]) -> None:
    request = Request(http_scope(), Live(part(b"hello", more_body=False), kind("gone")))
    assert await request.body() == b"hello"

    assert await request.is_disconnected()
    assert await request.body() == b"hello"


async def test_a_receive_that_fails_in_the_body_is_the_readers_error() -> None:
    receive = Live(OSError("gone"))
    request = Request(http_scope(), receive)
    assert not await request.is_disconnected()
    assert not await request.is_disconnected()

    with pytest.raises(OSError, match="gone"):
        await request.body()
    assert receive.calls == 1


async def test_an_unknown_message_is_the_readers_error() -> None:
    request = Request(http_scope(), Live({"type": "websocket.receive"}))
    assert not await request.is_disconnected()

    with pytest.raises(ProtocolError, match=r"websocket\.receive"):
        await request.body()


async def test_a_receive_that_repeats_the_last_part_is_not_asked_for_ever() -> None:
    """Simple ones return one constant, and never wait: a loop over them would stop the event loop."""
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

    assert calls == 2
    assert not watch.cancelled_caught


async def test_watching_ends_with_the_disconnect_and_keeps_what_comes_before() -> None:
    receive = Live(*parts(b"hello", 2), DISCONNECT)
    receiver = Receiver(receive)
    with anyio.fail_after(5):
        await receiver.watch()
        await receiver.watch()

    assert b"".join(receiver.pieces) == b"hello"
    assert receiver.complete
    assert receive.calls == 5


async def test_watching_waits_while_another_task_receives() -> None:
    receive = Live()
    receiver = Receiver(receive)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(receiver.watch)
            await settle()
            for message in (*parts(b"hello", 2), DISCONNECT):
                receive.put(message)
                await settle()

    assert receiver.disconnected


async def test_a_watcher_that_holds_enough_goes_on_when_a_reader_takes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_receiver, "MAX_READ_AHEAD", 2)
    receive = Live(*parts(b"0123456789", 3))
    request = Request(http_scope(), receive)
    pieces: list[bytes] = []
    with anyio.fail_after(5):
        async with request.cancel_on_disconnect() as watch:
            await settle()
            assert receive.given == 1
            async for piece in request.stream():
                pieces.append(piece)
                await settle()
            receive.put(DISCONNECT)
            await anyio.sleep_forever()

    assert watch.cancelled_caught
    assert pieces == [b"012", b"345", b"678", b"9", b""]


async def test_after_a_failure_there_is_nothing_to_watch_for() -> None:
    receive = Live({"type": "http.response.start"})
    receiver = Receiver(receive)
    with anyio.move_on_after(0.02) as waited:
        await receiver.watch()

    assert waited.cancelled_caught
    assert isinstance(receiver.failure, ProtocolError)
    assert receive.calls == 1
    assert not await receiver.is_disconnected()


class Once:
    """An awaitable that is neither a coroutine nor a future, as a compiled ``receive`` may return."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message

    def __await__(self) -> Any:
        yield from anyio.lowlevel.checkpoint().__await__()
        return self.message


@pytest.mark.parametrize("reader", ["body", "stream", "ask"])
async def test_what_receive_returns_need_only_be_awaitable(reader: str) -> None:
    messages = [Once(part(b"he")), Once(part(b"llo", more_body=False))]
    request = Request(http_scope(), lambda: messages.pop(0))
    if reader == "ask":
        assert not await request.is_disconnected()
    if reader == "stream":
        assert [piece async for piece in request.stream()] == [b"he", b"llo", b""]
    else:
        assert await request.body() == b"hello"


async def test_a_body_in_pieces_while_somebody_watches() -> None:
    receive = Live(checkpoint=False)
    request = Request(http_scope(), receive)

    async def feed() -> None:
        for piece in (b"a", b"b", b"c"):
            await settle()
            receive.put(part(piece))
        await settle()
        receive.put(part(b"", more_body=False))

    async with anyio.create_task_group() as tasks, request.cancel_on_disconnect():
        await settle()
        tasks.start_soon(feed)
        assert await request.body() == b"abc"


async def test_a_stream_learns_of_what_somebody_else_was_told() -> None:
    receive = Live(part(b"a"), DISCONNECT)
    request = Request(http_scope(), receive)
    stream = request.stream()
    assert await anext(stream) == b"a"
    assert await request.is_disconnected()

    for _ in range(2):
        with pytest.raises(ClientDisconnect):
            await anext(stream)
        stream = request.stream()
    assert receive.given == 2


@pytest.mark.parametrize("reader", ["body", "stream", "replay"])
async def test_what_asking_has_brought_in_is_held_to_the_limit_of_the_reader(reader: str) -> None:
    class Strict(Request):
        limits = Limits(max_body_size=4)

    scope, receive = http_scope(), Live(part(b"12345", more_body=False))
    assert not await Request(scope, receive).is_disconnected()
    strict = Strict(scope, receive)
    with pytest.raises(RequestEntityTooLarge, match="max_body_size"):
        if reader == "body":
            await strict.body()
        elif reader == "stream":
            assert [piece async for piece in strict.stream()]
        else:
            await strict.replay()


async def test_the_limit_of_one_call_may_be_larger_than_that_of_who_watches() -> None:
    class Strict(Request):
        limits = Limits(max_body_size=4)

    request = Strict(http_scope(), Live(part(b"123"), part(b"456", more_body=False)))
    for _ in range(2):
        assert not await request.is_disconnected()
    assert await request.body(limits=Limits(max_body_size=None)) == b"123456"


async def test_a_part_that_watching_brought_in_is_too_much_at_once_and_for_good() -> None:
    receive = Live(part(b"12345"))
    request = Request(http_scope(), receive)
    assert not await request.is_disconnected()
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await request.body(limits=Limits(max_body_size=4))
    assert receive.calls == 1


class Cycle:
    """The object of one request and its response, as a server has it; ``receive`` is a method of it."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.scope = http_scope()
        self.messages = list(messages)

    async def receive(self) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        return self.messages.pop(0)


@pytest.mark.parametrize("reader", ["body", "stream", "is_disconnected", "form", "replay"])
async def test_a_request_that_is_over_does_not_wait_for_the_garbage_collector(reader: str) -> None:
    cycle = Cycle(part(b"a=1"), part(b"", more_body=False))
    request = Request(cycle.scope, cycle.receive)
    if reader == "stream":
        assert [piece async for piece in request.stream()] == [b"a=1", b""]
    elif reader == "replay":
        assert (await request.replay())["body"] == b"a=1"
    else:
        await getattr(request, reader)()
    gone = weakref.ref(cycle)
    gc.disable()
    try:
        del cycle, request
        assert gone() is None
    finally:
        gc.enable()


async def test_the_object_behind_a_receive_may_be_gone() -> None:
    cycle = Cycle(part(b"a"))
    receiver = Receiver(cycle.receive)
    assert receiver.receive == cycle.receive
    del cycle
    gc.collect()
    await receiver.receive_more(None)
    assert isinstance(receiver.failure, ClientDisconnect)


async def test_a_method_of_what_cannot_be_referred_to_weakly() -> None:
    class Small:
        __slots__ = ("messages",)

        def __init__(self) -> None:
            self.messages = [part(b"a"), part(b"b", more_body=False)]

        async def receive(self) -> dict[str, Any]:
            return self.messages.pop(0)

    assert await Request(http_scope(), Small().receive).body() == b"ab"


async def test_what_asking_brings_in_between_the_pieces_of_a_stream_counts() -> None:
    class Strict(Request):
        limits = Limits(max_body_size=4)

    request = Strict(http_scope(), Live(part(b"ab"), part(b"cde"), part(b"", more_body=False)))
    stream = request.stream()
    assert await anext(stream) == b"ab"
    assert not await request.is_disconnected()
    with pytest.raises(RequestEntityTooLarge):
        await anext(stream)
    with pytest.raises(RequestEntityTooLarge):
        await request.body()


@pytest.mark.parametrize("reader", ["body", "stream", "multipart", "replay", "tee"])
async def test_whoever_reads_has_the_object_behind_receive(reader: str) -> None:
    """A test writes it in one line: nobody else has the object then."""
    body = form_body(("a", None, b"1"))
    scope = http_scope(headers={"content-type": "multipart/form-data; boundary=B"})
    request = Request(scope, Cycle(part(body), part(b"", more_body=False)).receive)
    made = (
        getattr(request, reader)
        if reader == "replay"
        else getattr(request, reader)(*[len] * (reader == "tee"))
    )
    del request
    gc.collect()
    if reader == "body":
        assert await made == body
    elif reader == "stream":
        assert [piece async for piece in made] == [body, b""]
    elif reader == "multipart":
        assert [await item.read() async for item in made] == [b"1"]
    else:
        assert (await made())["body"] == body
