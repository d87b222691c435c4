"""The parts of a multipart body, streamed one after another with backpressure.

Content is not buffered. A part that the caller does not read is skipped.
``Request.form()`` reads a whole form.
"""

from __future__ import annotations

import os
from functools import partial
from io import FileIO
from typing import Self

from asgiwire import _multipart, datastructures
from asgiwire._body.readers import BodyReader
from asgiwire._concurrency import run_in_thread
from asgiwire._multipart.events import CommonParts, Event, PartStart
from asgiwire._parsers.filenames import safe_filename
from asgiwire.exceptions import ClientException, RequestEntityTooLarge, StreamConsumed
from asgiwire.limits import BLOCK_SIZE

__all__ = ("MultipartPart", "MultipartParts")


class MultipartParts:
    """An asynchronous iterator over the parts of one body, returned by ``Request.multipart()``."""

    __slots__ = ("_count", "_current", "_decoder", "_events", "_reader")

    def __init__(self, reader: BodyReader, decoder: _multipart.MultipartDecoder) -> None:
        self._reader = reader
        self._decoder = decoder
        self._count = 0  # of the parts
        self._events: list[Event] = []  # decoded and not yet returned, in reverse order
        # The start event, because the part refers to this object, which would be a reference cycle.
        self._current: PartStart | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MultipartPart:
        # This skips the rest of the previous part.
        while event := await self._next_event(self._current):
            if isinstance(event, PartStart):
                self._current = event
                self._count += 1
                return MultipartPart(self, self._decoder, event, self._count)
        self._current = None
        raise StopAsyncIteration

    async def _next_event(self, part: PartStart | None) -> Event | None:
        """Return the next event for the reader of the part with this start; ``None`` at the end of the body.

        Raises:
            StreamConsumed: The part is not the current one.
        """
        if part is not self._current:
            msg = "this part of the multipart body was skipped; read a part before you ask for the next one"
            raise StreamConsumed(msg, consumer="multipart()")
        while not self._events:
            try:
                self._decoder.check()
                chunk = await self._reader.next_chunk()
                if not chunk:
                    self._decoder.finish()
                    return None
                self._events = self._decoder.feed(chunk)
            except ClientException as error:
                self._reader.fail(error)
                raise
            self._events.reverse()
        event = self._events.pop()
        if isinstance(event, CommonParts):
            self._events += reversed(event.events())
            event = self._events.pop()
        return event

    def _put_back(self, part: PartStart, chunks: list[bytes]) -> None:
        """Return chunks that the reader of the part with this start could not use."""
        if part is self._current:
            self._events += reversed(chunks)


class MultipartPart:
    """One part of a multipart body. After the next part was requested, it cannot be read.

    Iterating yields the content in chunks as they arrive.

    Attributes:
        name: The name of the form field.
        filename: The filename as the client sent it, never a path to write to; ``None`` for a field.
        content_type: The media type that the client declared, else ``text/plain`` (RFC 7578 section 4.4).
        headers: The headers of the part.
    """

    __slots__ = (
        "_complete",
        "_decoder",
        "_number",
        "_partly_saved",
        "_parts",
        "_start",
        "content_type",
        "filename",
        "headers",
        "name",
    )

    def __init__(
        self, parts: MultipartParts, decoder: _multipart.MultipartDecoder, start: PartStart, number: int
    ) -> None:
        self._number = number
        self._parts = parts
        self._decoder = decoder
        self._start = start
        self._complete = False
        self._partly_saved = False
        self.name: str = decoder.decode(start.name)
        self.filename: str | None = None if start.filename is None else decoder.decode(start.filename)
        self.content_type: str = start.content_type
        self.headers: datastructures.Headers = datastructures.Headers(start.headers)

    @property
    def safe_filename(self) -> str:
        """The last component of ``filename``, made safe as a file name; ``"file"`` if it is empty."""
        return safe_filename(self.filename or "")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._partly_saved:
            self._parts._reader.raise_failure()
            msg = "this part of the multipart body was partly read by a save() that failed or was cancelled"
            raise StreamConsumed(msg, consumer="save()")
        if not self._complete:
            event = await self._parts._next_event(self._start)
            if isinstance(event, bytes):
                return event
            self._complete = True
        raise StopAsyncIteration

    async def read(self, limit: int | None = None) -> bytes:
        """Read the rest of the content.

        A call that was cancelled, or that exceeded ``limit``, loses nothing: the next call returns it.

        Args:
            limit: The maximum number of bytes; ``None`` for the maximum of :class:`~asgiwire.limits.Limits`.

        Raises:
            RequestEntityTooLarge: The rest is larger than ``limit``, or the body exceeds a limit.
            StreamConsumed: The next part was requested before.
            ClientDisconnect: The client disconnected before the body was complete.
            ClientException: The body is malformed.
        """
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in self:
                chunks.append(chunk)
                size += len(chunk)
                if limit is not None and size > limit:
                    msg = f"expected at most {limit} bytes in multipart part {self._number}"
                    raise RequestEntityTooLarge(msg, limit="limit", maximum=limit)
        except BaseException:
            self._parts._put_back(self._start, chunks)
            raise
        return b"".join(chunks)

    async def text(self) -> str:
        """Read the rest of the content as text.

        The charset is the part's own, else the form's, else UTF-8 with U+FFFD for invalid bytes.

        Raises:
            SerializationException: The content is invalid in the declared charset.
        """
        return self._decoder.decode_value(self._number, self._start.charset, await self.read())

    async def save(self, path: str | os.PathLike[str]) -> int:
        """Write the rest of the content to a file as it arrives; return the number of bytes.

        A worker thread writes blocks of 1 MiB. An existing file is replaced. After an error, such as a
        disconnect or a full disk, and after a cancellation, the bytes written so far remain in the file. The
        part cannot be read again then.

        Args:
            path: A path that the application chose. ``safe_filename`` is safe as its last component,
                ``filename`` is not.

        Raises:
            OSError: The file cannot be opened or written.
            StreamConsumed: The next part was asked for before, or an earlier call did not finish.
            ClientDisconnect: The client disconnected before the body was complete.
            ClientException: The body is malformed.
        """
        files: list[FileIO] = []
        try:
            # The thread appends the file itself, so that a cancelled wait cannot lose an open file.
            # Unbuffered, because closing a buffered file writes, which would block the event loop.
            await run_in_thread(lambda: files.append(open(path, "wb", 0)))  # noqa: SIM115 - closed below
            return await self._write_to(files[0])
        finally:
            # Except after an error, the thread has already closed the file.
            for file in files:
                file.close()

    async def _write_to(self, file: FileIO) -> int:
        block, written = bytearray(), 0
        try:
            async for chunk in self:
                block += chunk
                written += len(chunk)
                if len(block) >= BLOCK_SIZE:
                    await run_in_thread(partial(_write, file, block))
                    block = bytearray()
            await run_in_thread(partial(_write_and_close, file, block))
        except BaseException:
            self._partly_saved = self._partly_saved or written > 0
            raise
        return written

    def __repr__(self) -> str:
        return f"<MultipartPart {self.name!r} filename={self.filename!r}>"


def _write(file: FileIO, block: bytearray) -> None:
    remaining = memoryview(block)
    while remaining:
        remaining = remaining[file.write(remaining) :]  # an unbuffered file may write only a part of the data


def _write_and_close(file: FileIO, block: bytearray) -> None:
    with file:
        _write(file, block)
