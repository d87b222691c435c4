"""python-multipart's parser, its callbacks made into events: the boundaries and header lines of a form.

What it leaves to its caller is here: the limits, and what a header means; and a shorter way through what is
ordinary, whose results are tested to be those of the parser. Left out: when the bytes are over, and what text
they are, which is the decoder's (``_multipart``).
"""

from __future__ import annotations

import re
import sys
from logging import CRITICAL, Logger
from math import inf
from typing import TYPE_CHECKING, Final, TypeAlias

from msgspec import Struct
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, MultipartState

from asgiwire._parsers.charsets import output_codec_for
from asgiwire._parsers.content_headers import (
    COMMON_DISPOSITION,
    forbidden_character,
    parse_content_disposition,
    parse_media_type,
)
from asgiwire.exceptions import ClientException, RequestEntityTooLarge, ValidationException

if TYPE_CHECKING:
    from asgiwire.limits import Limits

__all__ = (
    "END",
    "ORDINARY_HEAD",
    "START",
    "Event",
    "PartStart",
    "PartEnd",
    "PartReader",
    "ordinary_head_size",
)


class PartStart(Struct, frozen=True):
    """The headers of a part are complete. Names and values are bytes until the charset of the form is known.

    Attributes:
        name: The name of the field.
        filename: ``None`` where the part is no file; text where it came with a charset of its own.
        content_type: The media type, lower-cased; ``""`` where the part has no Content-Type.
        charset: The label that its Content-Type declares, or ``""``.
        headers: The pairs as sent, names lower-cased.
    """

    name: bytes
    filename: bytes | str | None
    content_type: str
    charset: str
    headers: list[tuple[bytes, bytes]]


class PartEnd(Struct, frozen=True):
    """The part is complete."""


# Bytes are a piece of the content of the part, and never empty.
Event: TypeAlias = PartStart | bytes | PartEnd

PART_ENDED: Final = PartEnd()

# python-multipart logs a warning, with a byte of the body in it, for each malformed form.
SILENT: Final = Logger("asgiwire.multipart", CRITICAL)

_TOKEN = re.compile(rb"[!#-'*+.^_`|~0-9A-Za-z-]*")


# From the end of a boundary to the content, as browsers write it: at most two headers, and what they say. In
# their values is nothing that would have to be decoded, stripped or refused.
ORDINARY_HEAD: Final = re.compile(
    rb"\r\nContent-Disposition: (%b)(?:\r\nContent-Type: ([\w.+-]++/[\w.+-]++))?+\r\n\r\n"
    % COMMON_DISPOSITION.pattern
)

# The first attribute of an enumeration takes a tenth of the time that a chunk does, before Python 3.12.
START: Final = MultipartState.START
PART_DATA: Final = MultipartState.PART_DATA
END: Final = MultipartState.END


def ordinary_head_size(limits: Limits) -> float:
    """Bytes of an ordinary head, its line ends included, with which no limit of headers is exceeded."""
    if limits.max_part_headers is not None and limits.max_part_headers < 2:
        return 0
    return inf if limits.max_part_header_size is None else limits.max_part_header_size


def appended(buffer: bytes | bytearray, piece: bytes) -> bytes | bytearray:
    """The buffer with one more piece; the piece itself, not a copy, as long as it is the only one."""
    if not buffer:
        return piece
    if isinstance(buffer, bytes):
        buffer = bytearray(buffer)
    buffer += piece
    return buffer


