"""``Request.buffer()``: the body stays readable for every reader; forms that were cached or closed."""

from __future__ import annotations

import errno
import gc
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import (
    ClientDisconnect,
    ClientException,
    InsufficientStorage,
    RequestEntityTooLarge,
    StreamConsumed,
)
from asgiwire.testing import http_scope
from tests.receives import (
    DISCONNECT,
    Live,
    form_body,
    part,
    parts,
    receive_body,
    record_temporary_files,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

pytestmark = pytest.mark.anyio

BODY = form_body(("a", None, b"1"), ("f", "x.txt", b"0123456789" * 10), ("b", None, b""))
TYPE = {"content-type": "multipart/form-data; boundary=B"}
IN_MEMORY, ON_DISK = Limits(), Limits(spool_size=30)
each_place = pytest.mark.parametrize("limits", [IN_MEMORY, ON_DISK], ids=["memory", "disk"])


def request_for(body: bytes = BODY, size: int = 50) -> Request:
    return Request(http_scope("POST", headers=TYPE), Live(*parts(body, size)))


async def read_form(request: Request) -> list[Any]:
    async with await request.form() as form:
        return [form["a"], await form["f"].read(), form["b"]]


async def read_parts(request: Request) -> list[Any]:
    return [await one.read() async for one in request.multipart()]


async def read_stream(request: Request) -> bytes:
    return b"".join([chunk async for chunk in request.stream()])


async def read_replay(request: Request) -> bytes:
    chunks, _ = await receive_body(request.replay)
    return b"".join(chunks)


READERS: dict[str, tuple[Callable[[Request], Awaitable[Any]], Any]] = {
    "body": (lambda request: request.body(), BODY),
    "text": (lambda request: request.text(), BODY.decode()),
    "form": (read_form, ["1", b"0123456789" * 10, ""]),
    "multipart": (read_parts, [b"1", b"0123456789" * 10, b""]),
    "stream": (read_stream, BODY),
    "replay": (read_replay, BODY),
}


@each_place
@pytest.mark.parametrize("reader", READERS)
async def test_every_reader_reads_a_buffered_body_repeatedly(
    reader: str, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = record_temporary_files(monkeypatch)
    request = request_for()
    await request.buffer(limits=limits)
    assert bool(files) is (limits is ON_DISK)
    read, expected = READERS[reader]
    for _ in range(3):
        assert await read(request) == expected
        for other, result in READERS.values():
            assert await other(request) == result
    assert await request.buffer() is None


@each_place
async def test_middleware_reads_a_form_and_hands_the_body_on(limits: Limits) -> None:
    request = request_for()
    await request.buffer(limits=limits)
    async with await request.form() as form:
        assert form["a"] == "1"
    downstream = Request({**request.scope}, request.replay)
    assert await read_form(downstream) == ["1", b"0123456789" * 10, ""]
    messages, _ = await receive_body(request.replay)
    assert b"".join(messages) == BODY


async def test_file_of_a_buffered_body_is_closed_with_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    files = record_temporary_files(monkeypatch)
    request = request_for()
    await request.buffer(limits=ON_DISK)
    assert [file.closed for file in files] == [False]
    del request
    gc.collect()
    assert [file.closed for file in files] == [True]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EMFILE])
async def test_full_disk_is_a_507(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_arguments: object) -> None:
        raise OSError(code, "message of the system")

    monkeypatch.setattr("asgiwire._body.shared_file.TemporaryFile", fail)
    request = request_for()
    for read in (lambda: request.buffer(limits=ON_DISK), request.body, lambda: read_replay(request)):
        with pytest.raises(InsufficientStorage) as caught:
            await read()
        assert isinstance(caught.value, ClientException)
        assert (caught.value.status_code, "system" in caught.value.detail) == (507, False)


async def test_errors_of_buffer() -> None:
    with pytest.raises(RequestEntityTooLarge, match="max_body_size=10"):
        await request_for().buffer(limits=Limits(max_body_size=10))
    with pytest.raises(ClientDisconnect):
        await Request(http_scope(), Live(part(b"1"), DISCONNECT)).buffer()
    request = request_for()
    async with aclosing(request.stream()) as stream:
        await anext(stream)
        with pytest.raises(StreamConsumed, match="buffer"):
            await request.buffer()


