"""python-multipart's parser with events in place of callbacks.

python-multipart finds the boundaries and the header lines. This module adds the limits, reads the headers of
each part, and has a fast path for the headers that browsers send. Both paths give the same events, which
tests check.
"""

from __future__ import annotations

import re
import sys
from logging import CRITICAL, Logger
from math import inf
from typing import TYPE_CHECKING, Final

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

from .events import PART_END, PartStart

if TYPE_CHECKING:
    from asgiwire.limits import Limits

    from .events import Event

__all__ = ("COMMON_HEADERS", "END", "START", "EventParser", "max_common_headers_size")

# python-multipart logs a warning for each malformed form, with a byte of the body in it.
SILENT: Final = Logger("asgiwire.multipart", CRITICAL)

_TOKEN = re.compile(rb"[!#-'*+.^_`|~0-9A-Za-z-]*")

# Everything from the end of a boundary to the content, as browsers write it: at most two headers, with values
# that need no decoding, stripping or validation.
COMMON_HEADERS: Final = re.compile(
    rb"\r\nContent-Disposition: (%b)(?:\r\nContent-Type: ([\w.+-]++/[\w.+-]++))?+\r\n\r\n"
    % COMMON_DISPOSITION.pattern
)

# Before Python 3.12, the first access to an attribute of an enumeration takes a tenth of the time of a chunk.
START: Final = MultipartState.START
PART_DATA: Final = MultipartState.PART_DATA
END: Final = MultipartState.END


def max_common_headers_size(limits: Limits) -> float:
    """Bytes of :data:`COMMON_HEADERS`, line ends included, that cannot exceed a limit of headers."""
    if limits.max_part_headers is not None and limits.max_part_headers < 2:
        return 0
    return inf if limits.max_part_header_size is None else limits.max_part_header_size


def append(buffer: bytes | bytearray, chunk: bytes) -> bytes | bytearray:
    """Return the buffer with the chunk appended; a chunk appended to an empty buffer is not copied."""
    if not buffer:
        return chunk
    if isinstance(buffer, bytes):
        buffer = bytearray(buffer)
    buffer += chunk
    return buffer


