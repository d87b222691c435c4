"""Splitting and composing of URIs (RFC 3986).

``urllib.parse.urlsplit`` is not used, because it caches its arguments, which come from clients.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from .percent import encode_path, encode_query
from .target import DEFAULT_PORTS, SCHEME

# RFC 3986 appendix B.
PARTS: Final = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)

# RFC 3986 section 3.2, without the userinfo.
HOST_AND_PORT: Final = re.compile(r"(\[[^][]+\]|[^][:]*)(?::([0-9]{0,5}))?")

# Characters that end the authority in at least one URL parser.
NOT_IN_AUTHORITY: Final = re.compile(r"[/?#\\\s]")


class Parts(NamedTuple):
    """The parts of a URI; an absent part is empty."""

    scheme: str
    netloc: str
    path: str
    query: str
    fragment: str


def split_uri(text: str) -> Parts:
    """Split a URI or a relative reference. Any text is valid. The scheme becomes lower case."""
    match = PARTS.fullmatch(text)
    assert match is not None  # all groups are optional, and together they match any text
    scheme, *others = match.groups("")
    return Parts(scheme.lower(), *others)


def split_authority(netloc: str) -> tuple[str, int | None]:
    """Split an authority into the host, in lower case and without brackets, and the port.

    Raises:
        ValueError: The brackets are unbalanced, or the port is invalid.
    """
    match = HOST_AND_PORT.fullmatch(netloc.rpartition("@")[2])
    if match is None or int(match[2] or 0) > 65535:
        # The message omits the authority, which can contain a password.
        msg = "the authority of a URL must be [userinfo@]host[:port], with a port of at most 65535"
        raise ValueError(msg)
    return match[1].strip("[]").lower(), int(match[2]) if match[2] else None


def compose_uri(scheme: str, netloc: str, path: str, query: str, fragment: str) -> str:
    """Compose a URI that :func:`split_uri` splits into the same parts (RFC 3986 section 5.3).

    Characters that path, query or fragment cannot contain are percent-encoded in UTF-8.

    Raises:
        ValueError: ``scheme`` is invalid, or ``netloc`` contains a character that ends the authority.
    """
    if scheme and not SCHEME.fullmatch(scheme):
        msg = f"a URL scheme must be a letter, then letters, digits, '+', '-' and '.', got {scheme!r}"
        raise ValueError(msg)
    if NOT_IN_AUTHORITY.search(netloc):
        msg = "the authority of a URL must not contain '/', '?', '#', a backslash or white space"
        raise ValueError(msg)
    text = encode_path(_octets(path))
    if netloc:
        text = f"//{netloc}/{text}" if text and text[0] != "/" else f"//{netloc}{text}"
    elif text.startswith("//"):
        # RFC 3986 section 3.3: "If a URI does not contain an authority component, then the path cannot
        # begin with two slash characters".
        text = "/." + text
    elif not scheme and ":" in text.partition("/")[0]:
        # Section 4.2: "A path segment that contains a colon character (e.g., "this:that") cannot be used as
        # the first segment of a relative-path reference".
        text = "./" + text
    elif scheme in DEFAULT_PORTS and text[:1] in {"", "/"} and not text.startswith("/.//"):
        text = "//" + text  # but not before a path that got its "/." above
    if scheme:
        text = f"{scheme}:{text}"
    if query:
        text = f"{text}?{encode_query(_octets(query))}"
    return f"{text}#{encode_query(_octets(fragment))}" if fragment else text


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
