"""``Request.multipart()``: parts are streamed in order, with backpressure."""

from __future__ import annotations

import gc
import os
import sys
import threading
from io import FileIO
from typing import TYPE_CHECKING, Any, get_type_hints

import anyio
import pytest

import asgiwire._multipart
from asgiwire import Limits, Request
from asgiwire.connection import multipart
from asgiwire.connection.multipart import MultipartPart, MultipartParts
from asgiwire.exceptions import (
    ClientDisconnect,
    ClientException,
    RequestEntityTooLarge,
    SerializationException,
    StreamConsumed,
    ValidationException,
)
from asgiwire.limits import BLOCK_SIZE
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, form_body, part, parts
from tests.test_architecture import run_python

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

TYPE = {"content-type": "multipart/form-data; boundary=B"}
BODY = form_body(("a", None, b"1"), ("f", "x.bin", b"0123456789"), ("b", None, b""), ("a", None, b"2"))
READ = [("a", None, b"1"), ("f", "x.bin", b"0123456789"), ("b", None, b""), ("a", None, b"2")]
UNLIMITED = Limits(max_body_size=None)


def request_for(
    body: bytes, size: int = 1 << 20, content_type: str = TYPE["content-type"]
) -> tuple[Request, Live]:
    live = Live(*parts(body, size))
    return Request(http_scope(headers={"content-type": content_type}), live), live


async def read_all(request: Request, **options: Any) -> list[tuple[str, str | None, bytes]]:
    return [(one.name, one.filename, await one.read()) async for one in request.multipart(**options)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
async def test_parts_come_in_order_with_their_content(size: int) -> None:
    assert await read_all(request_for(BODY, size)[0]) == READ


async def test_a_body_split_at_any_position() -> None:
    for end in range(1, len(BODY)):
        live = Live(part(BODY[:end]), part(BODY[end:], more_body=False))
        assert await read_all(Request(http_scope(headers=TYPE), live)) == READ


@pytest.mark.parametrize(("size", "step"), [(1, 7), (7, 3), (10_000, 1)])
async def test_every_prefix_is_an_error(size: int, step: int) -> None:
    for end in range(0, len(BODY) - 4, step):  # without the last two hyphens
        with pytest.raises(ValidationException):
            await read_all(request_for(BODY[:end], size)[0])


async def test_a_form_with_no_parts() -> None:
    assert await read_all(request_for(b"--B--\r\n")[0]) == []


async def test_the_attributes_of_a_part() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="f\xc3\xa9"; filename="../../\xe2\x82\xac.png"\r\n'
        b"Content-Type: Image/PNG; charset=x\r\nX-Custom: 1\r\nX-Custom: 2\r\n\r\ncontent\r\n--B--\r\n"
    )
    (one,) = [one async for one in request_for(body)[0].multipart()]

    assert (one.name, one.filename, one.content_type) == ("fé", "../../€.png", "image/png")
    assert one.safe_filename == "€.png"
    assert one.headers.getall("x-custom") == ["1", "2"]
    assert repr(one) == "<MultipartPart 'fé' filename='../../€.png'>"


async def test_a_field_has_no_filename() -> None:
    (one,) = [one async for one in request_for(form_body(("a", None, b"1")))[0].multipart()]

    assert (one.filename, one.content_type, one.safe_filename) == (None, "text/plain", "file")


@pytest.mark.parametrize("size", [1, 5, 10_000])
async def test_an_unread_part_is_skipped(size: int) -> None:
    assert [one.name async for one in request_for(BODY, size)[0].multipart()] == ["a", "f", "b", "a"]


@pytest.mark.parametrize("size", [1, 5, 10_000])
async def test_the_rest_of_a_part_is_skipped(size: int) -> None:
    seen: list[tuple[str, bytes]] = []
    async for one in request_for(BODY, size)[0].multipart():
        async for chunk in one:
            seen.append((one.name, chunk[:1]))
            break
    assert seen == [("a", b"1"), ("f", b"0"), ("a", b"2")]


