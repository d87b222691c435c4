"""``Request.tee()``: a receive callable that passes each chunk to a sink and then to the application."""

from __future__ import annotations

import hashlib

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect, RequestEntityTooLarge, StreamConsumed
from asgiwire.testing import ScriptedReceive, http_scope
from tests.body.test_replay import FORM_TYPE, receives_the_disconnect
from tests.receives import DISCONNECT, Live, form_body, part, parts, receive_body

pytestmark = pytest.mark.anyio


async def test_sink_is_called_before_the_application_receives_the_chunk() -> None:
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
    assert await receives_the_disconnect(tee, live)


async def test_tee_receives_one_message_for_each_call() -> None:
    live = Live(*parts(b"hello", 1))
    tee = Request(http_scope(), live).tee(len)
    for number in range(1, 4):
        await tee()
        assert live.given == number


async def test_sink_may_be_a_coroutine_function() -> None:
    seen: list[bytes] = []

    async def sink(chunk: bytes) -> None:
        await anyio.sleep(0.001)
        seen.append(chunk)

    assert await receive_body(Request(http_scope(), Live(*parts(b"hello", 2))).tee(sink)) == (
        [b"he", b"ll", b"o", b""],
        False,
    )
    assert seen == [b"he", b"ll", b"o"]


async def test_body_after_a_tee_raises_stream_consumed() -> None:
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    await receive_body(request.tee(len))

    with pytest.raises(StreamConsumed, match=r"consumed by tee\(\)"):
        await request.body()


async def test_tee_of_a_buffered_body() -> None:
    digest = hashlib.sha256()
    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    await request.body()

    assert await receive_body(request.tee(digest.update)) == ([b"hello", b""], False)
    assert digest.hexdigest() == hashlib.sha256(b"hello").hexdigest()
    assert await request.body() == b"hello"


async def test_request_over_a_tee_reads_multipart_parts() -> None:
    seen: list[bytes] = []
    body = form_body(("a", None, b"1"), ("f", "x.txt", b"hello"))
    request = Request(http_scope(headers=FORM_TYPE), Live(*parts(body, 7)))
    downstream = Request({**request.scope}, request.tee(seen.append))

    assert [(one.name, await one.read()) async for one in downstream.multipart()] == [
        ("a", b"1"),
        ("f", b"hello"),
    ]
    assert b"".join(seen) == body


async def test_disconnect_within_the_body_is_passed_on() -> None:
    seen: list[bytes] = []
    request = Request(http_scope(), Live(part(b"one"), DISCONNECT))

    assert await receive_body(request.tee(seen.append)) == ([b"one"], True)
    assert seen == [b"one"]
    with pytest.raises(ClientDisconnect):
        await request.body()


async def test_tee_after_a_cancelled_call_is_complete() -> None:
    live, seen = Live(part(b"one")), []
    tee = Request(http_scope(), live).tee(seen.append)
    assert (await tee())["body"] == b"one"
    with anyio.move_on_after(0.005):
        await tee()

    live.put(part(b"two", more_body=False))
    assert await receive_body(tee) == ([b"two", b""], False)
    assert seen == [b"one", b"two"]


async def test_call_cancelled_in_the_sink_loses_and_repeats_no_chunk() -> None:
    seen: list[bytes] = []

    async def sink(chunk: bytes) -> None:
        seen.append(chunk)
        await anyio.sleep(0.01 if len(seen) == 1 else 0)

    tee = Request(http_scope(), Live(*parts(b"hello", 2))).tee(sink)
    with anyio.move_on_after(0.002) as waited:
        await tee()
    assert waited.cancelled_caught

    assert await receive_body(tee) == ([b"he", b"ll", b"o", b""], False)
    assert seen == [b"he", b"ll", b"o"]


@pytest.mark.parametrize("buffered", [False, True])
async def test_error_of_the_sink_fails_an_unbuffered_body(buffered: bool) -> None:
    """An application must not take the chunks that it received for the whole body."""

    def refuse(chunk: bytes) -> None:
        raise ZeroDivisionError

    request = Request(http_scope(), Live(*parts(b"hello", 2)))
    if buffered:
        await request.body()
    tee = request.tee(refuse)
    with pytest.raises(ZeroDivisionError):
        await tee()
    if buffered:
        assert await request.body() == b"hello"
    else:
        with pytest.raises(ZeroDivisionError):
            await tee()
        with pytest.raises(ZeroDivisionError):
            await request.body()


async def test_tee_with_its_own_limits() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b"he", b"llo"))
    tee = request.tee(len, limits=Limits(max_body_size=4))
    assert (await tee())["body"] == b"he"

    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await tee()


async def test_concurrent_calls_pass_each_chunk_to_the_sink_once_and_in_order() -> None:
    seen: list[bytes] = []

    async def sink(chunk: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(chunk)

    tee = Request(http_scope(), Live(*parts(b"hello", 1))).tee(sink)
    got: list[bytes] = []

    async def call() -> None:
        got.extend([(await tee())["body"] for _ in range(3)])

    async with anyio.create_task_group() as group:
        group.start_soon(call)
        group.start_soon(call)
    assert b"".join(seen) == b"hello"
    assert sorted(got) == sorted([b"h", b"e", b"l", b"l", b"o", b""])


@pytest.mark.parametrize("buffered", [False, True])
async def test_error_of_the_sink_is_raised_by_every_call(buffered: bool) -> None:
    request = Request(http_scope(), Live(part(b"abc", more_body=False)))
    if buffered:
        await request.body()

    def sink(_: bytes) -> None:
        raise ValueError("full")

    receive = request.tee(sink)
    for _ in range(2):
        with pytest.raises(ValueError, match="full"):
            await receive()
