"""Percent-encoding (RFC 3986 section 2.1) for the path and the query of a URL.

Existing escapes are not normalized, so ``%2F`` never becomes a separator.
"""

from __future__ import annotations

import re
from typing import Final

# `int in bytes` takes a fifth of the time of `b"%" in bytes`.
PERCENT: Final = ord("%")

HEX_DIGITS: Final = "0123456789ABCDEFabcdef"
OCTETS: Final = {
    (first + second).encode(): bytes((int(first + second, 16),))
    for first in HEX_DIGITS
    for second in HEX_DIGITS
}

# "pchar" of RFC 3986 section 3.3 without "%", and the slash. The brackets are reserved for IP literals, but
# clients do not encode them in "?filter[name]=x", and parsers accept them.
PATH_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/[]"
QUERY_BYTES: Final = PATH_BYTES + b"?"

ESCAPE: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
# A "%" that does not begin an escape has to be escaped.
LONE_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# For str.translate(), which takes a tenth of the time of a substitution with a function.
ESCAPES_IN_PATH: Final = {byte: f"%{byte:02X}" for byte in range(256) if byte not in PATH_BYTES + b"%"}
ESCAPES_IN_QUERY: Final = {byte: f"%{byte:02X}" for byte in range(256) if byte not in QUERY_BYTES + b"%"}
ESCAPES_IN_TEXT: Final = {**ESCAPES_IN_PATH, PERCENT: "%25"}


def percent_decode(data: bytes) -> bytes:
    """Replace each ``%XX`` by its octet; a ``%`` without two hexadecimal digits is unchanged."""
    if PERCENT not in data:
        return data
    parts = iter(data.split(b"%"))
    decoded = [next(parts)]
    for part in parts:
        octet = OCTETS.get(part[:2])
        decoded += (b"%", part) if octet is None else (octet, part[2:])
    return b"".join(decoded)


def encode_path(data: bytes) -> str:
    """Percent-encode the bytes that a path cannot contain, ``?`` and ``#`` included, except escapes."""
    return _encode(data, PATH_BYTES, ESCAPES_IN_PATH)


def encode_query(data: bytes) -> str:
    """Percent-encode the bytes that a query or fragment cannot contain, ``#`` included, except escapes."""
    return _encode(data, QUERY_BYTES, ESCAPES_IN_QUERY)


def quote_path(text: str) -> str:
    """Percent-encode a decoded path, ``%`` included.

    A lone surrogate becomes the three octets of its code point, which decode to U+FFFD.
    """
    data = text.encode("utf-8", "surrogatepass")
    if not data.translate(None, PATH_BYTES):
        return text
    return data.decode("latin-1").translate(ESCAPES_IN_TEXT)


def _encode(data: bytes, legal: bytes, escapes: dict[int, str]) -> str:
    # Usually nothing has to be encoded, which these two calls find out.
    rest = data.translate(None, legal)
    if not rest:
        return data.decode("ascii")
    if PERCENT in rest:
        data = LONE_PERCENT.sub(b"%25", data)
    return data.decode("latin-1").translate(escapes)
