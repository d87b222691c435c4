"""The parts of a multipart body, one after another, as fast as they are read and no faster.

Left out: keeping anything. A part that is not read is skipped; a whole form is what ``form()`` is for.
Importing this module imports python-multipart, so it is imported with the first body that is read this way.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Self

from asgiwire._concurrency import run_in_thread
from asgiwire._parsers.filenames import safe_filename
from asgiwire.datastructures.headers import Headers
from asgiwire.exceptions import (
    ClientException,
    RequestEntityTooLarge,
    StreamConsumed,
)

if TYPE_CHECKING:
    import os
    from io import FileIO

    from asgiwire._body.readers import BodyReader
    from asgiwire._multipart.decoder import Event, MultipartDecoder, PartStart

__all__ = ("MultipartPart", "MultipartParts")

BLOCK_SIZE: Final = 1024 * 1024


class MultipartParts:
    """The parts of one body, as an asynchronous iterator; what ``Request.multipart()`` returns."""

    __slots__ = ("_current", "_decoder", "_events", "_reader")

    def __init__(self, reader: BodyReader, decoder: MultipartDecoder) -> None:
        self._reader = reader
        self._decoder = decoder
        self._events: list[Event] = []  # decoded and not given out; the last comes first
        self._current: MultipartPart | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MultipartPart:
        # What nobody has read of the part before is passed over here.
        while event := await self._next_event(self._current):
            if not isinstance(event, bytes) and hasattr(event,"name"):
                self._current = MultipartPart(self, self._decoder, event)
                return self._current
        self._current = None
        raise StopAsyncIteration

    async def _next_event(self, part: MultipartPart | None) -> Event | None:
        """What is next in the body for who reads this part; ``None`` at its end.

        Raises:
            StreamConsumed: The next part was asked for before.
        """
        if part is not self._current:
            msg = "this part of the multipart body was passed over when the next one was asked for"
            raise StreamConsumed(msg, consumer="multipart()")
        while not self._events:
            piece = await self._reader.next_chunk()
            try:
                if not piece:
                    self._decoder.finish()
                    return None
                self._events = self._decoder.feed(piece)
            except ClientException as error:
                self._reader.fail(error)
                raise
            self._events.reverse()
        return self._events.pop()


class MultipartPart:
    """One part of a multipart body; it is read before the next one is asked for, or not at all.

    Iterating gives its content in the pieces that arrive.

    Attributes:
        name: The name of the form field.
        filename: What the client sent, unchanged and never a path to write to; ``None`` if it is no file.
        content_type: The media type that the client declares; ``""`` if it does not.
        headers: The headers of the part.
    """

    __slots__ = (
        "_begun",
        "_decoder",
        "_ended",
        "_parts",
        "content_type",
        "filename",
        "headers",
        "name",
    )

    def __init__(self, parts: MultipartParts, decoder: MultipartDecoder, begun: PartStart) -> None:
        self._parts = parts
        self._decoder = decoder
        self._begun = begun
        self._ended = False
        self.name: str = decoder.decode(begun.name)
        self.filename: str | None = None if begun.filename is None else decoder.decode(begun.filename)
        self.content_type: str = begun.content_type
        self.headers: Headers = Headers(begun.headers)

    @property
    def safe_filename(self) -> str:
        """The last part of ``filename``, fit to be the name of a file; ``"file"`` if nothing is left."""
        return safe_filename(self.filename or "")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._ended:
            event = await self._parts._next_event(self)
            if isinstance(event, bytes):
                return event
            self._ended = True
        raise StopAsyncIteration

    async def read(self, limit: int | None = None) -> bytes:
        """What is left of the content.

        Args:
            limit: Bytes that it may have; ``None`` for as many as ``Limits`` allow.

        Raises:
            RequestEntityTooLarge: It has more.
            StreamConsumed: The next part was asked for before.
            ClientDisconnect: The client left before the end.
            ClientException: The body is malformed.
        """
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            size += len(piece)
            if limit is not None and size > limit:
                msg = f"the part {self.name[:100]!r} of the form has more than {limit} bytes"
                raise RequestEntityTooLarge(msg, limit="limit", maximum=limit)
            pieces.append(piece)
        return b"".join(pieces)

    async def text(self) -> str:
        """What is left of the content as text: in the part's own charset, else the form's, else UTF-8.

        Raises:
            SerializationException: The charset was declared, and the content is no text in it.
        """
        return self._decoder.decode_value(self._begun, await self.read())

    async def save(self, path: str | os.PathLike[str]) -> int:
        """Write what is left of the content to a file as it comes, and say how many bytes that was.

        It is written in a worker thread, a MiB at a time. A file that is there is replaced; where the client
        leaves or the disk is full, what was written stays.

        Args:
            path: One that you chose. ``safe_filename`` may be its last part, ``filename`` never.

        Raises:
            OSError: It cannot be written.
        """
        files: list[FileIO] = []
        try:
            # The list is filled in the thread: a cancellation that comes meanwhile must not lose the file.
            # Unbuffered, so that nothing is left to be written where it is closed on the event loop.
            await run_in_thread(lambda: files.append(open(path, "wb", 0)))  # noqa: SIM115 - closed there
            return await self._write_to(files[0])
        finally:
            # Closed in the thread by now, unless something went wrong.
            for file in files:
                file.close()

    async def _write_to(self, file: FileIO) -> int:
        block, written = bytearray(), 0
        async for piece in self:
            block += piece
            written += len(piece)
            if len(block) >= BLOCK_SIZE:
                await run_in_thread(partial(_write, file, block))
                block = bytearray()
        await run_in_thread(partial(_finish, file, block))
        return written

    def __repr__(self) -> str:
        return f"<MultipartPart {self.name!r} filename={self.filename!r}>"


def _write(file: FileIO, block: bytearray) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest) :]  # an unbuffered file may take a part


def _finish(file: FileIO, block: bytearray) -> None:
    with file:
        _write(file, block)
