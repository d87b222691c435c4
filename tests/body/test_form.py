"""A multipart form from its first byte to its fields and files, and every way out of it."""

from __future__ import annotations

import gc
import threading
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgiwire import _concurrency
from asgiwire._body import form as _form
from asgiwire._body.form import MultipartForm
from asgiwire.datastructures import upload_file
from asgiwire.datastructures.upload_file import UploadFile
from asgiwire.exceptions import RequestEntityTooLarge, SerializationException, ValidationException
from asgiwire.limits import Limits
from tests.floods import must_end
from tests.multipart_bodies import Part, chunked, chunkings, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from asgiwire.datastructures.form import FormMultiDict

pytestmark = pytest.mark.anyio

B = {"boundary": "B"}
DEFAULT = Limits()
MEGABYTE = 1024 * 1024
KILOBYTES_64 = 64 * 1024


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[SpooledTemporaryFile[bytes]]]:
    """Every temporary file that was made; a test that leaves one open fails."""
    made: list[SpooledTemporaryFile[bytes]] = []

    class Recorded(SpooledTemporaryFile[bytes]):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            made.append(self)

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Recorded)
    yield made
    left_open = [file for file in made if not file.closed]
    for file in left_open:
        file.close()
    assert left_open == []


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one for each call of a worker thread."""
    made: list[None] = []

    async def counted(function: Callable[[], Any]) -> Any:
        made.append(None)
        return await _concurrency.run_in_thread(function)

    monkeypatch.setattr(upload_file, "run_in_thread", counted)
    monkeypatch.setattr(_form, "run_in_thread", counted)
    return made


async def parse(
    chunks: Iterable[bytes], limits: Limits = DEFAULT, parameters: dict[str, str] = B
) -> FormMultiDict:
    form = MultipartForm(parameters, limits)
    try:
        for chunk in chunks:
            await form.write(chunk)
        return await form.complete()
    except BaseException:
        form.abort()
        raise


async def contents(form: FormMultiDict) -> list[tuple[Any, ...]]:
    """What is in a form, as plain values; the form is closed."""
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
    "a file": ([Part("f", b"\0\xff", "x.bin", OCTETS)], [("f", "x.bin", OCTETS, b"\0\xff")]),
    # RFC 7578 section 4.4: Content-Type "defaults to text/plain".
    "a file without Content-Type": ([Part("f", b"1", "x")], [("f", "x", "text/plain", b"1")]),
    "a Content-Type with parameters": (
        [Part("f", b"1", "x", "Text/CSV; charset=utf-8")],
        [("f", "x", "text/csv", b"1")],
    ),
    "no file chosen": ([Part("f", b"", "", OCTETS)], [("f", "")]),
    "an empty file": ([Part("f", b"", "x", OCTETS)], [("f", "x", OCTETS, b"")]),
    "a file without a name": ([Part("f", b"1", "", OCTETS)], [("f", "", OCTETS, b"1")]),
    "a field with a Content-Type": ([Part("j", b"{}", None, "application/json")], [("j", "{}")]),
    "a field in its own charset": (
        [Part("a", b"\xe9", None, "text/plain; charset=iso-8859-1")],
        [("a", "\xe9")],
    ),
    "a field that is not UTF-8": ([Part("a", b"\xe9")], [("a", "\ufffd")]),
    "text that no one escaped": (
        [Part("\u20ac", b"1", "\xe9.txt")],
        [("\u20ac", "\xe9.txt", "text/plain", b"1")],
    ),
    "text that browsers escape": ([Part('a"\r\n', b"1", '"x"')], [('a"\r\n', '"x"', "text/plain", b"1")]),
    "a path stays what the client sent": (
        [Part("f", b"1", "../../x"), Part("f", b"1", "C:\\d\\x")],
        [("f", "../../x", "text/plain", b"1"), ("f", "C:\\d\\x", "text/plain", b"1")],
    ),
    "_charset_": ([Part("a", b"1"), Part("_charset_", b"UTF-8")], [("a", "1"), ("_charset_", "UTF-8")]),
}


@pytest.mark.parametrize(("parts", "expected"), FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    "limits", [DEFAULT, Limits(spool_size=0), Limits(max_memory=None)], ids=["memory", "disk", "no limit"]
)
async def test_a_form(
    parts: list[Part], expected: list[tuple[Any, ...]], limits: Limits, files: list[object]
) -> None:
    body = encode(parts)
    for chunks in ([body], chunked(body, 1), chunked(body, 7)):
        assert await contents(await parse(chunks, limits)) == expected
    on_disk = sum(len(value) > 2 and value[3] != b"" for value in expected) if limits.spool_size == 0 else 0
    assert len(files) == 3 * on_disk


@pytest.mark.parametrize("limits", [DEFAULT, Limits(spool_size=0)], ids=["memory", "disk"])
async def test_a_form_at_every_split(limits: Limits, files: list[object]) -> None:
    parts = [Part("a", b"1"), Part("f", b"\r\n--Bx", "x"), Part("g", b"", ""), Part("b", b"2")]
    for chunks in (
        chunkings(encode(parts)) if limits is DEFAULT else [[encode(parts)], chunked(encode(parts), 5)]
    ):
        assert await contents(await parse(chunks, limits)) == [
            ("a", "1"),
            ("f", "x", "text/plain", b"\r\n--Bx"),
            ("g", ""),
            ("b", "2"),
        ]
    assert len(files) == (0 if limits is DEFAULT else 2)


@pytest.mark.parametrize("limits", [DEFAULT, Limits(spool_size=0)], ids=["memory", "disk"])
async def test_every_prefix_of_a_form_is_refused(limits: Limits, files: list[object]) -> None:
    body = encode([Part("f", b"123", "x"), Part("a", b"1"), Part("f", b"456", "y")])
    for end in range(0, len(body), 1 if limits is DEFAULT else 9):
        with pytest.raises(ValidationException, match="ended before the final boundary"):
            await parse([body[:end]], limits)
    assert bool(files) is (limits is not DEFAULT)


async def test_the_headers_of_a_file() -> None:
    body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="\xc3\xa9"\r\nX-Y: z\r\n\r\n1\r\n--B--'
    async with await parse([body]) as form:
        assert form["f"].headers == {
            "content-disposition": 'form-data; name="f"; filename="\xe9"',
            "x-y": "z",
        }


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
async def test_charset_field_applies_to_all_others(first: bool) -> None:
    """RFC 7578 section 4.6; Chromium sends it where the form has it, and names are in that charset too."""
    parts = [Part("\xe9", b"\x80"), Part("f\xe9", b"\xe9", "\u20ac.txt")]
    parts.insert(0 if first else 2, Part("_charset_", b"windows-1252"))
    found = await contents(await parse([encode(parts, "cp1252")]))
    found.remove(("_charset_", "windows-1252"))
    assert found == [("\xe9", "\u20ac"), ("f\xe9", "\u20ac.txt", "text/plain", b"\xe9")]


async def test_the_charset_of_the_form() -> None:
    body = encode([Part("\xe9", b"\xe9")], "latin-1")
    assert await contents(await parse([body], parameters={**B, "charset": "iso-8859-1"})) == [
        ("\xe9", "\xe9")
    ]


async def test_a_field_that_does_not_decode(files: list[object]) -> None:
    body = encode([Part("f", b"1", "x"), Part("a", b"\xff", None, "text/plain; charset=utf-8")])
    with pytest.raises(SerializationException, match=r"^the form field 'a' is not text in its charset"):
        await parse([body], Limits(spool_size=0))
    assert len(files) == 1


def test_a_form_wants_a_boundary() -> None:
    with pytest.raises(ValidationException, match="has no boundary"):
        MultipartForm({}, DEFAULT)


@pytest.mark.parametrize("parameters", [B, {**B, "charset": "utf-8"}], ids=["in one pass", "decoded"])
async def test_small_forms_await_nothing(parameters: dict[str, str], hops: list[None]) -> None:
    form = MultipartForm(parameters, DEFAULT)
    body = encode([Part("a", b"1"), Part("f", b"2" * 1000, "x")] * 100)
    for step in (form.write(body), form.complete()):
        with pytest.raises(StopIteration):
            step.send(None)
    form.abort()
    assert hops == []


async def test_a_large_file_goes_to_disk_in_blocks(files: list[Any], hops: list[None]) -> None:
    content = bytes(range(256)) * 4 * 1024 * 10
    async with await parse(chunked(encode([Part("f", content, "x")]), KILOBYTES_64)) as form:
        assert form["f"].rolled_to_disk
        assert form["f"].size == 10 * MEGABYTE
        assert 5 <= len(hops) <= 7
        assert await form["f"].tell() == 0
        assert await form["f"].read() == content
    assert len(files) == 1


@pytest.mark.parametrize(("size", "on_disk"), [(99, False), (100, False), (101, True)])
@pytest.mark.parametrize("chunk_size", [1, 64, 1000])
async def test_spool_size_is_what_one_file_keeps_in_memory(size: int, on_disk: bool, chunk_size: int) -> None:
    body = encode([Part("f", b"x" * size, "x"), Part("g", b"x" * 100, "y")])
    async with await parse(chunked(body, chunk_size), Limits(spool_size=100)) as form:
        assert form["f"].rolled_to_disk is on_disk
        assert form["f"].size == size
        assert not form["g"].rolled_to_disk


async def test_the_move_to_disk_is_made_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []

    class Recorded(SpooledTemporaryFile[bytes]):
        def rollover(self) -> None:
            if not getattr(self, "_rolled", False):
                threads.append(threading.get_ident())
            super().rollover()

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Recorded)
    async with await parse([encode([Part("f", b"x" * (MEGABYTE + 1), "x")])]):
        assert len(threads) == 1
        assert threads[0] != threading.get_ident()


async def test_files_share_the_memory_of_a_form() -> None:
    limits = Limits(max_memory=250, spool_size=100)
    parts = [Part("f", b"x" * 90, "x") for _ in range(4)]
    async with await parse([encode([*parts, Part("f", b"x" * 60, "x")])], limits) as form:
        # 91 and 91 bytes with the names; then 67 are left, of which the last takes 61.
        assert [upload.rolled_to_disk for upload in form.getall("f")] == [False, False, True, True, False]
        assert [upload.size for upload in form.getall("f")] == [90, 90, 90, 90, 60]


async def test_files_make_room_for_fields_the_largest_first() -> None:
    limits = Limits(max_memory=250, spool_size=100)
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
            break  # the first hundred cuts will do


async def test_a_name_needs_memory_too() -> None:
    limits = Limits(max_memory=10)
    assert await contents(await parse([encode([Part("a" * 10, b"")])], limits)) == [("a" * 10, "")]
    with pytest.raises(RequestEntityTooLarge, match="max_memory=10"):
        await parse([encode([Part("a" * 5, b""), Part("b" * 6, b"")])], limits)


@pytest.mark.parametrize("maximum", [0, 100])
async def test_fields_beyond_the_memory_are_an_error(maximum: int, files: list[object]) -> None:
    limits = Limits(max_memory=maximum, spool_size=10)
    within = encode([Part("f", b"x" * 50, "x"), *([Part("a", b"1" * 49)] * (maximum // 50))])
    async with await parse([within], limits) as form:
        assert len(form) == 1 + maximum // 50
    body = encode([Part("f", b"x" * 50, "x"), *([Part("a", b"1" * 49)] * (maximum // 50)), Part("b", b"")])
    for chunks in ([body], chunked(body, 1)):
        with pytest.raises(RequestEntityTooLarge) as caught:
            await parse(chunks, limits)
        assert (caught.value.limit, caught.value.maximum) == ("max_memory", maximum)
    assert len(files) == 3


async def test_a_field_beyond_the_memory_is_an_error_before_it_ends() -> None:
    form = MultipartForm(B, Limits(max_memory=100, max_field_size=None))
    with pytest.raises(RequestEntityTooLarge, match="max_memory=100"):
        await form.write(encode([Part("a", b"x" * 200)])[:-50])
    form.abort()


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
async def test_a_limit_closes_the_files(limits: Limits, limit: str, files: list[object]) -> None:
    parts = [
        Part("f", b"1", "x"),
        Part("a", b"1"),
        Part("b", b"123"),
        Part("g", b"1234", "y" * 10, "a/b"),
    ]
    for chunks in ([encode(parts)], chunked(encode(parts), 5)):
        with pytest.raises(RequestEntityTooLarge) as caught:
            await parse(chunks, limits)
        assert caught.value.limit == limit
    assert files


@pytest.mark.parametrize("step", ["rollover", "fileno", "seek"])
async def test_an_error_of_the_disk_closes_the_files(
    step: str, files: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    parts = [Part("f", b"1", "x"), Part("g", b"2" * 50, "y"), Part("h", b"3" * 50, "z")]
    form = MultipartForm(B, Limits(spool_size=10))
    body = encode(parts)
    await form.write(body[: body.index(b"3333") + 20])
    last: Any = files[-1]
    monkeypatch.setattr(last, step, full)
    with pytest.raises(OSError, match="No space"):
        await form.write(body[body.index(b"3333") + 20 :])
    form.abort()
    assert len(files) == 2


async def test_an_error_while_closing_does_not_keep_the_others_open(
    files: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    form = MultipartForm(B, Limits(spool_size=0))
    await form.write(encode([Part("f", b"1", "x"), Part("g", b"2", "y")]))
    close = files[0].close

    def fail() -> None:
        close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files[0], "close", fail)
    form.abort()
    assert [file.closed for file in files] == [True, True]


@pytest.mark.parametrize("chunks", [0, 1, 2, 3, 4])
async def test_a_form_can_be_aborted_at_any_time(chunks: int, files: list[object]) -> None:
    """The client left, or a limit of the body was exceeded: nothing tells the form but ``abort()``."""
    form = MultipartForm(B, Limits(spool_size=10))
    body = encode([Part("f", b"1", "x"), Part("g", b"2" * 50, "y")])
    for chunk in chunked(body, len(body) // 4 + 1)[:chunks]:
        await form.write(chunk)
    form.abort()
    form.abort()
    gc.collect()
    assert len(files) <= 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.filterwarnings("ignore:.*unclosed file:ResourceWarning")  # as of whatever such a loop leaves
async def test_a_thread_that_nobody_waits_for_any_more_keeps_its_file(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop is thrown away with its tasks; the thread would write to what gets the descriptor next."""
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()
    seen: list[bool] = []

    def write_pieces(file: Any, pieces: Any) -> None:
        begun.set()
        go_on.wait(10)
        seen.append(file.closed)
        done.set()

    monkeypatch.setattr(_form, "write_pieces", write_pieces)
    form = MultipartForm(B, Limits(spool_size=0))
    writing = form.write(encode([Part("f", b"1" * 50, "x")]))
    writing.send(None)
    assert begun.wait(10)
    writing.close()
    form.abort()
    go_on.set()
    assert done.wait(10)
    assert seen == [False]


