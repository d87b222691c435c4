"""Parser for credentials (RFC 9110 section 11.4), the value of Authorization and Proxy-Authorization."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
CREDENTIALS: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]++)(?: ++(.*+))?+", re.DOTALL)
TOKEN68: Final = re.compile(r"[A-Za-z0-9\-._~+/]++=*+")
PARAMETER: Final = re.compile(
    r"[ \t,]*+([!#$%&'*+\-.^_`|~0-9A-Za-z]++)[ \t]*+=[ \t]*+"
    r'(?:"((?:[^"\\]++|\\.)*+)"|([!#$%&\'*+\-.^_`|~0-9A-Za-z]++))[ \t]*+(?:,[ \t,]*+|\Z)',
    re.DOTALL,
)
QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)

# RFC 6750 section 2.1 allows a token68 only, but some servers issue tokens with other characters
# ("17|d0Ys...").
BEARER_TOKEN: Final = re.compile(r"[!#-+\-./0-~]++")

# RFC 7617 section 2: "The user-id and password MUST NOT contain any control characters".
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Credentials(NamedTuple):
    """A scheme, followed by a token, by parameters, or by nothing.

    Attributes:
        scheme: The scheme in lower case.
        token68: The token, or ``None``.
        parameters: The parameters; names in lower case, values unquoted.
    """

    scheme: str
    token68: str | None
    parameters: dict[str, str]


def parse_credentials(field: str) -> Credentials | None:
    """Parse credentials; return ``None`` if they are malformed."""
    match = CREDENTIALS.fullmatch(field.strip(" \t"))
    if match is None:
        return None
    scheme, rest = match[1].lower(), match[2]
    if rest is None:
        return Credentials(scheme, None, {})
    if (BEARER_TOKEN if scheme == "bearer" else TOKEN68).fullmatch(rest):
        return Credentials(scheme, rest, {})
    parameters = _parameters(rest)
    return None if parameters is None else Credentials(scheme, None, parameters)


def parse_basic(token68: str) -> tuple[str, str] | None:
    """Decode the user-id and password of the Basic scheme (RFC 7617); return ``None`` if they are invalid.

    The text is UTF-8, which browsers send, or else ISO-8859-1, which old ones sent. The padding is ignored,
    because some clients omit it.
    """
    from binascii import Error, a2b_base64

    try:
        digits = token68.rstrip("=")
        octets = a2b_base64(digits + "=" * (-len(digits) % 4), strict_mode=True)
    except Error:
        return None
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        text = octets.decode("latin-1")
    user, colon, password = text.partition(":")
    return (user, password) if colon and not CONTROL.search(text) else None


def _parameters(text: str) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = PARAMETER.match(text, position)
        if match is None or (name := match[1].lower()) in parameters:
            return None  # RFC 9110 section 11.2: "each parameter name MUST only occur once"
        parameters[name] = match[3] or QUOTED_PAIR.sub(r"\1", match[2] or "")
        position = match.end()
    return parameters
