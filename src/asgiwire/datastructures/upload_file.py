"""Uploaded files, in memory while they are small and then on disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from asgiwire._concurrency import run_in_thread
from asgiwire._parsers.filenames import safe_filename
from asgiwire.limits import BLOCK_SIZE

from .headers import Headers

__all__ = ("UploadFile",)

T = TypeVar("T")


class UploadFile:
    """A file that the client uploaded.

    Methods use a file in memory directly. They access a file on disk, and move a file to disk, in a worker
    thread. Several tasks can call methods at the same time; all of them share one position.

    Args:
        file_data: The content; the position is 0. If it is larger than ``max_spool_size``, the constructor
            writes it to disk, which blocks the event loop.
        max_spool_size: Bytes that can be in memory. A write that exceeds them moves the file to disk.

    Attributes:
        filename: The name as sent by the client; never use it as a path.
        content_type: The media type as sent by the client; ``text/plain`` if it sent none (RFC 7578 section
            4.4).
    """

    __slots__ = (
        "__weakref__",
        "_disk_lock",
        "_file",
        "_headers",
        "_max_spool_size",
        "_size_in_memory",
        "content_type",
        "filename",
    )

    def __init__(
        self,
        content_type: str,
        filename: str,
        file_data: bytes | None = None,
        headers: dict[str, str] | None = None,
        max_spool_size: int = 1024 * 1024,
    ) -> None:
        self.content_type: str = content_type
        self.filename: str = filename
        self._headers: Mapping[str, str] = headers or {}
        # A BytesIO shares the bytes that it is created from. A temporary file takes ten times as long to
        # create, and small files never need one.
        self._file: BytesIO | tempfile.SpooledTemporaryFile[bytes] = BytesIO(file_data or b"")
        self._max_spool_size = max_spool_size
        # Created with the first call in a worker thread. From then on, several threads can use the file.
        self._disk_lock: Lock | None = None
        self._size_in_memory = 0
        if file_data and len(file_data) > max_spool_size:
            self.file.rollover()

    @property
    def headers(self) -> Headers:
        """The headers of the part; immutable and case-insensitive. Setting a mapping converts it."""
        headers = self._headers
        if not isinstance(headers, Headers):
            headers = self._headers = Headers([_encoded(*pair) for pair in headers.items()])
        return headers

    @headers.setter
    def headers(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    @property
    def file(self) -> tempfile.SpooledTemporaryFile[bytes]:
        """The underlying file, for synchronous code; its methods block the event loop."""
        file = self._file
        if isinstance(file, BytesIO):
            file = self._file = _temporary_file(file, self._max_spool_size)
        return file

    @property
    def rolled_to_disk(self) -> bool:
        """Whether the file is on disk."""
        return bool(getattr(self._file, "_rolled", False))

    @property
    def size(self) -> int:
        """The size of the file in bytes.

        Raises:
            ValueError: The file is closed.
        """
        if self.rolled_to_disk:
            return os.fstat(self._file.fileno()).st_size  # does not access the disk
        if self._disk_lock is not None:
            return self._size_in_memory  # a thread is moving the file to disk
        position = self._file.tell()
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(position)
        return size

    @property
    def safe_filename(self) -> str:
        """A safe name to store the file under, derived from ``filename``; ``"file"`` if nothing is left.

        It has no directories, no unprintable characters, none that Windows forbids, no leading dots, hyphens
        or tildes, and is not the name of a device. It has at most 255 bytes in UTF-8. Several files can have
        the same safe name.
        """
        return safe_filename(self.filename)

    async def read(self, size: int = -1) -> bytes:
        """Read from the current position.

        Args:
            size: Maximum number of bytes; ``-1`` for the rest of the file.
        """
        if self._is_in_memory:
            return self._file.read(size)
        return await self._in_thread(partial(self._file.read, size))

    async def write(self, data: bytes | bytearray) -> int:
        """Write at the current position, and return the number of bytes written."""
        if self._is_in_memory:
            if self._file.tell() + len(data) <= self._max_spool_size:
                return self._file.write(data)
            self._size_in_memory = self.size
            # Created before the thread starts, so that other tasks use the same file while it moves to disk.
            _ = self.file
        return await self._in_thread(partial(self._write_to_disk, data))

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Change the position, and return the new one.

        Args:
            offset: Bytes relative to ``whence``.
            whence: ``os.SEEK_SET``, ``os.SEEK_CUR`` or ``os.SEEK_END``.
        """
        if self._is_in_memory:
            return self._file.seek(offset, whence)
        return await self._in_thread(partial(self._file.seek, offset, whence))

    async def read_at(self, position: int, size: int = -1) -> bytes:
        """Read from ``position`` without changing the current position.

        Args:
            position: Bytes from the beginning of the file.
            size: Maximum number of bytes; ``-1`` for the rest of the file.
        """
        read = partial(_read_at, self._file, position, size)
        return read() if self._is_in_memory else await self._in_thread(read)

    async def tell(self) -> int:
        """Return the current position in bytes."""
        if self._is_in_memory:
            return self._file.tell()
        return await self._in_thread(self._file.tell)

    async def save(self, path: str | os.PathLike[str]) -> None:
        """Copy the whole file to ``path`` in a worker thread without changing the current position.

        An existing file is overwritten. If the copy fails, a partial file can remain.

        Args:
            path: A path that the application chooses. It can end in ``safe_filename``, never in ``filename``.

        Raises:
            OSError: The file cannot be written.
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
        """Transfer the file to a new object that the caller has to close.

        This object is closed then. So the form can be closed while work after the request still uses the
        file. Do not call it during a read or write.
        """
        owner = UploadFile(self.content_type, self.filename, None, self.headers, self._max_spool_size)
        owner._file, self._file = self._file, owner._file
        owner._disk_lock, self._disk_lock = self._disk_lock, None
        owner._size_in_memory = self._size_in_memory
        self._file.close()
        return owner

    async def close(self) -> None:
        """Close the file and delete it from disk. Further calls do nothing."""
        if self._file.closed:
            return
        if self._is_in_memory:
            self.close_nowait()
            return
        try:
            await self._in_thread(self._file.close)
        finally:
            # In a cancelled task the thread may never start, and the file must not stay open.
            self.close_nowait()

    def close_nowait(self) -> None:
        """Close the file in the current thread, for code that cannot await."""
        self._file.close()

    def __aiter__(self) -> Self:
        """Iterate over the rest of the file in blocks of up to 1 MiB."""
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
        # Escaped, because the filename can contain line breaks and terminal control codes.
        return repr(f"{self.filename} - {self.content_type}")[1:-1]

    @property
    def _is_in_memory(self) -> bool:
        # The type is checked first, because this is called often and most files are small.
        return self._disk_lock is None and (type(self._file) is BytesIO or not self.rolled_to_disk)

    async def _in_thread(self, function: Callable[[], T]) -> T:
        if self._disk_lock is None:
            self._disk_lock = Lock()
        return await run_in_thread(partial(_call_with, self._disk_lock, function))

    def _write_to_disk(self, data: bytes | bytearray) -> int:
        self.file.rollover()
        written = self.file.write(data)
        # Without this, the error of a full disk would be raised by a later read or close.
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


def _temporary_file(memory: BytesIO, max_size: int) -> tempfile.SpooledTemporaryFile[bytes]:
    """Create a temporary file with the content, the position and the closed state of ``memory``."""
    # No context manager: the caller closes the file.
    file = tempfile.SpooledTemporaryFile(max_size=max_size)  # noqa: SIM115 - as above
    if memory.closed:
        file.close()
    else:
        if content := memory.getvalue():
            file.write(content)
        file.seek(memory.tell())
    return file


def _read_at(file: BytesIO | tempfile.SpooledTemporaryFile[bytes], position: int, size: int) -> bytes:
    before = file.tell()
    file.seek(position)
    data = file.read(size)
    file.seek(before)
    return data


def _write_file(path: str | os.PathLike[str], content: bytes) -> None:
    with open(path, "wb") as target:
        target.write(content)


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    # Names and values come from the client, in the charset of its form, so they are not validated.
    try:
        return name.encode("latin-1"), value.encode("latin-1")
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace"), value.encode("utf-8", "replace")
