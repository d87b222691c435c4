"""A push decoder for multipart/form-data (RFC 7578): feed bytes, get events.

::

    decoder = MultipartDecoder({"boundary": "B"}, limits)
    for chunk in body:
        for event in decoder.feed(chunk):
            ...  # PartStart, bytes, ..., PartEnd, PartStart, and so on
    decoder.finish()

How the body is split into chunks changes the sizes of the data chunks, but no other event and no error.
Content-Transfer-Encoding is not decoded: RFC 7578 section 4.7 deprecates it, and no browser sends it.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from asgiwire._parsers.charsets import codec_for, decode_text, not_text, output_codec_for
from asgiwire._parsers.content_headers import parse_boundary
from asgiwire.exceptions import ClientException, ValidationException

from .events import Event, PartEnd, PartStart
from .parser import END, START, EventParser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.limits import Limits

__all__ = ("Event", "MultipartDecoder", "PartEnd", "PartStart")


class MultipartDecoder:
    """Decodes the bytes of a body into events.

    Args:
        parameters: The parameters of the Content-Type, names in lower case.
        limits: The decoder enforces ``max_fields``, ``max_files``, ``max_field_size``, ``max_file_size``,
            ``max_part_headers`` and ``max_part_header_size``, each at the first byte over the limit.

    Raises:
        ValidationException: The boundary is missing, empty, too long or has invalid characters.
    """

    __slots__ = ("_error", "_parser")

    def __init__(self, parameters: Mapping[str, str], limits: Limits) -> None:
        codec = output_codec_for(parameters.get("charset", ""))
        self._parser = EventParser(parse_boundary(parameters), codec, limits)
        self._error: ClientException | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """Decode the next bytes of the body.

        After an error, each later call raises an equal error.

        Raises:
            ValidationException: The body is not valid multipart/form-data.
            RequestEntityTooLarge: The body exceeds a limit.
        """
        if self._error is not None:
            raise copy(self._error)
        parser = self._parser
        if type(data) is not bytes:
            data = bytes(data)
        if parser.state == START:
            # RFC 2046 section 5.1.1 allows a preamble. Only empty lines are skipped, because that is all
            # that clients send; python-multipart would also skip other text, but only in some chunks.
            data = data.lstrip(b"\r\n")
        if not data or parser.state == END:
            return []
        try:
            parser.write(data)
        except ClientException as error:
            # A copy has no traceback, which would be a reference cycle through the frame of this call.
            self._error = copy(error)
            raise
        events, parser.events = parser.events, []
        return events

    def finish(self) -> None:
        """Check that the body is complete; call this after the last chunk.

        Raises:
            ValidationException: The body ended before the final boundary.
        """
        if self._error is None and self._parser.state != END:
            self._error = ValidationException("the multipart body ended before the final boundary")
        if self._error is not None:
            raise copy(self._error)

    def decode(self, value: bytes | str) -> str:
        """Decode a name, a filename or a header value; invalid bytes become U+FFFD."""
        if isinstance(value, str):
            return value
        return value.decode(self._parser.codec or "utf-8", "replace")

    def decode_value(self, part: PartStart, value: bytes | bytearray) -> str:
        """Decode the content of a field.

        The charset is the part's own, else the form's, else UTF-8 with U+FFFD for invalid bytes. The form's
        charset is the value of a ``_charset_`` field so far, else the charset of its Content-Type. Labels
        that the WHATWG Encoding standard does not define are ignored.

        Raises:
            SerializationException: The bytes are invalid in the declared charset.
        """
        codec = (part.charset and codec_for(part.charset)) or self._parser.codec
        if codec is None:
            return value.decode("utf-8", "replace")
        try:
            return decode_text(value, codec)
        except UnicodeDecodeError:
            field = self.decode(part.name)[:100]
        # Raised outside of the except block: the UnicodeDecodeError holds the content.
        raise not_text(f"the form field {field!r}", codec)