async def test_iteration_yields_chunks_as_they_arrive() -> None:
    request, _ = request_for(form_body(("f", "x", b"0123456789" * 10)), 20)
    (one,) = [[chunk async for chunk in one] async for one in request.multipart()]

    assert b"".join(one) == b"0123456789" * 10
    assert len(one) > 3
    assert b"" not in one


async def test_a_part_that_was_read_is_empty() -> None:
    async for one in request_for(BODY)[0].multipart():
        await one.read()
        assert await one.read() == b""
        assert [chunk async for chunk in one] == []


async def test_reading_a_skipped_part_is_an_error() -> None:
    found = request_for(BODY)[0].multipart()
    first = await anext(found)
    await anext(found)

    with pytest.raises(StreamConsumed, match="skipped") as caught:
        await first.read()
    assert caught.value.consumer == "multipart()"
    assert await (await anext(found)).read() == b""


async def test_reading_an_unread_part_after_the_end_is_an_error() -> None:
    found = [one async for one in request_for(BODY)[0].multipart()]

    with pytest.raises(StreamConsumed):
        await found[-1].read()


async def test_a_part_that_was_read_is_empty_after_the_next() -> None:
    found = request_for(BODY)[0].multipart()
    first = await anext(found)
    assert await first.read() == b"1"
    await anext(found)

    assert await first.read() == b""


async def test_iteration_stays_at_the_end() -> None:
    request, live = request_for(BODY)
    found = request.multipart()
    assert len([one async for one in found]) == 4
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(found)
    assert live.calls == live.given == 2


async def test_text() -> None:
    request, _ = request_for(form_body(("a", None, "é€".encode()), ("b", None, b"\xff")))

    assert [await one.text() async for one in request.multipart()] == ["é€", "\ufffd"]


async def test_text_in_the_charset_of_the_part_or_of_the_form() -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="own"\r\nContent-Type: text/plain; charset=utf-8'
        b"\r\n\r\n\xc3\xa9\r\n"
        b'--B\r\nContent-Disposition: form-data; name="forms"\r\n\r\n\xe9\r\n--B--\r\n'
    )
    request, _ = request_for(body, content_type="multipart/form-data; boundary=B; charset=iso-8859-1")

    assert [await one.text() async for one in request.multipart()] == ["é", "é"]


async def test_text_that_is_invalid_in_the_declared_charset_names_the_part() -> None:
    request, _ = request_for(
        form_body(("name", None, b"\xff")), content_type="multipart/form-data; boundary=B; charset=utf-8"
    )
    async for one in request.multipart():
        with pytest.raises(SerializationException, match="multipart part 1 "):
            await one.text()


@pytest.mark.parametrize("size", [1, 3, 10_000])
async def test_read_with_a_limit(size: int) -> None:
    request, _ = request_for(form_body(("f", "x", b"0123456789")), size)
    assert [await one.read(10) async for one in request.multipart()] == [b"0123456789"]

    request, live = request_for(form_body(("f", "x", b"0123456789" * 1000)), size)
    async for one in request.multipart():
        with pytest.raises(RequestEntityTooLarge, match=r"at most 9 bytes in multipart part 1") as caught:
            await one.read(9)
        assert (caught.value.limit, caught.value.maximum) == ("limit", 9)
        assert size > 100 or live.given < 150
        break


async def test_a_limit_of_zero_allows_no_bytes() -> None:
    request, _ = request_for(form_body(("a", None, b""), ("b", None, b"1")))
    found = request.multipart()
    assert await (await anext(found)).read(0) == b""
    with pytest.raises(RequestEntityTooLarge):
        await (await anext(found)).read(0)


# --- backpressure -------------------------------------------------------------------------------------


async def test_receive_is_called_only_when_a_part_is_read() -> None:
    body = form_body(("a", None, b"x" * 1000), ("f", "x", b"y" * 1000))
    request, live = request_for(body, 100)
    found = request.multipart()
    assert live.calls == 0

    one = await anext(found)
    assert live.given == 1
    for number in range(1, 5):
        await anext(one)
        assert live.given <= number + 1
    given = live.given
    await anyio.sleep(0.005)
    assert live.given == given
    assert not live.waiting


