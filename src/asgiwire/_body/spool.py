"""A request body on disk, for a middleware that reads the whole body and hands it on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar
from weakref import finalize

from asgiwire._concurrency import run_in_thread
from asgiwire.exceptions import InsufficientStorage
from asgiwire.limits import BLOCK_SIZE

from .shared_file import SharedFile

__all__ = ("BLOCK_SIZE", "Spool", "store_in_thread")

T = TypeVar("T")


class Spool:
    """A temporary file that chunks are appended to and that several readers read at once.

    It is closed with its owner, because no event says that the last application has read it.
    """

    __slots__ = ("__weakref__", "_file", "close")

    def __init__(self) -> None:
        self._file = SharedFile()
        self.close: Callable[[], object] = finalize(self, self._file.close)

    @property
    def size(self) -> int:
        """Bytes that are on disk."""
        return self._file.size

    async def append(self, chunks: list[bytes | bytearray]) -> None:
        """Write the chunks to the end of the file, and remove them from the list once they are on disk.

        Raises:
            InsufficientStorage: The disk is full, or the process has no file descriptor.
        """
        # A disconnect check may add to the list meanwhile.
        written, size = chunks.copy(), self._file.size
        if not written:
            return
        try:
            await store_in_thread(partial(self._file.append, written))
        finally:
            # A cancellation is delivered when the thread has finished, so the chunks may be on disk.
            del chunks[: len(written) if self._file.size > size else 0]

    async def read(self, position: int, size: int | None = None) -> bytes:
        """Return at most ``size`` bytes from ``position`` on, one block if ``None``; ``b""`` at the end."""
        return await run_in_thread(partial(self._file.read, position, BLOCK_SIZE if size is None else size))


async def store_in_thread(function: Callable[[], T]) -> T:
    """Call a function that writes to a temporary file in a worker thread.

    Raises:
        InsufficientStorage: It raised ``OSError``: the disk is full, or the process has no file descriptor.
    """
    try:
        return await run_in_thread(function)
    except OSError as error:
        raise InsufficientStorage from error
