"""Reads of a body: the messages that form one, repeated reads, and requests that share one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
import pytest

from asgiwire import Request
from asgiwire.exceptions import ClientDisconnect, ProtocolError, StreamConsumed
from asgiwire.testing import ScriptedReceive, http_scope
from tests.receives import form_body, part

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

FORM = form_body(("a", None, b"1"))
FORM_TYPE = {"content-type": "multipart/form-data; boundary=B"}
EMPTY_PART = part(b"")


async def read_stream(request: Request) -> list[bytes]:
    return [chunk async for chunk in request.stream()]


READERS: dict[str, Callable[[Request], Awaitable[Any]]] = {
    "body": lambda request: request.body(),
    "stream": read_stream,
    "json": lambda request: request.json(),
    "msgpack": lambda request: request.msgpack(),
    "form": lambda request: request.form(),
}
each_reader = pytest.mark.parametrize("reader", READERS)


# --- messages -----------------------------------------------------------------------------------------


async def test_body_joins_all_parts_and_is_received_once() -> None:
    receive = ScriptedReceive(part(b"one"), EMPTY_PART, part(b"two"), part(b"", more_body=False))
    request = Request(http_scope(), receive)

    assert await request.body() == b"onetwo"
    assert await request.body() == b"onetwo"
    assert receive.calls == 4


async def test_message_with_type_only_is_an_empty_last_part() -> None:
    """ASGI: ``body`` defaults to ``b""`` and ``more_body`` to ``False``."""
    assert await Request(http_scope(), ScriptedReceive({"type": "http.request"})).body() == b""


async def test_empty_part_does_not_end_the_body() -> None:
    receive = ScriptedReceive(EMPTY_PART, EMPTY_PART, part(b"late", more_body=False))

    assert await Request(http_scope(), receive).body() == b"late"


async def test_bytearray_and_memoryview_become_bytes() -> None:
    receive = ScriptedReceive(
        {"type": "http.request", "body": bytearray(b"a"), "more_body": True},
        {"type": "http.request", "body": memoryview(b"b"), "more_body": False},
    )
    body = await Request(http_scope(), receive).body()

    assert body == b"ab"
    assert type(body) is bytes


@pytest.mark.parametrize("body", ["text", 3, [1, 2]])
async def test_body_of_another_type_raises_type_error(body: Any) -> None:
    receive = ScriptedReceive({"type": "http.request", "body": body, "more_body": False})
    request = Request(http_scope(), receive)

    for _ in range(2):
        with pytest.raises(TypeError, match="bytes-like"):
            await request.body()


async def test_unknown_message_type_raises_protocol_error() -> None:
    request = Request(http_scope(), ScriptedReceive({"type": "http.requst"}))

    with pytest.raises(ProtocolError, match=r"http\.requst") as caught:
        await request.body()
    assert caught.value.message_type == "http.requst"
    assert caught.value.expected == ("http.request", "http.disconnect")


class SlowAwaitable:
    """An awaitable that is neither a coroutine nor a future, as a compiled ``receive`` may return."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message

    def __await__(self) -> Any:
        yield from anyio.lowlevel.checkpoint().__await__()
        return self.message


@pytest.mark.parametrize("reader", ["body", "stream", "is_disconnected"])
async def test_receive_may_return_any_awaitable(reader: str) -> None:
    messages = [SlowAwaitable(part(b"he")), SlowAwaitable(part(b"llo", more_body=False))]
    request = Request(http_scope(), lambda: messages.pop(0))
    if reader == "is_disconnected":
        assert not await request.is_disconnected()
    if reader == "stream":
        assert await read_stream(request) == [b"he", b"llo", b""]
    else:
        assert await request.body() == b"hello"


# --- stream -------------------------------------------------------------------------------------------


async def test_stream_yields_non_empty_chunks_then_an_empty_one() -> None:
    receive = ScriptedReceive(part(b"one"), EMPTY_PART, part(b"two", more_body=False))

    assert await read_stream(Request(http_scope(), receive)) == [b"one", b"two", b""]


async def test_stream_after_body_yields_the_buffered_body_each_time() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b"one", b"two"))
    await request.body()

    assert await read_stream(request) == [b"onetwo", b""]
    assert await read_stream(request) == [b"onetwo", b""]


async def test_stream_of_an_empty_body_yields_one_empty_chunk() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b""))

    assert await read_stream(request) == [b""]


async def test_stream_of_a_buffered_empty_body_yields_one_empty_chunk() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b""))
    await request.body()

    assert await read_stream(request) == [b""]


@each_reader
async def test_read_after_stream_raises_stream_consumed(reader: str) -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"x"))
    await read_stream(request)

    with pytest.raises(StreamConsumed, match=r"consumed by stream\(\)") as caught:
        await READERS[reader](request)
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.consumer == "stream()"


@each_reader
async def test_read_after_an_unfinished_stream_raises_stream_consumed(reader: str) -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"one", b"two"))
    stream = request.stream()
    assert await anext(stream) == b"one"
    await stream.aclose()

    with pytest.raises(StreamConsumed, match=r"stream\(\)") as caught:
        await READERS[reader](request)
    assert caught.value.consumer == "stream()"
    assert str(caught.value) != str(StreamConsumed(consumer="stream()"))  # it says that a part was read


async def test_second_stream_raises_and_the_first_continues() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b"one", b"two"))
    stream = request.stream()
    await anext(stream)

    with pytest.raises(StreamConsumed):
        await anext(request.stream())
    assert [chunk async for chunk in stream] == [b"two", b""]


