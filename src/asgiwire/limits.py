"""What one peer may make us read or keep: one frozen object for every limit."""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = ("Limits",)

BLOCK_SIZE: Final = 1024 * 1024


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a connection class: ``0`` means zero, ``None`` means no limit.

    They count what really arrives, inside one chunk, and fire at the limit plus one as
    :class:`~asgiwire.exceptions.RequestEntityTooLarge`, which names the field and its value. Give a
    subclass its own with ``limits = Limits(max_body_size=50_000_000)``; ``msgspec.structs.replace`` makes one
    that differs from another.

    Raises:
        ValueError: A limit is no such number; one from the environment is text.

    Attributes:
        max_body_size: Bytes of one request body, however it is read.
        max_fields: Fields of one form that are not files.
        max_files: Files of one form.
        max_field_size: Bytes of one form field's name and value together, as sent.
        max_file_size: Bytes of one uploaded file.
        max_memory: Bytes that the parts of one form may hold in memory together. Files go to disk
            when they would exceed it; fields, which cannot, end in an error.
        max_part_headers: Header lines of one multipart part.
        max_part_header_size: Bytes of one such header line.
        spool_size: Bytes of one uploaded file that stay in memory before it goes to disk.
        max_message_size: Bytes of one WebSocket message (text counted in UTF-8).
    """

    max_body_size: int | None = 10_000_000
    max_fields: int | None = 1000
    max_files: int | None = 1000
    max_field_size: int | None = 1024 * 1024
    max_file_size: int | None = None
    max_memory: int | None = 16 * 1024 * 1024
    max_part_headers: int | None = 16
    max_part_header_size: int | None = 8 * 1024
    spool_size: int = 1024 * 1024
    max_message_size: int | None = 16 * 1024 * 1024

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is None and name != "spool_size":
                continue
            if type(value) is not int or value < 0:
                msg = f"{name} must be an int of 0 or more, or None for no limit, got {value!r}"
                raise ValueError(msg)
