"""Every reader under every fault: the client leaves, the task is cancelled, the disk is full.

After each message and at each await. Whatever happens, no file stays open, no task goes on, and what is said
of the body afterwards is true: the whole of it, or an error, never a part.
"""

from __future__ import annotations

import asyncio
import errno
import gc
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire._body import form as _form
from asgiwire._body import spool as _spool
from asgiwire._concurrency import in_trio, run_in_thread
from asgiwire.connection import multipart
from asgiwire.datastructures import UploadFile, upload_file
from asgiwire.exceptions import ClientDisconnect, StreamConsumed
from asgiwire.serialization import encode_msgpack
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, form_body, parts, received, settle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

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


async def stream(request: Request, _path: Path) -> Any:
    return b"".join([piece async for piece in request.stream()])


async def replay(request: Request, _path: Path) -> Any:
    return b"".join(await behind(request.replay))


async def tee(request: Request, _path: Path) -> Any:
    seen = bytearray()

    async def sink(piece: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        seen.extend(piece)

    return b"".join(await behind(request.tee(sink))), bytes(seen)


async def behind(receive: Any) -> list[bytes]:
    """What an application behind gets; as its own error, that the client has left."""
    pieces, left = await received(receive)
    if left:
        raise ClientDisconnect
    return pieces


async def watched(request: Request, _path: Path) -> Any:
    async with request.cancel_on_disconnect() as watch:
        return await request.body()
    assert watch.cancelled_caught
    raise ClientDisconnect


FILES = [("f", b"0123456789" * 12), ("g", b"z"), ("h", b"q" * 60)]
READERS: dict[str, tuple[Callable[[Request, Path], Awaitable[Any]], bytes, Any]] = {
    "body": (lambda request, _: request.body(), FORM, FORM),
    "stream": (stream, FORM, FORM),
    "text": (lambda request, _: request.text(), FORM, FORM.decode()),
    "json": (lambda request, _: request.json(), JSON, {"key": "x" * 100}),
    "msgpack": (lambda request, _: request.msgpack(), MSGPACK, {"key": "x" * 100}),
    "urlencoded form": (read_form, URLENCODED, [("a", "1"), ("b", "x" * 100)]),
    "form": (read_form, FORM, [("a", "1"), *FILES]),
    "multipart": (read_parts, FORM, [("a", b"1"), *FILES]),
    "save": (save_parts, FORM, [b"1", *(content for _, content in FILES)]),
    "replay": (replay, FORM, FORM),
    "tee": (tee, FORM, (FORM, FORM)),
    "watched": (watched, FORM, FORM),
}
each_reader = pytest.mark.parametrize("reader", READERS)


def running_tasks() -> int:
    if in_trio():
        import trio

        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


@pytest.fixture(autouse=True, scope="module")
def _quick_collections() -> Iterator[None]:
    """Leave out of the collections what was there before: there is one in each test."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
async def _nothing_is_left(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Fail a test after which a file is open or a task runs."""
    made: list[SpooledTemporaryFile[bytes]] = []

    class Recorded(SpooledTemporaryFile[bytes]):
        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            made.append(self)

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Recorded)
    # Small blocks, so that a small body makes many.
    monkeypatch.setattr(_spool, "BLOCK_SIZE", 50)
    monkeypatch.setattr(_form, "BLOCK_SIZE", 50)
    monkeypatch.setattr(multipart, "BLOCK_SIZE", 50)
    before = running_tasks()
    yield
    await settle()
    assert running_tasks() == before
    # One of another kind that is open is a ResourceWarning when it goes, and that an error.
    gc.collect()
    assert [file for file in made if not file.closed] == []


def request_for(body: bytes, receive: Any) -> Request:
    return Spooling(http_scope(headers={"content-type": TYPES[body]}), receive)


