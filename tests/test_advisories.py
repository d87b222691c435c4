"""Tests for the security advisories of other libraries on bodies and forms.

There is one test for each advisory, named after it. All of them use a request. The result is the correct
value or a documented error, all temporary files are closed, time is linear, and memory stays within the
limits. Advisories on hosts, headers and cookies are in the tests of their parsers.
"""

from __future__ import annotations

import gc
import logging
import threading
import tracemalloc
from tempfile import TemporaryFile
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
from tests.receives import record_temporary_files

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
    """A ``receive`` callable that creates messages on demand, so that they take no memory."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.sent = 0

    async def __call__(self) -> Any:
        chunk = next(self._chunks, None)
        self.sent += len(chunk or b"")
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}


def chunked(body: bytes, size: int = CHUNK) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def request_for(
    chunks: Iterable[bytes] | bytes, content_type: str = MULTIPART, *headers: tuple[bytes, bytes]
) -> Request:
    source = Source(chunked(chunks) if isinstance(chunks, bytes) else chunks)
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
def temporary_files(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    created = record_temporary_files(monkeypatch)
    yield created
    assert [file for file in created if not file.closed] == []


async def assert_rejected(
    chunks: bytes, error: type[ClientException], message: str, limits: Limits | None = None
) -> None:
    """Both readers raise the same error, with one chunk and with many."""
    for read in READERS:
        for size in (len(chunks), 1000):
            with pytest.raises(error, match=message):
                await read(request_for(chunked(chunks, size)), limits)


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


async def test_cve_2024_53981_and_2026_40347_preamble_and_epilogue(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lines = [b"\r\n" * (CHUNK // 2)] * 100  # 6.4 MB
    for read in READERS:
        assert len(await read(request_for([*lines, FIELD + END]))) == 1
        assert len(await read(request_for([FIELD + END, *lines]))) == 1
        assert len(await read(request_for([FIELD + END, *([b"a" * CHUNK] * 100)]))) == 1
    assert caplog.records == []
    for read in READERS:
        with pytest.raises(RequestEntityTooLarge, match="max_part_header_size"):
            await read(request_for([b"\r\n", *([b"a" * CHUNK] * 100), b"\r\n" + FIELD + END]))
    assert caplog.records == []


@pytest.mark.parametrize(
    ("filename", "safe"),
    [("/etc/cron.d/x", "x"), ("../../x", "x"), ("..\\x", "x"), ("a/../b", "b"), ("C:\\a\\x", "x")],
)
async def test_cve_2026_24486_and_2021_28658_and_2021_31542_path_in_filename(
    filename: str, safe: str, tmp_path: Path
) -> None:
    body = FILE.replace(b'"x"', f'"{filename}"'.encode()) + END
    async with await request_for(body).form() as found:
        assert (found["f"].filename, found["f"].safe_filename) == (filename, safe)
    async for one in request_for(body).multipart():
        assert (one.filename, one.safe_filename) == (filename, safe)
        await one.save(tmp_path / one.safe_filename)
    assert [path.name for path in tmp_path.iterdir()] == [safe]


async def test_cve_2026_42561_endless_part_headers() -> None:
    head = b'--B\r\nContent-Disposition: form-data; name="a"\r\n'
    await assert_rejected(head + b"X: y\r\n" * 100_000, RequestEntityTooLarge, "max_part_headers=16")
    await assert_rejected(head + b"X: " + b"y" * 5 * MEGABYTE, RequestEntityTooLarge, "max_part_header_size=")
    await assert_rejected(head + b"X" * 5 * MEGABYTE, RequestEntityTooLarge, "max_part_header_size=")


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
            assert [name for name, _ in found] == ["a"]  # `name`, never `name*`


async def test_cve_2026_53538_semicolon_is_not_a_separator() -> None:
    assert await form(request_for(b"a=1;role=admin", URLENCODED)) == [("a", "1;role=admin")]


async def test_cve_2026_53539_semicolons() -> None:
    body = b"a;" * 400_000
    assert await form(request_for(body, URLENCODED), Limits(max_field_size=None)) == [(body.decode(), "")]
    with pytest.raises(RequestEntityTooLarge, match="max_fields"):
        await form(request_for(b"a&" * 400_000, URLENCODED))


@pytest.mark.parametrize("length", ["-1", "+5", "1_0", "0x5", "9" * 5000, "5.0", "٣"])
async def test_cve_2026_53540_invalid_content_length(length: str) -> None:
    for content_type, body in ((MULTIPART, FIELD + END), (URLENCODED, b"a=1")):
        request = request_for(body, content_type, (b"content-length", length.encode()))
        with pytest.raises(ClientException) as caught:
            await form(request)
        assert caught.value.status_code == 400
        assert len(str(caught.value)) < 200


# --- Starlette, Litestar, FastAPI ---------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "limit"), [(FIELD, "max_fields"), (FILE, "max_files")])
async def test_cve_2023_30798_and_2023_25578_and_2023_24580_number_of_parts(
    part: bytes, limit: str, temporary_files: list[Any]
) -> None:
    await assert_rejected(part * 10_000, RequestEntityTooLarge, f"{limit}=1000")
    assert len(temporary_files) <= 2 * 1001
    await assert_rejected(b"--B\r\n\r\n\r\n" * 100_000, ValidationException, "Content-Disposition")


async def test_cve_2024_47874_endless_field() -> None:
    """Memory is bounded by the limit, for any size of the field."""
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
        assert request.receive.sent < 3 * MEGABYTE  # type: ignore[attr-defined] # the type is Source


async def test_cve_2025_54121_rollover_is_in_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads: list[int] = []

    def recorded(**arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return TemporaryFile(**arguments)

    monkeypatch.setattr("asgiwire._body.shared_file.TemporaryFile", recorded)
    content = b"x" * (MEGABYTE + 1)
    body = FILE.replace(b"\r\n1\r\n", b"\r\n" + content + b"\r\n") + END
    assert await form(request_for([body])) == [("f", content)]
    assert threads
    assert threading.get_ident() not in threads


async def test_cve_2026_54283_limits_of_urlencoded_forms_in_one_chunk() -> None:
    for body, limit in ((b"a=1&" * 100_000, "max_fields"), (b"a=" + b"x" * 5 * MEGABYTE, "max_field_size")):
        with pytest.raises(RequestEntityTooLarge, match=limit):
            await form(request_for([body], URLENCODED))


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
async def test_cve_2021_32677_json_with_any_media_type(content_type: str) -> None:
    """json() accepts any media type, and the framework can check it; form() returns an empty form."""
    request = request_for(b'{"a":1}', content_type)
    assert await form(request) == []
    assert await request.json() == {"a": 1}
    assert request.content_type[0] == content_type


@pytest.mark.parametrize("charset", ["undefined", "idna", "utf-7", "hex", "x" * 5000, "\xff"])
async def test_starlette_and_litestar_invalid_charset(charset: str) -> None:
    content_type = MULTIPART + f"; charset={charset}"
    request = Request(
        http_scope(headers=[(b"content-type", content_type.encode("latin-1"))]), Source([FIELD + END])
    )
    assert await form(request) == [("a", "1")]
    body = FIELD.replace(b"\r\n\r\n", b"\r\nContent-Type: text/plain; charset=%s\r\n\r\n" % charset.encode())
    assert await form(request_for(body + END)) == [("a", "1")]


async def test_litestar_invalid_utf_8() -> None:
    assert await form(request_for(FIELD.replace(b"1", b"\xff") + END)) == [("a", "\ufffd")]
    assert await form(request_for(b"a=%FF&b=\xff", URLENCODED)) == [("a", "\ufffd"), ("b", "\ufffd")]
    request = request_for(FIELD.replace(b"1", b"\xff") + END, MULTIPART + "; charset=utf-8")
    with pytest.raises(SerializationException, match="multipart part 1 "):
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


async def test_cve_2023_25577_empty_parts() -> None:
    await assert_rejected(FIELD.replace(b"1", b"") * 50_000, RequestEntityTooLarge, "max_fields=1000")


async def test_cve_2023_46136_carriage_return_before_large_data() -> None:
    """A possible start of a boundary must not cause a repeated search of the data after it."""
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


async def test_cve_2024_49767_field_size_over_all_chunks() -> None:
    body = FIELD.replace(b"1", b"x" * 4096)
    await assert_rejected(body, RequestEntityTooLarge, "max_field_size=2048", Limits(max_field_size=2048))


async def test_werkzeug_3065_line_end_at_a_chunk_boundary() -> None:
    body = FIELD.replace(b"1", b"\r\n\r\n-\r\n--\r\n--b") + FILE.replace(b"1", b"\r") + END
    expected = [("a", "\r\n\r\n-\r\n--\r\n--b"), ("f", b"\r")]
    for split in range(1, len(body)):
        assert await form(request_for([body[:split], body[split:]])) == expected


async def test_cve_2022_23833_incomplete_forms_end() -> None:
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
    """Skipping blanks took quadratic time. Browsers do not send base64 (RFC 7578 section 4.7)."""
    blanks = b" " * 500_000
    body = FIELD.replace(b"\r\n\r\n1", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + blanks) + END
    assert await form(request_for(body)) == [("a", blanks.decode())]


@pytest.mark.parametrize("content_type", [MULTIPART, URLENCODED, "application/json"])
async def test_cve_2026_33034_content_length_is_too_small(content_type: str) -> None:
    filler = [b"a" * CHUNK] * 200
    chunks = [FIELD[:-3], *filler] if content_type == MULTIPART else filler
    request = request_for(chunks, content_type, (b"content-length", b"1"))

    with pytest.raises(RequestEntityTooLarge):
        await (request.json() if content_type == "application/json" else form(request))
    assert request.receive.sent < 11 * MEGABYTE  # type: ignore[attr-defined] # the type is Source


# --- aiohttp, Tornado, Bottle -------------------------------------------------------------------------------


async def test_cve_2025_69228_fields_just_under_the_limit() -> None:
    """All fields together are bounded by max_memory and max_body_size."""
    part = FIELD.replace(b"1", b"x" * (MEGABYTE - 1))

    def many() -> Iterator[bytes]:
        while True:
            yield part

    for limits, limit in ((Limits(), "max_body_size"), (Limits(max_body_size=None), "max_memory")):
        with pytest.raises(RequestEntityTooLarge, match=f"{limit}="):
            await form(request_for(many()), limits)


async def test_cve_2025_69229_chunks_of_one_byte() -> None:
    """The time is linear in the number of messages."""
    content = b"x" * 20_000
    body = FIELD.replace(b"1", content) + END

    for read in READERS:
        assert len((await read(request_for(chunked(body, 1))))[0][1]) == len(content)
    request = request_for(chunked(content, 1), "text/plain")
    assert await request.body() == content
    request = request_for(chunked(content, 1), "text/plain")
    assert sum([len(chunk) async for chunk in request.stream()]) == len(content)


async def test_cve_2026_34516_limit_is_checked_before_the_next_chunk() -> None:
    request = request_for([b"a" * 60, b"a" * 60, b"a" * 60], "text/plain")
    with pytest.raises(RequestEntityTooLarge):
        await request.body(limits=Limits(max_body_size=100))
    assert request.receive.sent == 120  # type: ignore[attr-defined] # the type is Source


async def test_aiohttp_13042_invalid_charset_of_a_filename() -> None:
    body = FILE.replace(b'filename="x"', b"filename*=bogus''x%FF") + END
    for read in READERS:
        try:
            assert [name for name, _ in await read(request_for(body))] == ["f"]
        except ValidationException:
            continue


async def test_cve_2025_47287_number_of_log_records(caplog: pytest.LogCaptureFixture) -> None:
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
async def test_cve_2014_3137_second_media_type_in_content_type(content_type: str) -> None:
    assert await form(request_for(b"a=1", content_type)) == []
    with pytest.raises(ValidationException):
        request_for(FIELD + END, content_type).multipart()


# --- msgspec ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reader", "byte"), [("json", b"["), ("json", b'{"a":'), ("msgpack", b"\x91")])
async def test_msgspec_deep_nesting(reader: str, byte: bytes) -> None:
    """The RecursionError of msgspec has to become a 400."""
    request = request_for(byte * 100_000, "application/json")
    for _ in range(2):
        with pytest.raises(SerializationException, match="nested too deep"):
            await getattr(request, reader)()


async def test_channels_2020_35681_requests_share_nothing() -> None:
    first, second = (request_for(b"a=1", URLENCODED) for _ in range(2))
    form_of_first = await first.form()

    assert await second.form() is not form_of_first
    del first, second, form_of_first
    gc.collect()