@pytest.mark.parametrize("nth", range(5))
async def test_cancellation_at_each_await_leaves_no_file_open(
    nth: int, files: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call of a thread is cancelled in turn: while the thread works, it is waited for."""
    calls = 0
    working = 0
    left: list[int] = []

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
            return await _concurrency.run_in_thread(observed)
        finally:
            left.append(working)

    monkeypatch.setattr(upload_file, "run_in_thread", cancelled)
    monkeypatch.setattr(_form, "run_in_thread", cancelled)
    monkeypatch.setattr(_form, "BLOCK_SIZE", MEGABYTE)
    # Two files that go to disk by themselves, each written in two blocks; one that a field sends there.
    parts = [Part("f", b"1" * 30, "x"), Part("g", b"2" * 2 * MEGABYTE, "y"), Part("a", b"3" * 80)]
    limits = Limits(spool_size=100, max_memory=100)
    with anyio.CancelScope() as scope:
        await contents(await parse(chunked(encode(parts), MEGABYTE + 50), limits))
    assert scope.cancelled_caught
    assert calls >= nth + 1
    assert set(left) == {0}
    assert files


async def test_every_file_is_rewound() -> None:
    parts = [Part("f", b"123", "x"), Part("g", b"456" * 100, "y")]
    async with await parse([encode(parts)], Limits(spool_size=10)) as form:
        assert [await form[name].tell() for name in "fg"] == [0, 0]


@must_end
async def test_many_tiny_parts_cost_linear_time() -> None:
    # Without memory for files none is read in one pass, whose cost has a test of its own.
    limits = Limits(max_fields=None, max_files=None, max_memory=None, spool_size=0)
    many = 50_000
    body = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="%d"\r\n\r\n1\r\n' % number for number in range(many)
    )
    assert len(await parse(chunked(body + b"--B--", KILOBYTES_64), limits)) == many


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
def test_what_was_encoded_is_in_the_form(parts: list[Part], size: int, limits: Limits) -> None:
    async def check() -> None:
        body = encode(parts, boundary=b"a boundary")
        form = await parse(chunked(body, size), limits, {"boundary": "a boundary"})
        assert await contents(form) == [
            (part.name, part.content.decode("utf-8", "replace"))
            if part.filename is None
            else (part.name, part.filename, "text/plain", part.content)
            for part in parts
        ]

    anyio.run(check)