async def assert_true(request: Request, body: bytes) -> None:
    """What every reader says now is the truth, and all say the same at once."""
    for _ in range(2):
        with anyio.fail_after(2):
            try:
                assert await request.body() == body
            except (StreamConsumed, ClientDisconnect, OSError) as error:
                with pytest.raises(type(error)):
                    await stream(request, None)  # type: ignore[arg-type] # it needs no path
            else:
                assert await stream(request, None) == body  # type: ignore[arg-type] # as above


@each_reader
async def test_without_a_fault(reader: str, tmp_path: Path) -> None:
    read, body, expected = READERS[reader]
    request = request_for(body, Live(*parts(body, SIZE)))

    assert await read(request, tmp_path / "saved") == expected
    await assert_true(request, body)


@each_reader
@pytest.mark.parametrize("size", [7, SIZE])
async def test_the_client_leaves_after_each_message(reader: str, size: int, tmp_path: Path) -> None:
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


class Interrupted:
    """Cancels a scope at the n-th await, of all that a reader comes to."""

    def __init__(self, number: int, receive: Live) -> None:
        self.scope = anyio.CancelScope()
        self._left = number
        self._receive = receive

    @property
    def reached(self) -> bool:
        return self._left < 0

    def step(self) -> None:
        if self._left == 0:
            self.scope.cancel()
        self._left -= 1

    async def receive(self) -> Any:
        self.step()
        return await self._receive()

    async def in_thread(self, function: Callable[[], Any]) -> Any:
        self.step()
        return await run_in_thread(function)

    def patch(self, patch: pytest.MonkeyPatch) -> None:
        for module in (upload_file, multipart, _form):
            patch.setattr(module, "run_in_thread", self.in_thread)


@each_reader
async def test_it_is_cancelled_at_each_await(
    reader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, body, expected = READERS[reader]
    cancelled = 0
    for number in range(100):
        interrupted = Interrupted(number, Live(*parts(body, SIZE)))
        request = request_for(body, interrupted.receive)
        with monkeypatch.context() as patch, interrupted.scope:
            interrupted.patch(patch)
            assert await read(request, tmp_path / "saved") == expected
        cancelled += interrupted.scope.cancelled_caught
        await assert_true(request, body)
        if not interrupted.reached:
            break
    assert cancelled >= 3
    assert number < 99


@each_reader
async def test_it_is_cancelled_and_then_the_client_leaves(reader: str, tmp_path: Path) -> None:
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
        ("form", "rollover"),
        ("form", "fileno"),  # which each write of pieces asks for
        ("replay", "rollover"),
        ("replay", "write"),
        ("replay", "flush"),
    ],
)
async def test_the_disk_is_full_at_each_write(
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
            except OSError as error:
                failed += 1
                assert error.errno == errno.ENOSPC
                with pytest.raises(OSError, match="No space left"):
                    await read(request, tmp_path / "saved")
                with pytest.raises(OSError, match="No space left"):
                    await request.body()
            else:
                assert left >= 0
                break
    assert failed >= 1
    assert number < 99


def fail_at(patch: pytest.MonkeyPatch, operation: str, step: Callable[[], None]) -> None:
    """Call ``step`` before each of these operations on a temporary file."""
    import tempfile

    recorded = tempfile.SpooledTemporaryFile
    original = getattr(recorded, operation)

    def failing(file: Any, *arguments: Any) -> Any:
        if file._max_size == 0 or operation == "rollover":  # one that is, or goes, to disk
            step()
        return original(file, *arguments)

    patch.setattr(recorded, operation, failing)


async def test_the_disk_is_full_while_a_part_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = multipart._write
    for number in range(3):
        left = number

        def failing(file: Any, block: Any) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(file, block)

        monkeypatch.setattr(multipart, "_write", failing)
        request = request_for(FORM, Live(*parts(FORM, SIZE)))
        with pytest.raises(OSError, match="No space left"):
            await save_parts(request, tmp_path / "saved")
        with pytest.raises(StreamConsumed, match=r"begun by multipart\(\)"):
            await request.body()