class EventParser(MultipartParser):
    """python-multipart's parser, which collects ``events``. It cannot be used after an error.

    Attributes:
        events: The events of the bytes written so far; the caller takes them.
        codec: The codec that the form has declared so far, or ``None``.
    """

    def __init__(self, boundary: bytes, codec: str | None, limits: Limits) -> None:
        max_header_size = sys.maxsize if limits.max_part_header_size is None else limits.max_part_header_size
        super().__init__(boundary, {}, max_header_count=sys.maxsize, max_header_size=max_header_size)
        self.logger = SILENT
        self.events: list[Event] = []
        self.codec = codec
        self._limits = limits
        self._max_common_headers_size = max_common_headers_size(limits)
        self._counts = {"max_fields": 0, "max_files": 0}
        self._part_number = 0  # counts from 1
        self._in_headers = False
        self._charset_value: bytearray | None = None  # set while the part is a "_charset_" field
        self._size, self._max_size = 0, inf  # of the current part
        self._size_limit = ""  # the name of the limit that _max_size comes from
        self._headers: list[tuple[bytes, bytes]] = []
        self._header_name: bytes | bytearray = b""
        self._header_value: bytes | bytearray = b""

    # python-multipart calls this with the name of each callback. Overriding it is faster than registering
    # callbacks, because even the smallest part makes eight calls, each of which would build "on_" + name.
    def callback(
        self, name: str, data: bytes | None = None, start: int | None = None, end: int | None = None
    ) -> None:
        if data is not None:
            # Sliced at once: data may be python-multipart's look-behind buffer.
            chunk = data[start:end]
            if name == "part_data":
                self._receive_data(chunk)
            elif name == "header_field":
                self._header_name = append(self._header_name, chunk)
            else:
                self._header_value = append(self._header_value, chunk)
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
        """Parse the next bytes and collect their events.

        Raises:
            ValidationException: The body is not valid multipart/form-data.
            RequestEntityTooLarge: The body exceeds a limit.
        """
        position = 0
        if self.state != PART_DATA or self.index:
            # Parse up to the end of the current or next headers, so that the fast path can take over.
            end = data.find(b"\r\n\r\n")
            if end >= 0:
                position = self._parse(data[: end + 4])
        if self.state == PART_DATA and not self.index:
            position = self._parse_common_parts(data, position)
        return position if position == len(data) else position + self._parse(data[position:])

    def _parse(self, data: bytes) -> int:
        try:
            return super().write(data)
        except MultipartParseError as error:
            # python-multipart holds the error in a local variable: its traceback would be a reference cycle.
            error.__traceback__ = None
            message = str(error)
        raise self._client_error(message, data)

    def _parse_common_parts(self, data: bytes, position: int) -> int:
        """Parse content and parts with common headers; return the position of anything else.

        In the state PART_DATA, python-multipart holds no data of the part, so it can continue with the
        content of another part. It would find the same parts in four times the time.
        """
        boundary = self.boundary
        while (end := data.find(boundary, position)) >= 0:
            match = COMMON_HEADERS.match(data, end + len(boundary))
            if match is None or match.end() - match.start() > self._max_common_headers_size:
                return position
            if end > position:
                self._receive_data(data[position:end])
            self._end_part()
            self._begin_common_part(*match.groups())
            position = match.end()
        last = data.rfind(b"\r", 1 - len(boundary))
        if last >= position and boundary.startswith(data[last:]):
            return position  # the next chunk may continue the boundary
        if position < len(data):
            self._receive_data(data[position:])
        return len(data)

    def _begin_common_part(
        self, disposition: bytes, name: bytes, filename: bytes | None, content_type: bytes | None
    ) -> None:
        self._begin_part()
        self._headers.append((b"content-disposition", disposition))
        media_type = ""
        if content_type is not None:
            self._headers.append((b"content-type", content_type))
            media_type = content_type.decode("ascii").lower()
        self._in_headers = False
        self._begin_content(PartStart(name, filename, media_type, "", self._headers))

    def _begin_part(self) -> None:
        self._part_number += 1
        self._in_headers = True
        self._headers = []

    def _begin_header(self) -> None:
        maximum = self._limits.max_part_headers
        if maximum is not None and len(self._headers) >= maximum:
            raise RequestEntityTooLarge(limit="max_part_headers", maximum=maximum)
        self._header_name = self._header_value = b""

    def _end_header(self) -> None:
        name = bytes(self._header_name).lower()
        # python-multipart strips leading spaces only: neither tabs nor trailing white space.
        value = bytes(self._header_value).strip(b" \t")
        if character := forbidden_character(value):
            raise self._malformed(f"{character} is not allowed in a header value")
        self._headers.append((name, value))

    def _end_headers(self) -> None:
        self._in_headers = False
        disposition: bytes | None = None
        content_type, charset = "", ""
        for name, value in self._headers:
            if name == b"content-disposition":
                if disposition is not None:
                    raise self._malformed("duplicate Content-Disposition header")
                disposition = value
            elif name == b"content-type" and not content_type:
                content_type, parameters = parse_media_type(value)
                charset = parameters.get("charset", "")
        if disposition is None:
            raise self._malformed("missing Content-Disposition header")
        try:
            name, filename = parse_content_disposition(disposition)
        except ValidationException as error:
            raise self._malformed(error.detail) from None
        self._begin_content(PartStart(name, filename, content_type, charset, self._headers))

    def _begin_content(self, part: PartStart) -> None:
        limits = self._limits
        if part.filename is not None:
            count_limit, max_count = "max_files", limits.max_files
            self._size_limit, max_size, self._size = "max_file_size", limits.max_file_size, 0
        else:
            count_limit, max_count = "max_fields", limits.max_fields
            self._size_limit, max_size, self._size = "max_field_size", limits.max_field_size, len(part.name)
            if part.name == b"_charset_":
                self._charset_value = bytearray()
        self._max_size = inf if max_size is None else max_size
        self._counts[count_limit] += 1
        if max_count is not None and self._counts[count_limit] > max_count:
            raise RequestEntityTooLarge(limit=count_limit, maximum=max_count)
        if self._size > self._max_size:
            raise self._too_large()
        self.events.append(part)

    def _receive_data(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._max_size:
            raise self._too_large()
        if self._charset_value is not None:
            self._charset_value += chunk
        self.events.append(chunk)

    def _end_part(self) -> None:
        if self._charset_value is not None:
            # RFC 7578 section 4.6: the charset of the fields that do not declare their own.
            self.codec = output_codec_for(self._charset_value.decode("latin-1")) or self.codec
            self._charset_value = None
        self.events.append(PART_END)

    def _too_large(self) -> RequestEntityTooLarge:
        return RequestEntityTooLarge(limit=self._size_limit, maximum=int(self._max_size))

    def _client_error(self, message: str, data: bytes) -> ClientException:
        """Translate the message of an error that python-multipart raised in this chunk."""
        if not self._part_number:
            return ValidationException("the multipart body does not begin with its boundary")
        if not self._in_headers:
            return self._malformed("expected a line end after the boundary")
        if "header size" in message and not self._has_invalid_header_name(data):
            return RequestEntityTooLarge(limit="max_part_header_size", maximum=self.max_header_size)
        if "LF" in message:
            return self._malformed("CR without LF in the headers")
        return self._malformed("a header line must be a name, a colon and a value")

    def _malformed(self, problem: str) -> ValidationException:
        return ValidationException(f"multipart part {self._part_number}: {problem}")

    def _has_invalid_header_name(self, data: bytes) -> bool:
        """Whether a header line that is too long has an invalid name within the limit.

        python-multipart measures a name up to its colon before it checks the characters. Which of the two
        errors it raises depends on the chunks; here, the first error in the line decides.
        """
        start = self.marks.get("header_field")
        if start is None:
            return False
        end = start + self.max_header_size - len(self._header_name)
        match = _TOKEN.match(data, start, end)
        return match is None or match.end() < min(end, len(data))
