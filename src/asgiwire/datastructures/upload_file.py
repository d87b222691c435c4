"""One uploaded file: in memory while it is small, then on disk, and never in the way of the event loop.

What is in memory is read and written directly. Everything that touches the disk, the move from memory to
disk included, is done in a worker thread. Several tasks may use one file at once: each call is whole, but
they share one position. Left out: parsing, which is ``_multipart``, and ownership: whoever has the form
closes it.
"""

from __future__ import annotations

import os
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

from asgiwire._concurrency import run_in_thread
from asgiwire._parsers.filenames import safe_filename

if TYPE_CHECKING:
    from collections.abc import Callable
    from tempfile import SpooledTemporaryFile
    from threading import Lock
    from types import TracebackType
    from typing import Self

__all__ = ("UploadFile",)

T = TypeVar("T")

ONE_MEGABYTE = 1024 * 1024
BLOCK_SIZE = ONE_MEGABYTE


class UploadFile:
    """A file that a client has uploaded.

    Args:
        file_data: Its content; the position is at its beginning then.
        max_spool_size: Bytes that are kept in memory; a write that would exceed them moves the file to disk.

    Attributes:
        filename: What the client sent, unchanged: never a path to write to.
        content_type: The media type that the client declared.
        headers: Those of its part, names lower-cased.
    """

    __slots__ = (
        "__weakref__",
        "_disk_lock",
        "_file",
        "_max_spool_size",
        "_size_in_memory",
        "content_type",
        "filename",
        "headers",
    )

    def __init__(
        self,
        content_type: str,
        filename: str,
        file_data: bytes | None = None,
        headers: dict[str, str] | None = None,
        max_spool_size: int = ONE_MEGABYTE,
    ) -> None:
        self.content_type: str = content_type
        self.filename: str = filename
        self.headers: dict[str, str] = headers or {}
        # A small file never needs more than this, which shares the bytes that it is made of: a temporary file
        # costs ten times as much to make, and `tempfile` an import.
        self._file: BytesIO | SpooledTemporaryFile[bytes] = BytesIO(file_data or b"")
        self._max_spool_size = max_spool_size
        # Made when the file first goes to disk. From then on two threads may want it at once.
        self._disk_lock: Lock | None = None
        self._size_in_memory = 0
        if file_data and 0 < max_spool_size < len(file_data):
            self._file = _temporary_file(self._file, max_spool_size)

    @property
    def file(self) -> SpooledTemporaryFile[bytes]:
        """The file itself, for synchronous code. Used directly, it blocks whoever uses it."""
        file = self._file
        if isinstance(file, BytesIO):
            file = self._file = _temporary_file(file, self._max_spool_size)
        return file

    @property
    def rolled_to_disk(self) -> bool:
        """Whether the file is on disk and no longer in memory."""
        return bool(getattr(self._file, "_rolled", False))

    @property
    def size(self) -> int:
        """Bytes of the whole file, wherever the position is.

        Raises:
            ValueError: The file is closed.
        """
        if self.rolled_to_disk:
            return os.fstat(self._file.fileno()).st_size  # asks the open file, not the disk
        if self._disk_lock is not None:
            return self._size_in_memory  # a thread is moving the file at this moment
        position = self._file.tell()
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(position)
        return size

    @property
    def safe_filename(self) -> str:
        """The last part of ``filename``, fit to be the name of a file; ``"file"`` if nothing is left.

        Without directories of either kind, characters that do not print or that Windows forbids, leading
        dots, and names of devices; at most 255 bytes in UTF-8. Two uploads may have the same.
        """
        return safe_filename(self.filename)

    async def read(self, size: int = -1) -> bytes:
        """Read from the position on.

        Args:
            size: Bytes at most; ``-1`` for the rest of the file.
        """
        if self._is_in_memory:
            return self._file.read(size)
        return await self._in_thread(partial(self._file.read, size))

    async def write(self, data: bytes | bytearray) -> int:
        """Write at the position, and say how many bytes that was."""
        if self._is_in_memory:
            if self._file.tell() + len(data) <= self._max_spool_size:
                return self._file.write(data)
            self._size_in_memory = self.size
            # Made here, because what other tasks ask of it while it moves has to be asked of the same object.
            _ = self.file
        return await self._in_thread(partial(self._write_to_disk, data))

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, and say where it is then.

        Args:
            offset: Bytes from where ``whence`` says.
            whence: ``os.SEEK_SET``, ``os.SEEK_CUR`` or ``os.SEEK_END``.
        """
        if self._is_in_memory:
            return self._file.seek(offset, whence)
        return await self._in_thread(partial(self._file.seek, offset, whence))

    async def read_at(self, position: int, size: int = -1) -> bytes:
        """Read from ``position`` on, and leave the position of the file where it is.

        Args:
            position: Bytes from the beginning.
            size: Bytes at most; ``-1`` for the rest of the file.
        """
        read = partial(_read_at, self._file, position, size)
        return read() if self._is_in_memory else await self._in_thread(read)

    async def tell(self) -> int:
        """The position, in bytes."""
        if self._is_in_memory:
            return self._file.tell()
        return await self._in_thread(self._file.tell)

    async def save(self, path: str | os.PathLike[str]) -> None:
        """Copy the whole file to ``path``, in a worker thread; the position stays where it is.

        A file that is there is replaced. Of a copy that fails, what was written stays.

        Args:
            path: One that you chose. ``safe_filename`` may be its last part, ``filename`` never.

        Raises:
            OSError: It cannot be written.
        """
        if self._is_in_memory:
            position = self._file.tell()
            self._file.seek(0)
            content = self._file.read()
            self._file.seek(position)
            await run_in_thread(partial(_write_file, path, content))
        else:
            await self._in_thread(partial(self._copy_from_disk, path))

    def detach(self) -> UploadFile:
        """Hand the file over to a new object, which is to be closed by whoever asked for it.

        This one is closed then, so that closing the form leaves the file to work that outlives the request.
        Not while a read or a write of it is under way.
        """
        owner = UploadFile(self.content_type, self.filename, None, self.headers, self._max_spool_size)
        owner._file, self._file = self._file, owner._file
        owner._disk_lock, self._disk_lock = self._disk_lock, None
        owner._size_in_memory = self._size_in_memory
        self._file.close()
        return owner

    async def close(self) -> None:
        """Close the file; a temporary file on disk is gone then. Closing twice does nothing."""
        if self._file.closed:
            return
        if self._is_in_memory:
            self.close_nowait()
            return
        try:
            await self._in_thread(self._file.close)
        finally:
            # A task that is cancelled may get no thread any more, and a file must not stay open.
            self.close_nowait()

    def close_nowait(self) -> None:
        """Close the file at once, on disk or not; for code that cannot await."""
        self._file.close()

    def __aiter__(self) -> Self:
        """Iterate over the rest of the file in blocks of at most 1 MiB."""
        return self

    async def __anext__(self) -> bytes:
        block = await self.read(BLOCK_SIZE)
        if not block:
            raise StopAsyncIteration
        return block

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        # As repr() would show it: a filename may hold anything, a line break or a terminal's codes included.
        return repr(f"{self.filename} - {self.content_type}")[1:-1]

    @property
    def _is_in_memory(self) -> bool:
        # Asked at each call, and nearly always answered by the type alone.
        return self._disk_lock is None and (type(self._file) is BytesIO or not self.rolled_to_disk)

    async def _in_thread(self, function: Callable[[], T]) -> T:
        if self._disk_lock is None:
            from threading import Lock

            self._disk_lock = Lock()
        return await run_in_thread(partial(_call_with, self._disk_lock, function))

    def _write_to_disk(self, data: bytes | bytearray) -> int:
        self.file.rollover()
        written = self.file.write(data)
        # A full disk is the writer's error; unflushed it would be the error of whoever reads or closes.
        self.file.flush()
        return written

    def _copy_from_disk(self, path: str | os.PathLike[str]) -> None:
        from shutil import copyfileobj

        position = self._file.tell()
        try:
            self._file.seek(0)
            with open(path, "wb") as target:
                copyfileobj(self._file, target, BLOCK_SIZE)
        finally:
            self._file.seek(position)


def _call_with(lock: Lock, function: Callable[[], T]) -> T:
    with lock:
        return function()


def _temporary_file(memory: BytesIO, max_size: int) -> SpooledTemporaryFile[bytes]:
    """A temporary file with the content, the position and the end of one that is only memory."""
    from tempfile import SpooledTemporaryFile

    # No context manager: the file is to outlive this call.
    file = SpooledTemporaryFile(max_size=max_size)  # noqa: SIM115 - as above
    if memory.closed:
        file.close()
    else:
        if content := memory.getvalue():
            file.write(content)
        file.seek(memory.tell())
    return file


def _read_at(file: BytesIO | SpooledTemporaryFile[bytes], position: int, size: int) -> bytes:
    before = file.tell()
    file.seek(position)
    data = file.read(size)
    file.seek(before)
    return data


def _write_file(path: str | os.PathLike[str], content: bytes) -> None:
    with open(path, "wb") as target:
        target.write(content)
