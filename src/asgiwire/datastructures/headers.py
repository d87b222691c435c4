"""Headers: the received ones, to be read, and those of a scope or message, to be changed in place.

Left out: what a value means, which is said by the objects that values are parsed into.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from multidict import CIMultiDict

from asgiwire._parsers.header_fields import encode_header, encode_headers
from asgiwire.types import Empty

from ._header_pairs import (
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

    from asgiwire.types import HeaderPairs, Message, Scope

    from ._header_pairs import Pairs

__all__ = ("Headers", "MutableScopeHeaders", "raw_header", "raw_headers", "scope_headers")

T = TypeVar("T")


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

    # A request is asked for a few of its headers. The first is looked for; from the second on, they are found
    # in an index of the raw bytes, which costs as much as three looks. Each is decoded by itself. There is no
    # multidict inside: inserting many equal names takes quadratic time in multidict 6.
    __slots__ = ("_index", "_pairs")

    def __init__(self, headers: HeaderPairs | None = None) -> None:
        # Not asked yet; asked once, so that it is due with the next question; or the index.
        self._index: dict[bytes, bytes] | Literal[False] | None = None
        self._pairs: Pairs = ()
        if headers is None:
            return
        if isinstance(headers, HeaderMapping):
            self._pairs = tuple(headers._received())
        elif isinstance(headers, Mapping):
            self._pairs = tuple(encode_headers(cast("Mapping[str, Any]", headers)))
        else:
            self._pairs = tuple(_raw_pair(name, value) for name, value in headers)

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Take the headers of a scope or message as they are now; later changes do not show."""
        headers = cls.__new__(cls)  # there is nothing to check
        headers._index = None
        headers._pairs = tuple(scope_headers(scope))
        return headers

    def raw_values(self, name: bytes) -> list[bytes]:
        """Return every value of a header as it was sent, in order; the name is wanted in lower case."""
        if self._index and len(self._index) == len(self._pairs):  # no name is there twice
            return [self._index[name]] if name in self._index else []
        if self._index is None:
            self._index = False
        return raw_headers(self._pairs, name)

    def raw_value(self, name: bytes) -> bytes | None:
        """Return the first value of a header as it was sent; the name is wanted in lower case."""
        index = self._index
        if index is None:
            self._index = False
            return raw_header(self._pairs, name)
        if index is False:
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
        value = self._first(key)
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

    def _first(self, key: str) -> bytes | None:
        return self.raw_value(key.encode("latin-1", "replace").lower())  # as field_name(), without the call

    def __getitem__(self, key: str) -> str:
        value = self._first(key)
        if value is None:
            raise KeyError(key)
        return value.decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._first(key) is not None


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


def _raw_pair(name: str | bytes, value: str | bytes) -> tuple[bytes, bytes]:
    if isinstance(name, bytes) and isinstance(value, bytes):
        return name, value
    return encode_header(name, value)


def _without(pairs: Pairs, name: bytes) -> list[tuple[bytes, bytes]]:
    return [pair for pair in pairs if pair[0].lower() != name]
