"""Uploaded files by line, as text, and saved to paths and open files."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import SerializationException

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

SPOOL_SIZES = pytest.mark.parametrize("spool_size", [1024, 0], ids=["in memory", "on disk"])


def upload(content: bytes, spool_size: int, content_type: str = "text/plain") -> UploadFile:
    return UploadFile(content_type, "a.txt", content, None, spool_size)


@SPOOL_SIZES
class TestLines:
    async def test_readline(self, spool_size: int) -> None:
        async with upload(b"one\r\ntwo\n\nlast", spool_size) as file:
            assert await file.readline() == b"one\r\n"
            assert await file.readline(2) == b"tw"
            assert await file.readline(0) == b""
            assert await file.readline() == b"o\n"
            assert await file.tell() == 9
            assert [await file.readline() for _ in range(4)] == [b"\n", b"last", b"", b""]

    @pytest.mark.parametrize(
        ("content", "lines"),
        [
            (b"", []),
            (b"a", [b"a"]),
            (b"a\nb\n", [b"a\n", b"b\n"]),
            (b"\n\n", [b"\n", b"\n"]),
            (b"a\rb\n", [b"a\rb\n"]),
        ],
    )
    async def test_lines(self, spool_size: int, content: bytes, lines: list[bytes]) -> None:
        async with upload(content, spool_size) as file:
            assert [line async for line in file.lines()] == lines

    async def test_lines_begin_at_the_position(self, spool_size: int) -> None:
        async with upload(b"one\ntwo\nthree", spool_size) as file:
            await file.readline()
            assert [line async for line in file.lines()] == [b"two\n", b"three"]
            assert [line async for line in file.lines()] == []

    async def test_more_lines_than_one_block(self, spool_size: int) -> None:
        content = b"x" * 999 + b"\n"
        async with upload(content * 3000 + b"end", spool_size) as file:
            lines = [line async for line in file.lines()]
        assert lines == [content] * 3000 + [b"end"]


@SPOOL_SIZES
class TestText:
    @pytest.mark.parametrize(
        ("content", "content_type", "encoding", "text"),
        [
            ("é".encode(), "text/plain", None, "é"),
            (b"\xff", "text/plain", None, "\ufffd"),
            (b"\xe9", "text/csv; charset=latin1", None, "é"),
            (b"\xe9", 'text/csv; charset="ISO-8859-1"', None, "é"),
            (b"a", "text/csv; charset=unknown", None, "a"),
            (b"\xe9", "text/plain; charset=utf-8", "latin1", "é"),
            ("é".encode("utf-16-le"), "text/plain", "utf-16", "é"),
            (b"\xef\xbb\xbfa", "text/plain", None, "a"),
            (b"", "", None, ""),
            (b"a", "\u2713", None, "a"),
        ],
    )
    async def test_encodings(
        self, spool_size: int, content: bytes, content_type: str, encoding: str | None, text: str
    ) -> None:
        async with upload(content, spool_size, content_type) as file:
            assert await file.text(encoding) == text

    async def test_position_does_not_matter(self, spool_size: int) -> None:
        async with upload(b"hello", spool_size) as file:
            await file.seek(3)
            assert await file.text() == "hello"
            assert await file.tell() == 3

    async def test_content_that_is_invalid(self, spool_size: int) -> None:
        async with upload(b"s3cr3t\xff", spool_size, "text/plain; charset=utf-8") as file:
            with pytest.raises(SerializationException, match=r"^the file is not text in its charset utf-8$"):
                await file.text()

    @pytest.mark.parametrize("encoding", ["unknown", "idna", "undefined", ""])
    async def test_unknown_encoding(self, spool_size: int, encoding: str) -> None:
        async with upload(b"a", spool_size) as file:
            with pytest.raises(LookupError, match="unknown encoding"):
                await file.text(encoding)


CONTENT = os.urandom(3_000_000)


def no_copy(*_args: Any) -> int:
    raise OSError(errno.EXDEV, "cross-device link")


class TestSave:
    @pytest.mark.parametrize("spool_size", [4_000_000, 0], ids=["in memory", "on disk"])
    @pytest.mark.parametrize("mode", ["wb", "w+b", "ab", "unbuffered"])
    async def test_open_file(self, spool_size: int, mode: str, tmp_path: Path) -> None:
        path = tmp_path / "copy"
        path.write_bytes(b"before")
        async with upload(CONTENT, spool_size) as file:
            await file.seek(7)
            with path.open(*(("wb", 0) if mode == "unbuffered" else (mode,))) as target:
                target.write(b"head ")
                await file.save(target)
                size = target.seek(0, os.SEEK_CUR)
                target.write(b" tail")
                assert not target.closed
            assert await file.tell() == 7
            assert await file.read(2) == CONTENT[7:9]
        before = b"before" if mode == "ab" else b""
        assert path.read_bytes() == before + b"head " + CONTENT + b" tail"
        assert size == len(before) + 5 + len(CONTENT)

    @pytest.mark.parametrize("spool_size", [4_000_000, 0], ids=["in memory", "on disk"])
    async def test_targets_that_are_no_system_files(self, spool_size: int) -> None:
        class Unsized(io.BytesIO):
            def write(self, data: Any) -> Any:
                super().write(data)

        async with upload(CONTENT, spool_size) as file:
            for target in (io.BytesIO(), Unsized(), tempfile.SpooledTemporaryFile()):  # noqa: SIM115 - closed below
                with target:
                    await file.save(target)
                    target.seek(0)
                    assert target.read() == CONTENT

    async def test_unbuffered_file_that_writes_a_part(self, tmp_path: Path) -> None:
        class Slow(io.FileIO):
            def write(self, data: Any) -> int:
                return super().write(data[:1000])

        async with upload(b"x" * 2500, 4000) as file:
            with Slow(tmp_path / "copy", "w") as target:
                await file.save(target)
        assert (tmp_path / "copy").read_bytes() == b"x" * 2500

    @pytest.mark.parametrize("first", ["as is", "fails", "absent", "stops"])
    @pytest.mark.parametrize("second", ["as is", "fails", "absent", "stops"])
    async def test_systems_that_copy_nothing_or_a_part(
        self, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, how in (("copy_file_range", first), ("sendfile", second)):
            if how == "absent":
                monkeypatch.delattr(os, name, raising=False)
            elif how != "as is":
                monkeypatch.setattr(os, name, no_copy if how == "fails" else lambda *_args: 0, raising=False)
        path = tmp_path / "copy"
        async with upload(CONTENT, 0) as file:
            await file.save(path)
            assert path.read_bytes() == CONTENT
            with path.open("wb") as target:
                await file.save(target)
                target.write(b"tail")
            assert path.read_bytes() == CONTENT + b"tail"
            await file.read(5)

    @pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="the system has no copy_file_range()")
    async def test_kernel_copies_the_whole_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        copied = []

        def count(source: int, target: int, count: int, offset: int) -> int:
            copied.append(os_copy(source, target, min(count, 1_000_000), offset))
            return copied[-1]

        os_copy = os.copy_file_range
        monkeypatch.setattr(os, "copy_file_range", count)
        async with upload(CONTENT, 0) as file:
            await file.save(tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == CONTENT
        assert copied == [1_000_000] * 3

    async def test_text_file(self, tmp_path: Path) -> None:
        with (tmp_path / "copy").open("w") as target:
            for spool_size in (10, 0):
                async with upload(b"hello", spool_size) as file:
                    with pytest.raises(TypeError):
                        await file.save(target)  # type: ignore[arg-type]

    async def test_full_disk(self) -> None:
        if not os.path.exists("/dev/full"):
            pytest.skip("the system has no /dev/full")
        async with upload(CONTENT, 0) as file:
            with pytest.raises(OSError, match="No space left"):
                await file.save("/dev/full")
            assert await file.read(2) == CONTENT[:2]
