"""multipart/form-data (RFC 7578) without I/O: feed bytes, get events.

::

    decoder = MultipartDecoder({"boundary": "B"}, limits)
    for chunk in body:
        for event in decoder.feed(chunk):
            ...  # PartStart, bytes..., PartEnd, and so on
    decoder.finish()

python-multipart finds the boundaries and the header lines; ``_multipart_parser`` has what it leaves to its
caller about parts. Here is the rest: a body that ends too soon, what text the bytes are, and that neither
events nor errors depend on how the bytes were cut, but for the size of the pieces of data.

Left out: where the data goes (``connection._form``), and Content-Transfer-Encoding, which is deprecated
(RFC 7578 section 4.7) and sent by no browser. Imported with the first form, as it imports python-multipart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire._parsers.charsets import codec_for, decode_text, not_text, output_codec_for
from asgiwire._parsers.content_headers import parse_boundary
from asgiwire.exceptions import ClientException, ValidationException

from .parser import END, START, Event, PartStart, PartEnd, PartReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.limits import Limits

__all__ = ("Event", "MultipartDecoder", "PartStart", "PartEnd")


class MultipartDecoder:
    """Turns the bytes of a body into events.

    Args:
        parameters: Those of the Content-Type, names lower-cased.
        limits: ``max_fields``, ``max_files``, ``max_field_size``, ``max_file_size``, ``max_part_headers`` and
            ``max_part_header_size`` are enforced here; each fires at the byte that exceeds it.

    Raises:
        ValidationException: The boundary is missing, empty, too long or has characters that none may have.
    """

    __slots__ = ("_failure", "_reader")

    def __init__(self, parameters: Mapping[str, str], limits: Limits) -> None:
        codec = output_codec_for(parameters.get("charset", ""))
        self._reader = PartReader(parse_boundary(parameters), codec, limits)
        self._failure: ClientException | None = None

    def feed(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """Decode the next bytes of the body.

        Raises:
            ValidationException: They are no multipart/form-data. Each later call raises the same.
            RequestEntityTooLarge: A limit is exceeded. Each later call raises the same.
        """
        if self._failure is not None:
            raise self._failure
        reader = self._reader
        if type(data) is not bytes:
            data = bytes(data)
        if reader.state == START:
            # RFC 2046 section 5.1.1 has a preamble that is to be ignored. Empty lines are all that a form
            # ever has there, and all that is ignored: python-multipart skips other text too, in some chunks.
            data = data.lstrip(b"\r\n")
        if not data or reader.state == END:
            return []
        try:
            reader.write(data)
        except ClientException as error:
            self._failure = error
            raise
        events, reader.events = reader.events, []
        return events

    def finish(self) -> None:
        """Say that the body has ended.

        Raises:
            ValidationException: It ended before the final boundary.
        """
        if self._failure is None and self._reader.state != END:
            self._failure = ValidationException("the multipart body ended before the final boundary")
        if self._failure is not None:
            raise self._failure

    def decode(self, value: bytes | str) -> str:
        """The text of a name, a filename or a header value; U+FFFD for bytes that are none."""
        if isinstance(value, str):
            return value
        return value.decode(self._reader.codec or "utf-8", "replace")

    def decode_value(self, part: PartStart, value: bytes | bytearray) -> str:
        """The text of a part: in its own charset, else that of the form, else UTF-8 with replacement.

        The charset of a form is what a ``_charset_`` field has said so far, else what its Content-Type says.
        A label that the WHATWG Encoding standard does not know counts as none.

        Raises:
            SerializationException: The charset was declared, and the bytes are no text in it.
        """
        codec = (part.charset and codec_for(part.charset)) or self._reader.codec
        if codec is None:
            return value.decode("utf-8", "replace")
        try:
            return decode_text(value, codec)
        except UnicodeDecodeError:
            field = self.decode(part.name)[:100]
        raise not_text(f"the form field {field!r}", codec)
