"""The receive callables for an application behind: the body that was read here, or as it passes."""

from __future__ import annotations

import gc
import hashlib
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire._body import spool as _spool
from asgiwire._body.registry import body_channel
from asgiwire._body.spool import Spool
from asgiwire.exceptions import ClientDisconnect, ClientException, RequestEntityTooLarge, StreamConsumed
from asgiwire.testing import ScriptedReceive, http_scope
from tests.receives import DISCONNECT, Live, form_body, part, parts, received, settle

if TYPE_CHECKING:
    from asgiwire.types import Receive

pytestmark = pytest.mark.anyio

BODY = bytes(range(256)) * 40
FORM_TYPE = {"content-type": "multipart/form-data; boundary=B"}


class Spooling(Request):
    limits = Limits(spool_size=100)


class Small(Request):
    limits = Limits(max_body_size=4)


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small blocks, and the size of each that is written to disk."""
    sizes: list[int] = []
    taken = _spool.Spool.take

    async def counted(spool: _spool.Spool, pieces: list[bytes]) -> None:
        sizes.append(sum(map(len, pieces)))
        await taken(spool, pieces)

    monkeypatch.setattr(_spool, "BLOCK_SIZE", 1000)
    monkeypatch.setattr(_spool.Spool, "take", counted)
    return sizes


async def is_told_of_a_disconnect(receive: Receive, live: Live) -> bool:
    """Whether the application is told when, and not before, the client leaves."""
    told: list[str] = []

    async def wait() -> None:
        told.append((await receive())["type"])

    async with anyio.create_task_group() as group:
        group.start_soon(wait)
        await settle()
        early = bool(told)
        live.put(DISCONNECT)
    return not early and told == ["http.disconnect"]


# --- replay -------------------------------------------------------------------------------------------


async def test_replay_gives_a_body_that_was_read_then_the_live_channel() -> None:
    live = Live(*parts(b"hello", 2))
    request = Request(http_scope(), live)
    await request.body()
    replay = request.replay

    assert await replay() == part(b"hello", more_body=False)
    assert await is_told_of_a_disconnect(replay, live)
    # Again, as uvicorn does: servers that tell it once block afterwards.
    assert await replay() == DISCONNECT


async def test_replay_reads_a_body_that_nobody_has_read() -> None:
    live = Live(*parts(b"hello", 2))
    request = Request(http_scope(), live)
    replay = request.replay
    assert live.calls == 0

    assert await received(replay) == ([b"hello"], False)
    assert await request.body() == b"hello"


async def test_replay_of_an_empty_body() -> None:
    assert await Request(http_scope(), Live({"type": "http.request"})).replay() == part(b"", more_body=False)


async def test_each_replay_begins_at_the_beginning() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    first, second = request.replay, request.replay

    assert await received(first) == ([b"hello"], False)
    assert await received(second) == ([b"hello"], False)


async def test_a_request_over_a_replay_has_the_same_body_and_form() -> None:
    body = form_body(("a", None, b"1"))
    request = Request(http_scope(headers=FORM_TYPE), Live(*parts(body, 7)))
    await request.body()
    form = await request.form()
    behind = Request({**request.scope}, request.replay)

    assert await behind.body() == body
    assert await behind.form() is form
    assert not await behind.is_disconnected()


async def test_a_request_over_a_replay_that_nobody_has_called() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    behind = Request(http_scope(), request.replay)

    assert await behind.body() == b"hello"
    assert await request.body() == b"hello"


async def test_a_replay_wrapped_by_a_middleware_is_another_channel() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    replay = request.replay

    async def upper() -> Any:
        message = await replay()
        return {**message, "body": message["body"].upper()}

    assert await Request({**request.scope}, upper).body() == b"HELLO"
    assert await request.body() == b"hello"


async def test_a_large_body_is_replayed_from_disk_in_blocks(blocks: list[int]) -> None:
    request = Spooling(http_scope(), Live(*parts(BODY, 64)))
    assert await received(request.replay) == ([BODY], False)

    # One of what may stay in memory, then large ones: not one for each part.
    assert blocks[0] == 128
    assert all(1000 < size <= 1064 for size in blocks[1:-1])
    assert sum(blocks) == len(BODY)
    assert await request.body() == BODY
    assert b"".join([piece async for piece in request.stream()]) == BODY


async def test_a_body_on_disk_comes_back_in_pieces_and_its_file_goes_with_the_request() -> None:
    body = BODY * 250  # 2.5 MiB
    request = Spooling(http_scope(), Live(*parts(body, 100_000)))
    pieces, _ = await received(request.replay)

    assert b"".join(pieces) == body
    assert max(map(len, pieces)) == 1024 * 1024
    assert [len(piece) async for piece in request.stream()] == [*map(len, pieces), 0]
    del request
    gc.collect()  # a file that is left open is a ResourceWarning, which is an error


async def test_replay_and_form_and_parts_over_a_body_on_disk() -> None:
    body = form_body(("a", None, b"1"), ("f", "x.txt", BODY))
    request = Spooling(http_scope(headers=FORM_TYPE), Live(*parts(body, 1000)))
    assert b"".join((await received(request.replay))[0]) == body

    async with await request.form() as form:
        assert await form["f"].read() == BODY
    assert [(one.name, await one.read()) async for one in request.multipart()] == [("a", b"1"), ("f", BODY)]


async def test_what_a_watcher_receives_while_a_block_is_written_is_not_lost(blocks: list[int]) -> None:
    live = Live()
    request = Spooling(http_scope(), live)
    got: list[tuple[list[bytes], bool]] = []

    async def read() -> None:
        got.append(await received(request.replay))

    with anyio.fail_after(5):
        async with request.cancel_on_disconnect(), anyio.create_task_group() as group:
            group.start_soon(read)
            for message in parts(BODY, 50):
                live.put(message)
                await anyio.lowlevel.checkpoint()

    assert got == [([BODY], False)]
    assert len(blocks) >= 2


async def test_who_comes_while_the_last_block_is_written_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = Request(http_scope(), Live(part(BODY, more_body=False)))
    writing, go_on = anyio.Event(), anyio.Event()
    take = Spool.take

    async def take_slowly(spool: Spool, pieces: list[bytes]) -> None:
        writing.set()
        await go_on.wait()
        await take(spool, pieces)

    monkeypatch.setattr(Spool, "take", take_slowly)
    got: list[bytes] = []

    async def read() -> None:
        got.append(await request.body())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(body_channel(request.scope, request.receive).keep, None, 0)
            await writing.wait()
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            go_on.set()

    assert got == [BODY]


async def test_a_cancelled_receive_over_a_replay_loses_nothing() -> None:
    live = Live(part(b"one"))
    request = Spooling(http_scope(), live)
    replay = request.replay
    with anyio.move_on_after(0.005) as waited:
        await replay()
    assert waited.cancelled_caught

    live.put(part(b"two", more_body=False))
    assert await received(replay) == ([b"onetwo"], False)


@pytest.mark.parametrize("reader", ["body", "stream", "replay"])
async def test_a_body_that_is_half_on_disk_when_replay_is_cancelled_is_read_whole(reader: str) -> None:
    live = Live(*parts(BODY, 200)[:5])
    request = Spooling(http_scope(), live)
    with anyio.move_on_after(0.02) as waited:
        await request.replay()
    assert waited.cancelled_caught

    live.put(*parts(BODY, 200)[5:])
    if reader == "body":
        assert await request.body() == BODY
    elif reader == "stream":
        pieces = [piece async for piece in request.stream()]
        assert b"".join(pieces) == BODY
        assert pieces[-1] == b""
    else:
        assert await received(request.replay) == ([BODY], False)


async def test_a_replay_that_is_called_twice_at_once_gives_the_body_once() -> None:
    """Some applications wait for a disconnect while they read."""
    live = Live()
    replay = Request(http_scope(), live).replay
    messages: list[Any] = []

    async def call() -> None:
        messages.append(await replay())

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)
        await settle()
        live.put(part(b"hello", more_body=False))
        await settle()
        assert messages == [part(b"hello", more_body=False)]
        live.put(DISCONNECT)

    assert messages[1:] == [DISCONNECT]


@pytest.mark.parametrize("before", [(), (b"one",)], ids=["at once", "in the body"])
async def test_a_disconnect_in_the_body_is_a_disconnect_behind_a_replay(before: tuple[bytes, ...]) -> None:
    request = Request(http_scope(), Live(*map(part, before), DISCONNECT))
    replay = request.replay

    assert await replay() == DISCONNECT
    assert await replay() == DISCONNECT
    with pytest.raises(ClientDisconnect):
        await request.body()


async def test_replay_after_the_body_was_consumed_says_by_whom() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    replay = request.replay
    async for _ in request.stream():
        pass

    with pytest.raises(StreamConsumed, match=r"consumed by stream\(\)"):
        await replay()


async def test_a_limit_is_raised_through_the_application_behind() -> None:
    replay = Small(http_scope(), Live(part(b"hello", more_body=False))).replay

    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await replay()


async def test_a_declared_length_over_the_limit_is_refused_before_anything_is_handed_on() -> None:
    live = Live(part(b"hello", more_body=False))
    request = Small(http_scope(headers={"content-length": "5"}), live)

    replay = request.replay  # a property, which never raises because of what a client sent
    with pytest.raises(RequestEntityTooLarge):
        await replay()
    with pytest.raises(RequestEntityTooLarge):
        await request.tee(len)()
    assert live.calls == 0


async def test_a_declared_length_that_is_none_is_a_client_error_of_the_call() -> None:
    live = Live(part(b"hello", more_body=False))
    replay = Request(http_scope(headers={"content-length": "abc"}), live).replay
    with pytest.raises(ClientException, match="Content-Length"):
        await replay()
    assert live.calls == 0


async def test_an_application_behind_may_have_a_smaller_limit() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    await request.body()

    with pytest.raises(RequestEntityTooLarge):
        await Small(request.scope, request.replay).body()
    assert await received(request.replay) == ([b"hello"], False)


# --- tee ----------------------------------------------------------------------------------------------


async def test_tee_shows_each_piece_before_the_application_gets_it() -> None:
    live, seen = Live(*parts(b"hello", 2)), []
    tee = Request(http_scope(), live).tee(seen.append)
    order: list[tuple[list[bytes], bytes]] = []
    for _ in range(4):
        message = await tee()
        order.append((seen.copy(), message["body"]))

    assert order == [
        ([b"he"], b"he"),
        ([b"he", b"ll"], b"ll"),
        ([b"he", b"ll", b"o"], b"o"),
        ([b"he", b"ll", b"o"], b""),
    ]
    assert message["more_body"] is False
    assert await is_told_of_a_disconnect(tee, live)


async def test_tee_receives_no_faster_than_the_application() -> None:
    live = Live(*parts(b"hello", 1))
    tee = Request(http_scope(), live).tee(len)
    for number in range(1, 4):
        await tee()
        assert live.given == number


async def test_a_sink_may_be_a_coroutine_function() -> None:
    seen: list[bytes] = []

    async def sink(piece: bytes) -> None:
        await anyio.sleep(0.001)
        seen.append(piece)

    assert await received(Request(http_scope(), Live(*parts(b"hello", 2))).tee(sink)) == (
        [b"he", b"ll", b"o", b""],
        False,
    )
    assert seen == [b"he", b"ll", b"o"]


async def test_tee_keeps_nothing() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    await received(request.tee(len))

    with pytest.raises(StreamConsumed, match=r"consumed by tee\(\)"):
        await request.body()


async def test_tee_over_a_body_that_is_kept() -> None:
    digest = hashlib.sha256()
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    await request.body()

    assert await received(request.tee(digest.update)) == ([b"hello", b""], False)
    assert digest.hexdigest() == hashlib.sha256(b"hello").hexdigest()
    assert await request.body() == b"hello"


async def test_a_request_behind_a_tee_reads_it_as_any_other_body() -> None:
    seen: list[bytes] = []
    body = form_body(("a", None, b"1"), ("f", "x.txt", b"hello"))
    request = Request(http_scope(headers=FORM_TYPE), Live(*parts(body, 7)))
    behind = Request({**request.scope}, request.tee(seen.append))

    assert [(one.name, await one.read()) async for one in behind.multipart()] == [
        ("a", b"1"),
        ("f", b"hello"),
    ]
    assert b"".join(seen) == body


async def test_a_disconnect_in_the_body_is_a_disconnect_behind_a_tee() -> None:
    seen: list[bytes] = []
    request = Request(http_scope(), Live(part(b"one"), DISCONNECT))

    assert await received(request.tee(seen.append)) == ([b"one"], True)
    assert seen == [b"one"]
    with pytest.raises(ClientDisconnect):
        await request.body()


async def test_a_cancelled_receive_over_a_tee_loses_nothing() -> None:
    live, seen = Live(part(b"one")), []
    tee = Request(http_scope(), live).tee(seen.append)
    assert (await tee())["body"] == b"one"
    with anyio.move_on_after(0.005):
        await tee()

    live.put(part(b"two", more_body=False))
    assert await received(tee) == ([b"two", b""], False)
    assert seen == [b"one", b"two"]


async def test_a_receive_that_is_cancelled_in_the_sink_loses_no_piece_and_shows_none_twice() -> None:
    seen: list[bytes] = []

    async def sink(piece: bytes) -> None:
        seen.append(piece)
        await anyio.sleep(0.01 if len(seen) == 1 else 0)

    tee = Request(http_scope(), Live(*parts(b"hello", 2))).tee(sink)
    with anyio.move_on_after(0.002) as waited:
        await tee()
    assert waited.cancelled_caught

    assert await received(tee) == ([b"he", b"ll", b"o", b""], False)
    assert seen == [b"he", b"ll", b"o"]


@pytest.mark.parametrize("kept", [False, True])
async def test_an_error_of_the_sink_is_final(kept: bool) -> None:
    """What the application has had so far must not pass for the whole body."""

    def refuse(piece: bytes) -> None:
        raise ZeroDivisionError

    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    if kept:
        await request.body()
    tee = request.tee(refuse)
    with pytest.raises(ZeroDivisionError):
        await tee()
    if kept:
        assert await request.body() == b"hello"
    else:
        with pytest.raises(ZeroDivisionError):
            await tee()
        with pytest.raises(ZeroDivisionError):
            await request.body()


async def test_limits_for_one_tee() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b"he", b"llo"))
    tee = request.tee(len, limits=Limits(max_body_size=4))
    assert (await tee())["body"] == b"he"

    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await tee()


async def test_a_tee_that_is_called_twice_at_once_shows_each_piece_once_and_in_order() -> None:
    seen: list[bytes] = []

    async def sink(piece: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(piece)

    tee = Request(http_scope(), Live(*parts(b"hello", 1))).tee(sink)
    got: list[bytes] = []

    async def call() -> None:
        got.extend([(await tee())["body"] for _ in range(3)])

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)
    assert b"".join(seen) == b"hello"
    assert sorted(got) == sorted([b"h", b"e", b"l", b"l", b"o", b""])


@pytest.mark.parametrize("kept", [False, True])
async def test_a_sink_that_failed_has_missed_a_piece_and_nobody_is_told_otherwise(kept: bool) -> None:
    request = Request(http_scope(), Live(part(b"abc", more_body=False)))
    if kept:
        await request.body()

    def sink(_: bytes) -> None:
        raise ValueError("full")

    receive = request.tee(sink)
    for _ in range(2):
        with pytest.raises(ValueError, match="full"):
            await receive()
