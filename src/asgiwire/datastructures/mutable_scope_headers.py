"""The headers of a scope or message, to be changed in place; each that is written is checked for sending.

Left out: those to be read only (``headers.py``).
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING

from asgiwire._parsers.header_fields import encode_header

from ._header_pairs import HeaderMapping, decoded_values, field_name, raw_header, scope_headers

if TYPE_CHECKING:
    from typing import Self

    from asgiwire.types import Message, Scope

    from ._header_pairs import Pairs

__all__ = ("MutableScopeHeaders",)


class MutableScopeHeaders(HeaderMapping, MutableMapping[str, str]):
    """The headers of a scope or message, case-insensitive, changed in place.

    Every change is made in the very list that the scope holds; where that is no list yet, it becomes one.
    ``[]`` gives the first value of a name; length and iteration count every pair.

    Args:
        scope: A scope or message; without one, the headers start empty.

    Attributes:
        headers: The list.
    """

    __slots__ = ("headers",)

    def __init__(self, scope: Scope | None = None) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        if scope is not None:
            pairs = scope_headers(scope)
            if not isinstance(pairs, list):
                pairs = scope["headers"] = list(pairs)
            self.headers = pairs

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """Take the headers of a message.

        Raises:
            ValueError: If the message has no ``headers``.
        """
        if "headers" not in message:
            raise ValueError(f"a message with headers was wanted, got {message.get('type')!r} without")
        return cls(message)

    def add(self, key: str, value: str) -> None:
        """Append a header, and keep those that have its name.

        Raises:
            ValueError: If it cannot be sent.
        """
        self.headers.append(encode_header(key, value))

    def getall(self, key: str, default: list[str] | None = None) -> list[str]:
        """Return every value of a header, in order.

        Raises:
            KeyError: If there is none and no ``default`` was given.
        """
        values = decoded_values(self.headers, key) or default
        if values is None:
            raise KeyError(key)
        return values

    def extend_header_value(self, key: str, value: str) -> None:
        """Append to the comma-separated list that a header holds, or add the header.

        Of several with this name the last is extended: together they are one list (RFC 9110 section 5.3).

        Raises:
            ValueError: If the value cannot be sent.
        """
        name, addition = encode_header(key, value)
        for position in reversed(range(len(self.headers))):
            other, existing = self.headers[position]
            if other.lower() == name:
                self.headers[position] = name, b",".join(filter(None, (existing, addition)))
                return
        self.headers.append((name, addition))

    def _received(self) -> Pairs:
        return self.headers

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and raw_header(self.headers, field_name(key)) is not None

    def __getitem__(self, key: str) -> str:
        return self.getall(key)[0]

    def __setitem__(self, key: str, value: str) -> None:
        """Put one header in the place of all that have this name, where the first of them stood."""
        header = encode_header(key, value)
        names = [name.lower() for name, _ in self.headers]
        first = names.index(header[0]) if header[0] in names else len(names)
        self.headers[first:] = [header, *_without(self.headers[first + 1 :], header[0])]

    def __delitem__(self, key: str) -> None:
        """Delete every header of this name; that there is none is no error."""
        self.headers[:] = _without(self.headers, field_name(key))


def _without(pairs: Pairs, name: bytes) -> list[tuple[bytes, bytes]]:
    return [pair for pair in pairs if pair[0].lower() != name]
