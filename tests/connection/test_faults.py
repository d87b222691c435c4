"""Every reader under three faults: a disconnect, a cancellation and a full disk.

Each fault occurs after each message or at each await in turn. Afterwards no file is open, no task runs, and
later reads return the whole body or raise, but never return a part of it.
"""

from __future__ import annotations

import errno
import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire._concurrency import run_in_thread
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import ClientDisconnect, InsufficientStorage, StreamConsumed
from asgiwire.serialization import encode_msgpack
from asgiwire.testing import http_scope
from tests.receives import (
    DISCONNECT,
    Live,
    RecordedFile,
    form_body,
    parts,
    patch_everywhere,
    receive_body,
    record_temporary_files,
    run_other_tasks,
    running_tasks,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

pytestmark = pytest.mark.anyio

SIZE = 40
FORM = form_body(("a", None, b"1"), ("f", "x", b"0123456789" * 12), ("g", "y", b"z"), ("h", "y", b"q" * 60))
JSON = b'{"key": "' + b"x" * 100 + b'"}'
MSGPACK = encode_msgpack({"key": "x" * 100})
URLENCODED = b"a=1&b=" + b"x" * 100
TYPES = {
    FORM: "multipart/form-data; boundary=B",
    JSON: "application/json",
    MSGPACK: "application/msgpack",
    URLENCODED: "application/x-www-form-urlencoded",
}


class Spooling(Request):
    limits = Limits(spool_size=30)


async def read_form(request: Request, _path: Path) -> Any:
    async with await request.form() as form:
        return [
            (name, await value.read() if isinstance(value, UploadFile) else value)
            for name, value in form.multi_items()
        ]


async def read_parts(request: Request, _path: Path) -> Any:
    return [(one.name, await one.read()) async for one in request.multipart()]


async def save_parts(request: Request, path: Path) -> Any:
    saved: list[bytes] = []
    async for one in request.multipart():
        await one.save(path)
        saved.append(path.read_bytes())
    return saved


async def read_stream(request: Request, _path: Path) -> Any:
    return b"".join([chunk async for chunk in request.stream()])


async def read_replay(request: Request, _path: Path) -> Any:
    return b"".join(await read_downstream(request.replay))


async def read_tee(request: Request, _path: Path) -> Any:
    seen = bytearray()

    async def sink(chunk: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        seen.extend(chunk)

    return b"".join(await read_downstream(request.tee(sink))), bytes(seen)


async def read_downstream(receive: Any) -> list[bytes]:
    """Return the chunks that a downstream application receives; raise if it receives a disconnect."""
    chunks, disconnected = await receive_body(receive)
    if disconnected:
        raise ClientDisconnect
    return chunks


async def read_watched(request: Request, _path: Path) -> Any:
    async with request.cancel_on_disconnect() as watch:
        return await request.body()
    assert watch.cancelled_caught
    raise ClientDisconnect


FILES = [("f", b"0123456789" * 12), ("g", b"z"), ("h", b"q" * 60)]
READERS: dict[str, tuple[Callable[[Request, Path], Awaitable[Any]], bytes, Any]] = {
    "body": (lambda request, _: request.body(), FORM, FORM),
    "stream": (read_stream, FORM, FORM),
    "text": (lambda request, _: request.text(), FORM, FORM.decode()),
    "json": (lambda request, _: request.json(), JSON, {"key": "x" * 100}),
    "msgpack": (lambda request, _: request.msgpack(), MSGPACK, {"key": "x" * 100}),
    "urlencoded form": (read_form, URLENCODED, [("a", "1"), ("b", "x" * 100)]),
    "form": (read_form, FORM, [("a", "1"), *FILES]),
    "multipart": (read_parts, FORM, [("a", b"1"), *FILES]),
    "save": (save_parts, FORM, [b"1", *(content for _, content in FILES)]),
    "replay": (read_replay, FORM, FORM),
    "tee": (read_tee, FORM, (FORM, FORM)),
    "cancel_on_disconnect": (read_watched, FORM, FORM),
}
each_reader = pytest.mark.parametrize("reader", READERS)


@pytest.fixture(autouse=True, scope="module")
def _freeze_existing_objects() -> Iterator[None]:
    """Exclude existing objects from garbage collection, which each test runs once."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
async def _no_file_or_task_remains(
    anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Fail a test that leaves a file open or a task running."""
    created = record_temporary_files(monkeypatch)
    patch_everywhere(monkeypatch, "BLOCK_SIZE", 50)
    before = running_tasks()
    yield
    await run_other_tasks()
    assert running_tasks() == before
    # Any other open file causes a ResourceWarning here, which is an error.
    gc.collect()
    assert [file for file in created if not file.closed] == []


def request_for(body: bytes, receive: Any) -> Request:
    return Spooling(http_scope(headers={"content-type": TYPES[body]}), receive)


async def assert_later_reads_are_consistent(request: Request, body: bytes) -> None:
    """Check that ``body()`` and ``stream()`` both return the whole body, or both raise the same type."""
    for _ in range(2):
        with anyio.fail_after(2):
            try:
                assert await request.body() == body
            except (StreamConsumed, ClientDisconnect, OSError) as error:
                with pytest.raises(type(error)):
                    await read_stream(request, None)  # type: ignore[arg-type] # the path is unused
            else:
                assert await read_stream(request, None) == body  # type: ignore[arg-type] # as above


@each_reader
async def test_reader_without_a_fault(reader: str, tmp_path: Path) -> None:
    read, body, expected = READERS[reader]
    request = request_for(body, Live(*parts(body, SIZE)))

    assert await read(request, tmp_path / "saved") == expected
    await assert_later_reads_are_consistent(request, body)


@each_reader
@pytest.mark.parametrize("size", [7, SIZE])
async def test_disconnect_after_each_message(reader: str, size: int, tmp_path: Path) -> None:
    read, body, _ = READERS[reader]
    messages = parts(body, size)
    for number in range(len(messages)):
        live = Live(*messages[:number], DISCONNECT)
        request = request_for(body, live)
        with pytest.raises(ClientDisconnect):
            await read(request, tmp_path / "saved")
        for _ in range(2):
            with pytest.raises(ClientDisconnect), anyio.fail_after(2):
                await request.body()
        assert not request.is_connected
        assert live.calls == number + 1


class CancelAtStep:
    """Cancels a scope at the n-th call of ``receive`` or of a thread."""

    def __init__(self, number: int, receive: Live) -> None:
        self.scope = anyio.CancelScope()
        self._left = number
        self._receive = receive

    @property
    def is_finished(self) -> bool:
        return self._left < 0

    def step(self) -> None:
        if self._left == 0:
            self.scope.cancel()
        self._left -= 1

    async def receive(self) -> Any:
        self.step()
        return await self._receive()

    async def run_in_thread(self, function: Callable[[], Any]) -> Any:
        self.step()
        return await run_in_thread(function)

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        patch_everywhere(patch, "run_in_thread", self.run_in_thread)


@each_reader
async def test_cancellation_at_each_await(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, body, expected = READERS[reader]
    cancelled = 0
    for number in range(100):
        canceller = CancelAtStep(number, Live(*parts(body, SIZE)))
        request = request_for(body, canceller.receive)
        with monkeypatch.context() as patch, canceller.scope:
            canceller.patch(patch)
            assert await read(request, tmp_path / "saved") == expected
        cancelled += canceller.scope.cancelled_caught
        await assert_later_reads_are_consistent(request, body)
        if not canceller.is_finished:
            break
    assert cancelled >= 3
    assert number < 99


@each_reader
async def test_disconnect_after_a_cancellation(reader: str, tmp_path: Path) -> None:
    read, body, _ = READERS[reader]
    live = Live(*parts(body, SIZE)[:2])
    request = request_for(body, live)
    with anyio.move_on_after(0.005) as waited:
        await read(request, tmp_path / "saved")
    assert waited.cancelled_caught

    live.put(DISCONNECT)
    with pytest.raises((ClientDisconnect, StreamConsumed)), anyio.fail_after(2):
        await request.body()


@pytest.mark.parametrize(
    ("reader", "operation"),
    [
        ("form", "create"),
        ("form", "seek"),
        ("form", "fileno"),  # called by each write of chunks
        ("replay", "create"),
        ("replay", "seek"),
        ("replay", "fileno"),
    ],
)
async def test_full_disk_at_each_write(
    reader: str, operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, body, expected = READERS[reader]
    failed = 0
    for number in range(100):
        left = number

        def step() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            fail_at(patch, operation, step)
            request = request_for(body, Live(*parts(body, SIZE)))
            try:
                assert await read(request, tmp_path / "saved") == expected
            except InsufficientStorage as error:
                failed += 1
                assert isinstance(error.__cause__, OSError)
                with pytest.raises(InsufficientStorage):
                    await read(request, tmp_path / "saved")
                with pytest.raises(InsufficientStorage):
                    await request.body()
            else:
                assert left >= 0
                break
    assert failed >= 1
    assert number < 99


def fail_at(patch: pytest.MonkeyPatch, operation: str, step: Callable[[], None]) -> None:
    """Call ``step`` before each such operation on the temporary file, in the thread that writes."""
    from asgiwire._body import shared_file

    if operation == "create":
        create = shared_file.TemporaryFile

        def failing_create(**arguments: Any) -> Any:
            step()
            return create(**arguments)

        patch.setattr(shared_file, "TemporaryFile", failing_create)
        return
    append = shared_file.SharedFile.append
    appending = False
    original = getattr(RecordedFile, operation)

    def failing(file: Any, *arguments: Any) -> Any:
        if appending:  # a read that fails is no full disk
            step()
        return original(file, *arguments)

    def recorded_append(shared: Any, chunks: Any) -> None:
        nonlocal appending
        appending = True
        try:
            append(shared, chunks)
        finally:
            appending = False

    patch.setattr(RecordedFile, operation, failing)
    patch.setattr(shared_file.SharedFile, "append", recorded_append)


async def test_full_disk_while_a_part_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call of a thread opens the file; each later call writes to it."""
    for number in range(1, 4):
        calls = 0

        async def fail(function: Callable[[], Any], number: int = number) -> Any:
            nonlocal calls
            calls += 1
            if calls > number:
                raise OSError(errno.ENOSPC, "No space left on device")
            return await run_in_thread(function)

        patch_everywhere(monkeypatch, "run_in_thread", fail)
        request = request_for(FORM, Live(*parts(FORM, SIZE)))
        with pytest.raises(OSError, match="No space left"):
            await save_parts(request, tmp_path / "saved")
        with pytest.raises(StreamConsumed, match=r"multipart\(\)") as caught:
            await request.body()
        assert caught.value.consumer == "multipart()"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full exists on Linux only")
async def test_save_to_a_full_device_raises() -> None:
    request = request_for(FORM, Live(*parts(FORM, SIZE)))
    with pytest.raises(OSError, match="No space left"):
        await save_parts(request, Path("/dev/full"))
    with pytest.raises(StreamConsumed, match=r"multipart\(\)"):
        await request.body()
