"""What broke other libraries, as inputs of our own: a documented error or the right value, quickly, bounded.

One test for each advisory on bodies and forms, named for it. Each goes through a request, as an application
would: whatever comes, the files are closed, the cost grows with the input and no faster, and the memory
stays within the limits. Those on hosts, headers and cookies are tested where these are parsed.
"""

from __future__ import annotations

import gc
import logging
import threading
import tracemalloc
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire import Limits, Request
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import (
    ClientException,
    RequestEntityTooLarge,
    SerializationException,
    ValidationException,
)
from asgiwire.testing import http_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

MULTIPART = "multipart/form-data; boundary=B"
URLENCODED = "application/x-www-form-urlencoded"
END = b"--B--\r\n"
MEGABYTE = 1024 * 1024
CHUNK = 64 * 1024

FIELD = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
FILE = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n1\r\n'


class Source:
    """A receive that makes its messages while it is asked, so that they cost no memory of the test's."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.given = 0

    async def __call__(self) -> Any:
        chunk = next(self._chunks, None)
        self.given += len(chunk or b"")
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}


def cut(body: bytes, size: int = CHUNK) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def request_for(
    chunks: Iterable[bytes] | bytes, content_type: str = MULTIPART, *headers: tuple[bytes, bytes]
) -> Request:
    source = Source(cut(chunks) if isinstance(chunks, bytes) else chunks)
    return Request(http_scope("POST", headers=[(b"content-type", content_type.encode()), *headers]), source)


async def form(request: Request, limits: Limits | None = None) -> list[tuple[str, Any]]:
    async with await request.form(limits=limits) as form:
        return [
            (name, await value.read() if isinstance(value, UploadFile) else value)
            for name, value in form.multi_items()
        ]


async def parts(request: Request, limits: Limits | None = None) -> list[tuple[str, bytes]]:
    return [(one.name, await one.read()) async for one in request.multipart(limits=limits)]


READERS = (form, parts)


@pytest.fixture(autouse=True)
def files(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    made: list[SpooledTemporaryFile[bytes]] = []

    class Recorded(SpooledTemporaryFile[bytes]):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            made.append(self)

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Recorded)
    yield made
    assert [file for file in made if not file.closed] == []


async def assert_refused(
    chunks: bytes, error: type[ClientException], sentence: str, limits: Limits | None = None
) -> None:
    """By both readers, whole and in pieces, in the same words."""
    for read in READERS:
        for size in (len(chunks), 1000):
            with pytest.raises(error, match=sentence):
                await read(request_for(cut(chunks, size)), limits)


# --- python-multipart ---------------------------------------------------------------------------------------


async def test_cve_2024_24762_redos_in_content_type() -> None:
    for content_type in (
        'multipart/form-data; boundary="' + "\\" * 65536,
        'application/x-www-form-urlencoded; !="' + "\\" * 65536,
        "multipart/form-data; " + 'a="\\"' * 20_000,
    ):
        try:
            assert await form(request_for(b"", content_type)) == []
        except ValidationException as error:
            assert "boundary" in str(error)


async def test_cve_2024_53981_and_2026_40347_text_around_the_form(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lines = [b"\r\n" * (CHUNK // 2)] * 100  # 6.4 MB
    for read in READERS:
        assert len(await read(request_for([*lines, FIELD + END]))) == 1
        assert len(await read(request_for([FIELD + END, *lines]))) == 1
        assert len(await read(request_for([FIELD + END, *([b"a" * CHUNK] * 100)]))) == 1
    assert caplog.records == []
    for read in READERS:
        with pytest.raises(ValidationException):
            await read(request_for([b"\r\n", *([b"a" * CHUNK] * 100), b"\r\n" + FIELD + END]))
    assert len(caplog.records) <= len(READERS)  # python-multipart's one for each form, and not for each byte


@pytest.mark.parametrize(
    ("filename", "safe"),
    [("/etc/cron.d/x", "x"), ("../../x", "x"), ("..\\x", "x"), ("a/../b", "b"), ("C:\\a\\x", "x")],
)
async def test_cve_2026_24486_and_2021_28658_and_2021_31542_a_filename_is_no_path(
    filename: str, safe: str, tmp_path: Path
) -> None:
    body = FILE.replace(b'"x"', f'"{filename}"'.encode()) + END
    async with await request_for(body).form() as found:
        assert (found["f"].filename, found["f"].safe_filename) == (filename, safe)
    async for one in request_for(body).multipart():
        assert (one.filename, one.safe_filename) == (filename, safe)
        await one.save(tmp_path / one.safe_filename)
    assert [path.name for path in tmp_path.iterdir()] == [safe]


async def test_cve_2026_42561_headers_without_end() -> None:
    head = b'--B\r\nContent-Disposition: form-data; name="a"\r\n'
    await assert_refused(head + b"X: y\r\n" * 100_000, RequestEntityTooLarge, "max_part_headers=16")
    await assert_refused(head + b"X: " + b"y" * 5 * MEGABYTE, RequestEntityTooLarge, "max_part_header_size=")
    await assert_refused(head + b"X" * 5 * MEGABYTE, RequestEntityTooLarge, "max_part_header_size=")


async def test_cve_2026_53537_two_names_for_one_part() -> None:
    body = b"--B\r\nContent-Disposition: form-data; %s\r\n\r\n1\r\n" + END
    for parameters in (
        b"name=\"a\"; name*=utf-8''b",
        b'name="a"; name="b"',
        b'name="a"; filename="x"; filename="y"',
    ):
        for read in READERS:
            try:
                found = await read(request_for(body % parameters))
            except ValidationException:
                continue
            assert [name for name, _ in found] == ["a"]  # the plain one; never the other


async def test_cve_2026_53538_a_semicolon_separates_nothing() -> None:
    assert await form(request_for(b"a=1;role=admin", URLENCODED)) == [("a", "1;role=admin")]


async def test_cve_2026_53539_semicolons() -> None:
    body = b"a;" * 400_000
    assert await form(request_for(body, URLENCODED), Limits(max_field_size=None)) == [(body.decode(), "")]
    with pytest.raises(RequestEntityTooLarge, match="max_fields"):
        await form(request_for(b"a&" * 400_000, URLENCODED))


@pytest.mark.parametrize("length", ["-1", "+5", "1_0", "0x5", "9" * 5000, "5.0", "٣"])
async def test_cve_2026_53540_a_content_length_that_is_none(length: str) -> None:
    for content_type, body in ((MULTIPART, FIELD + END), (URLENCODED, b"a=1")):
        request = request_for(body, content_type, (b"content-length", length.encode()))
        with pytest.raises(ClientException) as caught:
            await form(request)
        assert caught.value.status_code == 400
        assert len(str(caught.value)) < 200


# --- Starlette, Litestar, FastAPI ---------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "limit"), [(FIELD, "max_fields"), (FILE, "max_files")])
async def test_cve_2023_30798_and_2023_25578_and_2023_24580_parts_without_number(
    part: bytes, limit: str, files: list[Any]
) -> None:
    await assert_refused(part * 10_000, RequestEntityTooLarge, f"{limit}=1000")
    assert len(files) <= 2 * 1001
    await assert_refused(b"--B\r\n\r\n\r\n" * 100_000, ValidationException, "Content-Disposition")


async def test_cve_2024_47874_a_field_without_end() -> None:
    """The memory that one may take is that of the limit, however much the client would send."""
    head = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n'

    def endless() -> Iterator[bytes]:
        yield head
        while True:
            yield bytes(CHUNK)

    for read in READERS:
        request = request_for(endless())
        tracemalloc.start()
        with pytest.raises(RequestEntityTooLarge, match="max_field_size=1048576"):
            await read(request)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 6 * MEGABYTE
        assert request.receive.given < 3 * MEGABYTE  # type: ignore[attr-defined] # it is a Source


async def test_cve_2025_54121_the_rollover_is_not_made_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []
    rollover = SpooledTemporaryFile.rollover

    def recorded(file: Any) -> None:
        threads.append(threading.get_ident())
        rollover(file)

    monkeypatch.setattr(SpooledTemporaryFile, "rollover", recorded)
    content = b"x" * (MEGABYTE + 1)
    body = FILE.replace(b"\r\n1\r\n", b"\r\n" + content + b"\r\n") + END
    assert await form(request_for([body])) == [("f", content)]
    assert threads
    assert threading.get_ident() not in threads


async def test_cve_2026_54283_limits_hold_for_urlencoded_forms_inside_one_chunk() -> None:
    for body, limit in ((b"a=1&" * 100_000, "max_fields"), (b"a=" + b"x" * 5 * MEGABYTE, "max_field_size")):
        with pytest.raises(RequestEntityTooLarge, match=limit):
            await form(request_for([body], URLENCODED))


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
async def test_cve_2021_32677_the_media_type_is_there_to_be_asked(content_type: str) -> None:
    """Which types to take JSON from is a framework's choice: json() takes any, and none is a form."""
    request = request_for(b'{"a":1}', content_type)
    assert await form(request) == []
    assert await request.json() == {"a": 1}
    assert request.content_type[0] == content_type


