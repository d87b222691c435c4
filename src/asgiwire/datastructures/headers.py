"""Received headers, immutable."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, Final, Self, TypeVar, cast, overload

from multidict import CIMultiDict

from asgiwire.types import Empty, HeaderPairs, Scope

from ._header_pairs import (
    ENCODED_NAMES,
    OWS,
    HeaderMapping,
    Pairs,
    decoded_values,
    encode_name,
    first_values,
    grouped,
    raw_header,
    raw_headers,
    scope_headers,
)
from .multi_dicts import MultiMixin

__all__ = ("Headers", "raw_header", "raw_headers", "scope_headers")

T = TypeVar("T")

MAX_SCANS: Final = 5


class Headers(HeaderMapping, MultiMixin[str]):
    """An immutable, case-insensitive multidict of headers, in the order received.

    Names are returned in lower case, values without leading and trailing blanks; both are decoded as
    ISO-8859-1. ``[]`` and ``get``
    return the first value of a name. Length and iteration count every pair.

    Args:
        headers: A mapping, a multidict or an iterable of pairs. Pairs of ``bytes`` are stored as received;
            everything else is validated like headers to send.

    Raises:
        TypeError: A name or value is neither ``str`` nor ``bytes``.
        ValueError: A name or value is not a valid header.
    """

    # Most requests read only a few headers. The first five lookups scan the pairs. Then an index of the raw
    # bytes is built, which takes as long as three scans. Each value is decoded when it is read. This is not a
    # multidict, because in multidict 6 inserting many equal names takes quadratic time.
    __slots__ = ("_index", "_pairs")

    def __init__(self, headers: HeaderPairs | None = None) -> None:
        self._index: dict[bytes, bytes] | int = 0  # the number of scans, until the index is built
        self._pairs: Pairs = ()
        if headers is None:
            return
        if isinstance(headers, HeaderMapping):
            self._pairs = tuple(headers._raw_pairs())
        elif isinstance(headers, Mapping):
            from asgiwire._parsers.header_fields import encode_headers

            self._pairs = tuple(encode_headers(cast("Mapping[str, Any]", headers)))
        else:
            self._pairs = tuple(_encode_pair(name, value) for name, value in headers)

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Build from the headers of a scope or message; later changes of the scope have no effect."""
        headers = object.__new__(cls)  # received headers need no validation
        headers._index = 0
        headers._pairs = tuple(scope_headers(scope))
        return headers

    def raw_values(self, name: bytes) -> list[bytes]:
        """Return all values of a header as sent, in order.

        Args:
            name: The name in lower case.
        """
        index = self._index
        if not isinstance(index, dict):
            if index < MAX_SCANS:
                self._index = index + 1
                return raw_headers(self._pairs, name)
            index = self._index = first_values(self._pairs)
        if len(index) == len(self._pairs):  # there are no duplicates
            return [index[name]] if name in index else []
        return raw_headers(self._pairs, name)

    def raw_value(self, name: bytes) -> bytes | None:
        """Return the first value of a header as sent, or ``None``.

        Args:
            name: The name in lower case.
        """
        index = self._index
        if not isinstance(index, dict):
            if index < MAX_SCANS:
                self._index = index + 1
                length = len(name)
                for other, value in self._pairs:  # raw_header() inlined, to save the call
                    if len(other) == length and other.lower() == name:
                        return value
                return None
            index = self._index = first_values(self._pairs)
        return index.get(name)

    def to_header_list(self) -> list[tuple[bytes, bytes]]:
        """Return the pairs for ASGI, in order and with duplicates; names are in lower case."""
        return [(name.lower(), value.strip(OWS)) for name, value in self._pairs]

    def dict(self) -> builtins.dict[str, list[str]]:
        """Return the values of each name; names and values are in the order received."""
        return grouped(self._pairs)

    def to_dict(self) -> builtins.dict[str, list[str]]:
        """Return the same as :meth:`dict`, under the name that multidict uses."""
        return self.dict()

    def copy(self) -> CIMultiDict[str]:
        """Return a mutable copy, like the proxies of multidict."""
        return CIMultiDict(self.multi_items())

    @overload
    def get(self, key: str, default: None = None) -> str | None: ...

    @overload
    def get(self, key: str, default: str) -> str: ...

    @overload
    def get(self, key: str, default: T) -> str | T: ...

    def get(self, key: str, default: object = None) -> object:
        """Return the first value of a header, or ``default``."""
        value = self.raw_value(encode_name(key))
        if value is None:
            return default
        return value.decode("latin-1") if value and value[0] > 32 < value[-1] else _stripped(value)

    @overload
    def getone(self, key: str) -> str: ...

    @overload
    def getone(self, key: str, default: T) -> str | T: ...

    def getone(self, key: str, default: object = Empty) -> object:
        """Return the first value of a header.

        Raises:
            KeyError: The header is missing and there is no ``default``.
        """
        value = self.get(key, default)
        if value is Empty:
            raise KeyError(key)
        return value

    @overload
    def getall(self, key: str) -> list[str]: ...

    @overload
    def getall(self, key: str, default: T) -> list[str] | T: ...

    def getall(self, key: str, default: object = Empty) -> object:
        """Return all values of a header, in the order received.

        Raises:
            KeyError: The header is missing and there is no ``default``.
        """
        values = decoded_values(self._pairs, key) or default
        if values is Empty:
            raise KeyError(key)
        return values

    def _raw_pairs(self) -> Pairs:
        return self._pairs

    def __getitem__(self, key: str) -> str:
        try:
            name = ENCODED_NAMES[key]  # saves the call in the common case
        except KeyError:
            name = encode_name(key)
        value = self.raw_value(name)
        if value is None:
            raise KeyError(key)
        if value and value[0] > 32 < value[-1]:
            return value.decode("latin-1")
        return _stripped(value)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.raw_value(encode_name(key)) is not None


def _stripped(value: bytes) -> str:
    # The callers look at the first and the last byte before, because bytes.strip() takes longer than that.
    return value.strip(OWS).decode("latin-1")


def _encode_pair(name: str | bytes, value: str | bytes) -> tuple[bytes, bytes]:
    if isinstance(name, bytes) and isinstance(value, bytes):
        return name, value
    from asgiwire._parsers.header_fields import encode_header

    return encode_header(name, value)
