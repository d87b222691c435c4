"""``max_body_size`` and ``Content-Length``."""

from __future__ import annotations

import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientException, RequestEntityTooLarge
from asgiwire.testing import ScriptedReceive, http_scope
from tests.body.test_reading import READERS
from tests.receives import Live, part

pytestmark = pytest.mark.anyio

FORM_TYPE = {"content-type": "multipart/form-data; boundary=B"}


class Small(Request):
    limits = Limits(max_body_size=4)


@pytest.mark.parametrize("reader", ["body", "stream", "form"])
async def test_one_byte_over_the_limit_raises_within_one_part(reader: str) -> None:
    request = Small(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"--B\r\n"))

    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge) as caught:
            await READERS[reader](request)
        assert (caught.value.limit, caught.value.maximum) == ("max_body_size", 4)
        assert caught.value.status_code == 413
    assert "max_body_size=4" in str(caught.value)
    assert "Limits(max_body_size=...)" in str(caught.value)


async def test_body_of_the_maximum_size_is_read() -> None:
    assert await Small(http_scope(), ScriptedReceive.body(b"ab", b"cd")).body() == b"abcd"


async def test_limit_raises_before_the_next_message_is_received() -> None:
    receive = ScriptedReceive(part(b"abc"), part(b"de"), part(b"f"))
    request = Small(http_scope(), receive)

    with pytest.raises(RequestEntityTooLarge):
        await request.body()
    assert receive.calls == 2


async def test_every_read_after_the_limit_raises_it() -> None:
    request = Small(http_scope(headers=FORM_TYPE), ScriptedReceive.body(b"abcde", b"f"))
    for read in READERS.values():
        with pytest.raises(RequestEntityTooLarge):
            await read(request)


async def test_declared_length_over_the_limit_raises_before_receiving() -> None:
    receive = ScriptedReceive.body(b"")
    request = Small(http_scope(headers={"content-length": "5", **FORM_TYPE}), receive)

    for read in READERS.values():
        with pytest.raises(RequestEntityTooLarge):
            await read(request)
    assert receive.calls == 0


async def test_understated_length_does_not_raise_the_limit() -> None:
    request = Small(http_scope(headers={"content-length": "1"}), ScriptedReceive.body(b"abcde"))

    with pytest.raises(RequestEntityTooLarge):
        await request.body()


async def test_limit_of_zero_accepts_only_an_empty_body() -> None:
    class Nothing(Request):
        limits = Limits(max_body_size=0)

    assert await Nothing(http_scope(), ScriptedReceive.body(b"")).body() == b""
    with pytest.raises(RequestEntityTooLarge):
        await Nothing(http_scope(), ScriptedReceive.body(b"a")).body()


async def test_limit_of_none_accepts_any_size() -> None:
    class Anything(Request):
        limits = Limits(max_body_size=None)

    scope = http_scope(headers={"content-length": "20000000"})
    assert len(await Anything(scope, ScriptedReceive.body(b"a" * 20_000_000)).body()) == 20_000_000


async def test_each_request_applies_its_own_limit_to_a_shared_body() -> None:
    scope, receive = http_scope(), ScriptedReceive.body(b"abcde")
    await Request(scope, receive).body()

    for reader in ("body", "stream"):
        with pytest.raises(RequestEntityTooLarge):
            await READERS[reader](Small(scope, receive))
    assert await Request(scope, receive).body() == b"abcde"


async def test_limits_may_be_a_property() -> None:
    class PerRoute(Request):
        @property
        def limits(self) -> Limits:
            return Limits(max_body_size=self.scope["limit"])

    assert await PerRoute({**http_scope(), "limit": 2}, ScriptedReceive.body(b"ab")).body() == b"ab"
    with pytest.raises(RequestEntityTooLarge):
        await PerRoute({**http_scope(), "limit": 1}, ScriptedReceive.body(b"ab")).body()


# --- Content-Length -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["-1", "+5", "1_0", "9" * 5000, "a", "0x10", "5, 5", "", "٣"])
async def test_invalid_content_length_raises_from_the_property_and_every_reader(value: str) -> None:
    receive = ScriptedReceive.body(b"")
    request = Request(http_scope(headers=[(b"content-length", value.encode())]), receive)

    with pytest.raises(ClientException) as caught:
        _ = request.content_length
    assert caught.value.status_code == 400
    assert len(str(caught.value)) < 200
    for name in ("body", "stream", "json", "msgpack"):
        with pytest.raises(ClientException):
            await READERS[name](request)
    assert receive.calls == 0


async def test_different_content_lengths_raise_and_equal_ones_are_one() -> None:
    def request(first: bytes, second: bytes) -> Request:
        return Request(http_scope(headers=[(b"content-length", first), (b"Content-Length", second)]))

    assert request(b"5", b"5").content_length == 5
    with pytest.raises(ClientException, match="Content-Length") as caught:
        _ = request(b"5", b"6").content_length
    assert caught.value.status_code == 400


# --- parts that is_disconnected() received ------------------------------------------------------------


@pytest.mark.parametrize("reader", ["body", "stream", "replay"])
async def test_read_ahead_parts_count_towards_the_limit_of_the_reader(reader: str) -> None:
    scope, receive = http_scope(), Live(part(b"12345", more_body=False))
    assert not await Request(scope, receive).is_disconnected()
    request = Small(scope, receive)
    with pytest.raises(RequestEntityTooLarge, match="max_body_size"):
        if reader == "replay":
            await request.replay()
        else:
            await READERS[reader](request)


async def test_limit_exceeded_by_is_disconnected_is_raised_by_the_read() -> None:
    request = Small(http_scope(), Live(part(b"hello")))
    assert not await request.is_disconnected()
    assert not await request.is_disconnected()

    with pytest.raises(RequestEntityTooLarge):
        await request.body()


async def test_limit_of_one_call_may_exceed_the_limit_of_the_class() -> None:
    request = Small(http_scope(), Live(part(b"123"), part(b"456", more_body=False)))
    for _ in range(2):
        assert not await request.is_disconnected()
    assert await request.body(limits=Limits(max_body_size=None)) == b"123456"


async def test_read_ahead_part_over_the_limit_fails_the_body_without_receiving() -> None:
    receive = Live(part(b"12345"))
    request = Request(http_scope(), receive)
    assert not await request.is_disconnected()
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await request.body(limits=Limits(max_body_size=4))
    assert receive.calls == 1


async def test_parts_read_ahead_between_chunks_count_towards_the_limit() -> None:
    request = Small(http_scope(), Live(part(b"ab"), part(b"cde"), part(b"", more_body=False)))
    stream = request.stream()
    assert await anext(stream) == b"ab"
    assert not await request.is_disconnected()
    with pytest.raises(RequestEntityTooLarge):
        await anext(stream)
    with pytest.raises(RequestEntityTooLarge):
        await request.body()
