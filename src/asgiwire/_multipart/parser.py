"""The boundaries of a multipart body (RFC 2046 section 5.1.1) and the events between them.

python-multipart parses the headers of a part (``headers.py``). It does not find the boundaries, because its
versions accept different lines. Each version also parses two kinds of lines as content: the boundary after an
empty part, and a line that begins with the boundary but continues with other text. Parts with common headers
are parsed here in one step. Tests check that both paths return the same parts.
"""

from __future__ import annotations

import re
from math import inf
from typing import TYPE_CHECKING, Final

from asgiwire._parsers import find_delimiter
from asgiwire._parsers.charsets import output_codec_for
from asgiwire._parsers.content_headers import COMMON_DISPOSITION
from asgiwire.exceptions import RequestEntityTooLarge, ValidationException

from .events import PART_END, CommonPart, CommonParts, PartStart, common_start
from .headers import HeaderBlock
from .usage import FormUsage

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.limits import Limits

    from .events import Event

__all__ = ("EventParser",)

# The headers that browsers send, from the end of the boundary to the content. There are at most two headers,
# with values that need no decoding, stripping or validation.
COMMON_HEADERS: Final = re.compile(
    rb"\r\nContent-Disposition: (%b)(?:\r\nContent-Type: ([\w.+-]++/[\w.+-]++))?+\r\n\r\n"
    % COMMON_DISPOSITION.pattern
)
COMMON_TYPE_LINE: Final = len(b"Content-Type: ")
COMMON_DISPOSITION_LINE: Final = len(b"Content-Disposition: ")

# The rest of the line of a boundary that is not the final one. At the end of a chunk, the line end may be
# incomplete.
LINE_END: Final = re.compile(rb"[ \t]*+(\r\n|\r?\Z)")


