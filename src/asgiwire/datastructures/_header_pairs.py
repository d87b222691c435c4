"""Header pairs as a scope holds them: found by name, decoded, read as a mapping, with nothing built first.

The functions that take a name as ``bytes`` want it in lower case; ASGI lets the pairs have it in any. Left
out: checks, which belong where a header is sent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import ItemsView, Mapping, ValuesView
from operator import methodcaller
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from asgiwire.types import Scope

Pairs: TypeAlias = "Sequence[tuple[bytes, bytes]]"

# What `repr` does not show the values of.
CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

# A program asks for the same few names all the time, and encoding one takes three times as long as finding it
# here. Where names that a peer chose are asked for, others than these are encoded each time.
FIELD_NAMES: Final[dict[str, bytes]] = {}
MOST_FIELD_NAMES: Final = 512
LONGEST_FIELD_NAME: Final = 64

is_lower: Final = methodcaller("islower")


def scope_headers(scope: Scope) -> Pairs:
    """Return the header pairs of a scope as they are; nothing when it has none.

    ASGI allows any iterable. One that can be read only once is put back into the scope as a list.
    """
    headers: Pairs | None = scope.get("headers")
    # The first says what the second does, of what every server gives, in a third of the time. To pyright, it
    # forgets what is in the list.
    if type(headers) is list or isinstance(headers, (list, tuple)):
        return headers  # pyright: ignore[reportUnknownVariableType]  # as above
    if headers is None:
        return ()
    scope["headers"] = headers = list(headers)
    return headers


def raw_header(pairs: Pairs, name: bytes) -> bytes | None:
    """Return the first value of a header."""
    length = len(name)
    for other, value in pairs:
        if len(other) == length and other.lower() == name:
            return value
    return None


def raw_headers(pairs: Pairs, name: bytes) -> list[bytes]:
    """Return every value of a header, in order."""
    length = len(name)
    values: list[bytes] = []
    for other, value in pairs:
        if len(other) == length and other.lower() == name:
            values.append(value)  # a comprehension is slower for the one value there is
    return values


def first_values(pairs: Pairs) -> dict[bytes, bytes]:
    """Return the first value of every name."""
    index: dict[bytes, bytes] = dict(pairs)
    if len(index) == len(pairs) and all(map(is_lower, index)):
        return index  # as servers send them nearly always; two thirds of the time of what follows
    # Backwards, because the later of two equal keys wins in a dict.
    return {name.lower(): value for name, value in reversed(pairs)}


def field_name(key: str) -> bytes:
    """Encode a name that is asked for; one that no header can have gets a ``?``, which no token has."""
    name = FIELD_NAMES.get(key)
    if name is None:
        name = key.encode("latin-1", "replace").lower()
        if len(FIELD_NAMES) < MOST_FIELD_NAMES and len(key) <= LONGEST_FIELD_NAME:
            FIELD_NAMES[key] = name
    return name


def decoded_values(pairs: Pairs, key: str) -> list[str]:
    """Return every value of a header, in order, as text."""
    return [value.decode("latin-1") for value in raw_headers(pairs, field_name(key))]


def decoded_pairs(pairs: Pairs) -> Generator[tuple[str, str], None, None]:
    """Yield every name and value as text, in order."""
    for name, value in pairs:
        yield name.lower().decode("latin-1"), value.decode("latin-1")


def grouped(pairs: Pairs) -> dict[str, list[str]]:
    """Return the values of each name as text, names and values in order."""
    values: dict[str, list[str]] = {}
    for name, value in decoded_pairs(pairs):
        values.setdefault(name, []).append(value)
    return values


class HeaderMapping(Mapping[str, str]):
    """What every mapping of headers shares: reading the pairs it holds, each of them counted."""

    __slots__ = ()

    @abstractmethod
    def _received(self) -> Pairs:
        """Return the pairs themselves."""

    def multi_items(self) -> Generator[tuple[str, str], None, None]:
        """Yield every name and value in order, duplicates included."""
        return decoded_pairs(self._received())

    def items(self) -> ItemsView[str, str]:
        """Return a view of every name and value, duplicates included."""
        return _Items(self)

    def values(self) -> ValuesView[str]:
        """Return a view of every value, those of duplicates included."""
        return _Values(self)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in decoded_pairs(self._received()))

    def __len__(self) -> int:
        return len(self._received())

    def __eq__(self, other: object) -> bool:
        # RFC 9110 section 5.3: "The order in which field lines with differing field names are received in a
        # section is not significant."
        if not isinstance(other, Mapping):
            return NotImplemented
        from asgiwire._parsers.header_fields import encode_headers

        try:
            if isinstance(other, HeaderMapping):
                pairs = other._received()
            else:
                pairs = encode_headers(cast("Mapping[str, Any]", other))
        except (TypeError, ValueError):
            return False  # the other holds what no header can
        return grouped(self._received()) == grouped(pairs)

    __hash__ = None  # type: ignore[assignment]  # equal to mappings that can change, and so no key of a dict

    def __repr__(self) -> str:
        shown = (
            f"{name!r}: {'***' if name in CREDENTIALS else value!r}"
            for name, value in decoded_pairs(self._received())
        )
        return f"<{type(self).__name__}({', '.join(shown)})>"


# The views of `collections.abc` read the value of a key, which is the first, once for each time it occurs.


class _Items(ItemsView[str, str]):
    __slots__ = ()

    _mapping: HeaderMapping

    def __contains__(self, item: object) -> bool:
        match item:
            case (str() as name, str() as value):
                return value in decoded_values(self._mapping._received(), name)
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
