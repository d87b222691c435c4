"""The headers that were received, to be read.

Left out: those to be changed in place (``mutable_scope_headers.py``), and what a value means, which is said
by the objects that values are parsed into.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, overload

from multidict import CIMultiDict

from asgiwire.types import Empty

from ._header_pairs import (
    FIELD_NAMES,
    HeaderMapping,
    decoded_values,
    field_name,
    first_values,
    grouped,
    raw_header,
    raw_headers,
    scope_headers,
)
from .multi_dicts import MultiMixin

if TYPE_CHECKING:
    import builtins
    from typing import Self

    from asgiwire.types import HeaderPairs, Scope

    from ._header_pairs import Pairs

__all__ = ("Headers", "raw_header", "raw_headers", "scope_headers")

T = TypeVar("T")

MOST_LOOKS: Final = 5


class Headers(HeaderMapping, MultiMixin[str]):
    """An immutable, case-insensitive multidict of headers, in the order received.

    Names read in lower case, values as they were sent; both are ISO-8859-1 (ASGI leaves them ``bytes``).
    ``[]`` and ``get`` give the first value of a name; length and iteration count every pair.

    Args:
        headers: A mapping, multidict or iterable of pairs. Pairs of ``bytes`` are kept as a server gives
            them, anything else is checked as for sending.

    Raises:
        TypeError: If a name or value is of a type that cannot be sent.
        ValueError: If a name or value cannot be sent.
    """

    # A request is asked for a few of its headers. The first five are looked for, then they are found in an
    # index of the raw bytes, which costs as much as three looks. Each is decoded by itself. There is no
    # multidict inside: inserting many equal names takes quadratic time in multidict 6.
    __slots__ = ("_index", "_pairs")

    def __init__(self, headers: HeaderPairs | None = None) -> None:
        self._index: dict[bytes, bytes] | int = 0  # or how often one was looked for without it
        self._pairs: Pairs = ()
        if headers is None:
            return
        if isinstance(headers, HeaderMapping):
            self._pairs = tuple(headers._received())
        elif isinstance(headers, Mapping):
            from asgiwire._parsers.header_fields import encode_headers

            self._pairs = tuple(encode_headers(cast("Mapping[str, Any]", headers)))
        else:
            self._pairs = tuple(_raw_pair(name, value) for name, value in headers)

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Take the headers of a scope or message as they are now; later changes do not show."""
        headers = object.__new__(cls)  # there is nothing to check
        headers._index = 0
        headers._pairs = tuple(scope_headers(scope))
        return headers

    def raw_values(self, name: bytes) -> list[bytes]:
        """Return every value of a header as it was sent, in order; the name is wanted in lower case."""
        index = self._index
        if not isinstance(index, dict):
            if index < MOST_LOOKS:
                self._index = index + 1
                return raw_headers(self._pairs, name)
            index = self._index = first_values(self._pairs)
        if len(index) == len(self._pairs):  # no name is there twice
            return [index[name]] if name in index else []
        return raw_headers(self._pairs, name)

    def raw_value(self, name: bytes) -> bytes | None:
        """Return the first value of a header as it was sent; the name is wanted in lower case."""
        index = self._index
        if not isinstance(index, dict):
            if index < MOST_LOOKS:
                self._index = index + 1
                length = len(name)
                for other, value in self._pairs:  # as raw_header(), without the call
                    if len(other) == length and other.lower() == name:
                        return value
                return None
            index = self._index = first_values(self._pairs)
        return index.get(name)

    def to_header_list(self) -> list[tuple[bytes, bytes]]:
        """Return the pairs as ASGI has them: names in lower case, order and duplicates kept."""
        return [(name.lower(), value) for name, value in self._pairs]

    def dict(self) -> builtins.dict[str, list[str]]:
        """Return the values of each name, names and values in the order received."""
        return grouped(self._pairs)

    def to_dict(self) -> builtins.dict[str, list[str]]:
        """Return what :meth:`dict` returns, under multidict's name for it."""
        return self.dict()

    def copy(self) -> CIMultiDict[str]:
        """Return a mutable copy, as the ``copy`` of multidict's proxies does."""
        return CIMultiDict(self.multi_items())

    @overload
    def get(self, key: str, default: None = None) -> str | None: ...

    @overload
    def get(self, key: str, default: str) -> str: ...

    @overload
    def get(self, key: str, default: T) -> str | T: ...

    def get(self, key: str, default: object = None) -> object:
        """Return the first value of a header, or ``default``."""
        value = self.raw_value(field_name(key))
        return default if value is None else value.decode("latin-1")

    @overload
    def getone(self, key: str) -> str: ...

    @overload
    def getone(self, key: str, default: T) -> str | T: ...

    def getone(self, key: str, default: object = Empty) -> object:
        """Return the first value of a header.

        Raises:
            KeyError: If there is none and no ``default`` was given.
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
        """Return every value of a header, in the order received.

        Raises:
            KeyError: If there is none and no ``default`` was given.
        """
        values = decoded_values(self._pairs, key) or default
        if values is Empty:
            raise KeyError(key)
        return values

    def _received(self) -> Pairs:
        return self._pairs

    def __getitem__(self, key: str) -> str:
        value = self.raw_value(FIELD_NAMES.get(key) or field_name(key))  # twice, for the call costs more
        if value is None:
            raise KeyError(key)
        return value.decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.raw_value(field_name(key)) is not None


def _raw_pair(name: str | bytes, value: str | bytes) -> tuple[bytes, bytes]:
    if isinstance(name, bytes) and isinstance(value, bytes):
        return name, value
    from asgiwire._parsers.header_fields import encode_header

    return encode_header(name, value)