class EventParser:
    """Splits a multipart body into events. It cannot be used after an error.

    Attributes:
        events: The events of the bytes written so far; the caller removes them.
        codec: The codec that the form has declared so far, or ``None``.
        complete: Whether the final boundary was read.
        boundaries: The number of boundaries that were read.
        usage: The usage of the limits so far.
    """

    __slots__ = (
        "_at_line_start",
        "_block",
        "_charset_value",
        "_delimiter",
        "_limits",
        "_max_common_headers",
        "_max_size",
        "_maxima",
        "_padded",
        "_pending",
        "_read",
        "_size",
        "_size_limit",
        "boundaries",
        "codec",
        "complete",
        "events",
        "usage",
    )

    def __init__(self, boundary: bytes, codec: str | None, limits: Limits) -> None:
        self.events: list[Event] = []
        self.codec = codec
        self.complete = False
        self.boundaries = 0
        self.usage = FormUsage()
        self._limits = limits
        self._delimiter = b"\r\n--" + boundary
        # A function, because a bound method would be a reference cycle.
        self._read: Callable[[EventParser, bytes, int], int] = EventParser._read_preamble
        self._pending = b""  # the end of the last chunk, which may begin a boundary or the end of its line
        # Whether the next byte begins the body, or the content of a part. A boundary there needs no line end:
        # it uses the previous one.
        self._at_line_start = True
        self._padded = False  # whether spaces or tabs follow the boundary
        self._block: HeaderBlock
        self._max_common_headers = _max_common_headers(limits)
        self._maxima = (
            inf if limits.max_fields is None else limits.max_fields,
            inf if limits.max_field_size is None else limits.max_field_size,
            inf if limits.max_files is None else limits.max_files,
            inf if limits.max_file_size is None else limits.max_file_size,
        )
        self._size, self._max_size = 0, inf  # of the current part
        self._size_limit = ""  # the name of the limit that _max_size comes from
        self._charset_value: bytearray | None = None  # set while the part is a "_charset_" field

    def write(self, data: bytes) -> None:
        """Parse the next bytes and collect their events.

        Raises:
            ValidationException: The body is not valid multipart/form-data.
            RequestEntityTooLarge: The body exceeds a limit.
        """
        if self._pending:
            data, self._pending = self._pending + data, b""
        position, end = 0, len(data)
        while position < end:
            position = self._read(self, data, position)

    # One method for each state. It parses from a position on, and returns the position of the next state. At
    # the end of the data, it stores bytes in _pending that it cannot parse without the next chunk.

    def _read_preamble(self, data: bytes, position: int) -> int:
        if self._at_line_start and data[position] in b"\r\n":
            # Empty lines do not count towards the limit.
            position = len(data) - len(data[position:].lstrip(b"\r\n"))
            if position == len(data):
                return position
        start, end = self._find_boundary(data, position)
        if start > position:
            self._note_preamble(start - position)
        if end < 0:
            self._pending = data[start:]
            return len(data)
        return self._begin_boundary(data, end)

    def _read_content(self, data: bytes, position: int) -> int:
        start, end = self._find_boundary(data, position)
        if start > position:
            self._receive_data(data[position:start])
        if end < 0:
            self._pending = data[start:]
            return len(data)
        self._end_part()
        return self._begin_boundary(data, end)

    def _hold_back(self, data: bytes, position: int) -> int:
        """Read content without a boundary, except for an end that may begin one."""
        end = self._boundary_start(data, position)
        self._receive_data(data[position:end])
        self._pending = data[end:]
        return len(data)

    def _read_line_end(self, data: bytes, position: int) -> int:
        """Read the rest of the line of a boundary."""
        if not self._padded:
            if data.startswith(b"--", position):
                self.complete = True
                self._read = EventParser._skip_epilogue
                return len(data)
            if data[position:] == b"-":
                self._pending = b"-"
                return len(data)
        match = LINE_END.match(data, position)
        if match is None:
            # Some parsers begin a part here, others parse the line as content.
            msg = f"expected a line end or '--' after boundary {self.boundaries} of the multipart body"
            raise ValidationException(msg)
        if match[1] == b"\r\n":
            self._block = HeaderBlock(self._limits)
            self._read = EventParser._read_headers
            return match.end()
        self._padded = self._padded or match.start(1) > position
        self._pending = match[1]
        return len(data)

    def _read_headers(self, data: bytes, position: int) -> int:
        block = self._block
        try:
            position, is_complete = block.read(data, position)
            part = block.part_start() if is_complete else None
        except ValidationException as error:
            detail = error.detail
        else:
            if part is not None:
                self._note_headers(len(block.headers), block.longest_line)
                self._begin_content(part)
            return position
        raise ValidationException(f"multipart part {self.boundaries}: {detail}")

    def _skip_epilogue(self, data: bytes, _position: int) -> int:
        """Discard the data after the final boundary (RFC 2046 section 5.1.1)."""
        return len(data)

    def _find_boundary(self, data: bytes, position: int) -> tuple[int, int]:
        """Return where the next boundary and its line end start, and where the boundary ends.

        Without a boundary, the second number is -1. The first one is the position where an incomplete
        boundary may start, which the next chunk completes.
        """
        delimiter = self._delimiter
        if self._at_line_start:
            without_line_end = delimiter[2:]
            if data.startswith(without_line_end, position):
                return position, position + len(without_line_end)
            if without_line_end.startswith(data[position : position + len(without_line_end)]):
                return position, -1
            self._at_line_start = False
        start = find_delimiter(data, delimiter, position)
        if start >= 0:
            return start, start + len(delimiter)
        return self._boundary_start(data, position), -1

    def _boundary_start(self, data: bytes, position: int) -> int:
        """Return the position at the end of the data where an incomplete boundary may start."""
        # A boundary has no CR, so only the last one can start a delimiter.
        start = data.rfind(b"\r", max(position, len(data) - len(self._delimiter) + 1))
        return start if start >= 0 and self._delimiter.startswith(data[start:]) else len(data)

    def _begin_boundary(self, data: bytes, position: int) -> int:
        """Parse the data after a boundary, and collect the complete parts with common headers.

        The loop runs once per part, so it uses local variables and avoids calls. It ends at a part with other
        headers, an exceeded limit, a charset, or incomplete data.
        """
        delimiter, usage, first = self._delimiter, self.usage, position
        length, max_headers = len(delimiter), self._max_common_headers
        max_fields, max_field_size, max_files, max_file_size = self._maxima
        fields, files = usage.max_fields, usage.max_files
        parts: list[CommonPart] = []
        match_headers, end = COMMON_HEADERS.match, -1
        while match := match_headers(data, position):
            start = match.end()
            end = find_delimiter(data, delimiter, start - 2)
            disposition, name, filename, content_type = match.groups()
            if end < start or start - position > max_headers or name == b"_charset_":
                break
            if filename is None:
                if fields >= max_fields or len(name) + end - start > max_field_size:
                    break
                fields += 1
            else:
                if files >= max_files or end - start > max_file_size:
                    break
                files += 1
            parts.append((disposition, name, filename, content_type, data[start:end]))
            position = end + length
        if parts:
            usage.max_fields, usage.max_files = fields, files
            self._note_common_parts(parts, position - first - len(parts) * length)
        self.boundaries += len(parts) + 1
        if match is None or match.end() - position > max_headers:
            self._padded = False
            self._read = EventParser._read_line_end
            return position
        return self._begin_common_part(data, position, match, is_complete=end >= 0)

    def _begin_common_part(
        self, data: bytes, position: int, match: re.Match[bytes], is_complete: bool
    ) -> int:
        """Read a part with common headers that is not collected with others."""
        disposition, name, filename, content_type = match.groups()
        self._note_common_headers(len(disposition), len(content_type or b""))
        self._begin_content(common_start((disposition, name, filename, content_type, b"")))
        start = match.end()
        if is_complete or len(data) - start < len(self._delimiter):
            return start
        # The content was already searched, and the part is not complete.
        self._at_line_start = False
        return self._hold_back(data, start)

    def _note_common_parts(self, parts: list[CommonPart], size: int) -> None:
        """Count complete parts in the usage, and append their event; ``size`` is that of the event."""
        usage = self.usage
        files = [len(part[4]) for part in parts if part[2] is not None]
        if files:
            usage.max_file_size = max(usage.max_file_size, *files)
        if len(files) < len(parts):
            fields = [len(part[1]) + len(part[4]) for part in parts if part[2] is None]
            usage.max_field_size = max(usage.max_field_size, *fields)
        types = [len(part[3]) for part in parts if part[3] is not None]
        self._note_common_headers(max([len(part[0]) for part in parts]), max(types, default=0))
        self.events.append(CommonParts(parts, size, sum(files), max(files, default=0)))

    def _begin_content(self, part: PartStart) -> None:
        usage = self.usage
        max_fields, max_field_size, max_files, max_file_size = self._maxima
        if part.filename is not None:
            usage.max_files += 1
            if usage.max_files > max_files:
                raise RequestEntityTooLarge(limit="max_files", maximum=int(max_files))
            self._size_limit, self._max_size, self._size = "max_file_size", max_file_size, 0
        else:
            usage.max_fields += 1
            if usage.max_fields > max_fields:
                raise RequestEntityTooLarge(limit="max_fields", maximum=int(max_fields))
            self._size_limit, self._max_size, self._size = "max_field_size", max_field_size, len(part.name)
            if part.name == b"_charset_":
                self._charset_value = bytearray()
        self._check_size()
        self._read = EventParser._read_content
        self._at_line_start = True
        self.events.append(part)

    def _receive_data(self, chunk: bytes) -> None:
        self._size += len(chunk)
        self._check_size()
        if self._charset_value is not None:
            self._charset_value += chunk
        self.events.append(chunk)

    def _check_size(self) -> None:
        if self._size > self._max_size:
            raise RequestEntityTooLarge(limit=self._size_limit, maximum=int(self._max_size))

    def _end_part(self) -> None:
        if self._charset_value is not None:
            # RFC 7578 section 4.6: the charset of the fields that do not declare their own.
            self.codec = output_codec_for(self._charset_value.decode("latin-1")) or self.codec
            self._charset_value = None
        if self._size > getattr(self.usage, self._size_limit):
            setattr(self.usage, self._size_limit, self._size)
        self.events.append(PART_END)

    def _note_common_headers(self, longest_disposition: int, longest_type: int) -> None:
        self._note_headers(1, COMMON_DISPOSITION_LINE + longest_disposition)
        if longest_type:
            self._note_headers(2, COMMON_TYPE_LINE + longest_type)

    def _note_headers(self, count: int, longest_line: int) -> None:
        usage = self.usage
        usage.max_part_headers = max(usage.max_part_headers, count)
        usage.max_part_header_size = max(usage.max_part_header_size, longest_line)

    def _note_preamble(self, size: int) -> None:
        self.usage.max_part_header_size += size  # no header was read before
        maximum = self._limits.max_part_header_size
        if maximum is not None and self.usage.max_part_header_size > maximum:
            raise RequestEntityTooLarge(limit="max_part_header_size", maximum=maximum)


def _max_common_headers(limits: Limits) -> float:
    """Return the maximum size of common headers in bytes, line ends included."""
    if limits.max_part_headers is not None and limits.max_part_headers < 2:
        return 0
    return inf if limits.max_part_header_size is None else limits.max_part_header_size
