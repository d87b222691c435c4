"""Limits on what the server reads and buffers for one client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

__all__ = ("Limits",)

T_co = TypeVar("T_co", covariant=True)

BLOCK_SIZE: Final = 1024 * 1024
"""Bytes that one call of a worker thread reads from or writes to disk."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a connection class; ``0`` means zero, ``None`` means no limit.

    A limit counts the bytes that were received, not those that were announced. One byte or item more than
    the limit raises :class:`~asgiwire.exceptions.RequestEntityTooLarge`, which names the limit and its value.

    Set the limits of a subclass with ``limits = Limits(max_body_size=50_000_000)``. To change one limit of
    several, use ``msgspec.structs.replace``.

    Raises:
        ValueError: A limit is not an ``int`` of 0 or more (values of environment variables are ``str``).

    Attributes:
        max_body_size: Bytes of one request body, for every method that reads it.
        max_fields: Fields of one form that are not files.
        max_files: Files of one form.
        max_field_size: Bytes of the name and value of one form field together, as sent.
        max_file_size: Bytes of one uploaded file.
        max_memory: Bytes of all parts of one form that are in memory, headers included. Files that exceed it
            move to disk; fields and headers that exceed it are an error.
        max_part_headers: Header lines of one multipart part.
        max_part_header_size: Bytes of one such header line, and of the text before the first boundary.
        spool_size: Bytes of one uploaded file that stay in memory before it moves to disk.
        max_message_size: Bytes of one WebSocket message; text counts in UTF-8.
        max_values: Values of one JSON or MessagePack document, in a body or a message. It applies without a
            type, and to a type that contains ``Any``. In MessagePack, keys count too.
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
    max_values: int | None = 1_000_000

    if TYPE_CHECKING:
        # So that type checkers accept limits and properties in place of one another; see `overridable`.
        def __get__(self, _instance: Any, _owner: type | None = None, /) -> Limits: ...

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if value is None and name != "spool_size":
                continue
            if type(value) is not int or value < 0:
                msg = f"{name} must be an int of 0 or more, or None for no limit, got {value!r}"
                raise ValueError(msg)


if TYPE_CHECKING:

    class Overridable(Protocol[T_co]):
        """A class attribute that a subclass can replace by a value or a property."""

        def __get__(self, instance: Any, owner: type | None = None, /) -> T_co: ...

    def overridable(method: Callable[[Any], T_co]) -> Overridable[T_co]:
        """Declare a class attribute for type checkers, which reject a property in place of a variable."""
        ...
