"""The body of a request on disk, for a middleware that reads it whole and hands it on."""

from __future__ import annotations

from typing import Final
from weakref import finalize

from asgiwire.datastructures.upload_file import UploadFile

BLOCK_SIZE: Final = 1024 * 1024


class Spool:
    """A temporary file that bytes are appended to and read back from, by several readers at once.

    It is closed with its owner: nobody is told when the last application has read it.

    Attributes:
        size: Bytes that are on disk.
    """

    __slots__ = ("__weakref__", "_file", "close", "size")

    def __init__(self) -> None:
        self._file = UploadFile("application/octet-stream", "", max_spool_size=0)
        self.size = 0
        self.close = finalize(self, self._file.close_nowait)

    async def take(self, pieces: list[bytes]) -> None:
        """Append the pieces, and take them out of the list once they are on disk."""
        # More may come into the list meanwhile: another task may be watching for a disconnect.
        count, data = len(pieces), b"".join(pieces)
        try:
            if self._file.size > self.size:
                await self._file.seek(self.size)  # a write was cancelled, and had failed half way
            await self._file.write(data)
        finally:
            # A cancellation comes when the thread is done: by then the data may be on disk all the same.
            if self._file.size == self.size + len(data):
                self.size += len(data)
                del pieces[:count]

    async def block(self, position: int, size: int = BLOCK_SIZE) -> bytes:
        """At most so many bytes from a position on; ``b""`` at the end."""
        return await self._file.read_at(position, size)