async def test_chunks_are_not_buffered() -> None:
    chunk = bytes(64 * 1024)
    many = 400

    class Endless(Live):
        def _give(self, message: Any) -> Any:
            self.given += 1
            if self.given < many:
                self.messages.insert(0, part(chunk))
            return message

    head = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
    live = Endless(part(head), part(b"\r\n--B--\r\n", more_body=False))
    request = Request(http_scope(headers=TYPE), live)
    size = largest = 0
    async for one in request.multipart(limits=UNLIMITED):
        async for data in one:
            size += len(data)
            largest = max(largest, len(data))

    assert size == (many - 1) * len(chunk)
    assert largest <= len(chunk) + 10


# --- errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    ["", "application/json", "multipart/mixed; boundary=B", "application/x-www-form-urlencoded"],
)
async def test_another_content_type_is_an_error_before_the_body_is_read(content_type: str) -> None:
    request, live = request_for(b"{}", content_type=content_type)

    with pytest.raises(ValidationException, match="multipart/form-data"):
        request.multipart()
    assert live.calls == 0
    assert await request.body() == b"{}"


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
async def test_a_missing_boundary_is_an_error_before_the_body_is_read(content_type: str) -> None:
    request, live = request_for(BODY, content_type=content_type)

    with pytest.raises(ValidationException, match="boundary"):
        request.multipart()
    assert live.calls == 0


async def test_a_disconnect_is_raised_by_every_later_read() -> None:
    live = Live(part(BODY[:70]), DISCONNECT)
    request = Request(http_scope(headers=TYPE), live)
    found = request.multipart()
    one = await anext(found)

    with pytest.raises(ClientDisconnect):
        while True:
            await one.read()
            one = await anext(found)
    for _ in range(2):
        with pytest.raises(ClientDisconnect), anyio.fail_after(1):
            await anext(found)
    with pytest.raises(ClientDisconnect):
        await request.body()
    assert live.calls == 2


