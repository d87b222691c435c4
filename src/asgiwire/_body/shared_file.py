"""One temporary file for all files of a form on disk, so that a form needs one file descriptor."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from io import BufferedReader, RawIOBase
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile, TemporaryFile
from threading import Lock
from typing import IO, Any, Final, cast

from asgiwire.limits import BLOCK_SIZE

__all__ = ("FileSection", "SharedFile", "write_chunks")

BUFFER_SIZE: Final = 1024
"""Size of the buffer of each section in bytes. Only reads by line need it; larger reads bypass it."""


# Linux accepts at most 1,024 buffers in one call.
MAX_WRITTEN: Final = 512

HAS_WRITEV: Final = hasattr(os, "writev")  # missing on Windows


class SharedFile:
    """A temporary file to which sections are appended. Its methods block, and are thread-safe.

    It is created with the first section, and closed with the last one or by :meth:`close`.

    Attributes:
        size: Bytes in the file.
    """

    __slots__ = ("_file", "_lock", "_sections", "size")

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._lock = Lock()
        self._sections = 0
        self.size = 0

    def append(self, chunks: Sequence[bytes | bytearray]) -> None:
        """Append chunks. After an error, the next call overwrites the chunks that were written."""
        with self._lock:
            if self._file is None:
                self._file = cast("IO[bytes]", TemporaryFile(buffering=0))  # noqa: SIM115 - see close()
            self._file.seek(self.size)
            write_chunks(self._file, chunks)
            self.size += sum(map(len, chunks))

    def read(self, position: int, size: int) -> bytes:
        """Return at most ``size`` bytes from a position on."""
        assert self._file is not None
        with self._lock:
            self._file.seek(position)
            return self._file.read(size)

    def section(self, position: int, size: int) -> FileSection:
        """Return a part of the file as a separate file object, which must be closed."""
        with self._lock:
            self._sections += 1
        return FileSection(self, position, size)

    def release(self) -> None:
        """Close the file if this was its last section."""
        with self._lock:
            self._sections -= 1
            if not self._sections:
                self.close()

    def close(self) -> None:
        """Close the file. Further calls do nothing."""
        if self._file is not None:
            self._file.close()


class FileSection(SpooledTemporaryFile[bytes]):
    """A part of a shared file, with the interface of a temporary file that is on disk.

    The first write, or the first call of ``fileno()``, copies it to a separate file.
    """

    def __init__(self, shared: SharedFile, position: int, size: int) -> None:
        super().__init__()
        self._raw: RawSection | None = RawSection(shared, position, size)
        self._file: Any = BufferedReader(self._raw, BUFFER_SIZE)
        self._rolled = True

    @property
    def size(self) -> int:
        """The size of the file in bytes.

        Raises:
            ValueError: The file is closed.
        """
        if self.closed:
            msg = "the file is closed"
            raise ValueError(msg)
        return os.fstat(self._file.fileno()).st_size if self._raw is None else self._raw.size

    def fileno(self) -> int:
        return cast("int", self._own_file().fileno())

    def write(self, s: Any) -> int:
        return cast("int", self._own_file().write(s))

    def writelines(self, iterable: Iterable[Any]) -> None:
        self._own_file().writelines(iterable)

    def truncate(self, size: int | None = None) -> int:
        return cast("int", self._own_file().truncate(size))

    def _own_file(self) -> Any:
        if self._raw is None:
            return self._file
        position = self._file.tell()
        self._file.seek(0)
        own = TemporaryFile()  # noqa: SIM115 - closed with this file
        try:
            copyfileobj(self._file, own, BLOCK_SIZE)
            own.seek(position)
        except BaseException:
            own.close()
            raise
        self._file.close()
        self._file, self._raw = own, None
        return own


class RawSection(RawIOBase):
    """A part of a shared file, read-only and without a buffer."""

    def __init__(self, shared: SharedFile, start: int, size: int) -> None:
        self.size = size
        self._shared = shared
        self._start = start
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), max(0, self.size - self._position))
        data = self._shared.read(self._start + self._position, size)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def readall(self) -> bytes:
        data = self._shared.read(self._start + self._position, max(0, self.size - self._position))
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if origin + offset < 0:
            msg = f"expected a position of 0 or more, got {origin + offset}"
            raise ValueError(msg)
        self._position = origin + offset
        return self._position

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._shared.release()


def write_chunks(file: IO[bytes], chunks: Sequence[bytes | bytearray]) -> None:
    """Write all chunks at the position of the file descriptor; blocks.

    This bypasses the buffer of ``file``. The buffer must be empty, and a seek must follow.
    """
    for start in range(0, len(chunks), MAX_WRITTEN):
        _write(file.fileno(), chunks[start : start + MAX_WRITTEN])


def _write(descriptor: int, chunks: Sequence[bytes | bytearray]) -> None:
    # One call without a copy: receiving a 10 MB file takes 10 % less time than with joined chunks.
    written = os.writev(descriptor, chunks) if HAS_WRITEV else 0
    if written < sum(map(len, chunks)):
        rest = memoryview(b"".join(chunks))[written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]
