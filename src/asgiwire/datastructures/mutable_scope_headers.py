"""Mutable headers of a scope or message."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Self

from asgiwire._parsers import header_text
from asgiwire._parsers.header_fields import encode_header
from asgiwire._parsers.header_pairs import Pairs, encode_name
from asgiwire.types import Message, Scope

from .headers import _HeaderMapping, scope_headers

__all__ = ("MutableScopeHeaders",)


class MutableScopeHeaders(_HeaderMapping, MutableMapping[str, str]):
    """A case-insensitive mapping of the headers of a scope or message, which it changes in place.

    The list in the scope is modified. If the scope has another iterable or no headers, a list replaces it.
    New headers are validated. ``[]`` returns the first value of a name. Length and iteration count every
    pair.

    Args:
        scope: A scope or message; by default, the headers are empty.

    Attributes:
        headers: The list of pairs.
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
        """Build from the headers of a message.

        Raises:
            ValueError: The message has no ``headers``.
        """
        if "headers" not in message:
            raise ValueError(f"expected a message with headers, got {message.get('type')!r} without headers")
        return cls(message)

    def add(self, key: str, value: str) -> None:
        """Append a header; existing headers with the same name are unchanged.

        Raises:
            ValueError: The header is invalid.
        """
        self.headers.append(encode_header(key, value))

    def getall(self, key: str, default: list[str] | None = None) -> list[str]:
        """Return all values of a header, in order.

        Raises:
            KeyError: The header is missing and there is no ``default``.
        """
        values = self._decoded_values(key) or default
        if values is None:
            raise KeyError(key)
        return values

    def extend_header_value(self, key: str, value: str) -> None:
        """Append to the comma-separated list of a header, or add the header.

        Of several headers with this name the last is extended: together they are one list (RFC 9110 section
        5.3).

        Raises:
            ValueError: The header is invalid.
        """
        name, addition = encode_header(key, value)
        for position in reversed(range(len(self.headers))):
            other, existing = self.headers[position]
            if other.lower() == name:
                self.headers[position] = name, b",".join(filter(None, (existing, addition)))
                return
        self.headers.append((name, addition))

    def _raw_pairs(self) -> Pairs:
        return self.headers

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and header_text(self.headers, key) is not None

    def __getitem__(self, key: str) -> str:
        value = header_text(self.headers, key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: str) -> None:
        """Replace all headers with this name by one, at the position of the first."""
        header = encode_header(key, value)
        names = [name.lower() for name, _ in self.headers]
        first = names.index(header[0]) if header[0] in names else len(names)
        self.headers[first:] = [header, *_without(self.headers[first + 1 :], header[0])]

    def __delitem__(self, key: str) -> None:
        """Delete all headers with this name; do nothing if there are none."""
        self.headers[:] = _without(self.headers, encode_name(key))


def _without(pairs: Pairs, name: bytes) -> list[tuple[bytes, bytes]]:
    return [pair for pair in pairs if pair[0].lower() != name]
