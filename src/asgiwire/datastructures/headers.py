"""Received headers, immutable."""

from __future__ import annotations

import builtins
from abc import abstractmethod
from collections.abc import Generator, ItemsView, Iterator, Mapping, Sequence, ValuesView
from typing import Any, Final, Self, TypeVar, cast, overload

from multidict import CIMultiDict

from asgiwire._parsers import header_text, header_values
from asgiwire._parsers.header_pairs import (
    OWS,
    Pairs,
    decode_value,
    decoded_pairs,
    encode_name,
    grouped,
    values_by_name,
)
from asgiwire.types import Empty, HeaderPairs, Scope

from .multi_dicts import MultiMixin

__all__ = ("Headers", "scope_headers")

T = TypeVar("T")

MAX_SCANNED: Final = 64


def scope_headers(scope: Scope) -> Pairs:
    """Return the header pairs of a scope, or an empty sequence if it has none.

    ASGI allows any iterable. An iterable that is not a list or tuple is replaced by a list in the scope,
    because it may be readable only once.
    """
    headers: Pairs | None = scope.get("headers")
    # Redundant, but takes a third of the time of isinstance() for the lists that servers create.
    if type(headers) is list or isinstance(headers, (list, tuple)):
        return headers  # pyright: ignore[reportUnknownVariableType]  # the first check drops the type of the items
    if headers is None:
        return ()
    scope["headers"] = headers = list(headers)
    return headers


class _HeaderMapping(Mapping[str, str]):
    """Base class of the header mappings: iteration and length count every pair, duplicates included."""

    __slots__ = ()

    @abstractmethod
    def _raw_pairs(self) -> Pairs:
        """Return the pairs as ``bytes``."""

    def _decoded_values(self, key: str) -> list[str]:
        """Return all values of a header as text, in order."""
        return [decode_value(value) for value in header_values(self._raw_pairs(), encode_name(key))]

    def multi_items(self) -> Generator[tuple[str, str], None, None]:
        """Yield all names and values in order, with duplicates."""
        return decoded_pairs(self._raw_pairs())

    def items(self) -> ItemsView[str, str]:
        """Return a view of all names and values, with duplicates."""
        return _Items(self)

    def values(self) -> ValuesView[str]:
        """Return a view of all values, with those of duplicate names."""
        return _Values(self)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in decoded_pairs(self._raw_pairs()))

    def __len__(self) -> int:
        return len(self._raw_pairs())

    def __eq__(self, other: object) -> bool:
        # RFC 9110 section 5.3: "The order in which field lines with differing field names are received in a
        # section is not significant."
        if not isinstance(other, Mapping):
            return NotImplemented
        from asgiwire._parsers.header_fields import encode_headers

        try:
            if isinstance(other, _HeaderMapping):
                pairs = other._raw_pairs()
            else:
                pairs = encode_headers(cast("Mapping[str, Any]", other))
        except (TypeError, ValueError):
            return False  # the other mapping contains something that is not a valid header
        return grouped(self._raw_pairs()) == grouped(pairs)

    __hash__ = None  # type: ignore[assignment]  # unhashable, because equal mappings can be mutable

    def __repr__(self) -> str:
        from asgiwire._parsers.secrets import mask_headers

        pairs = self._raw_pairs()
        shown = [f"{name!r}: {value!r}" for name, value in mask_headers(pairs)]
        if len(shown) < len(pairs):
            shown.append("...")
        return f"<{type(self).__name__}({', '.join(shown)})>"


# The views of `collections.abc` return the first value of a name for each of its duplicates.


class _Items(ItemsView[str, str]):
    __slots__ = ()

    _mapping: _HeaderMapping

    def __contains__(self, item: object) -> bool:
        match item:
            case (str() as name, str() as value):
                return value in self._mapping._decoded_values(name)
            case _:
                return False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return self._mapping.multi_items()


class _Values(ValuesView[str]):
    __slots__ = ()

    _mapping: _HeaderMapping

    def __contains__(self, value: object) -> bool:
        return any(value == other for other in self)

    def __iter__(self) -> Iterator[str]:
        return (value for _, value in self._mapping.multi_items())


class Headers(_HeaderMapping, MultiMixin[str]):
    """An immutable, case-insensitive multidict of headers, in the order received.

    Names are returned in lower case, values without leading and trailing blanks; both are decoded as
    ISO-8859-1. ``[]`` and ``get`` return the first value of a name. Length and iteration count every pair.

    Args:
        headers: A mapping, a multidict or an iterable of pairs. Pairs of ``bytes`` are stored as received;
            everything else is validated like headers to send.

    Raises:
        TypeError: A name or value is neither ``str`` nor ``bytes``.
        ValueError: A name or value is not a valid header.
    """

    # Most requests have few headers and read fewer, so a lookup scans the pairs and decodes one value. With
    # more than MAX_SCANNED pairs an index is built: reading each by its name would take quadratic time.
    # This is not a multidict, because in multidict 6 inserting many equal names takes quadratic time.
    __slots__ = ("_index", "_pairs")

    def __init__(self, headers: HeaderPairs | None = None) -> None:
        self._index: dict[bytes, list[bytes]] | None = None
        self._pairs: Pairs = ()
        if headers is None:
            return
        if isinstance(headers, _HeaderMapping):
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
        headers._index = None
        headers._pairs = tuple(scope_headers(scope))
        return headers

    def raw_values(self, name: bytes) -> list[bytes]:
        """Return all values of a header as sent, in order.

        Args:
            name: The name in lower case.
        """
        if len(self._pairs) <= MAX_SCANNED:
            return header_values(self._pairs, name)
        return list(self._indexed_values(name))

    def raw_value(self, name: bytes) -> bytes | None:
        """Return the first value of a header as sent, or ``None``.

        Args:
            name: The name in lower case.
        """
        is_short = len(self._pairs) <= MAX_SCANNED
        values = header_values(self._pairs, name) if is_short else self._indexed_values(name)
        return values[0] if values else None

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
        pairs = self._pairs
        value = header_text(pairs, key) if len(pairs) <= MAX_SCANNED else self._indexed_text(key)
        return default if value is None else value

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
        values = self._decoded_values(key) or default
        if values is Empty:
            raise KeyError(key)
        return values

    def _raw_pairs(self) -> Pairs:
        return self._pairs

    def _decoded_values(self, key: str) -> list[str]:
        return [decode_value(value) for value in self.raw_values(encode_name(key))]

    def _indexed_values(self, name: bytes) -> Sequence[bytes]:
        if self._index is None:
            self._index = values_by_name(self._pairs)
        return self._index.get(name, ())

    def _indexed_text(self, key: str) -> str | None:
        values = self._indexed_values(encode_name(key))
        return decode_value(values[0]) if values else None

    def __getitem__(self, key: str) -> str:
        pairs = self._pairs
        value = header_text(pairs, key) if len(pairs) <= MAX_SCANNED else self._indexed_text(key)
        if value is None:
            raise KeyError(key)
        return value

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None


def _encode_pair(name: str | bytes, value: str | bytes) -> tuple[bytes, bytes]:
    if isinstance(name, bytes) and isinstance(value, bytes):
        return name, value
    from asgiwire._parsers.header_fields import encode_header

    return encode_header(name, value)
