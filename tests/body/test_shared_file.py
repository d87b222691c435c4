"""The temporary file that the files of a form share: each has the interface of a file of its own."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire import Limits, Request
from asgiwire._body.shared_file import SharedFile
from asgiwire.testing import RequestFactory
from tests.receives import record_temporary_files

if TYPE_CHECKING:
    from pathlib import Path

CONTENTS = [b"first\nfile", b"", b"second\n\nfile\n" * 1000, b"x" * 3_000_000]


def sections() -> tuple[SharedFile, list[Any]]:
    shared = SharedFile()
    found = []
    for content in CONTENTS:
        position = shared.size
        shared.append([content[:5], bytearray(content[5:])])
        found.append(shared.section(position, len(content)))
    return shared, found


def test_section_reads_as_a_file_of_its_own() -> None:
    _, files = sections()
    for file, content in zip(files, CONTENTS, strict=True):
        other = io.BytesIO(content)
        assert isinstance(file, SpooledTemporaryFile)
        assert file.size == len(content)
        for one in (file, other):
            one.seek(0)
        for size in (0, 3, 1, 100, -1, 1):
            assert file.read(size) == other.read(size)
            assert file.tell() == other.tell()
        for offset, whence in ((2, 0), (1, 1), (-1, 2), (10, 2), (0, 0)):
            if offset + len(content) >= 0:
                assert file.seek(offset, whence) == other.seek(offset, whence)
                assert file.read(4) == other.read(4)
        file.seek(0)
        other.seek(0)
        assert file.readline() == other.readline()
        assert file.readlines() == other.readlines()
        file.seek(0)
        buffer = bytearray(8)
        assert file.readinto(buffer) == min(8, len(content))
        assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
        file.close()


def test_negative_position_raises() -> None:
    _, (file, *others) = sections()
    with pytest.raises(ValueError, match="position"):
        file.seek(-11, os.SEEK_END)
    for one in (file, *others):
        one.close()


@pytest.mark.parametrize("operation", ["write", "writelines", "truncate", "fileno"])
def test_section_gets_its_own_file_when_it_needs_one(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    created = record_temporary_files(monkeypatch)
    _, files = sections()
    file, expected = files[0], CONTENTS[0]
    file.seek(5)
    if operation == "write":
        assert file.write(b"!") == 1
        expected = b"first!file"
    elif operation == "writelines":
        file.writelines([b"!", b"?"])
        expected = b"first!?ile"
    elif operation == "truncate":
        assert file.truncate() == 5
        expected = b"first"
    else:
        assert os.fstat(file.fileno()).st_size == len(expected)
    file.flush()
    file.seek(0)
    assert file.read() == expected
    assert file.size == len(expected)
    assert file.fileno() == file.fileno()
    # The others are unchanged.
    assert [one.read() for one in files[1:]] == CONTENTS[1:]
    assert len(created) == 2
    for one in files:
        one.close()
    assert [one.closed for one in created] == [True, True]


def test_own_file_that_cannot_be_written_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, files = sections()
    created = record_temporary_files(monkeypatch)

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("asgiwire._body.shared_file.copyfileobj", fail)
    with pytest.raises(OSError, match="No space"):
        files[0].write(b"x")
    assert [file.closed for file in created] == [True]
    monkeypatch.undo()
    files[0].seek(0)
    assert files[0].read() == CONTENTS[0]
    for file in files:
        file.close()


def test_file_is_closed_with_its_last_section(monkeypatch: pytest.MonkeyPatch) -> None:
    (created,) = [record_temporary_files(monkeypatch)]
    _, files = sections()
    for file in files:
        assert not created[0].closed
        raw = file._raw
        for _ in range(2):
            file.close()
            raw.close()
    assert created[0].closed
    with pytest.raises(ValueError, match="closed"):
        _ = files[0].size


def test_threads_read_at_once() -> None:
    _, files = sections()

    def read_all(number: int) -> bool:
        file = files[number % len(files)]
        raw = file._raw
        return bool(raw._shared.read(raw._start, raw.size) == CONTENTS[number % len(files)])

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read_all, range(100)))
    for file in files:
        file.close()


def test_failed_append_is_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = SharedFile()
    shared.append([b"one"])

    def fail(file: Any, chunks: Any) -> None:
        file.write(chunks[0])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr("asgiwire._body.shared_file.write_chunks", fail)
        shared.append([b"two"])
    shared.append([b"3"])
    assert (shared.size, shared.read(0, 100)[:4]) == (4, b"one3")
    shared.close()
    shared.close()
    SharedFile().close()


class Spooling(Request):
    limits = Limits(spool_size=10)


@pytest.mark.anyio
async def test_uploads_of_one_form_are_independent(tmp_path: Path) -> None:
    contents = [b"%d" % number * 50 for number in range(4)]
    request = RequestFactory(request_class=Spooling).post(
        "/", files=[("f", (f"{number}.txt", content)) for number, content in enumerate(contents)]
    )
    async with await request.form() as form:
        first, second, third, fourth = form.getall("f")
        assert [upload.size for upload in form.getall("f")] == [50, 50, 50, 50]
        assert [upload.rolled_to_disk for upload in form.getall("f")] == [True] * 4
        assert await first.read(10) == contents[0][:10]
        assert await second.seek(-5, os.SEEK_END) == 45
        assert await second.write(b"written") == 7
        assert second.size == 52
        await third.save(tmp_path / "third")
        detached = fourth.detach()
        assert await first.read() == contents[0][10:]
    assert (tmp_path / "third").read_bytes() == contents[2]
    async with detached:
        assert await detached.read() == contents[3]
        assert b"".join([block async for block in detached]) == b""