async def test_consumed_body_names_the_remedy() -> None:
    request = request_for()
    async with await request.form():
        pass
    for read in (request.body, lambda: read_replay(request), lambda: read_stream(request)):
        with pytest.raises(StreamConsumed, match=r"consumed by form\(\).*`await request.buffer\(\)`"):
            await read()


# --- a form that was closed or cached -------------------------------------------------------------------


async def test_closed_form_raises_if_the_body_is_not_buffered() -> None:
    request = request_for()
    async with await request.form() as form:
        assert not form.closed
    assert form.closed
    for _ in range(2):
        with pytest.raises(StreamConsumed, match=r"the form was closed.*request\.buffer\(\)"):
            await request.form()


async def test_closed_form_is_parsed_again_if_the_body_is_buffered() -> None:
    request = request_for()
    await request.body()
    async with await request.form() as first:
        pass
    async with await request.form() as second:
        assert await second["f"].read() == b"0123456789" * 10
    assert second is not first


async def test_closed_form_without_files_stays_in_the_cache() -> None:
    request = request_for(form_body(("a", None, b"1")))
    async with await request.form() as form:
        pass
    assert await request.form() is form


FORM_LIMITS = {
    "max_body_size": len(BODY),
    "max_fields": 2,
    "max_files": 1,
    "max_field_size": 2,
    "max_file_size": 100,
    "max_part_headers": 1,
    "max_part_header_size": len('Content-Disposition: form-data; name="f"; filename="x.txt"'),
    "max_memory": sum(len(b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n') for _ in "aab")
    + len(b'; filename="x.txt"')
    + 1,
}


@pytest.mark.parametrize("size", [1, 30, 10_000])
@pytest.mark.parametrize(("limit", "value"), FORM_LIMITS.items())
async def test_cached_form_is_checked_against_the_limits_of_each_reader(
    limit: str, value: int, size: int
) -> None:
    request = request_for(size=size)
    async with await request.form() as form:
        assert await request.form(limits=Limits(**{limit: value})) is form
        with pytest.raises(RequestEntityTooLarge) as caught:
            await request.form(limits=Limits(**{limit: value - 1}))
        assert (caught.value.limit, caught.value.maximum) == (limit, value - 1)
        assert await request.form() is form  # it stays there for others
        assert await request.form(limits=Limits(**{limit: None})) is form

    # The first reader has the same limits.
    async with await request_for(size=size).form(limits=Limits(**{limit: value})) as form:
        assert len(form) == 3
    with pytest.raises(RequestEntityTooLarge, match=limit):
        await request_for(size=size).form(limits=Limits(**{limit: value - 1}))


async def test_usage_of_uncommon_headers_and_of_a_preamble() -> None:
    body = b"x" * 80 + b"\r\n" + BODY.replace(b"\r\n\r\n", b"\r\nX: y\r\n\r\n")
    request = request_for(body)
    async with await request.form() as form:
        assert await request.form(limits=Limits(max_part_headers=2, max_part_header_size=80)) is form
        for limits in (Limits(max_part_headers=1), Limits(max_part_header_size=79)):
            with pytest.raises(RequestEntityTooLarge):
                await request.form(limits=limits)


async def test_cached_urlencoded_form_is_checked_against_the_limits_of_each_reader() -> None:
    scope = http_scope("POST", headers={"content-type": "application/x-www-form-urlencoded"})
    request = Request(scope, Live(part(b"a=123&b=4", more_body=False)))
    form = await request.form()
    assert await request.form(limits=Limits(max_fields=2, max_field_size=4)) is form
    for limits in (Limits(max_fields=1), Limits(max_field_size=3), Limits(max_body_size=8)):
        with pytest.raises(RequestEntityTooLarge):
            await request.form(limits=limits)
    assert await request.form() is form
