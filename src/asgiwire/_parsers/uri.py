"""The syntax of URIs (RFC 3986): from text to parts and back.

Left out: the meaning of the parts, and ``urllib.parse.urlsplit``, which keeps the last texts that it has
split, and they are clients'.
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

# What would end an authority, for one reader of URLs or another.
NOT_IN_AUTHORITY: Final = re.compile(r"[/?#\\\s]")


class Parts(NamedTuple):
    """The parts of a URI; one that is absent is empty."""

    scheme: str
    netloc: str
    path: str
    query: str
    fragment: str


def split_uri(text: str) -> Parts:
    """Split a URI or a relative reference; any text has parts. The scheme is put in lower case."""
    match = PARTS.fullmatch(text)
    assert match is not None  # each group may be empty, and together they take any character
    scheme, *others = match.groups("")
    return Parts(scheme.lower(), *others)


def split_authority(netloc: str) -> tuple[str, int | None]:
    """Split an authority into its host, in lower case and without brackets, and its port.

    Raises:
        ValueError: It has a bracket without its pair, or a port that is none.
    """
    match = HOST_AND_PORT.fullmatch(netloc.rpartition("@")[2])
    if match is None or int(match[2] or 0) > 65535:
        # The authority is not shown: it may hold a password.
        msg = "the authority of a URL must be [userinfo@]host[:port], with a port of at most 65535"
        raise ValueError(msg)
    return match[1].strip("[]").lower(), int(match[2]) if match[2] else None


def compose_uri(scheme: str, netloc: str, path: str, query: str, fragment: str) -> str:
    """Write a text that reads back as these parts (RFC 3986 section 5.3, and the cases that it leaves out).

    What may not stand in path, query or fragment is percent-encoded, in UTF-8.

    Raises:
        ValueError: ``scheme`` is none, or ``netloc`` holds what would end it.
    """
    if scheme and not SCHEME.fullmatch(scheme):
        msg = (
            f"a URL scheme must be letters, digits, '+', '-' and '.', and begin with a letter, got {scheme!r}"
        )
        raise ValueError(msg)
    if NOT_IN_AUTHORITY.search(netloc):
        msg = "the authority of a URL must not hold '/', '?', '#', a backslash or white space"
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
    elif scheme in DEFAULT_PORTS and text[:1] in {"", "/"}:
        text = "//" + text
    if scheme:
        text = f"{scheme}:{text}"
    if query:
        text = f"{text}?{encode_query(_octets(query))}"
    return f"{text}#{encode_query(_octets(fragment))}" if fragment else text


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