class PartReader(MultipartParser):
    """python-multipart's parser, its callbacks made into events; used up by the first error."""

    def __init__(self, boundary: bytes, codec: str | None, limits: Limits) -> None:
        most = sys.maxsize if limits.max_part_header_size is None else limits.max_part_header_size
        super().__init__(boundary, {}, max_header_count=sys.maxsize, max_header_size=most)
        self.logger = SILENT
        self.events: list[Event] = []
        self.codec = codec  # that the form has declared so far
        self._limits = limits
        self._head_size = ordinary_head_size(limits)
        self._counts = {"max_fields": 0, "max_files": 0}
        self._number = 0  # of the part, from 1 on
        self._in_headers = False
        self._charset_field: bytearray | None = None  # while the part is that field
        self._size, self._most = 0, inf  # of the part, and by which limit
        self._limit = ""
        self._headers: list[tuple[bytes, bytes]] = []
        self._name: bytes | bytearray = b""
        self._value: bytes | bytearray = b""

    # python-multipart calls back by name. Overriding the dispatcher, rather than registering callbacks, saves
    # building "on_" + name for each of the eight calls that even the smallest part makes.
    def callback(
        self, name: str, data: bytes | None = None, start: int | None = None, end: int | None = None
    ) -> None:
        if data is not None:
            # Sliced at once: the data may be python-multipart's own look-behind, not what was fed.
            piece = data[start:end]
            if name == "part_data":
                self._receive_data(piece)
            elif name == "header_field":
                self._name = appended(self._name, piece)
            else:
                self._value = appended(self._value, piece)
        elif name == "header_end":
            self._end_header()
        elif name == "part_end":
            self._end_part()
        elif name == "part_begin":
            self._begin_part()
        elif name == "header_begin":
            self._begin_header()
        elif name == "headers_finished":
            self._end_headers()

    def write(self, data: bytes) -> int:
        """Read the next bytes: python-multipart all but the ordinary parts that are between others.

        Raises:
            ClientException: They are no form, or exceed a limit.
        """
        position = 0
        if self.state != PART_DATA or self.index:
            # Up to the end of the head that this is or that comes next; what a chunk is cut into matters not.
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                position = self._parse(data[: end + 4])
        if self.state == PART_DATA and not self.index:
            position = self._read_ordinary(data, position)
        return position if position == len(data) else position + self._parse(data[position:])

    def _parse(self, data: bytes) -> int:
        try:
            return super().write(data)
        except MultipartParseError as error:
            raise self._explain(error, data) from None

    def _read_ordinary(self, data: bytes, position: int) -> int:
        """Read content, and parts that begin with an ordinary head; say where anything else begins."""
        # In PART_DATA the parser knows nothing of the part, so that it can go on with the content of another
        # one. It would find what is found here, in four times the time.
        boundary = self.boundary
        while (end := data.find(boundary, position)) >= 0:
            head = ORDINARY_HEAD.match(data, end + len(boundary))
            if head is None or head.end() - head.start() > self._head_size:
                return position
            if end > position:
                self._receive_data(data[position:end])
            self._end_part()
            self._begin_ordinary_part(*head.groups())
            position = head.end()
        last = data.rfind(b"\r", 1 - len(boundary))
        if last >= position and boundary.startswith(data[last:]):
            return position  # the next chunk may go on with the boundary
        if position < len(data):
            self._receive_data(data[position:])
        return len(data)

    def _begin_ordinary_part(
        self, disposition: bytes, name: bytes, filename: bytes | None, content_type: bytes | None
    ) -> None:
        self._begin_part()
        self._headers.append((b"content-disposition", disposition))
        media_type = ""
        if content_type is not None:
            self._headers.append((b"content-type", content_type))
            media_type = content_type.decode("ascii").lower()
        self._in_headers = False
        self._open_part(PartStart(name, filename, media_type, "", self._headers))

    def _begin_part(self) -> None:
        self._number += 1
        self._in_headers = True
        self._headers = []

    def _begin_header(self) -> None:
        maximum = self._limits.max_part_headers
        if maximum is not None and len(self._headers) >= maximum:
            raise RequestEntityTooLarge(limit="max_part_headers", maximum=maximum)
        self._name = self._value = b""

    def _end_header(self) -> None:
        name = bytes(self._name).lower()
        # The parser skips the spaces before a value, but neither a tab nor what comes after it.
        value = bytes(self._value).strip(b" \t")
        if character := forbidden_character(value):
            raise self._malformed(f"{character} in a header value")
        self._headers.append((name, value))

    def _end_headers(self) -> None:
        self._in_headers = False
        disposition: bytes | None = None
        content_type, charset = "", ""
        for name, value in self._headers:
            if name == b"content-disposition":
                if disposition is not None:
                    raise self._malformed("a second Content-Disposition header")
                disposition = value
            elif name == b"content-type" and not content_type:
                content_type, parameters = parse_media_type(value)
                charset = parameters.get("charset", "")
        if disposition is None:
            raise self._malformed("no Content-Disposition header")
        try:
            name, filename = parse_content_disposition(disposition)
        except ValidationException as error:
            raise self._malformed(error.detail) from None
        self._open_part(PartStart(name, filename, content_type, charset, self._headers))

    def _open_part(self, part: PartStart) -> None:
        limits = self._limits
        if part.filename is not None:
            limit, most = "max_files", limits.max_files
            self._limit, size, self._size = "max_file_size", limits.max_file_size, 0
        else:
            limit, most = "max_fields", limits.max_fields
            self._limit, size, self._size = "max_field_size", limits.max_field_size, len(part.name)
            if part.name == b"_charset_":
                self._charset_field = bytearray()
        self._most = inf if size is None else size
        self._counts[limit] += 1
        if most is not None and self._counts[limit] > most:
            raise RequestEntityTooLarge(limit=limit, maximum=most)
        if self._size > self._most:
            raise self._too_large()
        self.events.append(part)

    def _too_large(self) -> RequestEntityTooLarge:
        return RequestEntityTooLarge(limit=self._limit, maximum=int(self._most))

    def _receive_data(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most:
            raise self._too_large()
        if self._charset_field is not None:
            self._charset_field += piece
        self.events.append(piece)

    def _end_part(self) -> None:
        if self._charset_field is not None:
            # RFC 7578 section 4.6: the charset of those fields that have none of their own.
            self.codec = output_codec_for(self._charset_field.decode("latin-1")) or self.codec
            self._charset_field = None
        self.events.append(PART_ENDED)

    def _explain(self, error: MultipartParseError, data: bytes) -> ClientException:
        """What the parser's error in this chunk means: by where it stands, its own offset being of no use."""
        if not self._number:
            return ValidationException("the multipart body does not begin with its boundary")
        if not self._in_headers:
            return self._malformed("its boundary is followed by something else than a line end")
        if "header size" in str(error) and not self._is_misnamed(data):
            return RequestEntityTooLarge(limit="max_part_header_size", maximum=self.max_header_size)
        if "LF" in str(error):
            return self._malformed("CR without LF in its headers")
        return self._malformed("a header line is not a name, a colon and a value")

    def _malformed(self, fault: str) -> ValidationException:
        return ValidationException(f"multipart part {self._number}: {fault}")

    def _is_misnamed(self, data: bytes) -> bool:
        """Whether a header line that is too long had a wrong name before it was: the first error counts."""
        # The parser measures a name up to its colon before it looks at the characters, so that which of the
        # two it finds first depends on the chunk.
        start = self.marks.get("header_field")
        if start is None:
            return False
        end = start + self.max_header_size - len(self._name)
        match = _TOKEN.match(data, start, end)
        return match is None or match.end() < min(end, len(data))
