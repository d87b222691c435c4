"""Multipart forms: fields into memory, files into memory or on disk.

The multipart package parses; this module decides where the content goes. A small form is buffered until it
is complete and parsed in one pass if it has no unusual headers; the result is the same. Importing this
module imports python-multipart, so it is imported with the first form.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from asgiwire._concurrency import run_in_thread
from asgiwire._multipart.decoder import MultipartDecoder, PartStart
from asgiwire._multipart.whole import DEFAULT_CONTENT_TYPE, parse_whole
from asgiwire._parsers.content_headers import parse_boundary
from asgiwire.datastructures.form import FormMultiDict
from asgiwire.datastructures.upload_file import UploadFile
from asgiwire.exceptions import RequestEntityTooLarge
from asgiwire.limits import BLOCK_SIZE

from .channel import BodyState
from .chunks import add_chunk, write_chunks
from .readers import BodyReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from tempfile import SpooledTemporaryFile
    from typing import TypeAlias

    from asgiwire.limits import Limits
    from asgiwire.types import Receive

    from .channel import BodyChannel

    Write: TypeAlias = Callable[[SpooledTemporaryFile[bytes], list[bytes | bytearray]], None]

# A form of at most this many bytes is buffered until it is complete.
WHOLE_SIZE = 1024 * 1024


async def read_form(
    channel: BodyChannel,
    receive: Receive,
    content_type_parameters: dict[str, str],
    limits: Limits,
    empty_files: bool = False,
) -> FormMultiDict:
    """Parse the multipart form in a channel as it arrives, or from the buffer, and cache it in the channel.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        content_type_parameters: The parameters of the Content-Type, names in lower case.
        limits: The limits of the form.
        empty_files: Whether a file input without a file is an empty file, not an empty field.

    Raises:
        ClientException: The form is malformed, or exceeds a limit.
        StreamConsumed: Another consumer has claimed the body.
        Exception: The failure of the body.
    """
    form = MultipartForm(content_type_parameters, limits, empty_files)
    while channel.parsing or channel.state is BodyState.READING:
        await channel.wait_for_progress()
    if channel.cached_form is not None:
        return channel.cached_form
    reader = BodyReader(channel, receive, limits.max_body_size, "form()")
    channel.parsing = True
    try:
        while chunk := await reader.next_chunk():
            await form.write(chunk)
        channel.cached_form = result = await form.complete()
    except Exception as error:
        reader.fail(error)
        raise
    finally:
        if channel.cached_form is None:
            form.abort()
        channel.parsing = False
        channel.notify()
    return result


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
        "_boundary",
        "_chunks",
        "_decoder",
        "_empty_files",
        "_field_bytes",
        "_file",
        "_is_decoding",
        "_limits",
        "_max_buffered",
        "_memory",
        "_parameters",
        "_part",
        "_parts",
        "_remaining",
        "_size",
    )

    def __init__(
        self, content_type_parameters: dict[str, str], limits: Limits, empty_files: bool = False
    ) -> None:
        self._boundary = parse_boundary(content_type_parameters)
        self._parameters = content_type_parameters
        self._limits = limits
        self._empty_files = empty_files
        # The whole body so far, until there is a decoder; then the content of the current part that is not on
        # disk.
        self._chunks: list[bytes | bytearray] = []
        self._size = 0  # of these, in bytes
        self._is_decoding = False
        self._max_buffered = 0 if "charset" in content_type_parameters else _whole_size(limits)
        self._decoder: MultipartDecoder
        self._parts: list[tuple[PartStart, bytes | UploadFile]] = []
        self._memory = 0  # bytes that the complete parts hold in memory
        self._field_bytes = 0  # bytes of the complete fields, which cannot go to disk
        # The current part, the bytes that it may hold in memory, and its file once it is on disk.
        self._part: PartStart
        self._remaining: float = 0
        self._file: UploadFile | None = None

    async def write(self, chunk: bytes) -> None:
        """Parse the next chunk of the body.

        Raises:
            ClientException: The form is malformed.
            RequestEntityTooLarge: A limit is exceeded.
        """
        if self._is_decoding:
            await self._decode(chunk)
            return
        add_chunk(self._chunks, chunk)
        self._size += len(chunk)
        if self._size > self._max_buffered:
            await self._start_decoding(self._take_chunks())

    async def complete(self) -> FormMultiDict:
        """Return the form after the whole body was written; the caller then owns its files.

        Raises:
            ValidationException: The body ended before its final boundary.
            SerializationException: A field does not decode in its declared charset.
        """
        if not self._is_decoding:
            body = b"".join(self._chunks)
            pairs = parse_whole(body, self._boundary, self._limits, self._empty_files)
            if pairs is not None:
                return FormMultiDict(pairs)
            self._take_chunks()
            await self._start_decoding([body])
        self._decoder.finish()
        # Decoded only now: the field that names the charset of the others may be the last one.
        decode = self._decoder.decode
        return FormMultiDict(
            [(decode(part.name), self._value(part, content)) for part, content in self._parts]
        )

    def abort(self) -> None:
        """Close every file. It can be called at any time and more than once, and never waits."""
        files = [content for _, content in self._parts if isinstance(content, UploadFile)]
        if self._file is not None:
            files.append(self._file)
        for upload in files:
            try:
                upload.close_nowait()
            except OSError:
                continue  # a full disk; the content is discarded anyway, and the next file must be closed
        self._parts.clear()
        self._file = None
        self._take_chunks()

    def _take_chunks(self) -> list[bytes | bytearray]:
        chunks, self._chunks, self._size = self._chunks, [], 0
        return chunks

    async def _start_decoding(self, chunks: list[bytes | bytearray]) -> None:
        self._is_decoding = True
        self._decoder = MultipartDecoder(self._parameters, self._limits)
        for chunk in chunks:
            await self._decode(chunk)

    async def _decode(self, chunk: bytes | bytearray) -> None:
        for event in self._decoder.feed(chunk):
            if isinstance(event, bytes):
                add_chunk(self._chunks, event)
                self._size += len(event)
                if self._size > self._remaining:
                    await self._free_memory()
            elif isinstance(event, PartStart):
                self._start_part(event)
                if self._remaining < 0:
                    await self._free_memory()
            elif self._file is not None:
                await self._end_file_on_disk(self._file)
            else:
                self._end_part()

    def _start_part(self, part: PartStart) -> None:
        self._part = part
        maximum = self._limits.max_memory
        remaining = float("inf") if maximum is None else maximum - self._memory - len(part.name)
        is_field = part.filename is None
        self._remaining = remaining if is_field else max(0, min(self._limits.spool_size, remaining))

    def _end_part(self) -> None:
        """Store a part whose content is in memory."""
        part, content = self._part, b"".join(self._take_chunks())
        size = len(part.name) + len(content)
        self._memory += size
        if part.filename is None or not (part.filename or content or self._empty_files):
            # Browsers send an empty filename and no content for a file input without a file.
            self._field_bytes += size
            self._parts.append((part, content))
        else:
            self._parts.append((part, self._new_upload(part, self._limits.spool_size, content)))

    async def _end_file_on_disk(self, upload: UploadFile) -> None:
        await self._write_to_disk(upload, _write_and_rewind)
        self._parts.append((self._part, upload))
        self._file = None

    async def _free_memory(self) -> None:
        """Write the current file to disk, or other files if the current part is a field."""
        if self._part.filename is None:
            await self._move_files_to_disk()
            return
        if self._file is None:
            self._file = self._new_upload(self._part, 0)
        self._remaining = BLOCK_SIZE - 1
        await self._write_to_disk(self._file, _write)

    async def _write_to_disk(self, upload: UploadFile, write: Write) -> None:
        try:
            await run_in_thread(partial(write, upload.file, self._take_chunks()))
        except GeneratorExit:
            # The event loop was discarded while the thread still writes. If abort() closed the file now, the
            # thread could write to another file with the same descriptor; the last reference closes it.
            self._file = None
            raise

    async def _move_files_to_disk(self) -> None:
        """Free memory for a field: move files in memory to disk, the largest first."""
        maximum = self._limits.max_memory
        size = len(self._part.name) + self._size
        if maximum is None or self._field_bytes + size > maximum:
            raise RequestEntityTooLarge(limit="max_memory", maximum=maximum)
        in_memory = [
            content
            for _, content in self._parts
            if isinstance(content, UploadFile) and not content.rolled_to_disk
        ]
        in_memory.sort(key=lambda upload: upload.size)
        while in_memory and self._memory + size > maximum:
            upload = in_memory.pop()
            self._memory -= upload.size
            await run_in_thread(upload.file.rollover)
        self._remaining = maximum - self._memory - len(self._part.name)

    def _new_upload(self, part: PartStart, spool_size: int, content: bytes = b"") -> UploadFile:
        # The names are set in _value(), when the charset of the form is known.
        return UploadFile(part.content_type or DEFAULT_CONTENT_TYPE, "", content, None, spool_size)

    def _value(self, part: PartStart, content: bytes | UploadFile) -> str | UploadFile:
        if not isinstance(content, UploadFile):
            return self._decoder.decode_value(part, content)
        decode = self._decoder.decode
        content.filename = decode(part.filename or b"")
        content.headers = {decode(name): decode(value) for name, value in part.headers}
        return content


def _write(file: SpooledTemporaryFile[bytes], chunks: list[bytes | bytearray]) -> None:
    file.rollover()
    write_chunks(file, chunks)


def _write_and_rewind(file: SpooledTemporaryFile[bytes], chunks: list[bytes | bytearray]) -> None:
    _write(file, chunks)
    file.seek(0)


def _whole_size(limits: Limits) -> int:
    """Return the size up to which a form can exceed neither a limit nor the memory of a file."""
    sizes = (limits.max_field_size, limits.max_file_size, limits.max_memory, limits.spool_size)
    return min([WHOLE_SIZE, *(size for size in sizes if size is not None)])
