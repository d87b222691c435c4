"""Uploaded files in memory and on disk."""

from __future__ import annotations

import gc
import inspect
import os
import threading
import weakref
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import _concurrency
from asgiwire.datastructures import Headers, upload_file
from asgiwire.datastructures.upload_file import UploadFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.anyio

MEGABYTE = 1024 * 1024


class Threads:
    """Records which thread makes each call of the underlying file."""

    def __init__(self, upload: UploadFile, monkeypatch: pytest.MonkeyPatch) -> None:
        file = upload.file
        self.upload = upload
        self.calls: list[tuple[str, bool]] = []
        self.here = threading.get_ident()
        for name in ("read", "write", "seek", "tell", "rollover", "close", "flush"):
            monkeypatch.setattr(file, name, self.recorded(name, getattr(file, name)))

    def recorded(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            # fileno() calls rollover() too, which has no effect on a file on disk.
            if name != "rollover" or not self.upload.rolled_to_disk:
                self.calls.append((name, threading.get_ident() == self.here))
            return function(*args)

        return call

    def pop_calls_on_the_loop(self) -> list[str]:
        calls, self.calls = self.calls, []
        assert calls
        return [name for name, here in calls if here]


@pytest.fixture
def thread_calls(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Contains one item for each call of a worker thread."""
    calls: list[None] = []

    async def counted(function: Callable[[], Any]) -> Any:
        calls.append(None)
        return await _concurrency.run_in_thread(function)

    monkeypatch.setattr(upload_file, "run_in_thread", counted)
    return calls


def test_signature_is_the_same_as_in_litestar() -> None:
    assert str(inspect.signature(UploadFile)) == (
        "(content_type: 'str', filename: 'str', file_data: 'bytes | None' = None,"
        " headers: 'dict[str, str] | None' = None, max_spool_size: 'int' = 1048576) -> 'None'"
    )


async def test_file_data() -> None:
    upload = UploadFile("text/plain", "a.txt", b"12345", {"x-y": "z"})
    assert (upload.content_type, upload.filename, upload.headers) == ("text/plain", "a.txt", {"x-y": "z"})
    assert await upload.read() == b"12345"
    assert await upload.read() == b""
    assert await upload.seek(1) == 1
    assert await upload.read(2) == b"23"
    assert await upload.tell() == 3
    assert not upload.rolled_to_disk
    await upload.close()


async def test_default_headers_are_not_shared() -> None:
    async with UploadFile("a/b", "x") as first, UploadFile("a/b", "x") as second:
        first.headers = {"a": "b"}  # type: ignore[assignment]  # converted
        assert second.headers == {}


async def test_headers_are_case_insensitive_and_immutable() -> None:
    headers = {"Content-Type": "a/b", "x-name": "\xe9", "x-other": "€", "bad name\n": "\0"}
    async with UploadFile("a/b", "x", headers=headers) as upload:
        assert isinstance(upload.headers, Headers)
        assert upload.headers is upload.headers
        assert upload.headers["content-type"] == upload.headers["Content-Type"] == "a/b"
        assert upload.headers["x-name"] == "\xe9"
        assert upload.headers["x-other"].encode("latin-1").decode() == "€"
        assert len(upload.headers) == 4
        with pytest.raises(TypeError):
            upload.headers["a"] = "b"  # type: ignore[index]  # under test
        upload.headers = Headers({"a": "b"})
        assert upload.headers == {"a": "b"}


@pytest.mark.parametrize(
    ("filename", "text"),
    [
        ("tmp.txt", "tmp.txt - text/plain"),
        ("it's \u20ac.txt", "it's \u20ac.txt - text/plain"),
        ("a\r\n\x1b[2J", r"a\r\n\x1b[2J - text/plain"),
    ],
)
async def test_repr(filename: str, text: str) -> None:
    async with UploadFile("text/plain", filename) as upload:
        assert repr(upload) == text


async def use(upload: UploadFile, path: Path) -> None:
    assert await upload.seek(0) == 0
    assert await upload.write(b"abcdef") == 6
    assert await upload.tell() == 6
    assert await upload.seek(-4, os.SEEK_END) == 2
    assert await upload.seek(1, os.SEEK_CUR) == 3
    assert await upload.read(2) == b"de"
    assert upload.size == 6
    await upload.save(path)
    assert path.read_bytes() == b"abcdef"
    assert await upload.tell() == 5
    assert [block async for block in upload] == [b"f"]
    assert [block async for block in upload] == []
    assert upload.size == 6


async def test_file_in_memory_uses_a_thread_for_save_only(thread_calls: list[None], tmp_path: Path) -> None:
    async with UploadFile("a/b", "x", max_spool_size=6) as upload:
        await use(upload, tmp_path / "copy")
        assert not upload.rolled_to_disk
        assert len(thread_calls) == 1
    assert len(thread_calls) == 1


async def test_file_on_disk_is_accessed_in_threads_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    upload = UploadFile("a/b", "x", max_spool_size=5)
    await upload.write(b"123456")
    threads = Threads(upload, monkeypatch)
    await use(upload, tmp_path / "copy")
    assert upload.rolled_to_disk
    assert threads.pop_calls_on_the_loop() == []
    await upload.close()
    assert threads.calls[0] == ("close", False)


@pytest.mark.parametrize("before", [0, 1, 10])
async def test_rollover_is_in_a_thread(monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    """CVE-2025-54121: the rollover blocked the event loop."""
    upload = UploadFile("a/b", "x", max_spool_size=10)
    await upload.write(b"x" * before)
    assert not upload.rolled_to_disk
    threads = Threads(upload, monkeypatch)
    assert await upload.write(b"y" * (11 - before)) == 11 - before
    # Only position and size are read on the event loop.
    assert set(threads.pop_calls_on_the_loop()) <= {"tell", "seek"}
    assert upload.rolled_to_disk
    assert upload.size == 11
    await upload.seek(0)
    assert await upload.read() == b"x" * before + b"y" * (11 - before)
    await upload.close()


async def test_overwriting_does_not_roll_over() -> None:
    async with UploadFile("a/b", "x", b"12345", max_spool_size=5) as upload:
        await upload.write(b"abcde")
        assert not upload.rolled_to_disk
        await upload.write(b"f")
        assert upload.rolled_to_disk


async def test_writing_behind_the_end_rolls_over() -> None:
    async with UploadFile("a/b", "x", max_spool_size=5) as upload:
        await upload.seek(MEGABYTE)
        await upload.write(b"1")
        assert upload.rolled_to_disk
        assert upload.size == MEGABYTE + 1


async def test_spool_size_of_zero_with_write() -> None:
    async with UploadFile("a/b", "x", max_spool_size=0) as upload:
        await upload.write(b"")
        assert not upload.rolled_to_disk
        await upload.write(b"1")
        assert upload.rolled_to_disk


async def test_writes_are_flushed() -> None:
    """The error of a full disk is raised by the write, and the size is correct."""
    async with UploadFile("a/b", "x", max_spool_size=0) as upload:
        await upload.write(b"1")
        assert os.pread(upload.file.fileno(), 10, 0) == b"1"


@pytest.mark.parametrize("spool_size", [0, 100])
async def test_read_at_does_not_change_the_position(spool_size: int) -> None:
    async with UploadFile("a/b", "x", max_spool_size=spool_size) as upload:
        await upload.write(b"12345")
        await upload.seek(3)
        assert await upload.read_at(1, 2) == b"23"
        assert await upload.read_at(2) == b"345"
        assert await upload.read_at(9) == b""
        assert await upload.read() == b"45"


async def test_iteration_returns_blocks() -> None:
    async with UploadFile("a/b", "x") as upload:
        await upload.write(b"x" * (2 * MEGABYTE + 1))
        await upload.seek(0)
        assert [len(block) async for block in upload] == [MEGABYTE, MEGABYTE, 1]


@pytest.mark.parametrize("spool_size", [0, 100])
async def test_close_twice(spool_size: int) -> None:
    upload = UploadFile("a/b", "x", max_spool_size=spool_size)
    await upload.write(b"123")
    await upload.close()
    assert upload.file.closed
    await upload.close()
    with pytest.raises(ValueError, match="closed file"):
        await upload.read()
    with pytest.raises(ValueError, match="closed file"):
        _ = upload.size


async def test_context_manager_closes_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError):
        async with UploadFile("a/b", "x") as upload:
            raise ZeroDivisionError
    assert upload.file.closed


async def test_close_in_a_cancelled_task() -> None:
    upload = UploadFile("a/b", "x", max_spool_size=0)
    await upload.write(b"123")
    with anyio.CancelScope() as scope:
        scope.cancel()
        await upload.close()
    assert upload.file.closed


async def test_cancellation_waits_for_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file must not be closed while a thread writes to it."""
    upload = UploadFile("a/b", "x", max_spool_size=0)
    await upload.write(b"123")
    started, release = threading.Event(), threading.Event()
    write = upload.file.write

    def slow(data: bytes) -> int:
        started.set()
        assert release.wait(10)
        return write(data)

    monkeypatch.setattr(upload.file, "write", slow)

    async def write_and_close() -> None:
        try:
            await upload.write(b"456")
        finally:
            upload.file.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write_and_close)
        while not started.is_set():
            await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()
        release.set()
    assert upload.file.closed


async def test_write_raises_the_error_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = UploadFile("a/b", "x", max_spool_size=0)

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(upload.file, "rollover", full)
    with pytest.raises(OSError, match="No space"):
        await upload.write(b"1")
    assert upload.size == 0
    await upload.close()
    assert upload.file.closed


async def test_small_file_creates_no_temporary_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr("tempfile.SpooledTemporaryFile")
    async with UploadFile("a/b", "x", b"123", max_spool_size=6) as upload:
        await use(upload, tmp_path / "copy")
        owner = upload.detach()
    assert await owner.read_at(0) == b"abcdef"
    await owner.close()


async def test_content_is_not_copied() -> None:
    content = b"x" * 1000
    async with UploadFile("a/b", "x", content) as upload:
        assert await upload.read() is content


@pytest.mark.parametrize("position", [0, 2, 9])
async def test_underlying_file_is_created_on_access(position: int) -> None:
    upload = UploadFile("a/b", "x", b"12345", max_spool_size=100)
    await upload.seek(position)
    file = upload.file
    assert upload.file is file
    assert isinstance(file, SpooledTemporaryFile)
    assert not upload.rolled_to_disk
    assert file.tell() == position
    file.seek(0)
    assert file.read() == b"12345"
    file.write(b"6")
    assert upload.size == 6
    assert await upload.read_at(4) == b"56"
    await upload.write(b"x" * 100)
    assert upload.rolled_to_disk
    await upload.close()
    assert file.closed


SPOOL_SIZES = [(0, 0, False), (1, 0, True), (1, 1, False), (2, 1, True), (4, 4, False), (5, 4, True)]


@pytest.mark.parametrize(("size", "max_spool_size", "on_disk"), SPOOL_SIZES)
async def test_file_data_and_write_roll_over_at_the_same_size(
    size: int, max_spool_size: int, on_disk: bool
) -> None:
    content = b"x" * size
    written = UploadFile("a/b", "x", max_spool_size=max_spool_size)
    await written.write(content)
    await written.seek(0)
    for upload in (written, UploadFile("a/b", "x", content, max_spool_size=max_spool_size)):
        async with upload:
            assert upload.rolled_to_disk is on_disk
            assert upload.size == size
            assert await upload.tell() == 0
            assert await upload.read() == content


async def test_read_during_rollover_waits_for_the_file_on_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload = UploadFile("a/b", "x", b"12345", max_spool_size=5)
    started, release = threading.Event(), threading.Event()
    rollover = SpooledTemporaryFile.rollover

    def slow(file: Any) -> None:
        started.set()
        assert release.wait(10)
        rollover(file)

    monkeypatch.setattr(SpooledTemporaryFile, "rollover", slow)
    found: list[bytes] = []

    async def read() -> None:
        found.append(await upload.read_at(0))

    async with anyio.create_task_group() as tasks:
        await upload.seek(0, os.SEEK_END)
        tasks.start_soon(upload.write, b"6")
        while not started.is_set():
            await anyio.sleep(0.001)
        tasks.start_soon(read)
        await anyio.lowlevel.checkpoint()
        release.set()
    assert found == [b"123456"]
    await upload.close()


async def test_concurrent_writes() -> None:
    upload = UploadFile("a/b", "x", max_spool_size=100)

    async def write(number: int) -> None:
        for _ in range(5):
            await upload.write(bytes([number]) * 50)
            assert upload.size >= 0

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(write, number)
    assert upload.size == 8 * 5 * 50
    await upload.seek(0)
    content = await upload.read()
    blocks = [content[start : start + 50] for start in range(0, len(content), 50)]
    assert sorted(blocks) == sorted(bytes([number]) * 50 for number in range(8) for _ in range(5))
    await upload.close()


async def test_size_during_rollover(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the size from the file would change the position that the thread uses."""
    upload = UploadFile("a/b", "x", b"12345", max_spool_size=5)
    rollover, sizes = upload.file.rollover, list[int]()

    def observed() -> None:
        if not upload.rolled_to_disk:  # fileno() calls it too
            sizes.append(upload.size)
            rollover()

    monkeypatch.setattr(upload.file, "rollover", observed)
    await upload.write(b"abcdef")
    assert sizes == [5]
    assert upload.size == 6
    await upload.close()


async def test_rollover_of_the_underlying_file(tmp_path: Path) -> None:
    """Synchronous code can use ``file`` directly."""
    async with UploadFile("a/b", "x", b"12345") as upload:
        upload.file.rollover()
        assert upload.rolled_to_disk
        assert upload.size == 5
        await upload.save(tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == b"12345"
        assert await upload.read() == b"12345"


@pytest.mark.parametrize("spool_size", [0, 100])
async def test_save_overwrites_and_raises_errors(spool_size: int, tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(b"x" * 100)
    async with UploadFile("a/b", "x", max_spool_size=spool_size) as upload:
        await upload.write(b"12345")
        await upload.save(os.fspath(path))
        assert path.read_bytes() == b"12345"
        with pytest.raises(IsADirectoryError):
            await upload.save(tmp_path)
        assert await upload.tell() == 5


async def test_underlying_file_is_freed_after_close() -> None:
    upload = UploadFile("a/b", "x", max_spool_size=0)
    await upload.write(b"1")
    file = weakref.ref(upload.file)
    await upload.close()
    del upload
    gc.collect()
    assert file() is None


SAFE_NAMES = {
    "a.txt": "a.txt",
    "na\xefve \u20ac.txt": "na\xefve \u20ac.txt",
    "": "file",
    ".": "file",
    "..": "file",
    "/": "file",
    "a/": "file",
    "...": "file",
    " . ": "file",
    "/etc/cron.d/x": "x",
    "../../x": "x",
    "a/../b": "b",
    "..\\x": "x",
    "C:\\d\\x.txt": "x.txt",
    "\\\\srv\\share\\x": "x",
    "C:x.txt": "C_x.txt",
    "x.txt:stream": "x.txt_stream",
    ".htaccess": "htaccess",
    "..hidden.txt": "hidden.txt",
    "a.txt. .": "a.txt",
    " a.txt ": "a.txt",
    "a\0b\r\n\x1b\x7f\x85.txt": "ab.txt",
    "\u202egpj.exe": "gpj.exe",
    "a\ud800b": "ab",
    'a<b>c:d"e|f?g*h': "a_b_c_d_e_f_g_h",
    "&#x2F;": "&#x2F;",
    "CON": "_CON",
    "nul.txt": "_nul.txt",
    "com1 .tar.gz": "_com1 .tar.gz",
    "com0": "com0",
    "console": "console",
    "x" * 300 + ".txt": "x" * 251 + ".txt",
    "\u20ac" * 100 + ".txt": "\u20ac" * 83 + ".txt",
    "a." + "x" * 300: "a." + "x" * 126,
}


@pytest.mark.parametrize(
    ("filename", "safe"), SAFE_NAMES.items(), ids=[ascii(name)[:30] for name in SAFE_NAMES]
)
async def test_safe_filename(filename: str, safe: str, tmp_path: Path) -> None:
    async with UploadFile("a/b", filename, b"1") as upload:
        assert upload.safe_filename == safe
        assert upload.filename == filename
        await upload.save(tmp_path / upload.safe_filename)
        assert [path.name for path in tmp_path.iterdir()] == [safe]
