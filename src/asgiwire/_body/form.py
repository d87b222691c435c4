"""Multipart forms: fields in memory, files in memory or on disk.

``_multipart`` parses the body; this module stores the content. It imports python-multipart, so it is imported
with the first form.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from heapq import heappop, heappush
from math import inf
from typing import TYPE_CHECKING, cast

from msgspec import Struct

from asgiwire._multipart.decoder import CommonParts, MultipartDecoder, PartStart
from asgiwire._multipart.events import DEFAULT_CONTENT_TYPE, common_start
from asgiwire.datastructures.form import FormMultiDict
from asgiwire.datastructures.upload_file import UploadFile
from asgiwire.exceptions import RequestEntityTooLarge
from asgiwire.limits import BLOCK_SIZE

from .channel import BodyState, add_chunk
from .readers import BodyReader
from .shared_file import FileSection, SharedFile
from .spool import store_in_thread

if TYPE_CHECKING:
    from asgiwire._multipart.events import CommonPart, Event
    from asgiwire._multipart.usage import FormUsage
    from asgiwire.limits import Limits
    from asgiwire.types import Receive

    from .channel import BodyChannel


async def read_form(
    channel: BodyChannel,
    receive: Receive,
    content_type_parameters: dict[str, str],
    limits: Limits,
    empty_files: bool = False,
) -> FormMultiDict:
    """Parse the multipart form in a channel, as it arrives or from the buffer, and cache it in the channel.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        content_type_parameters: The parameters of the Content-Type, names in lower case.
        limits: The limits of the form.
        empty_files: Whether a file input without a file is an empty file instead of an empty field.

    Raises:
        ClientException: The form is malformed, or exceeds a limit.
        InsufficientStorage: The disk is full, or the process has no file descriptor.
        StreamConsumed: Another consumer has claimed the body.
        Exception: The error that ended the body.
    """
    form = MultipartForm(content_type_parameters, limits, empty_files)
    while channel.parsing or channel.state is BodyState.READING:
        await channel.wait_for_progress()
    cached = channel.form_in_cache(limits)
    if cached is not None:
        return cached
    reader = BodyReader(channel, receive, limits.max_body_size, "form()")
    channel.parsing = True
    try:
        while chunk := await reader.next_chunk():
            await form.write(chunk)
        result = form.complete()
        channel.cache_form(result, form.usage)
    except BaseException as error:
        form.abort()
        if isinstance(error, Exception):
            reader.fail(error)
        raise
    finally:
        channel.parsing = False
        channel.notify()
    return result


class Span(Struct):
    """The position of a file in the temporary file of its form."""

    position: int
    size: int


class StoredPart(Struct):
    """A complete part of the form.

    Attributes:
        start: Its headers.
        content: Its content in memory, or its position on disk.
    """

    start: PartStart
    content: bytes | Span


class MultipartForm:
    """Builds a form from the chunks of a body.

    The caller ends with ``complete()``, or with ``abort()`` after any exception.

    Args:
        content_type_parameters: The parameters of the Content-Type, names in lower case.
        limits: ``spool_size`` and ``max_memory`` are enforced here, the others by the decoder.
        empty_files: Whether a file input without a file is an empty file, not an empty field.

    Raises:
        ValidationException: The boundary is missing or invalid.
    """

    __slots__ = (
        "_chunks",
        "_decoder",
        "_empty_files",
        "_file",
        "_fixed_memory",
        "_has_stored_parts",
        "_in_memory",
        "_max_memory",
        "_memory",
        "_part",
        "_parts",
        "_remaining",
        "_sections",
        "_size",
        "_span",
        "_spool_size",
    )

    def __init__(
        self, content_type_parameters: dict[str, str], limits: Limits, empty_files: bool = False
    ) -> None:
        self._decoder = MultipartDecoder(content_type_parameters, limits)
        self._empty_files = empty_files
        self._spool_size = limits.spool_size
        self._max_memory = inf if limits.max_memory is None else limits.max_memory
        self._parts: list[CommonPart | StoredPart] = []
        self._has_stored_parts = False  # whether it contains a StoredPart
        self._memory = 0  # bytes that the complete parts and the headers of the current one hold in memory
        self._fixed_memory = 0  # bytes of these that cannot be moved to disk: headers and fields
        # The files in memory, the largest first: negative size and index in _parts. Created when memory is
        # full.
        self._in_memory: list[tuple[int, int]] | None = None
        self._file: SharedFile | None = None  # created with the first file that is stored on disk
        self._sections: list[FileSection] = []  # of it, once the form is complete
        # The current part, its content that is not on disk, its size, and how many bytes it may have in
        # memory.
        self._part: PartStart
        self._chunks: list[bytes | bytearray] = []
        self._size = 0
        self._remaining: float = 0
        self._span: Span | None = None  # its position on disk, if a part of its content is stored there

    @property
    def usage(self) -> FormUsage:
        """The usage of the limits so far."""
        usage = self._decoder.usage
        usage.max_memory = self._fixed_memory
        return usage

    async def write(self, chunk: bytes) -> None:
        """Parse the next chunk of the body.

        Raises:
            ClientException: The form is malformed.
            RequestEntityTooLarge: A limit is exceeded.
            InsufficientStorage: The disk is full, or the process has no file descriptor.
        """
        for event in self._decoder.feed(chunk):
            if type(event) is not CommonParts:
                await self._receive(event)
            elif self._memory + event.size > self._max_memory or event.largest_file > self._spool_size:
                for one in event.events():
                    await self._receive(one)
            else:
                self._memory += event.size
                self._fixed_memory += event.size - event.file_size
                self._parts += event.parts
                self._note_files(len(self._parts) - len(event.parts))
        self._decoder.check()

    def complete(self) -> FormMultiDict:
        """Return the form after the whole body was written. The caller then owns its files.

        Raises:
            ValidationException: The body ended before its final boundary.
            SerializationException: A field does not decode in its declared charset.
        """
        self._decoder.finish()
        # Decoded at the end, because the field that declares the charset of the others may be the last one.
        decode = self._decoder.decode
        if self._decoder.codec is not None:
            self._parts = [_stored(part) for part in self._parts]
        elif not (self._has_stored_parts or self._decoder.usage.max_files):
            # Most forms have only common fields. This takes half the time of the loop below.
            common = cast("list[CommonPart]", self._parts)
            pairs_of_text = [
                (name.decode("utf-8", "replace"), content.decode("utf-8", "replace"))
                for _, name, _, _, content in common
            ]
            return FormMultiDict(pairs_of_text)
        pairs: list[tuple[str, str | UploadFile]] = []
        for part in self._parts:
            if not isinstance(part, tuple):
                pairs.append((decode(part.start.name), self._value(len(pairs) + 1, part)))
                continue
            _, name, filename, _, content = part
            is_file = filename or ((content or self._empty_files) and filename is not None)
            # A file input without a file is a field: browsers send an empty filename and no content.
            value = self._new_upload(part) if is_file else content.decode("utf-8", "replace")
            pairs.append((name.decode("utf-8", "replace"), value))
        return FormMultiDict(pairs)

    def abort(self) -> None:
        """Close the files, without waiting. It can be called at any time and more than once."""
        for section in self._sections:
            section.close()
        if self._file is not None:
            with suppress(OSError):  # a full disk; the content is discarded anyway
                self._file.close()
        self._file = None
        self._parts.clear()
        self._chunks.clear()

    async def _receive(self, event: Event) -> None:
        if isinstance(event, PartStart):
            await self._start_part(event)
        elif isinstance(event, bytes):
            add_chunk(self._chunks, event)
            self._size += len(event)
            if self._size > self._remaining:
                await self._free_memory()
        else:
            await self._end_part()

    async def _start_part(self, part: PartStart) -> None:
        self._part = part
        self._memory += part.size
        self._fixed_memory += part.size
        if self._memory > self._max_memory:
            await self._move_files_to_disk()
        self._set_remaining()

    async def _end_part(self) -> None:
        part, size = self._part, self._size
        if self._span is not None:
            await self._write_to_disk(self._span)
            self._store(StoredPart(part, self._span))
            self._span = None
            return
        content = b"".join(self._take_chunks())
        self._memory += size
        if part.filename is None:
            self._fixed_memory += size
        if part.common is None:
            self._store(StoredPart(part, content))
        else:
            self._parts.append((*part.common, content))
            self._note_files(len(self._parts) - 1)

    def _store(self, part: StoredPart) -> None:
        self._parts.append(part)
        self._has_stored_parts = True
        self._note_files(len(self._parts) - 1)

    def _set_remaining(self) -> None:
        remaining = self._max_memory - self._memory
        self._remaining = remaining if self._part.filename is None else min(self._spool_size, remaining)

    async def _free_memory(self) -> None:
        """Write the current file to disk, or other files if the current part is a field."""
        if self._part.filename is None:
            await self._move_files_to_disk()
            self._set_remaining()
            return
        if self._span is None:
            self._span = Span(0 if self._file is None else self._file.size, 0)
        await self._write_to_disk(self._span)
        self._remaining = BLOCK_SIZE - 1

    async def _write_to_disk(self, span: Span) -> None:
        size = self._size
        await self._append_to_file(self._take_chunks())
        span.size += size

    async def _move_files_to_disk(self) -> None:
        """Move files in memory to disk, the largest first, until the current part has enough memory."""
        if self._fixed_memory + self._size > self._max_memory:
            raise RequestEntityTooLarge(limit="max_memory", maximum=int(self._max_memory))
        if self._in_memory is None:
            self._in_memory = []
            self._note_files(0)
        while self._memory + self._size > self._max_memory:
            _, index = heappop(self._in_memory)
            part = _stored(self._parts[index])
            content = part.content
            assert isinstance(content, bytes)
            position = 0 if self._file is None else self._file.size
            await self._append_to_file([content])
            self._memory -= len(content)
            self._parts[index] = StoredPart(part.start, Span(position, len(content)))

    async def _append_to_file(self, chunks: Sequence[bytes | bytearray]) -> None:
        if self._file is None:
            self._file = SharedFile()
        try:
            await store_in_thread(partial(self._file.append, chunks))
        except GeneratorExit:
            # The event loop was closed while the thread still writes. If abort() closed the file now, the
            # thread could write to another file with the same descriptor; the last reference closes it.
            self._file = None
            raise

    def _take_chunks(self) -> list[bytes | bytearray]:
        chunks, self._chunks, self._size = self._chunks, [], 0
        return chunks

    def _note_files(self, first: int) -> None:
        """Add the files in memory to the heap, from an index of ``_parts`` on."""
        if self._in_memory is not None:
            for index in range(first, len(self._parts)):
                part = _stored(self._parts[index])
                if part.start.filename is not None and isinstance(part.content, bytes) and part.content:
                    heappush(self._in_memory, (-len(part.content), index))

    def _new_upload(self, part: CommonPart) -> UploadFile:
        disposition, _, filename, content_type, content = part
        headers = {"content-disposition": disposition.decode("utf-8", "replace")}
        media_type = DEFAULT_CONTENT_TYPE
        if content_type is not None:
            headers["content-type"] = content_type.decode("ascii")
            media_type = headers["content-type"].lower()
        name = (filename or b"").decode("utf-8", "replace")
        return UploadFile(media_type, name, content, headers, self._spool_size)

    def _value(self, number: int, part: StoredPart) -> str | UploadFile:
        start, content, decode = part.start, part.content, self._decoder.decode
        if start.filename is None or not (start.filename or content or self._empty_files):
            assert isinstance(content, bytes)
            return self._decoder.decode_value(number, start.charset, content)
        filename = decode(start.filename)
        headers = {decode(name): decode(value) for name, value in start.headers}
        if isinstance(content, bytes):
            return UploadFile(start.content_type, filename, content, headers, self._spool_size)
        assert self._file is not None
        file = self._file.section(content.position, content.size)
        self._sections.append(file)
        return UploadFile._on_disk(file, start.content_type, filename, headers, self._spool_size)


def _stored(part: CommonPart | StoredPart) -> StoredPart:
    return part if isinstance(part, StoredPart) else StoredPart(common_start(part), part[4])
