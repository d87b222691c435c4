"""The body channel: one record per receive callable, shared by the requests on a scope."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire import Limits, Request
from asgiwire._body.registry import SCOPE_KEY
from asgiwire.exceptions import (
    ClientDisconnect,
    ClientException,
    ProtocolError,
    RequestEntityTooLarge,
    StreamConsumed,
)
from asgiwire.testing import ScriptedReceive, http_scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

BOUNDARY = b"B"
FORM = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--\r\n'
FORM_TYPE = {"content-type": "multipart/form-data; boundary=B"}
PART = {"type": "http.request", "body": b"", "more_body": True}
LAST = {"type": "http.request"}
DISCONNECT = {"type": "http.disconnect"}


def part(body: bytes, more_body: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


class Small(Request):
    limits = Limits(max_body_size=4)


async def pieces(request: Request) -> list[bytes]:
    return [piece async for piece in request.stream()]


async def test_a_body_in_several_parts() -> None:
    receive = ScriptedReceive(part(b"one"), PART, part(b"two"), part(b"", more_body=False))
    request = Request(http_scope(), receive)

    assert await request.body() == b"onetwo"
    assert await request.body() == b"onetwo"
    assert receive.calls == 4


async def test_a_message_with_nothing_but_a_type_is_an_empty_last_part() -> None:
    """ASGI: ``body`` defaults to ``b""`` and ``more_body`` to ``False``."""
    assert await Request(http_scope(), ScriptedReceive(LAST)).body() == b""


async def test_only_more_body_ends_a_body_and_an_empty_part_does_not() -> None:
    receive = ScriptedReceive(PART, PART, part(b"late", more_body=False))

    assert await Request(http_scope(), receive).body() == b"late"


async def test_a_body_that_is_a_bytearray_or_memoryview_is_bytes_afterwards() -> None:
    receive = ScriptedReceive(
        {"type": "http.request", "body": bytearray(b"a"), "more_body": True},
        {"type": "http.request", "body": memoryview(b"b"), "more_body": False},
    )
    body = await Request(http_scope(), receive).body()

    assert body == b"ab"
    assert type(body) is bytes


@pytest.mark.parametrize("body", ["text", 3, [1, 2]])
async def test_a_body_that_is_no_bytes_is_an_error_and_never_made_up(body: Any) -> None:
    receive = ScriptedReceive({"type": "http.request", "body": body, "more_body": False})
    request = Request(http_scope(), receive)

    for _ in range(2):
        with pytest.raises(TypeError, match="bytes-like"):
            await request.body()


async def test_stream_yields_non_empty_pieces_then_an_empty_one() -> None:
    receive = ScriptedReceive(part(b"one"), PART, part(b"two", more_body=False))

    assert await pieces(Request(http_scope(), receive)) == [b"one", b"two", b""]


async def test_stream_after_body_replays_it() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b"one", b"two"))
    await request.body()

    assert await pieces(request) == [b"onetwo", b""]
    assert await pieces(request) == [b"onetwo", b""]


async def test_stream_of_an_empty_body_yields_one_empty_piece() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b""))

    assert await pieces(request) == [b""]


async def test_stream_after_an_empty_body_was_kept() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b""))
    await request.body()

    assert await pieces(request) == [b""]


READERS: dict[str, Callable[[Request], Awaitable[Any]]] = {
    "body": lambda request: request.body(),
    "stream": pieces,
    "json": lambda request: request.json(),
    "msgpack": lambda request: request.msgpack(),
    "form": lambda request: request.form(),
}


@pytest.mark.parametrize("reader", ["body", "stream", "json", "msgpack", "form"])
async def test_a_consumed_body_names_who_consumed_it(reader: str) -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"x"))
    await pieces(request)

    with pytest.raises(StreamConsumed, match=r"^the request body was consumed by stream\(\)$") as caught:
        await READERS[reader](request)
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.consumer == "stream()"


@pytest.mark.parametrize("reader", ["body", "stream", "json", "msgpack", "form"])
async def test_a_stream_that_was_left_is_never_taken_for_the_whole(reader: str) -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"one", b"two"))
    stream = request.stream()
    assert await anext(stream) == b"one"
    await stream.aclose()

    sentence = r"^the request body was partly read by stream\(\), which does not buffer it$"
    with pytest.raises(StreamConsumed, match=sentence):
        await READERS[reader](request)


async def test_a_second_stream_beside_the_first_is_refused_and_the_first_goes_on() -> None:
    request = Request(http_scope(), ScriptedReceive.body(b"one", b"two"))
    stream = request.stream()
    await anext(stream)

    with pytest.raises(StreamConsumed):
        await anext(request.stream())
    assert [piece async for piece in stream] == [b"two", b""]


async def test_body_after_a_multipart_form_is_refused_and_the_form_stays() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(FORM))
    form = await request.form()

    with pytest.raises(StreamConsumed, match=r"consumed by form\(\)"):
        await request.body()
    assert await request.form() is form


async def test_form_and_json_after_body_parse_the_kept_bytes() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(FORM))
    await request.body()

    assert (await request.form()).dict() == {"a": ["1"]}
    assert await request.body() == FORM

    request = Request(http_scope(), ScriptedReceive.body(b"[1]"))
    await request.body()
    assert await request.json() == [1]


async def test_an_urlencoded_form_leaves_the_body_readable() -> None:
    scope = http_scope(headers={"content-type": "application/x-www-form-urlencoded"})
    request = Request(scope, ScriptedReceive.body(b"a=1"))
    form = await request.form()

    assert await request.body() == b"a=1"
    assert await request.form() is form


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


async def test_a_bound_method_is_the_same_channel_at_each_access() -> None:
    class Server:
        def __init__(self) -> None:
            self.script = ScriptedReceive.body(b"x")

        async def receive(self) -> Any:
            return await self.script()

    server, scope = Server(), http_scope()
    await Request(scope, server.receive).body()

    assert await Request(scope, server.receive).body() == b"x"


async def test_a_request_over_another_receive_shares_nothing() -> None:
    """A decompressing middleware replaces ``receive``: what was read before it is not what comes after it."""
    scope, outer = http_scope(), ScriptedReceive.body(b"compressed")
    assert await Request(scope, outer).body() == b"compressed"
    inner = Request({**scope}, ScriptedReceive.body(b"plain"))

    assert await inner.body() == b"plain"
    assert await Request(scope, outer).body() == b"compressed"
    assert await Request(inner.scope, outer).body() == b"compressed"


async def test_a_request_that_reads_no_body_leaves_the_scope_as_it_was() -> None:
    scope = http_scope(headers=FORM_TYPE)
    before = dict(scope)
    request = Request(scope, ScriptedReceive.body(b""))
    assert request.is_connected
    assert request.content_type[0] == "multipart/form-data"

    assert scope == before


async def test_one_documented_key_is_all_that_a_body_leaves_in_the_scope() -> None:
    scope = http_scope()
    before = set(scope)
    await Request(scope, ScriptedReceive.body(b"")).body()

    assert set(scope) - before == {SCOPE_KEY} == {"asgiwire.body"}


@pytest.mark.parametrize("reader", ["body", "stream", "json", "msgpack", "form"])
@pytest.mark.parametrize(
    "received", [(), (b"one",), (b"one", b"")], ids=["at once", "later", "after an empty part"]
)
async def test_a_disconnect_is_raised_again_at_once(reader: str, received: tuple[bytes, ...]) -> None:
    """Servers deliver one disconnect and block afterwards: it is remembered, and receive not called again."""
    receive = ScriptedReceive(*map(part, received), DISCONNECT)
    request = Request(http_scope(headers=FORM_TYPE), receive)
    if reader == "form" and received:
        receive = ScriptedReceive(part(b"--B\r\n"), DISCONNECT)
        request = Request(http_scope(headers=FORM_TYPE), receive)

    with pytest.raises(ClientDisconnect):
        await READERS[reader](request)
    calls = receive.calls
    for again in READERS.values():
        with pytest.raises(ClientDisconnect), anyio.fail_after(1):
            await again(request)
    assert receive.calls == calls
    assert not request.is_connected


async def test_a_disconnect_after_bytes_that_look_whole_is_a_disconnect() -> None:
    receive = ScriptedReceive(part(b"[1]"), DISCONNECT)

    with pytest.raises(ClientDisconnect):
        await Request(http_scope(headers={"content-length": "3"}), receive).json()


async def test_a_body_shorter_than_content_length_is_the_servers_business() -> None:
    """A middleware that decompresses leaves the header as it was: only ``more_body`` ends a body."""
    request = Request(http_scope(headers={"content-length": "300"}), ScriptedReceive.body(b"abc"))

    assert await request.body() == b"abc"


async def test_a_disconnect_is_no_http_error() -> None:
    assert not issubclass(ClientDisconnect, ClientException)
    assert not hasattr(ClientDisconnect, "status_code")


async def test_an_unknown_message_is_named() -> None:
    request = Request(http_scope(), ScriptedReceive({"type": "http.requst"}))

    sentence = "unexpected ASGI message type 'http.requst', expected 'http.request' or 'http.disconnect'"
    with pytest.raises(ProtocolError, match=sentence):
        await request.body()


async def test_an_error_of_receive_is_kept_as_it_is() -> None:
    calls = 0

    async def receive() -> Any:
        nonlocal calls
        calls += 1
        raise OSError("socket gone")

    request = Request(http_scope(), receive)
    for _ in range(2):
        with pytest.raises(OSError, match="socket gone"):
            await request.body()
    with pytest.raises(OSError, match="socket gone"):
        await pieces(request)
    assert calls == 1


@pytest.mark.parametrize("reader", ["body", "stream", "form"])
async def test_the_limit_fires_at_one_byte_more_inside_one_part(reader: str) -> None:
    request = Small(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"--B\r\n"))

    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge) as caught:
            await READERS[reader](request)
        assert (caught.value.limit, caught.value.maximum) == ("max_body_size", 4)
        assert caught.value.status_code == 413
    assert "max_body_size=4" in str(caught.value)
    assert "Limits(max_body_size=...)" in str(caught.value)


async def test_the_limit_itself_is_allowed() -> None:
    assert await Small(http_scope(), ScriptedReceive.body(b"ab", b"cd")).body() == b"abcd"


async def test_the_limit_fires_before_more_is_received() -> None:
    receive = ScriptedReceive(part(b"abc"), part(b"de"), part(b"f"))
    request = Small(http_scope(), receive)

    with pytest.raises(RequestEntityTooLarge):
        await request.body()
    assert receive.calls == 2


async def test_after_the_limit_every_read_raises_it_again() -> None:
    request = Small(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"abcde", b"f"))
    for reader in READERS.values():
        with pytest.raises(RequestEntityTooLarge):
            await reader(request)


async def test_a_declared_length_over_the_limit_is_refused_before_receiving() -> None:
    receive = ScriptedReceive.body(b"")
    request = Small(http_scope(headers={"content-length": "5", **FORM_TYPE}), receive)

    for reader in READERS.values():
        with pytest.raises(RequestEntityTooLarge):
            await reader(request)
    assert receive.calls == 0


async def test_an_understated_length_does_not_raise_the_limit() -> None:
    request = Small(http_scope(headers={"content-length": "1"}), ScriptedReceive.body(b"abcde"))

    with pytest.raises(RequestEntityTooLarge):
        await request.body()


async def test_zero_means_zero() -> None:
    class Nothing(Request):
        limits = Limits(max_body_size=0)

    assert await Nothing(http_scope(), ScriptedReceive.body(b"")).body() == b""
    with pytest.raises(RequestEntityTooLarge):
        await Nothing(http_scope(), ScriptedReceive.body(b"a")).body()


async def test_none_means_no_limit() -> None:
    class Anything(Request):
        limits = Limits(max_body_size=None)

    scope = http_scope(headers={"content-length": "20000000"})
    assert len(await Anything(scope, ScriptedReceive.body(b"a" * 20_000_000)).body()) == 20_000_000


async def test_each_request_keeps_its_own_limit_over_a_shared_body() -> None:
    scope, receive = http_scope(), ScriptedReceive.body(b"abcde")
    await Request(scope, receive).body()

    for reader in ("body", "stream"):
        with pytest.raises(RequestEntityTooLarge):
            await READERS[reader](Small(scope, receive))
    assert await Request(scope, receive).body() == b"abcde"


async def test_limits_may_be_a_property() -> None:
    class PerRoute(Request):
        @property
        def limits(self) -> Limits:  # type: ignore[override] # what the library documents as allowed
            return Limits(max_body_size=self.scope["limit"])

    assert await PerRoute({**http_scope(), "limit": 2}, ScriptedReceive.body(b"ab")).body() == b"ab"
    with pytest.raises(RequestEntityTooLarge):
        await PerRoute({**http_scope(), "limit": 1}, ScriptedReceive.body(b"ab")).body()


@pytest.mark.parametrize("value", ["-1", "+5", "1_0", "9" * 5000, "a", "0x10", "5, 5", "", "٣"])
async def test_a_content_length_that_is_not_digits_is_a_client_error_from_every_reader(value: str) -> None:
    raw = value.encode("utf-8")
    receive = ScriptedReceive.body(b"")
    request = Request(http_scope(headers=[(b"content-length", raw)]), receive)

    with pytest.raises(ClientException) as caught:
        _ = request.content_length
    assert caught.value.status_code == 400
    assert len(str(caught.value)) < 200
    for name in ("body", "stream", "json", "msgpack"):
        with pytest.raises(ClientException):
            await READERS[name](request)
    assert receive.calls == 0


async def test_two_different_content_lengths_are_refused_and_two_equal_ones_are_one() -> None:
    def request(first: bytes, second: bytes) -> Request:
        return Request(http_scope(headers=[(b"content-length", first), (b"Content-Length", second)]))

    assert request(b"5", b"5").content_length == 5
    with pytest.raises(ClientException, match="several with different values"):
        _ = request(b"5", b"6").content_length


class Turns:
    """A receive that gives each part only when it is told to, and counts who waits in it."""

    def __init__(self, *parts: dict[str, Any]) -> None:
        self.parts = list(parts)
        self.inside = 0
        self.most_inside = 0
        self.step = anyio.Event()

    async def __call__(self) -> Any:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await self.step.wait()
            return self.parts.pop(0)
        finally:
            self.inside -= 1


class Slow(Turns):
    """A receive that gives its first part at once, and the others when it is told to go on."""

    async def __call__(self) -> Any:
        if len(self.parts) == 2:
            return self.parts.pop(0)
        return await super().__call__()

    def go_on(self) -> None:
        self.step.set()


@pytest.mark.parametrize("reader", ["body", "stream", "form"])
async def test_two_tasks_that_read_at_once_both_get_all_of_it(reader: str) -> None:
    receive = Turns(part(FORM[:20]), part(FORM[20:], more_body=False))
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
            receive.step.set()

    if reader == "form":
        assert results[1] is results[2] is results[3]
        assert results[1].dict() == {"a": ["1"]}
    else:
        assert results[1] == FORM
        assert results[2] == results[3] == (FORM if reader == "body" else [FORM, b""])
    assert receive.most_inside == 1


async def test_body_while_a_form_is_parsed_is_refused() -> None:
    receive = Turns(part(FORM, more_body=False))
    request = Request(http_scope(headers=FORM_TYPE), receive)
    refused: list[BaseException] = []

    async def read_body() -> None:
        try:
            await request.body()
        except StreamConsumed as error:
            refused.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(request.form)
            await anyio.wait_all_tasks_blocked()
            group.start_soon(read_body)
            await anyio.wait_all_tasks_blocked()
            receive.step.set()

    assert [error.consumer for error in refused] == ["form()"]  # type: ignore[attr-defined]


async def test_a_failure_reaches_the_tasks_that_waited_for_it() -> None:
    receive = Turns(DISCONNECT)
    request = Request(http_scope(), receive)
    failures: list[BaseException] = []

    async def read() -> None:
        try:
            await request.body()
        except ClientDisconnect as error:
            failures.append(error)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            receive.step.set()

    assert len(failures) == 3


async def test_a_cancelled_body_loses_nothing() -> None:
    first, second = part(b"one"), part(b"two", more_body=False)
    receive, scope = Slow(first, second), http_scope()
    with anyio.move_on_after(0.02) as cancelled:
        await Request(scope, receive).body()
    assert cancelled.cancelled_caught

    receive.go_on()
    assert await Request(scope, receive).body() == b"onetwo"


@pytest.mark.parametrize("reader", ["stream", "form"])
async def test_a_cancelled_body_can_still_be_streamed_or_parsed_whole(reader: str) -> None:
    receive = Slow(part(FORM[:10]), part(FORM[10:], more_body=False))
    request = Request(http_scope(headers=FORM_TYPE), receive)
    with anyio.move_on_after(0.02):
        await request.body()

    receive.go_on()
    result = await READERS[reader](request)
    if reader == "form":
        assert result.dict() == {"a": ["1"]}
    else:
        assert b"".join(result) == FORM


async def test_a_cancelled_reader_hands_on_to_the_one_that_waits() -> None:
    receive = Turns(part(b"whole", more_body=False))
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
            receive.step.set()

    assert results == [b"whole"]
    assert receive.most_inside == 1


async def test_a_cancelled_form_is_gone_and_says_so() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive(part(FORM[:30])))
    with anyio.move_on_after(0.02):
        await request.form()

    for reader in ("form", "body"):
        with pytest.raises(StreamConsumed, match=r"partly read by form\(\)"):
            await READERS[reader](request)


async def test_a_malformed_form_fails_again_the_same_way() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"--B\r\nbroken"))

    for reader in ("form", "form", "body"):
        with pytest.raises(ClientException):
            await READERS[reader](request)


async def test_a_malformed_form_over_a_kept_body_leaves_the_body() -> None:
    request = Request(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"--B\r\nbroken"))
    await request.body()

    for _ in range(2):
        with pytest.raises(ClientException):
            await request.form()
    assert await request.body() == b"--B\r\nbroken"


async def test_a_body_that_is_dropped_is_freed() -> None:
    scope = http_scope()
    request = Request(scope, ScriptedReceive.body(b"x"))
    await request.body()
    del request, scope
    gc.collect()

    assert not [kept for kept in gc.get_objects() if type(kept).__name__ == "BodyChannel"]
