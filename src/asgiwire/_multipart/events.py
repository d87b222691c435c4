"""The events of a multipart body. This module does not import python-multipart."""

from __future__ import annotations

from typing import Final, TypeAlias

from msgspec import Struct

__all__ = ("PART_END", "Event", "PartEnd", "PartStart")


class PartStart(Struct, frozen=True):
    """The headers of a part. Names and values are bytes, because the form may declare its charset later.

    Attributes:
        name: The name of the field.
        filename: ``None`` if the part is a field; text if it was sent as ``filename*``, with its own charset.
        content_type: The media type in lower case; ``""`` if the part has no Content-Type.
        charset: The charset label of its Content-Type, or ``""``.
        headers: The pairs as sent, names in lower case.
    """

    name: bytes
    filename: bytes | str | None
    content_type: str
    charset: str
    headers: list[tuple[bytes, bytes]]


class PartEnd(Struct, frozen=True):
    """The part is complete."""


Event: TypeAlias = PartStart | bytes | PartEnd
"""An event; ``bytes`` are a non-empty chunk of the content of the current part."""

PART_END: Final = PartEnd()
