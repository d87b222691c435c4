"""``Request.form()`` of multipart bodies: fields, files in memory and on disk, limits and cleanup."""

from __future__ import annotations

import errno
import gc
import os
import sys
import threading
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiwire import Limits, Request
from asgiwire._concurrency import run_in_thread
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import (
    ClientDisconnect,
    InsufficientStorage,
    RequestEntityTooLarge,
    SerializationException,
    ValidationException,
)
from asgiwire.testing import http_scope
from tests.floods import must_end
from tests.multipart_bodies import Part, chunkings, encode
from tests.receives import (
    DISCONNECT,
    RecordedFile,
    part,
    patch_everywhere,
    record_temporary_files,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asgiwire.datastructures import FormMultiDict

pytestmark = pytest.mark.anyio

MULTIPART = "multipart/form-data; boundary=B"
DEFAULT = Limits()
MEGABYTE = 1024 * 1024
KILOBYTES_64 = 64 * 1024
FIELD_HEADERS = len(b'\r\nContent-Disposition: form-data; name="a"\r\n\r\n')
FILE_HEADERS = len(b'\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n')


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Every temporary file of a form; the test fails if one is left open."""
    created = record_temporary_files(monkeypatch)
    yield created
    left_open = [file for file in created if not file.closed]
    for file in left_open:
        file.close()
    assert left_open == []


@pytest.fixture
def thread_calls(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """A list that grows by one for each call of a worker thread."""
    calls: list[None] = []

    async def counted(function: Callable[[], Any]) -> Any:
        calls.append(None)
        return await run_in_thread(function)

    patch_everywhere(monkeypatch, "run_in_thread", counted)
    return calls


def request_for(chunks: Iterable[bytes], content_type: str = MULTIPART) -> Request:
    messages = iter([*map(part, chunks), part(b"", more_body=False)])

    async def receive() -> Any:
        return next(messages)

    return Request(http_scope(headers={"content-type": content_type}), receive)


async def parse(
    chunks: Iterable[bytes], limits: Limits = DEFAULT, content_type: str = MULTIPART
) -> FormMultiDict:
    return await request_for(chunks, content_type).form(limits=limits)


async def contents(form: FormMultiDict) -> list[tuple[Any, ...]]:
    """Return the items of a form as plain values, and close it."""
    async with form:
        return [
            (name, value.filename, value.content_type, await value.read())
            if isinstance(value, UploadFile)
            else (name, value)
            for name, value in form.items()
        ]


OCTETS = "application/octet-stream"
FORMS: dict[str, tuple[list[Part], list[tuple[Any, ...]]]] = {
    "empty": ([], []),
    "fields": ([Part("a", b"1"), Part("b", b"")], [("a", "1"), ("b", "")]),
    "order and duplicates": (
        [Part("a", b"1"), Part("b", b"2"), Part("a", b"1"), Part("a", b"3", "x")],
        [("a", "1"), ("b", "2"), ("a", "1"), ("a", "x", "text/plain", b"3")],
    ),
    "file": ([Part("f", b"\0\xff", "x.bin", OCTETS)], [("f", "x.bin", OCTETS, b"\0\xff")]),
    # RFC 7578 section 4.4: Content-Type "defaults to text/plain".
    "file without Content-Type": ([Part("f", b"1", "x")], [("f", "x", "text/plain", b"1")]),
    "Content-Type with parameters": (
        [Part("f", b"1", "x", "Text/CSV; charset=utf-8")],
        [("f", "x", "text/csv", b"1")],
    ),
    "no file chosen": ([Part("f", b"", "", OCTETS)], [("f", "")]),
    "empty file": ([Part("f", b"", "x", OCTETS)], [("f", "x", OCTETS, b"")]),
    "file with an empty filename": ([Part("f", b"1", "", OCTETS)], [("f", "", OCTETS, b"1")]),
    "field with a Content-Type": ([Part("j", b"{}", None, "application/json")], [("j", "{}")]),
    "field with its own charset": (
        [Part("a", b"\xe9", None, "text/plain; charset=iso-8859-1")],
        [("a", "\xe9")],
    ),
    "field with invalid UTF-8": ([Part("a", b"\xe9")], [("a", "\ufffd")]),
    "unescaped names": (
        [Part("\u20ac", b"1", "\xe9.txt")],
        [("\u20ac", "\xe9.txt", "text/plain", b"1")],
    ),
    "escaped names": (
        [Part('a"\r\n', b"1", '"x"')],
        [('a"\r\n', '"x"', "text/plain", b"1")],
    ),
    "path in a filename": (
        [Part("f", b"1", "../../x"), Part("f", b"1", "C:\\d\\x")],
        [("f", "../../x", "text/plain", b"1"), ("f", "C:\\d\\x", "text/plain", b"1")],
    ),
    "_charset_": ([Part("a", b"1"), Part("_charset_", b"UTF-8")], [("a", "1"), ("_charset_", "UTF-8")]),
}


@pytest.mark.parametrize(("parts", "expected"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "limits", [DEFAULT, Limits(spool_size=0), Limits(max_memory=None)], ids=["memory", "disk", "no limit"]
)
async def test_fields_and_files(
    parts: list[Part], expected: list[tuple[Any, ...]], limits: Limits, files: list[object]
) -> None:
    body = encode(parts)
    for chunks in ([body], split(body, 1), split(body, 7)):
        assert await contents(await parse(chunks, limits)) == expected
    on_disk = limits.spool_size == 0 and any(len(value) > 2 and value[3] != b"" for value in expected)
    assert len(files) == 3 * on_disk


@pytest.mark.parametrize("limits", [DEFAULT, Limits(spool_size=0)], ids=["memory", "disk"])
async def test_form_does_not_depend_on_chunk_boundaries(limits: Limits, files: list[object]) -> None:
    parts = [Part("a", b"1"), Part("f", b"\r\n--b", "x"), Part("g", b"", ""), Part("b", b"2")]
    for chunks in (
        chunkings(encode(parts)) if limits is DEFAULT else [[encode(parts)], split(encode(parts), 5)]
    ):
        assert await contents(await parse(chunks, limits)) == [
            ("a", "1"),
            ("f", "x", "text/plain", b"\r\n--b"),
            ("g", ""),
            ("b", "2"),
        ]
    assert len(files) == (0 if limits is DEFAULT else 2)


@pytest.mark.parametrize("limits", [DEFAULT, Limits(spool_size=0)], ids=["memory", "disk"])
async def test_every_prefix_of_a_form_raises(limits: Limits, files: list[object]) -> None:
    body = encode([Part("f", b"123", "x"), Part("a", b"1"), Part("f", b"456", "y")])
    for end in range(0, len(body), 1 if limits is DEFAULT else 9):
        with pytest.raises(ValidationException, match=r"ended before the (first|final) boundary"):
            await parse([body[:end]], limits)
    assert bool(files) is (limits is not DEFAULT)


async def test_headers_of_a_file() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="\xc3\xa9"\r\nX-Y: z\r\n\r\n1\r\n--B--'
    async with await parse([body]) as form:
        assert form["f"].headers == {
            "content-disposition": 'form-data; name="f"; filename="\xe9"',
            "x-y": "z",
        }


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
async def test_charset_field_applies_to_all_fields(first: bool) -> None:
    """RFC 7578 section 4.6. Chromium sends it at its place in the form; names use that charset too."""
    parts = [Part("\xe9", b"\x80"), Part("f\xe9", b"\xe9", "\u20ac.txt")]
    parts.insert(0 if first else 2, Part("_charset_", b"windows-1252"))
    found = await contents(await parse([encode(parts, "cp1252")]))
    found.remove(("_charset_", "windows-1252"))
    assert found == [("\xe9", "\u20ac"), ("f\xe9", "\u20ac.txt", "text/plain", b"\xe9")]


async def test_charset_parameter_of_the_form() -> None:
    body = encode([Part("\xe9", b"\xe9")], "latin-1")
    assert await contents(await parse([body], content_type=f"{MULTIPART}; charset=iso-8859-1")) == [
        ("\xe9", "\xe9")
    ]


async def test_field_that_does_not_decode_raises(files: list[object]) -> None:
    body = encode([Part("f", b"1", "x"), Part("a", b"\xff", None, "text/plain; charset=utf-8")])
    with pytest.raises(SerializationException, match=r"part 2 .* charset"):
        await parse([body], Limits(spool_size=0))
    assert len(files) == 1


async def test_missing_boundary_raises() -> None:
    with pytest.raises(ValidationException, match="boundary"):
        await parse([], content_type="multipart/form-data")


@pytest.mark.parametrize("content_type", [MULTIPART, f"{MULTIPART}; charset=utf-8"], ids=["plain", "charset"])
def test_small_form_needs_no_await(content_type: str, thread_calls: list[None]) -> None:
    body = encode([Part("a", b"1"), Part("f", b"2" * 1000, "x")] * 100)
    reading = request_for([body], content_type).form()
    with pytest.raises(StopIteration):
        reading.send(None)
    assert thread_calls == []


async def test_large_file_is_written_to_disk_in_blocks(files: list[Any], thread_calls: list[None]) -> None:
    content, limits = bytes(range(256)) * 4 * 1024 * 10, Limits(max_body_size=None)
    async with await parse(split(encode([Part("f", content, "x")]), KILOBYTES_64), limits) as form:
        assert form["f"].rolled_to_disk
        assert form["f"].size == 10 * MEGABYTE
        assert 5 <= len(thread_calls) <= 12  # blocks of 1 MiB or more, not one call for each of 160 chunks
        assert await form["f"].tell() == 0
        assert await form["f"].read() == content
    assert len(files) == 1


@pytest.mark.parametrize(("size", "on_disk"), [(99, False), (100, False), (101, True)])
@pytest.mark.parametrize("chunk_size", [1, 64, 1000])
async def test_file_over_spool_size_is_on_disk(size: int, on_disk: bool, chunk_size: int) -> None:
    body = encode([Part("f", b"x" * size, "x"), Part("g", b"x" * 100, "y")])
    async with await parse(split(body, chunk_size), Limits(spool_size=100)) as form:
        assert form["f"].rolled_to_disk is on_disk
        assert form["f"].size == size
        assert not form["g"].rolled_to_disk


async def test_temporary_file_is_created_and_written_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    def create(**arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return TemporaryFile(**arguments)

    monkeypatch.setattr("asgiwire._body.shared_file.TemporaryFile", create)
    async with await parse([encode([Part("f", b"x" * (MEGABYTE + 1), "x")])]):
        assert len(threads) == 1
        assert threads[0] != threading.get_ident()


async def test_files_share_max_memory() -> None:
    limits = Limits(max_memory=250 + 5 * FILE_HEADERS, spool_size=100)
    parts = [Part("f", b"x" * 90, "x") for _ in range(4)]
    async with await parse([encode([*parts, Part("f", b"x" * 60, "x")])], limits) as form:
        # The headers of the files to come are not counted yet: three files and their headers fit. The fourth
        # file takes what is left, and the last one moves larger ones to disk for its headers.
        assert [upload.rolled_to_disk for upload in form.getall("f")] == [True, False, False, True, False]
        assert [upload.size for upload in form.getall("f")] == [90, 90, 90, 90, 60]


async def test_field_moves_the_largest_files_to_disk() -> None:
    limits = Limits(max_memory=240 + 3 * FILE_HEADERS + FIELD_HEADERS, spool_size=100)
    parts = [
        Part("f", b"x" * 60, "x"),
        Part("f", b"y" * 90, "y"),
        Part("f", b"z" * 60, "z"),
        Part("a", b"1" * 80),
    ]
    for chunks in chunkings(encode(parts)):
        async with await parse(chunks, limits) as form:
            assert [upload.rolled_to_disk for upload in form.getall("f")] == [False, True, False]
            assert [await upload.read(1) for upload in form.getall("f")] == [b"x", b"y", b"z"]
            assert [upload.size for upload in form.getall("f")] == [60, 90, 60]
            assert form["a"] == "1" * 80
        if len(chunks) == 2 and len(chunks[0]) > 100:
            break  # a hundred chunkings are enough


@pytest.mark.parametrize("filename", [None, "x"])
@pytest.mark.parametrize("headers", [b"", b"\r\nX-Y: z", b"\r\nX-Y: z" * 14], ids=["common", "one", "many"])
async def test_headers_count_towards_max_memory(filename: str | None, headers: bytes) -> None:
    body = encode([Part("a", b"1", filename)] * 3)
    body = body.replace(b"\r\n\r\n", headers + b"\r\n\r\n")
    size = body.index(b"\r\n\r\n") + 4 - len(b"--B")
    within = Limits(max_memory=3 * size + (0 if filename else 3))
    beyond = msgspec.structs.replace(within, max_memory=(within.max_memory or 0) - 1)
    for chunks in ([body], split(body, 1), split(body, 50)):
        async with await parse(chunks, within) as form:
            assert len(form) == 3
        with pytest.raises(RequestEntityTooLarge, match="max_memory"):
            await parse(chunks, beyond)


@pytest.mark.parametrize("maximum", [0, 100])
async def test_fields_over_max_memory_raise(maximum: int, files: list[object]) -> None:
    count = maximum // 50
    maximum += FILE_HEADERS + count * FIELD_HEADERS
    limits = Limits(max_memory=maximum, spool_size=10)
    within = encode([Part("f", b"x" * 50, "x"), *([Part("a", b"1" * 50)] * count)])
    async with await parse([within], limits) as form:
        assert len(form) == 1 + count
    body = encode([Part("f", b"x" * 50, "x"), *([Part("a", b"1" * 50)] * count), Part("b", b"")])
    for chunks in ([body], split(body, 1)):
        with pytest.raises(RequestEntityTooLarge) as caught:
            await parse(chunks, limits)
        assert (caught.value.limit, caught.value.maximum) == ("max_memory", maximum)
    assert len(files) == 3


async def test_field_over_max_memory_raises_before_its_end() -> None:
    messages = [part(encode([Part("a", b"x" * 200)])[:-50])]

    async def receive() -> Any:
        return messages.pop()

    request = Request(http_scope(headers={"content-type": MULTIPART}), receive)
    with pytest.raises(RequestEntityTooLarge, match="max_memory=100"):
        await request.form(limits=Limits(max_memory=100, max_field_size=None))


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (Limits(max_fields=1, spool_size=0), "max_fields"),
        (Limits(max_files=1, spool_size=0), "max_files"),
        (Limits(max_field_size=3, spool_size=0), "max_field_size"),
        (Limits(max_file_size=3, spool_size=0), "max_file_size"),
        (Limits(max_part_headers=1, spool_size=0), "max_part_headers"),
        (Limits(max_part_header_size=60, spool_size=0), "max_part_header_size"),
    ],
)
async def test_exceeded_limit_closes_the_files(limits: Limits, limit: str, files: list[object]) -> None:
    parts = [
        Part("f", b"1", "x"),
        Part("a", b"1"),
        Part("b", b"123"),
        Part("g", b"1234", "y" * 10, "a/b"),
    ]
    for chunks in ([encode(parts)], split(encode(parts), 5)):
        with pytest.raises(RequestEntityTooLarge) as caught:
            await parse(chunks, limits)
        assert caught.value.limit == limit
    assert files


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EMFILE])
@pytest.mark.parametrize("operation", ["fileno", "seek"])
async def test_disk_error_closes_the_files(
    operation: str, code: int, files: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(code, "message of the system")

    body = encode([Part("f", b"1", "x"), Part("g", b"2" * 50, "y"), Part("h", b"3" * 50, "z")])
    middle = body.index(b"3333") + 20
    messages = [part(body[:middle]), part(body[middle:], more_body=False)]

    async def receive() -> Any:
        if len(messages) == 1:
            last: Any = files[-1]
            monkeypatch.setattr(last, operation, fail)
        return messages.pop(0)

    request = Request(http_scope(headers={"content-type": MULTIPART}), receive)
    for _ in range(2):
        with pytest.raises(InsufficientStorage) as caught:
            await request.form(limits=Limits(spool_size=10))
        assert caught.value.status_code == 507
        assert "message of the system" not in caught.value.detail
    assert len(files) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EMFILE])
async def test_temporary_file_that_cannot_be_created(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError(code, "message of the system")

    monkeypatch.setattr("asgiwire._body.shared_file.TemporaryFile", fail)
    with pytest.raises(InsufficientStorage) as caught:
        await parse([encode([Part("f", b"1", "x")])], Limits(spool_size=0))
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == code


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
async def test_all_files_of_a_form_share_one_descriptor() -> None:
    before = len(os.listdir("/proc/self/fd"))
    body = encode([Part("f", b"%d" % number, "x") for number in range(1000)])
    async with await parse(split(body, KILOBYTES_64), Limits(spool_size=0)) as form:
        assert len(os.listdir("/proc/self/fd")) == before + 1
        assert all(upload.rolled_to_disk for upload in form.values())
        assert [await upload.read() for upload in form.values()] == [b"%d" % number for number in range(1000)]
    assert len(os.listdir("/proc/self/fd")) == before


async def test_error_while_closing_the_file_hides_no_other_error(
    files: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = [part(encode([Part("f", b"1", "x"), Part("g", b"2", "y")])), DISCONNECT]

    async def receive() -> Any:
        if len(messages) == 1:
            close = files[0].close

            def close_and_fail() -> None:
                close()
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(files[0], "close", close_and_fail)
        return messages.pop(0)

    request = Request(http_scope(headers={"content-type": MULTIPART}), receive)
    with pytest.raises(ClientDisconnect):
        await request.form(limits=Limits(spool_size=0))
    assert [file.closed for file in files] == [True]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
async def test_disconnect_closes_the_files(count: int, files: list[object]) -> None:
    body = encode([Part("f", b"1", "x"), Part("g", b"2" * 50, "y")])
    messages = [*map(part, split(body, len(body) // 4 + 1)[:count]), DISCONNECT]

    async def receive() -> Any:
        return messages.pop(0)

    request = Request(http_scope(headers={"content-type": MULTIPART}), receive)
    with pytest.raises(ClientDisconnect):
        await request.form(limits=Limits(spool_size=10))
    assert len(files) <= 1


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.filterwarnings("ignore:.*unclosed file:ResourceWarning")  # of the dropped loop
async def test_abandoned_thread_keeps_its_file_open(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread outlives the event loop; a closed descriptor could belong to another file by then."""
    started, may_write, finished = threading.Event(), threading.Event(), threading.Event()
    closed: list[bool] = []

    class SlowFile(RecordedFile):
        def fileno(self) -> int:
            started.set()
            may_write.wait(10)
            closed.append(self.closed)
            finished.set()
            return super().fileno()

    record_temporary_files(monkeypatch, SlowFile)
    reading = request_for([encode([Part("f", b"1" * 50, "x")])]).form(limits=Limits(spool_size=0))
    reading.send(None)
    assert started.wait(10)
    reading.close()
    may_write.set()
    assert finished.wait(10)
    assert closed == [False]
    gc.collect()


@pytest.mark.parametrize("nth", range(5))
async def test_cancellation_at_each_thread_call_closes_the_files(
    nth: int, files: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cancelled call returns only after its thread has finished."""
    calls = 0
    working = 0
    working_at_return: list[int] = []

    async def cancelled(function: Callable[[], Any]) -> Any:
        nonlocal calls

        def observed() -> Any:
            nonlocal working
            working += 1
            try:
                return function()
            finally:
                working -= 1

        calls += 1
        if calls == nth + 1:
            scope.cancel()
        try:
            return await run_in_thread(observed)
        finally:
            working_at_return.append(working)

    patch_everywhere(monkeypatch, "run_in_thread", cancelled)
    # One file in memory, which the field moves to disk, and one that is written in two blocks.
    parts = [Part("f", b"1" * 30, "x"), Part("g", b"2" * 4 * MEGABYTE, "y"), Part("a", b"3" * 80)]
    limits = Limits(spool_size=100, max_memory=100 + 2 * FILE_HEADERS + FIELD_HEADERS)
    with anyio.CancelScope() as scope:
        await contents(await parse(split(encode(parts), 2 * MEGABYTE + 50), limits))
    assert scope.cancelled_caught
    assert calls >= nth + 1
    assert set(working_at_return) == {0}
    assert files or nth == 0  # trio does not start a thread for a task that is cancelled already


async def test_every_file_is_at_position_zero() -> None:
    parts = [Part("f", b"123", "x"), Part("g", b"456" * 100, "y")]
    async with await parse([encode(parts)], Limits(spool_size=10)) as form:
        assert [await form[name].tell() for name in "fg"] == [0, 0]


@must_end
async def test_many_small_parts_take_linear_time() -> None:
    # Without memory for files, the form is decoded incrementally.
    limits = Limits(max_fields=None, max_files=None, max_memory=None, spool_size=0)
    many = 50_000
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n' % number for number in range(many)
    )
    assert len(await parse(split(body + b"--B--", KILOBYTES_64), limits)) == many


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.builds(
            Part,
            st.text(st.characters(exclude_characters="%\0", codec="utf-8"), min_size=1),
            st.binary(max_size=60),
            st.none() | st.text(st.characters(exclude_characters="%\0", codec="utf-8"), min_size=1),
            st.none(),
        ),
        max_size=6,
    ),
    st.integers(1, 200),
    st.sampled_from([DEFAULT, Limits(spool_size=20), Limits(spool_size=50, max_memory=2000)]),
)
def test_form_contains_the_encoded_parts(parts: list[Part], size: int, limits: Limits) -> None:
    async def check() -> None:
        body = encode(parts, boundary=b"a boundary")
        form = await parse(split(body, size), limits, 'multipart/form-data; boundary="a boundary"')
        assert await contents(form) == [
            (part.name, part.content.decode("utf-8", "replace"))
            if part.filename is None
            else (part.name, part.filename, "text/plain", part.content)
            for part in parts
        ]

    anyio.run(check)


async def test_files_that_follow_a_move_to_disk_can_move_too() -> None:
    """The heap of files in memory is created when memory is full, and grows from then on."""
    limits = Limits(max_memory=200 + 3 * FILE_HEADERS + 2 * FIELD_HEADERS, spool_size=150)
    parts = [
        Part("f", b"1" * 90, "x"),
        Part("a", b"2" * 150),
        Part("f", b"3" * 20, "x"),
        Part("f", b"", "x"),
        Part("a", b"4" * 50),
    ]
    for chunks in ([encode(parts)], split(encode(parts), 1), [encode(parts)[:300], encode(parts)[300:]]):
        async with await parse(chunks, limits) as form:
            assert [upload.rolled_to_disk for upload in form.getall("f")] == [True, True, False]
            assert [await upload.read() for upload in form.getall("f")] == [b"1" * 90, b"3" * 20, b""]
            assert form.getall("a") == ["2" * 150, "4" * 50]
