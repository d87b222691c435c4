"""Functions that read the header pairs of a scope, and the base class of the two header mappings.

Names that are ``bytes`` have to be in lower case. The names in the pairs can have any case.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, ItemsView, Iterator, Mapping, Sequence, ValuesView
from operator import methodcaller
from typing import Any, Final, TypeAlias, cast

from asgiwire.types import Scope

Pairs: TypeAlias = Sequence[tuple[bytes, bytes]]

# Applications read the same few headers again and again, and to encode a name takes three times as long as
# this lookup. The cache is emptied when it is full, because names can come from clients.
ENCODED_NAMES: Final[dict[str, bytes]] = {}
MAX_ENCODED_NAMES: Final = 512
MAX_CACHED_NAME_LENGTH: Final = 64

# RFC 9110 section 5.5: "A field value does not include leading or trailing whitespace". Not every server
# removes it.
OWS: Final = b" \t"

is_lower: Final = methodcaller("islower")


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


def raw_header(pairs: Pairs, name: bytes) -> bytes | None:
    """Return the first value of a header, or ``None``."""
    length = len(name)
    for other, value in pairs:
        if len(other) == length and other.lower() == name:
            return value
    return None


def raw_headers(pairs: Pairs, name: bytes) -> list[bytes]:
    """Return all values of a header, in order."""
    length = len(name)
    values: list[bytes] = []
    for other, value in pairs:
        if len(other) == length and other.lower() == name:
            values.append(value)  # a comprehension is slower, because there is usually one value
    return values


def first_values(pairs: Pairs) -> dict[bytes, bytes]:
    """Return the first value of each name."""
    index: dict[bytes, bytes] = dict(pairs)
    if len(index) == len(pairs) and all(map(is_lower, index)):
        return index  # the common case, in two thirds of the time
    # Reversed, because a dict keeps the last of several values.
    return {name.lower(): value for name, value in reversed(pairs)}


def encode_name(key: str) -> bytes:
    """Encode the name of a header to look up; characters outside of ISO-8859-1 become ``?``."""
    name = ENCODED_NAMES.get(key)
    if name is None:
        name = key.encode("latin-1", "replace").lower()
        if len(key) <= MAX_CACHED_NAME_LENGTH:
            if len(ENCODED_NAMES) >= MAX_ENCODED_NAMES:
                ENCODED_NAMES.clear()
            ENCODED_NAMES[key] = name
    return name


def decoded_values(pairs: Pairs, key: str) -> list[str]:
    """Return all values of a header as text, in order."""
    return [value.strip(OWS).decode("latin-1") for value in raw_headers(pairs, encode_name(key))]


def decoded_pairs(pairs: Pairs) -> Generator[tuple[str, str], None, None]:
    """Yield all names and values as text, in order."""
    for name, value in pairs:
        yield name.lower().decode("latin-1"), value.strip(OWS).decode("latin-1")


def grouped(pairs: Pairs) -> dict[str, list[str]]:
    """Return the values of each name as text; names and values are in order."""
    values: dict[str, list[str]] = {}
    for name, value in decoded_pairs(pairs):
        values.setdefault(name, []).append(value)
    return values


class HeaderMapping(Mapping[str, str]):
    """Base class of the header mappings: iteration and length count every pair, duplicates included."""

    __slots__ = ()

    @abstractmethod
    def _raw_pairs(self) -> Pairs:
        """Return the pairs as ``bytes``."""

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
            if isinstance(other, HeaderMapping):
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

    _mapping: HeaderMapping

    def __contains__(self, item: object) -> bool:
        match item:
            case (str() as name, str() as value):
                return value in decoded_values(self._mapping._raw_pairs(), name)
            case _:
                return False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return self._mapping.multi_items()


class _Values(ValuesView[str]):
    __slots__ = ()

    _mapping: HeaderMapping

    def __contains__(self, value: object) -> bool:
        return any(value == other for other in self)

    def __iter__(self) -> Iterator[str]:
        return (value for _, value in self._mapping.multi_items())