@pytest.mark.parametrize("charset", ["undefined", "idna", "utf-7", "hex", "x" * 5000, "\xff"])
async def test_starlette_and_litestar_a_charset_that_is_none(charset: str) -> None:
    content_type = MULTIPART + f"; charset={charset}"
    request = Request(
        http_scope(headers=[(b"content-type", content_type.encode("latin-1"))]), Source([FIELD + END])
    )
    assert await form(request) == [("a", "1")]
    body = FIELD.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=%s\r\n\r\n" % charset.encode())
    assert await form(request_for(body + END)) == [("a", "1")]


async def test_litestar_text_that_is_not_utf_8() -> None:
    assert await form(request_for(FIELD.replace(b"1", b"\xff") + END)) == [("a", "\ufffd")]
    assert await form(request_for(b"a=%FF&b=\xff", URLENCODED)) == [("a", "\ufffd"), ("b", "\ufffd")]
    request = request_for(FIELD.replace(b"1", b"\xff") + END, MULTIPART + "; charset=utf-8")
    with pytest.raises(SerializationException, match="'a'"):
        await form(request)


# --- defnull multipart, Werkzeug, Django --------------------------------------------------------------------


async def test_cve_2026_28356_redos_in_header_options() -> None:
    flood = b'"\\' * 4000 + b'"'
    for header in (
        b"Content-Disposition: form-data; name=" + flood,
        b"Content-Disposition: form-data; a=" + flood + b'; name="a"',
        b'Content-Disposition: form-data; name="a"\r\nContent-Type: text/plain; charset=' + flood,
    ):
        body = b"--B\r\n" + header + b"\r\n\r\n1\r\n" + END
        for read in READERS:
            try:
                assert len(await read(request_for(body))) == 1
            except ClientException:
                continue


