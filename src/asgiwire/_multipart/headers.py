"""The header block of one multipart part, parsed by python-multipart.

python-multipart checks the names and the line ends. This module enforces the limits, checks the values, and
interprets the headers.
"""

from __future__ import annotations

import sys
from logging import CRITICAL, Logger
from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from asgiwire._parsers.content_headers import (
    forbidden_character,
    parse_content_disposition,
    parse_media_type,
)
from asgiwire.exceptions import RequestEntityTooLarge, ValidationException

from .events import DEFAULT_CONTENT_TYPE, PartStart, block_size

if TYPE_CHECKING:
    from asgiwire.limits import Limits

__all__ = ("HeaderBlock",)

# python-multipart logs a warning for each malformed form, which contains a byte of the body.
SILENT: Final = Logger("asgiwire.multipart", CRITICAL)

BLANK_LINE: Final = b"\r\n\r\n"


class HeaderBlock:
    """Reads the headers of one part, from the line after the boundary to the blank line.

    Attributes:
        headers: The pairs read so far, names in lower case.
        longest_line: Bytes of the longest line.
    """

    __slots__ = ("_last_bytes", "_limits", "_line_size", "_parser", "headers", "longest_line")

    def __init__(self, limits: Limits) -> None:
        lines = HeaderLines(limits.max_part_headers)
        self.headers = lines.headers
        self.longest_line = 0
        self._limits = limits
        self._line_size = 0
        # The line end of the boundary: a block that begins with an empty line has no headers.
        self._last_bytes = b"\r\n"
        self._parser = MultipartParser(
            b"B",
            {
                "on_header_begin": lines.begin,
                "on_header_field": lines.add_to_name,
                "on_header_value": lines.add_to_value,
                "on_header_end": lines.end,
            },
            max_header_count=sys.maxsize,
            max_header_size=sys.maxsize,
        )
        self._parser.logger = SILENT
        self._parser.write(b"--B\r\n")

    def read(self, data: bytes, position: int) -> tuple[int, bool]:
        """Read from ``position`` on; return the position after it, and whether the block is complete.

        Raises:
            ValidationException: A header is malformed.
            RequestEntityTooLarge: A limit is exceeded.
        """
        last = self._last_bytes
        across = (last + data[position : position + 3]).find(BLANK_LINE)
        within = position + across - len(last) if across >= 0 else data.find(BLANK_LINE, position)
        is_complete = across >= 0 or within >= 0
        end = within + len(BLANK_LINE) if is_complete else len(data)
        block = data[position:end]
        self._check_line_sizes(block)
        self._parse(block)
        self._last_bytes = (last + block)[-3:]
        return end, is_complete

    def part_start(self) -> PartStart:
        """Return the event that starts the part, after the block was read.

        Raises:
            ValidationException: A header is missing, invalid or repeated.
        """
        dispositions = [value for name, value in self.headers if name == b"content-disposition"]
        types = [value for name, value in self.headers if name == b"content-type"]
        if not dispositions:
            raise ValidationException("missing Content-Disposition header")
        # Some parsers use the first of two headers, others the last.
        if len(dispositions) > 1:
            raise ValidationException("duplicate Content-Disposition header")
        if len(types) > 1:
            raise ValidationException("duplicate Content-Type header")
        name, filename = parse_content_disposition(dispositions[0])
        media_type, parameters = parse_media_type(types[0] if types else b"")
        charset = parameters.get("charset", "")
        size = block_size(self.headers)
        return PartStart(name, filename, media_type or DEFAULT_CONTENT_TYPE, charset, self.headers, size)

    def _check_line_sizes(self, block: bytes) -> None:
        """Raise an error at the first byte of a line over the limit, unless an earlier byte is invalid."""
        maximum = self._limits.max_part_header_size
        size, start = self._line_size, 0
        while True:
            line_end = block.find(b"\r", start)
            end = len(block) if line_end < 0 else line_end
            size += end - start
            self.longest_line = max(self.longest_line, size)
            if maximum is not None and size > maximum:
                self._parse(block[: end - (size - maximum)])
                raise RequestEntityTooLarge(limit="max_part_header_size", maximum=maximum)
            if line_end < 0:
                self._line_size = size
                return
            size, start = -1, line_end + 1  # the next byte is the LF

    def _parse(self, block: bytes) -> None:
        try:
            self._parser.write(block)
        except MultipartParseError as error:
            # python-multipart stores the error in a local variable: its traceback would be a reference cycle.
            error.__traceback__ = None
        else:
            return
        raise ValidationException("a header line must be a name, a colon, a value and CRLF")


class HeaderLines:
    """Collects the header lines that python-multipart reports."""

    __slots__ = ("_maximum", "_name", "_value", "headers")

    def __init__(self, maximum: int | None) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self._maximum = maximum
        self._name = bytearray()
        self._value = bytearray()

    def begin(self) -> None:
        if self._maximum is not None and len(self.headers) >= self._maximum:
            raise RequestEntityTooLarge(limit="max_part_headers", maximum=self._maximum)
        self._name, self._value = bytearray(), bytearray()

    def add_to_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_to_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end(self) -> None:
        # python-multipart strips only leading spaces, not tabs or trailing white space.
        value = bytes(self._value).strip(b" \t")
        if character := forbidden_character(value):
            raise ValidationException(f"{character} is not allowed in a header value")
        self.headers.append((bytes(self._name).lower(), value))
