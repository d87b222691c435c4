"""Uploaded files, in memory while they are small and then on disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from io import BufferedWriter, BytesIO, FileIO
from threading import Lock
from types import TracebackType
from typing import IO, Any, ClassVar, Self, TypeVar

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
        headers: The headers of the part.
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

    _is_received: ClassVar = True  # decoders pass it on as it is, and convert nothing to it

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

    @classmethod
    def _on_disk(
        cls,
        file: tempfile.SpooledTemporaryFile[bytes],
        content_type: str,
        filename: str,
        headers: dict[str, str],
        max_spool_size: int,
    ) -> Self:
        """Create an upload of a temporary file that is on disk already."""
        upload = cls(content_type, filename, None, headers, max_spool_size)
        upload._file = file
        return upload

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
            # Files of one form share a temporary file, and each of them knows its size.
            size: int | None = getattr(self._file, "size", None)
            return os.fstat(self._file.fileno()).st_size if size is None else size
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

    async def readline(self, size: int = -1) -> bytes:
        """Read one line from the current position, with its line end; ``b""`` at the end of the file.

        Args:
            size: Maximum number of bytes; ``-1`` for the whole line.
        """
        if self._is_in_memory:
            return self._file.readline(size)
        return await self._in_thread(partial(self._file.readline, size))

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Iterate over the lines from the current position, with their line ends (LF).

        Lines are read ahead in blocks of about 1 MiB, and the position is behind them.
        """
        while lines := await self._read_lines():
            for line in lines:
                yield line

    async def text(self, encoding: str | None = None) -> str:
        """Return the whole content as text without changing the current position.

        Args:
            encoding: A label of the WHATWG Encoding standard, such as ``"latin1"``. By default, the charset
                of ``content_type``, else UTF-8 with U+FFFD for invalid bytes. A byte order mark is removed.

        Raises:
            SerializationException: The content is invalid in the encoding.
            LookupError: ``encoding`` is unknown.
        """
        from asgiwire._parsers.charsets import codec_for, decode_body
        from asgiwire._parsers.content_headers import parse_media_type

        if encoding is not None and codec_for(encoding) is None:
            raise LookupError(f"unknown encoding: {encoding!r}")
        if encoding is None:
            media_type = self.content_type.encode("latin-1", "replace")
            encoding = parse_media_type(media_type)[1].get("charset", "")
        return decode_body(await self.read_at(0), encoding, "the file")

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

    async def save(self, target: str | os.PathLike[str] | IO[bytes]) -> None:
        """Copy the whole file in a worker thread without changing the current position.

        On Linux the kernel copies a file on disk. If the copy fails, a part of it can remain.

        Args:
            target: A path that the application chooses, or a binary file that is open for writing. A path can
                end in ``safe_filename``, never in ``filename``; an existing file is overwritten. An open file
                is written from its position, and stays open.

        Raises:
            OSError: The file cannot be written.
        """
        if self._is_in_memory:
            # Read now: other tasks can use the file while the thread writes.
            content = _read_at(self._file, 0, -1)
            await run_in_thread(partial(_save, target, partial(_write_all, content)))
        else:
            await self._in_thread(partial(_save, target, self._copy_from_disk))

    def detach(self) -> UploadFile:
        """Transfer the file to a new object that the caller has to close.

        This object is closed then. So the form can be closed while work after the request still uses the
        file. Do not call it during a read or write.
        """
        owner = UploadFile(self.content_type, self.filename, max_spool_size=self._max_spool_size)
        owner._headers = self._headers
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

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> dict[str, Any]:
        """Return the schema for Pydantic models with a file: an instance of this class."""
        return {"type": "is-instance", "cls": cls}

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

    async def _read_lines(self) -> list[bytes]:
        if self._is_in_memory:
            return self._file.readlines(BLOCK_SIZE)
        return await self._in_thread(partial(self._file.readlines, BLOCK_SIZE))

    def _copy_from_disk(self, target: IO[bytes]) -> None:
        from shutil import copyfileobj

        position = self._file.tell()
        try:
            self._file.flush()
            self._file.seek(_copy_in_kernel(self._file, target))
            copyfileobj(self._file, target, BLOCK_SIZE)  # the rest, which is nothing on most systems
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


def _save(target: str | os.PathLike[str] | IO[bytes], write: Callable[[IO[bytes]], None]) -> None:
    if isinstance(target, str | os.PathLike):
        with open(target, "wb") as file:
            write(file)
    else:
        write(target)


def _write_all(content: bytes, file: IO[bytes]) -> None:
    remaining = memoryview(content)
    while remaining:
        # An unbuffered file may write a part of it. Some file objects return no number.
        remaining = remaining[file.write(remaining) or len(remaining) :]


def _copy_in_kernel(source: IO[bytes], target: IO[bytes]) -> int:
    """Copy a file on disk to the position of another one, and return the number of bytes copied.

    It is 0 if the system cannot copy these files, and less than the size after an error.
    """
    if not (
        isinstance(source, tempfile.SpooledTemporaryFile) and isinstance(target, BufferedWriter | FileIO)
    ):
        return 0
    target.flush()
    source_fd, target_fd = source.fileno(), target.fileno()
    size = os.fstat(source_fd).st_size
    copied = 0
    # The second one also copies from one file system to another.
    for copy in (_copy_file_range, _sendfile):
        try:
            while copied < size and (count := copy(source_fd, target_fd, copied, size - copied)):
                copied += count
        except (AttributeError, OSError):
            continue  # an error that persists, such as a full disk, is raised by the copy of the rest
    if copied:
        target.seek(os.lseek(target_fd, 0, os.SEEK_CUR))  # the file object does not know the new position
    return copied


def _copy_file_range(source: int, target: int, offset: int, count: int) -> int:
    return os.copy_file_range(source, target, count, offset)


def _sendfile(source: int, target: int, offset: int, count: int) -> int:
    return os.sendfile(target, source, offset, count)


def _encoded(name: str, value: str) -> tuple[bytes, bytes]:
    # Names and values come from the client, in the charset of its form, so they are not validated.
    try:
        return name.encode("latin-1"), value.encode("latin-1")
    except UnicodeEncodeError:
        return name.encode("utf-8", "replace"), value.encode("utf-8", "replace")