async def test_a_malformed_body_is_an_error_of_every_later_read() -> None:
    request, _ = request_for(BODY[:60] + b"\r\n--B\r\nbroken\r\n\r\n--B--\r\n", 10)
    found = request.multipart()
    for _ in range(3):
        with pytest.raises(ClientException):
            while True:
                await anext(found)
    with pytest.raises(ClientException):
        await request.body()


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(max_fields=2), "max_fields"),
        (Limits(max_files=0), "max_files"),
        (Limits(max_field_size=1), "max_field_size"),
        (Limits(max_file_size=9), "max_file_size"),
        (Limits(max_part_headers=0), "max_part_headers"),
        (Limits(max_part_header_size=10), "max_part_header_size"),
        (Limits(max_body_size=100), "max_body_size"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("size", [1, 10_000])
async def test_limits_for_one_call(limits: Limits, limit: str, size: int) -> None:
    request, _ = request_for(BODY, size)

    with pytest.raises(RequestEntityTooLarge) as caught:
        await read_all(request, limits=limits)
    assert caught.value.limit == limit
    with pytest.raises(RequestEntityTooLarge):
        await request.body()


# --- with other readers -------------------------------------------------------------------------------


async def test_after_body_it_parses_the_cached_bytes() -> None:
    request, _ = request_for(BODY, 7)
    await request.body()

    assert await read_all(request) == READ
    assert await read_all(request) == READ
    async with await request.form() as form:
        assert [name for name, _ in form.multi_items()] == ["a", "f", "b", "a"]
    assert await request.body() == BODY


async def test_an_error_in_a_cached_body_keeps_the_body() -> None:
    request, _ = request_for(BODY[:-10], 7)
    await request.body()

    for _ in range(2):
        with pytest.raises(ValidationException):
            await read_all(request)
    assert await request.body() == BODY[:-10]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("reader", ["body", "form", "json", "multipart"])
async def test_it_consumes_the_body(reader: str, whole: bool) -> None:
    request, _ = request_for(BODY, 30)
    found = request.multipart()
    await anext(found)
    if whole:
        async for _ in found:
            pass

    with pytest.raises(StreamConsumed, match=r"multipart\(\)"):
        await (read_all(request) if reader == "multipart" else getattr(request, reader)())


async def test_it_cannot_follow_form() -> None:
    request, _ = request_for(BODY)
    async with await request.form():
        with pytest.raises(StreamConsumed, match=r"form\(\)"):
            await read_all(request)


async def test_a_cancelled_read_loses_no_data() -> None:
    body = form_body(("f", "x", b"0123456789"))
    middle = body.index(b"56789")
    live = Live(part(body[:middle]))
    found = Request(http_scope(headers=TYPE), live).multipart()
    one = await anext(found)
    assert await anext(one) == b"01234"
    for _ in range(2):
        with anyio.move_on_after(0.005) as waited:
            await anext(one)
        assert waited.cancelled_caught

    live.put(part(body[middle:], more_body=False))
    assert await one.read() == b"56789"


# --- saving -------------------------------------------------------------------------------------------


class RecordingFile(FileIO):
    """A file that records the size and the thread of each write.

    Attributes:
        writes: The number of bytes and the thread of each call of ``write``.
        max_write: The maximum number of bytes that one call writes.
    """

    opened: RecordingFile
    max_write: int = sys.maxsize

    def __init__(self, path: str | os.PathLike[str], mode: str, buffering: int) -> None:
        assert (mode, buffering) == ("wb", 0)
        super().__init__(path, mode)
        self.writes: list[tuple[int, int]] = []
        type(self).opened = self

    def write(self, data: Any) -> int:
        self.writes.append((len(data), threading.get_ident()))
        return super().write(data[: self.max_write])


@pytest.mark.parametrize("size", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, 2_500_000])
async def test_save_writes_large_blocks_in_a_thread(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.open", RecordingFile)
    content = bytes(range(256)) * (size // 256 + 1)
    request, _ = request_for(form_body(("f", "x", content[:size]), ("a", None, b"1")), 60_000)
    found = request.multipart()
    one = await anext(found)

    assert await one.save(tmp_path / "saved") == size
    assert (tmp_path / "saved").read_bytes() == content[:size]
    writes = RecordingFile.opened.writes
    assert RecordingFile.opened.closed
    assert all(block >= BLOCK_SIZE for block, _ in writes[:-1])
    assert threading.get_ident() not in [thread for _, thread in writes]
    assert await (await anext(found)).read() == b"1"


async def test_save_writes_the_rest_and_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "saved"
    path.write_bytes(b"something longer than the rest")
    request, _ = request_for(form_body(("f", "x", b"0123456789" * 20)), 50)
    async for one in request.multipart():
        first = await one.__anext__()
        assert await one.save(str(path)) == 200 - len(first)
    assert first + path.read_bytes() == b"0123456789" * 20


async def test_save_repeats_a_partial_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``write`` of an unbuffered file may write fewer bytes than it was given."""

    class Small(RecordingFile):
        max_write = 3

    monkeypatch.setattr("builtins.open", Small)
    async for one in request_for(form_body(("f", "x", b"0123456789")))[0].multipart():
        assert await one.save(tmp_path / "saved") == 10
    assert (tmp_path / "saved").read_bytes() == b"0123456789"
    assert len(Small.opened.writes) == 4


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /dev/full")
async def test_a_full_disk_raises_os_error() -> None:
    request, _ = request_for(form_body(("f", "x", b"0123456789"), ("a", None, b"1")))
    found = request.multipart()
    with pytest.raises(OSError, match="No space left"):
        await (await anext(found)).save("/dev/full")
    gc.collect()

    assert await (await anext(found)).read() == b"1"


async def test_a_path_that_cannot_be_opened_raises_os_error(tmp_path: Path) -> None:
    async for one in request_for(form_body(("f", "x", b"0123456789")))[0].multipart():
        with pytest.raises(OSError, match="directory"):
            await one.save(tmp_path)
        assert await one.read() == b"0123456789"


# --- the module ---------------------------------------------------------------------------------------


def test_the_public_classes() -> None:
    assert multipart.__all__ == ("MultipartPart", "MultipartParts")
    found = request_for(BODY)[0].multipart()
    assert type(found) is MultipartParts
    assert aiter(found) is found


def test_type_hints_can_be_evaluated() -> None:
    hints = get_type_hints(MultipartParts.__init__)
    assert hints["decoder"] is asgiwire._multipart.MultipartDecoder
    assert get_type_hints(MultipartPart.__init__)["decoder"] is asgiwire._multipart.MultipartDecoder
    assert get_type_hints(MultipartParts.__anext__)["return"] is MultipartPart
    assert get_type_hints(MultipartPart.save)["path"] == str | os.PathLike[str]
    assert not hasattr(asgiwire._multipart, "MultipartEncoder")


def test_the_parser_is_imported_on_first_use() -> None:
    code = """
import sys, asgiwire.connection.multipart
print(*({"python_multipart", "asyncio", "tempfile"} & {*sys.modules}))
"""
    assert run_python(code).split() == []


# --- interrupted reads --------------------------------------------------------------------------------


async def part_of(*messages: Any) -> tuple[MultipartPart, Live]:
    live = Live(*messages)
    iterator = Request(http_scope(headers=TYPE), live).multipart()
    one = await anext(iterator)
    assert one.name == "f"
    return one, live


FILE = form_body(("f", "x", b"0123456789"))
HEAD = FILE.index(b"0123456789")
FILE_PARTS = [
    part(FILE[: HEAD + 4]),
    part(FILE[HEAD + 4 : HEAD + 8]),
    part(FILE[HEAD + 8 :], more_body=False),
]


async def cancel_waiting(live: Live, function: Any, *arguments: Any) -> None:
    """Call a function, and cancel it once it waits for the next message."""
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(function, *arguments)
            while live.messages or not live.waiting:
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()


@pytest.mark.parametrize("received", [1, 2])
async def test_cancelled_read_loses_no_content(received: int) -> None:
    one, live = await part_of(*FILE_PARTS[:received])
    for _ in range(2):
        await cancel_waiting(live, one.read)
    live.put(*FILE_PARTS[received:])
    assert await one.text() == "0123456789"


async def test_read_over_its_limit_loses_no_content() -> None:
    one, _ = await part_of(*FILE_PARTS)
    for limit in (0, 9):
        with pytest.raises(RequestEntityTooLarge, match=f"at most {limit} bytes"):
            await one.read(limit)
    assert await one.read(10) == b"0123456789"


async def test_cancelled_read_puts_nothing_into_the_next_part() -> None:
    body = form_body(("f", "x", b"0123456789"), ("b", None, b"2"))
    live = Live(part(body[: HEAD + 4]))
    iterator = Request(http_scope(headers=TYPE), live).multipart()
    await cancel_waiting(live, (await anext(iterator)).read)
    live.put(part(body[HEAD + 4 :], more_body=False))
    assert await (await anext(iterator)).read() == b"2"


@pytest.mark.parametrize("read", [MultipartPart.read, MultipartPart.text, MultipartPart.__anext__])
async def test_read_after_a_cancelled_save_raises_stream_consumed(read: Any, tmp_path: Path) -> None:
    """The beginning of the content is in the file only, so a second save would write a truncated one."""
    one, live = await part_of(*FILE_PARTS[:1])
    await cancel_waiting(live, one.save, tmp_path / "saved")
    live.put(*FILE_PARTS[1:])
    for _ in range(2):
        with pytest.raises(StreamConsumed, match=r"partly read by a save\(\)") as caught:
            await read(one)
        assert caught.value.consumer == "save()"
        with pytest.raises(StreamConsumed):
            await one.save(tmp_path / "saved again")


async def test_save_after_a_save_that_was_cancelled_before_any_content(tmp_path: Path) -> None:
    one, live = await part_of(part(FILE[:HEAD]))
    await cancel_waiting(live, one.save, tmp_path / "saved")
    live.put(part(FILE[HEAD:], more_body=False))
    assert await one.save(tmp_path / "saved") == 10


async def test_read_after_a_save_that_ended_with_a_disconnect_raises_the_disconnect(tmp_path: Path) -> None:
    one, _ = await part_of(FILE_PARTS[0], DISCONNECT)
    for _ in range(2):
        with pytest.raises(ClientDisconnect):
            await one.save(tmp_path / "saved")
        with pytest.raises(ClientDisconnect):
            await one.read()
