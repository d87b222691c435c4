"""The Cookie request header: the bytes of every such header in, one dict of names and values out.

Read as browsers write it and not as RFC 6265 has servers write it: whatever stands between two semicolons
is a cookie. Left out: Set-Cookie, and any cache. The dict is new at each call, so nobody changes what
another one reads.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from .percent import percent_decode

if TYPE_CHECKING:
    from collections.abc import Iterable

BLANKS: Final = " \t"

# What `http.cookies` writes inside quotes: three octal digits, or the character itself after a backslash.
ESCAPE: Final = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)


def parse_cookies(values: Iterable[bytes]) -> dict[str, str]:
    """Parse all Cookie headers of one request together, in the order received; linear time.

    HTTP/2 clients split the header, one cookie each (RFC 9113 section 8.2.3). The last of several cookies
    with one name wins. A cookie without a name has the name ``""``. A value in double quotes is read as
    ``http.cookies`` writes it, and then percent-decoded as UTF-8. A semicolon ends a value even in quotes.
    """
    header = _decode(b";".join(values))
    is_escaped = '"' in header or "%" in header  # asked once instead of each value, it costs a tenth
    cookies: dict[str, str] = {}
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", name
        name, value = name.strip(BLANKS), value.strip(BLANKS)
        if name or value:
            cookies[name] = _unescaped(value) if is_escaped else value
    return cookies


def _decode(header: bytes) -> str:
    # Browsers send raw UTF-8, older programs latin-1. One cookie that is not UTF-8 must not change how the
    # others read, so only then each is decoded by itself.
    try:
        return header.decode()
    except UnicodeDecodeError:
        return ";".join([_decode_one(pair) for pair in header.split(b";")])


def _decode_one(pair: bytes) -> str:
    try:
        return pair.decode()
    except UnicodeDecodeError:
        return pair.decode("latin-1")


def _unescaped(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
        value = ESCAPE.sub(_unescape, value) if "\\" in value else value
    return percent_decode(value.encode()).decode("utf-8", "replace") if "%" in value else value


def _unescape(match: re.Match[str]) -> str:
    octal, character = match.groups()
    return character if octal is None else chr(int(octal, 8))
