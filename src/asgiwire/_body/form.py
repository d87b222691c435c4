"""A multipart form as it comes in: fields into memory, files into memory or on disk.

Only the pump: what the bytes mean is the decoder's, how they get to disk is in ``_pieces``. Nothing is
awaited until a file outgrows its memory. A small form is kept until it is complete, and then read in one pass
if it is an ordinary one; which of the two has read it, nobody can tell. Importing this module imports
python-multipart, so it is imported with the first form.
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

from .chunks import add_piece, write_pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from tempfile import SpooledTemporaryFile
    from typing import TypeAlias

    from asgiwire.limits import Limits

    Write: TypeAlias = Callable[[SpooledTemporaryFile[bytes], list[bytes | bytearray]], None]

# A file on disk is written in blocks of at least this many bytes: one call of a thread for each. That costs a
# fifth of the time that 1 MiB takes to write, and more than that where all processors are busy.
BLOCK_SIZE = 2 * 1024 * 1024

# A form of no more bytes than this is kept until it is complete.
WHOLE_SIZE = 1024 * 1024


class MultipartForm:
    """Builds a form from the pieces of a body.

    Whoever makes one calls ``complete()`` in the end, or ``abort()``, after any exception.

    Args:
        content_type_parameters: Those of the Content-Type, names lower-cased.
        limits: ``spool_size`` and ``max_memory`` are kept here, the others by the decoder.

    Raises:
        ValidationException: The boundary is missing or cannot be one.
    """

    __slots__ = (
        "_boundary",
        "_decoder",
        "_field_bytes",
        "_file",
        "_is_decoding",
        "_limits",
        "_memory",
        "_most_kept",
        "_parameters",
        "_part",
        "_parts",
        "_pieces",
        "_room",
        "_size",
    )

    def __init__(self, content_type_parameters: dict[str, str], limits: Limits) -> None:
        self._boundary = parse_boundary(content_type_parameters)
        self._parameters = content_type_parameters
        self._limits = limits
        # All that has come, until there is a decoder; then what has come of the part that is being read and
        # is not written.
        self._pieces: list[bytes | bytearray] = []
        self._size = 0  # of these
        self._is_decoding = False
        self._most_kept = 0 if "charset" in content_type_parameters else _whole_size(limits)
        self._decoder: MultipartDecoder
        self._parts: list[tuple[PartStart, bytes | UploadFile]] = []
        self._memory = 0  # bytes that the complete parts hold in memory
        self._field_bytes = 0  # those of them that are fields, which cannot go to disk
        # The part that is being read, how much of it may be in memory, its file from when it is on disk.
        self._part: PartStart
        self._room: float = 0
        self._file: UploadFile | None = None

    async def write(self, chunk: bytes) -> None:
        """Take the next piece of the body.

        Raises:
            ClientException: The form is malformed; the sentence says where.
            RequestEntityTooLarge: A limit is exceeded.
        """
        if self._is_decoding:
            await self._decode(chunk)
        elif chunk:  # the last one is empty, and not worth a copy of the others
            add_piece(self._pieces, chunk)
            self._size += len(chunk)
            if self._size > self._most_kept:
                await self._begin_decoding(self._take_pieces())

    async def complete(self) -> FormMultiDict:
        """The form, after the whole body was written; its files belong to the caller from then on.

        Raises:
            ValidationException: The body ended before its final boundary.
            SerializationException: A field is not text in the charset that was declared for it.
        """
        if not self._is_decoding:
            body = b"".join(self._pieces)
            pairs = parse_whole(body, self._boundary, self._limits)
            if pairs is not None:
                return FormMultiDict(pairs)
            self._take_pieces()
            await self._begin_decoding([body])
        self._decoder.finish()
        # Not before: the field that says the charset of the others may be the last one.
        decode = self._decoder.decode
        return FormMultiDict([(decode(part.name), self._value(part, held)) for part, held in self._parts])

    def abort(self) -> None:
        """Close every file. It can be called at any time and twice, and waits for nothing."""
        files = [held for _, held in self._parts if isinstance(held, UploadFile)]
        if self._file is not None:
            files.append(self._file)
        for upload in files:
            try:
                upload.close_nowait()
            except OSError:
                # What did not get to a full disk is thrown away anyway; the next file has to be closed too.
                continue
        self._parts.clear()
        self._file = None
        self._take_pieces()

    def _take_pieces(self) -> list[bytes | bytearray]:
        pieces, self._pieces, self._size = self._pieces, [], 0
        return pieces

    async def _begin_decoding(self, chunks: list[bytes | bytearray]) -> None:
        self._is_decoding = True
        self._decoder = MultipartDecoder(self._parameters, self._limits)
        for chunk in chunks:
            await self._decode(chunk)

    async def _decode(self, chunk: bytes | bytearray) -> None:
        for event in self._decoder.feed(chunk):
            if isinstance(event, bytes):
                add_piece(self._pieces, event)
                self._size += len(event)
                if self._size > self._room:
                    await self._make_room()
            elif isinstance(event, PartStart):
                self._begin_part(event)
                if self._room < 0:
                    await self._make_room()
            elif self._file is not None:
                await self._end_file_on_disk(self._file)
            else:
                self._end_part()

    def _begin_part(self, part: PartStart) -> None:
        self._part = part
        maximum = self._limits.max_memory
        left = float("inf") if maximum is None else maximum - self._memory - len(part.name)
        self._room = left if part.filename is None else max(0, min(self._limits.spool_size, left))

    def _end_part(self) -> None:
        """Keep a part that is in memory as a whole."""
        part, content = self._part, b"".join(self._take_pieces())
        size = len(part.name) + len(content)
        self._memory += size
        if part.filename is None or not (part.filename or content):
            # No file was chosen: browsers send an empty filename and no bytes for it.
            self._field_bytes += size
            self._parts.append((part, content))
        else:
            self._parts.append((part, self._new_upload(part, self._limits.spool_size, content)))

    async def _end_file_on_disk(self, upload: UploadFile) -> None:
        await self._to_disk(upload, _finish)
        self._parts.append((self._part, upload))
        self._file = None

    async def _make_room(self) -> None:
        """Do something about a part that is larger than what it may hold in memory."""
        if self._part.filename is None:
            await self._move_files_to_disk()
            return
        if self._file is None:
            self._file = self._new_upload(self._part, 0)
        self._room = BLOCK_SIZE - 1
        await self._to_disk(self._file, _write)

    async def _to_disk(self, upload: UploadFile, write: Write) -> None:
        try:
            await run_in_thread(partial(write, upload.file, self._take_pieces()))
        except GeneratorExit:
            # The event loop was thrown away, and the thread goes on. If abort() closed the file under it, it
            # could write to whatever gets the same descriptor next; the last reference to the file closes it.
            self._file = None
            raise

    async def _move_files_to_disk(self) -> None:
        """Make room for a field at the cost of the files that are in memory, the largest first."""
        maximum = self._limits.max_memory
        size = len(self._part.name) + self._size
        if maximum is None or self._field_bytes + size > maximum:
            raise RequestEntityTooLarge(limit="max_memory", maximum=maximum)
        in_memory = [
            held for _, held in self._parts if isinstance(held, UploadFile) and not held.rolled_to_disk
        ]
        in_memory.sort(key=lambda upload: upload.size)
        while in_memory and self._memory + size > maximum:
            upload = in_memory.pop()
            self._memory -= upload.size
            await run_in_thread(upload.file.rollover)
        self._room = maximum - self._memory - len(self._part.name)

    def _new_upload(self, part: PartStart, spool_size: int, content: bytes = b"") -> UploadFile:
        # The names follow when the charset of the form is known.
        return UploadFile(part.content_type or DEFAULT_CONTENT_TYPE, "", content, None, spool_size)

    def _value(self, part: PartStart, held: bytes | UploadFile) -> str | UploadFile:
        if not isinstance(held, UploadFile):
            return self._decoder.decode_value(part, held)
        decode = self._decoder.decode
        held.filename = decode(part.filename or b"")
        held.headers = {decode(name): decode(value) for name, value in part.headers}
        return held


def _write(file: SpooledTemporaryFile[bytes], pieces: list[bytes | bytearray]) -> None:
    file.rollover()
    write_pieces(file, pieces)


def _finish(file: SpooledTemporaryFile[bytes], pieces: list[bytes | bytearray]) -> None:
    _write(file, pieces)
    file.seek(0)


def _whole_size(limits: Limits) -> int:
    """Bytes of a form of which nothing can exceed the limits of sizes, or what a file may keep in memory."""
    sizes = (limits.max_field_size, limits.max_file_size, limits.max_memory, limits.spool_size)
    return min([WHOLE_SIZE, *(size for size in sizes if size is not None)])
