"""A request body on disk, for a middleware that reads the whole body and hands it on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from weakref import finalize

from asgiwire._concurrency import run_in_thread
from asgiwire.datastructures.upload_file import UploadFile
from asgiwire.exceptions import InsufficientStorage
from asgiwire.limits import BLOCK_SIZE

__all__ = ("BLOCK_SIZE", "Spool", "store_in_thread")

T = TypeVar("T")


async def store_in_thread(function: Callable[[], T]) -> T:
    """Call a function that writes to a temporary file in a worker thread.

    Raises:
        InsufficientStorage: It raised ``OSError``: the disk is full, or the process has no file descriptor.
    """
    try:
        return await run_in_thread(function)
    except OSError as error:
        raise InsufficientStorage from error


class Spool:
    """A temporary file that chunks are appended to and that several readers read at once.

    It is closed with its owner, because no event says that the last application has read it.

    Attributes:
        size: Bytes that are on disk.
    """

    __slots__ = ("__weakref__", "_file", "close", "size")

    def __init__(self) -> None:
        self._file = UploadFile("application/octet-stream", "", max_spool_size=0)
        self.size = 0
        self.close = finalize(self, self._file.close_nowait)

    async def append(self, chunks: list[bytes | bytearray]) -> None:
        """Write the chunks to the end of the file, and remove them from the list once they are on disk.

        Raises:
            InsufficientStorage: The disk is full, or the process has no file descriptor.
        """
        # A disconnect check may add to the list meanwhile.
        count, data = len(chunks), b"".join(chunks)
        if not data:
            return
        try:
            if self._file.size > self.size:
                await self._file.seek(self.size)  # a write was cancelled and had failed half way
            await self._file.write(data)
        except OSError as error:
            raise InsufficientStorage from error
        finally:
            # A cancellation is delivered when the thread has finished, so the data may be on disk.
            if self._file.size == self.size + len(data):
                self.size += len(data)
                del chunks[:count]

    async def read(self, position: int, size: int | None = None) -> bytes:
        """Return at most ``size`` bytes from ``position`` on, one block if ``None``; ``b""`` at the end."""
        return await self._file.read_at(position, BLOCK_SIZE if size is None else size)