# --- form and body ------------------------------------------------------------------------------------


async def test_body_after_a_multipart_form_raises_and_the_form_is_cached() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(FORM))
    form = await request.form()

    with pytest.raises(StreamConsumed, match=r"consumed by form\(\)"):
        await request.body()
    assert await request.form() is form


async def test_form_and_json_after_body_parse_the_buffered_bytes() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(FORM))
    await request.body()

    assert (await request.form()).dict() == {"a": ["1"]}
    assert await request.body() == FORM

    request = Request(http_scope(), ScriptedReceive.body(b"[1]"))
    await request.body()
    assert await request.json() == [1]


async def test_body_after_an_urlencoded_form_returns_the_bytes() -> None:
    scope = http_scope(headers={"content-type": "application/x-www-form-urlencoded"})
    request = Request(scope, ScriptedReceive.body(b"a=1"))
    form = await request.form()

    assert await request.body() == b"a=1"
    assert await request.form() is form


# --- shared and separate bodies -----------------------------------------------------------------------


@pytest.mark.parametrize("second_first", [False, True])
@pytest.mark.parametrize("copied", [False, True])
async def test_two_requests_on_one_scope_share_one_body(second_first: bool, copied: bool) -> None:
    scope, receive = http_scope(), ScriptedReceive.body(b"one", b"two")
    first = Request(scope, receive)
    if second_first:
        await Request(scope, receive).body()
        assert await first.body() == b"onetwo"
    else:
        await first.body()
        assert await Request({**scope} if copied else scope, receive).body() == b"onetwo"
    assert receive.calls == 2


async def test_two_requests_share_one_form() -> None:
    scope, receive = http_scope(headers=FORM_TYPE), ScriptedReceive.body(FORM)
    form = await Request(scope, receive).form()

    assert await Request({**scope}, receive).form() is form


async def test_bound_receive_method_is_recognized_at_each_access() -> None:
    """A bound method is a new object at each attribute access."""

    class Server:
        def __init__(self) -> None:
            self.script = ScriptedReceive.body(b"x")

        async def receive(self) -> Any:
            return await self.script()

    server, scope = Server(), http_scope()
    await Request(scope, server.receive).body()

    assert await Request(scope, server.receive).body() == b"x"


async def test_requests_over_different_receive_callables_share_nothing() -> None:
    """A middleware that decompresses the body replaces ``receive``."""
    scope, compressed = http_scope(), ScriptedReceive.body(b"compressed")
    assert await Request(scope, compressed).body() == b"compressed"
    inner = Request({**scope}, ScriptedReceive.body(b"plain"))

    assert await inner.body() == b"plain"
    assert await Request(scope, compressed).body() == b"compressed"
    assert await Request(inner.scope, compressed).body() == b"compressed"


async def test_scope_is_unchanged_before_the_first_read() -> None:
    scope = http_scope(headers=FORM_TYPE)
    before = dict(scope)
    request = Request(scope, ScriptedReceive.body(b""))
    assert request.is_connected
    assert request.content_type[0] == "multipart/form-data"

    assert scope == before


async def test_a_read_adds_one_documented_key_to_the_scope() -> None:
    scope = http_scope()
    before = set(scope)
    await Request(scope, ScriptedReceive.body(b"")).body()

    assert set(scope) - before == {"asgiwire.body"}


async def test_receive_method_of_an_object_without_weak_references() -> None:
    class Server:
        __slots__ = ("messages",)

        def __init__(self) -> None:
            self.messages = [part(b"a"), part(b"b", more_body=False)]

        async def receive(self) -> dict[str, Any]:
            return self.messages.pop(0)

    assert await Request(http_scope(), Server().receive).body() == b"ab"


# --- the iterator of stream() -------------------------------------------------------------------------


async def test_stream_has_the_methods_of_an_async_generator() -> None:
    stream = Request(http_scope(), ScriptedReceive(part(b"1"), part(b"2", more_body=False))).stream()

    assert isinstance(stream, AsyncGenerator)
    assert await stream.asend(None) == b"1"
    assert [await anext(stream), await anext(stream)] == [b"2", b""]
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


@pytest.mark.parametrize("buffered", [False, True])
async def test_closed_stream_returns_no_further_chunk(buffered: bool) -> None:
    request = Request(http_scope(), ScriptedReceive(part(b"1"), part(b"2", more_body=False)))
    if buffered:
        await request.body()
    stream = request.stream()
    await anext(stream)
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_error_thrown_into_a_stream_is_raised_and_ends_it() -> None:
    stream = Request(http_scope(), ScriptedReceive(part(b"1"))).stream()
    with pytest.raises(KeyError, match="thrown"):
        await stream.athrow(KeyError("thrown"))
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_stream_raises_the_failure_of_the_body_again() -> None:
    stream = Request(http_scope(), ScriptedReceive(part(b"1"), {"type": "http.disconnect"})).stream()
    await anext(stream)
    for _ in range(2):
        with pytest.raises(ClientDisconnect):
            await anext(stream)


async def test_two_tasks_that_share_a_stream_get_each_chunk_once() -> None:
    async def receive() -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        return messages.pop(0)

    messages = [part(b"%d" % number, more_body=number < 5) for number in range(6)]
    stream = Request(http_scope(), receive).stream()
    chunks: list[bytes] = []

    async def read() -> None:
        chunks.extend([chunk async for chunk in stream])

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        group.start_soon(read)
    assert sorted(filter(None, chunks)) == [b"0", b"1", b"2", b"3", b"4", b"5"]
