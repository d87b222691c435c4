"""Distinguished names as text (RFC 4514), the names in certificates."""

from __future__ import annotations

import re
from typing import Final

# RFC 4514 section 3: an attribute is a type, "=" and a value in which special characters are escaped.
ATTRIBUTE: Final = re.compile(r" *+([A-Za-z][A-Za-z0-9-]*+|[0-9.]++) *+= *+((?:[^\\,+;\"]|\\.)*+)", re.DOTALL)
ESCAPE: Final = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)


def parse_distinguished_name(text: str) -> tuple[tuple[str, str], ...]:
    """Return the attributes of a name as pairs of type and value, in the order of the text.

    The types are in upper case. The attributes of a multi-valued part follow one another. A name that is not
    valid has no attributes, because the rest of it could have been forged.
    """
    attributes: list[tuple[str, str]] = []
    position = 0
    while match := ATTRIBUTE.match(text, position):
        attributes.append((match[1].upper(), _unescape(match[2])))
        position = match.end()
        if position == len(text):
            return tuple(attributes)
        if text[position] not in ",+":
            return ()
        position += 1
    return ()


def _unescape(value: str) -> str:
    stripped = value.rstrip(" ")
    # An odd number of backslashes at the end escapes the first blank.
    if (len(stripped) - len(stripped.rstrip("\\"))) % 2:
        stripped += " "
    return ESCAPE.sub(_replacement, stripped)


def _replacement(match: re.Match[str]) -> str:
    if match[1]:
        return bytes.fromhex(match[1].replace("\\", "")).decode("utf-8", "replace")
    return match[2]
