"""The events of a multipart body. This module does not import python-multipart."""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct

__all__ = (
    "DEFAULT_CONTENT_TYPE",
    "PART_END",
    "CommonPart",
    "CommonParts",
    "Event",
    "PartEnd",
    "PartStart",
    "block_size",
    "common_start",
)

DEFAULT_CONTENT_TYPE: Final = "text/plain"
"""RFC 7578 section 4.4: the Content-Type of a part "defaults to text/plain"."""


class PartStart(Struct, frozen=True):
    """The headers of a part. Names and values are bytes, because the form may declare its charset later.

    Attributes:
        name: The name of the field.
        filename: ``None`` if the part is a field; ``str`` if it was sent as ``filename*``, with its charset.
        content_type: The media type in lower case.
        charset: The charset label of its Content-Type, or ``""``.
        headers: The pairs as sent, names in lower case.
        size: Bytes of the header block as sent, without optional white space.
        common: The first four values of a :data:`CommonPart`, if the headers are common.
    """

    name: bytes
    filename: bytes | str | None
    content_type: str
    charset: str
    headers: list[tuple[bytes, bytes]]
    size: int
    common: tuple[bytes, bytes, bytes | None, bytes | None] | None = None


class PartEnd(Struct, frozen=True):
    """The part is complete."""


PART_END: Final = PartEnd()


class CommonParts(Struct):
    """Complete parts with common headers, as one event instead of the events of each part.

    A form can have thousands of parts in one chunk.

    Attributes:
        parts: The parts.
        size: Bytes of their headers and contents.
        file_size: Bytes of the contents of files.
        largest_file: Bytes of the content of the largest file.
    """

    parts: list[CommonPart]
    size: int
    file_size: int
    largest_file: int

    def events(self) -> list[Event]:
        """Return the separate events of these parts."""
        events: list[Event] = []
        for part in self.parts:
            events.append(common_start(part))
            if part[4]:
                events.append(part[4])
            events.append(PART_END)
        return events


CommonPart: TypeAlias = tuple[bytes, bytes, bytes | None, bytes | None, bytes]
"""The value of the Content-Disposition, the name, the filename if the part is a file, the value of the
Content-Type, which has no parameters, and the content."""

Event: TypeAlias = PartStart | bytes | PartEnd | CommonParts
"""An event; ``bytes`` are a non-empty chunk of the content of the current part."""


def common_start(part: CommonPart) -> PartStart:
    """Return the event that starts a part with common headers."""
    disposition, name, filename, content_type, _ = part
    headers = [(b"content-disposition", disposition)]
    media_type = DEFAULT_CONTENT_TYPE
    if content_type is not None:
        headers.append((b"content-type", content_type))
        media_type = content_type.decode("ascii").lower()
    common = disposition, name, filename, content_type
    return PartStart(name, filename, media_type, "", headers, block_size(headers), common)


def block_size(headers: list[tuple[bytes, bytes]]) -> int:
    """Return the bytes of a header block with these headers, without optional white space."""
    size = 4
    for name, value in headers:
        size += len(name) + len(value) + 4
    return size
