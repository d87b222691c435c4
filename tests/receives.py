"""ASGI receive callables, bodies and patches that several test modules share."""

from __future__ import annotations

import asyncio
import importlib
import os
import pkgutil
import sys
from io import FileIO
from tempfile import mkstemp
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from asgiwire._concurrency import in_trio

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

DISCONNECT = {"type": "http.disconnect"}


def part(body: bytes, more_body: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more_body}


def parts(body: bytes, size: int) -> list[dict[str, Any]]:
    """Split a body into messages of ``size`` bytes and an empty last one, as some servers do."""
    return [*(part(chunk) for chunk in split(body, size)), part(b"", more_body=False)]


def split(body: bytes, size: int) -> list[bytes]:
    """Split a body into chunks of ``size`` bytes."""
    return [body[start : start + size] for start in range(0, len(body), size)]


class Live:
    """A receive callable over a queue; messages can be added while a task waits for one.

    A cancelled call takes no message. Two calls at once, and a call after the disconnect, fail the test:
    real servers block there.

    Args:
        checkpoint: Whether each call has a checkpoint before it takes a message, as the channels of trio
            and anyio do.

    Attributes:
        calls: Number of calls.
        given: Number of messages returned or raised.
        waiting: Whether a call is in progress.
    """

    def __init__(self, *messages: dict[str, Any] | Exception, checkpoint: bool = True) -> None:
        self.messages: list[dict[str, Any] | Exception] = list(messages)
        self.checkpoint = checkpoint
        self.calls = self.given = 0
        self.waiting = False
        self._disconnected = False
        self._changed = anyio.Event()

    async def __call__(self) -> Any:
        assert not self.waiting, "receive was called twice at the same time"
        assert not self._disconnected, "receive was called after http.disconnect"
        self.calls += 1
        self.waiting = True
        try:
            if self.checkpoint:
                await anyio.lowlevel.checkpoint()
            while not self.messages:
                await self._changed.wait()
        finally:
            self.waiting = False
        return self._give(self.messages.pop(0))

    def put(self, *messages: dict[str, Any] | Exception) -> None:
        self.messages += messages
        self._changed.set()
        self._changed = anyio.Event()

    def _give(self, message: dict[str, Any] | Exception) -> dict[str, Any]:
        self.given += 1
        if isinstance(message, Exception):
            raise message
        self._disconnected = message["type"] == "http.disconnect"
        return message


async def run_other_tasks() -> None:
    """Let the other tasks run until they wait."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()


def running_tasks() -> int:
    """Return the number of tasks of the running event loop."""
    if in_trio():
        import trio

        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())


async def receive_body(receive: Any) -> tuple[list[bytes], bool]:
    """Receive one body as an application does; return its chunks and whether a disconnect ended it."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return chunks, True
        chunks.append(message["body"])
        if not message["more_body"]:
            return chunks, False


def form_body(*fields: tuple[str, str | None, bytes], boundary: str = "B") -> bytes:
    """Encode a multipart form of (name, filename, content) tuples."""
    lines: Iterable[bytes] = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        + (b"" if filename is None else f'; filename="{filename}"'.encode())
        + b"\r\n\r\n"
        + content
        + b"\r\n"
        for name, filename, content in fields
    )
    return b"".join((*lines, f"--{boundary}--\r\n".encode()))


class RecordedFile(FileIO):
    """A temporary file whose methods a test can replace."""


def record_temporary_files(
    monkeypatch: pytest.MonkeyPatch, kind: type[RecordedFile] = RecordedFile
) -> list[Any]:
    """Return a list to which each temporary file of a form or a body is added."""
    created: list[Any] = []

    def create(**_arguments: Any) -> RecordedFile:
        descriptor, path = mkstemp()
        os.unlink(path)
        created.append(kind(descriptor, "w+"))
        return created[-1]

    monkeypatch.setattr("asgiwire._body.shared_file.TemporaryFile", create)
    return created


def patch_everywhere(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    """Replace a private global in every module of asgiwire that reads or writes files.

    Some tests run a reader once for each of its awaits, so they need blocks of a few bytes, or control over
    the worker threads. There is no public setting for either.

    Args:
        monkeypatch: Restores the globals.
        name: ``BLOCK_SIZE`` or ``run_in_thread``. The original of the latter stays in
            ``asgiwire._concurrency``.
        value: The replacement.
    """
    from asgiwire import _body
    from asgiwire.connection import multipart  # noqa: F401 - imported lazily by the library
    from asgiwire.datastructures import upload_file  # noqa: F401 - as above

    for module in pkgutil.iter_modules(_body.__path__, "asgiwire._body."):
        importlib.import_module(module.name)
    for module_name, loaded in sys.modules.copy().items():
        if (
            module_name.startswith("asgiwire.")
            and module_name != "asgiwire._concurrency"
            and name in vars(loaded)
        ):
            monkeypatch.setattr(loaded, name, value)
