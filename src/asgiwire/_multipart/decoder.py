"""A push decoder for multipart/form-data (RFC 7578): feed bytes, get events.

::

    decoder = MultipartDecoder({"boundary": "B"}, limits)
    for chunk in body:
        for event in decoder.feed(chunk):
            ...  # PartStart, bytes, ..., PartEnd, PartStart, and so on; or CommonParts
        decoder.check()
    decoder.finish()

The chunks of the body affect only the sizes of the data chunks, and which parts are in a CommonParts.
Content-Transfer-Encoding is not decoded: RFC 7578 section 4.7 deprecates it, and no browser sends it.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from asgiwire._parsers.charsets import codec_for, decode_text, not_text, output_codec_for
from asgiwire._parsers.content_headers import parse_boundary
from asgiwire.exceptions import ClientException, ValidationException

from .events import CommonParts, Event, PartEnd, PartStart
from .parser import EventParser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.limits import Limits

    from .usage import FormUsage

__all__ = ("CommonParts", "Event", "MultipartDecoder", "PartEnd", "PartStart")


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
        codec = output_codec_for(parameters["charset"]) if "charset" in parameters else None
        self._parser = EventParser(parse_boundary(parameters), codec, limits)
        self._error: ClientException | None = None

    @property
    def codec(self) -> str | None:
        """The codec that the form has declared so far."""
        return self._parser.codec

    @property
    def usage(self) -> FormUsage:
        """The usage of the limits so far."""
        return self._parser.usage

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """Decode the next bytes of the body.

        If the bytes contain an error, the events before it are returned, and :meth:`check` raises it. The
        events therefore do not depend on the chunks.

        Raises:
            ClientException: An earlier call found an error.
        """
        self.check()
        parser = self._parser
        try:
            parser.write(data if type(data) is bytes else bytes(data))
        except ClientException as error:
            # A copy has no traceback, which would be a reference cycle through the frame of this call.
            self._error = copy(error)
        events, parser.events = parser.events, []
        return events

    def check(self) -> None:
        """Raise the error in the bytes that were fed; each call raises an equal one.

        Raises:
            ValidationException: The body is not valid multipart/form-data.
            RequestEntityTooLarge: The body exceeds a limit.
        """
        if self._error is not None:
            raise copy(self._error)

    def finish(self) -> None:
        """Check that the body is complete; call this after the last chunk.

        Raises:
            ValidationException: The body has no boundary, or ended before the final one.
        """
        if self._error is None and not self._parser.complete:
            which = "final" if self._parser.boundaries else "first"
            self._error = ValidationException(f"the multipart body ended before the {which} boundary")
        self.check()

    def decode(self, value: bytes | str) -> str:
        """Decode a name, a filename or a header value; invalid bytes become U+FFFD."""
        if isinstance(value, str):
            return value
        return value.decode(self._parser.codec or "utf-8", "replace")

    def decode_value(self, number: int, charset: str, value: bytes | bytearray) -> str:
        """Decode the content of a field.

        The charset is the part's own, else the form's, else UTF-8 with U+FFFD for invalid bytes. The form's
        charset is the value of a ``_charset_`` field so far, else the charset of its Content-Type. Labels
        that the WHATWG Encoding standard does not define are ignored.

        Args:
            number: The number of the part in the form, from 1, for the error message.
            charset: The charset label of the part, or ``""``.
            value: The content.

        Raises:
            SerializationException: The bytes are invalid in the declared charset.
        """
        codec = (charset and codec_for(charset)) or self._parser.codec
        if codec is None:
            return value.decode("utf-8", "replace")
        try:
            return decode_text(value, codec)
        except UnicodeDecodeError:
            pass  # it contains the content, so it must not become the `__context__`
        raise not_text(f"multipart part {number}", codec)
