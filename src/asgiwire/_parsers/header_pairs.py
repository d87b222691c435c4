"""Functions that read the header pairs of a scope.

Names that are ``bytes`` have to be in lower case. The names in the pairs can have any case.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Final, TypeAlias

Pairs: TypeAlias = Sequence[tuple[bytes, bytes]]

# Applications read the same few headers again and again, and to encode a name takes three times as long as
# this lookup. The cache is emptied when it is full, because names can come from clients.
ENCODED_NAMES: Final[dict[str, bytes]] = {}
MAX_ENCODED_NAMES: Final = 512
MAX_CACHED_NAME_LENGTH: Final = 64

# RFC 9110 section 5.5: "A field value does not include leading or trailing whitespace". Not every server
# removes it.
OWS: Final = b" \t"


def header_text(pairs: Pairs, name: str, /) -> str | None:
    """Return the first value of a header as text without blanks at its ends, or ``None``."""
    encoded = encode_name(name)
    length = len(encoded)
    for other, value in pairs:
        if len(other) == length and other.lower() == encoded:
            return decode_value(value)
    return None


def header_values(pairs: Pairs, name: bytes, /) -> list[bytes]:
    """Return all values of a header as sent, in order; ``name`` is in lower case."""
    length = len(name)
    values: list[bytes] = []
    for other, value in pairs:
        if len(other) == length and other.lower() == name:
            values.append(value)  # a comprehension is slower, because there is usually one value
    return values


def decode_value(value: bytes) -> str:
    """Decode the value of a header as ISO-8859-1, without blanks at its ends."""
    # To look at the first and the last byte takes less time than bytes.strip().
    return (value if value and value[0] > 32 < value[-1] else value.strip(OWS)).decode("latin-1")


def values_by_name(pairs: Pairs) -> dict[bytes, list[bytes]]:
    """Return the values of each name as sent; names are in lower case, names and values in order."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), []).append(value)
    return values


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


def decoded_pairs(pairs: Pairs) -> Generator[tuple[str, str], None, None]:
    """Yield all names and values as text, in order."""
    for name, value in pairs:
        yield name.lower().decode("latin-1"), value.strip(OWS).decode("latin-1")


def grouped(pairs: Pairs) -> dict[str, list[str]]:
    """Return the values of each name as text; names and values are in order."""
    return {
        name.decode("latin-1"): [decode_value(value) for value in values]
        for name, values in values_by_name(pairs).items()
    }