async def test_cve_2023_25577_parts_that_hold_nothing() -> None:
    await assert_refused(FIELD.replace(b"1", b"") * 50_000, RequestEntityTooLarge, "max_fields=1000")


async def test_cve_2023_46136_a_carriage_return_and_then_much_data() -> None:
    """One that may begin a boundary must not make everything after it be looked at again."""
    limits = Limits(max_body_size=None)

    def flood(filler: bytes) -> Iterator[bytes]:
        yield b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n\r'
        for _ in range(160):  # 10 MiB
            yield filler
        yield b"\r\n" + END

    for filler in (bytes(CHUNK), b"\r" * CHUNK, b"\n" * CHUNK, b"\r\n--" * (CHUNK // 4)):
        for read in READERS:
            ((_, content),) = await read(request_for(flood(filler)), limits)
            assert len(content) == 1 + 160 * CHUNK


async def test_cve_2024_49767_the_size_of_a_field_counts_over_all_its_pieces() -> None:
    body = FIELD.replace(b"1", b"x" * 4096)
    await assert_refused(body, RequestEntityTooLarge, "max_field_size=2048", Limits(max_field_size=2048))


async def test_werkzeug_3065_a_line_end_at_the_edge_of_a_chunk() -> None:
    body = FIELD.replace(b"1", b"\r\n\r\n-\r\n--\r\n--b") + FILE.replace(b"1", b"\r") + END
    expected = [("a", "\r\n\r\n-\r\n--\r\n--b"), ("f", b"\r")]
    for split in range(1, len(body)):
        assert await form(request_for([body[:split], body[split:]])) == expected


async def test_cve_2022_23833_no_form_is_read_for_ever() -> None:
    body = FIELD + FILE + END
    with anyio.fail_after(10):
        for end in range(len(body) - 4):
            for read in READERS:
                with pytest.raises(ClientException):
                    await read(request_for([body[:end]]))
        for garbled in (body.replace(b"\r\n", b"\n"), body.replace(b"--B", b"--C"), b"\0" * 100):
            with pytest.raises(ClientException):
                await form(request_for([garbled]))


async def test_cve_2026_33033_base64_is_not_decoded() -> None:
    """Blanks in it were skipped at quadratic cost; no browser sends it (RFC 7578 section 4.7)."""
    blanks = b" " * 500_000
    body = FIELD.replace(b"\r\n\r\n1", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + blanks) + END
    assert await form(request_for(body)) == [("a", blanks.decode())]


@pytest.mark.parametrize("content_type", [MULTIPART, URLENCODED, "application/json"])
async def test_cve_2026_33034_an_understated_content_length(content_type: str) -> None:
    filler = [b"a" * CHUNK] * 200
    chunks = [FIELD[:-3], *filler] if content_type == MULTIPART else filler
    request = request_for(chunks, content_type, (b"content-length", b"1"))

    with pytest.raises(RequestEntityTooLarge):
        await (request.json() if content_type == "application/json" else form(request))
    assert request.receive.given < 11 * MEGABYTE  # type: ignore[attr-defined] # it is a Source


# --- aiohttp, Tornado, Bottle -------------------------------------------------------------------------------


async def test_cve_2025_69228_fields_that_are_each_just_under_the_limit() -> None:
    """Together they are bounded too: by what a form may hold in memory, and by the body."""
    part = FIELD.replace(b"1", b"x" * (MEGABYTE - 1))

    def many() -> Iterator[bytes]:
        while True:
            yield part

    for limits, limit in ((Limits(), "max_body_size"), (Limits(max_body_size=None), "max_memory")):
        with pytest.raises(RequestEntityTooLarge, match=f"{limit}="):
            await form(request_for(many()), limits)


async def test_cve_2025_69229_chunks_of_one_byte() -> None:
    """The same bytes cost about as much per message, however many there are."""
    content = b"x" * 20_000
    body = FIELD.replace(b"1", content) + END

    for read in READERS:
        assert len((await read(request_for(cut(body, 1))))[0][1]) == len(content)
    request = request_for(cut(content, 1), "text/plain")
    assert await request.body() == content
    request = request_for(cut(content, 1), "text/plain")
    assert sum([len(piece) async for piece in request.stream()]) == len(content)


async def test_cve_2026_34516_the_limit_fires_before_more_is_received() -> None:
    request = request_for([b"a" * 60, b"a" * 60, b"a" * 60], "text/plain")
    with pytest.raises(RequestEntityTooLarge):
        await request.body(limits=Limits(max_body_size=100))
    assert request.receive.given == 120  # type: ignore[attr-defined] # it is a Source


async def test_aiohttp_13042_a_charset_of_a_filename_that_is_none() -> None:
    body = FILE.replace(b'filename="x"', b"filename*=bogus''x%FF") + END
    for read in READERS:
        try:
            assert [name for name, _ in await read(request_for(body))] == ["f"]
        except ValidationException:
            continue


async def test_cve_2025_47287_parts_do_not_flood_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bad = [b"--B\r\nX: y\r\n\r\n1\r\n", b"--B\r\nbroken\r\n\r\n1\r\n", FIELD]
    for part in bad:
        for read in READERS:
            with pytest.raises(ClientException):
                await read(request_for(part * 2000))
    assert len(caplog.records) <= len(bad) * len(READERS)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain; application/x-www-form-urlencoded",
        "text/plain; multipart/form-data; boundary=B",
        "text/plain, multipart/form-data; boundary=B",
        "x/application/x-www-form-urlencoded",
    ],
)
async def test_cve_2014_3137_another_type_behind_the_type(content_type: str) -> None:
    assert await form(request_for(b"a=1", content_type)) == []
    with pytest.raises(ValidationException):
        request_for(FIELD + END, content_type).multipart()


# --- msgspec ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reader", "byte"), [("json", b"["), ("json", b'{"a":'), ("msgpack", b"\x91")])
async def test_msgspec_nesting_without_end(reader: str, byte: bytes) -> None:
    """It raises RecursionError, which is nobody's 400."""
    request = request_for(byte * 100_000, "application/json")
    for _ in range(2):
        with pytest.raises(SerializationException, match="nested too deep"):
            await getattr(request, reader)()


async def test_channels_2020_35681_nothing_is_shared_between_requests() -> None:
    first, second = (request_for(b"a=1", URLENCODED) for _ in range(2))
    form_of_first = await first.form()

    assert await second.form() is not form_of_first
    del first, second, form_of_first
    gc.collect()
