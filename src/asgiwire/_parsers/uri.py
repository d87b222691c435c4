"""URIs (RFC 3986): the target URI of a request from the values of its ASGI scope, splitting and composing.

The functions that convert a value of the scope to a part of the target URI (RFC 9112 sections 3.2 and 3.3)
return a valid part for any input, and never raise. A client cannot change the authority through the path or
an invalid ``Host``. ``urllib.parse.urlsplit`` is not used, because it caches its arguments, which come from
clients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from .header_pairs import Pairs, header_values
from .percent import PATH_BYTES, QUERY_BYTES, encode_path, encode_query, percent_decode, quote_path

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}

# RFC 3986 section 3.1.
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

# RFC 3986 section 3.2.2, without the percent-encoding and the sub-delims of "reg-name": host names in DNS do
# not have them, and attacks use them.
NAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
HOST: Final = re.compile(rb"([%b]+|\[([0-9A-Fa-f:.]+)\])(?::(?:0*([0-9]{1,5}))?)?" % re.escape(NAME_BYTES))

# Host, path and query of nearly every request, which need no encoding, decoding or further validation. Ports
# 80 and 443 are excluded, because they can be the default port of the scheme.
COMMON_TARGET: Final = re.compile(
    rb"[%b]++(?::(?!80\0|443\0)[1-9][0-9]{1,3})?+\0/[%b]*+\0[%b]*+(?:%%[0-9A-Fa-f]{2}[%b]*+)*+"
    % (re.escape(NAME_BYTES), re.escape(PATH_BYTES), re.escape(QUERY_BYTES), re.escape(QUERY_BYTES))
)

# RFC 9112 section 3.2.2: "absolute-form"; some servers put it into the path.
ABSOLUTE_FORM: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def common_url(scope: Mapping[str, Any], pairs: Pairs, /) -> str | None:
    """Return the URL of a request if its values can be used without any change, or ``None``."""
    scheme, path, raw_path = scope.get("scheme"), scope.get("path"), scope.get("raw_path")
    query, hosts = scope.get("query_string") or b"", header_values(pairs, b"host")
    if (
        len(hosts) != 1
        or scheme not in ("https", "http", "wss", "ws")
        or scope.get("root_path")
        or not isinstance(raw_path, bytes)
        or not isinstance(query, bytes)
        # One match of all parts takes half the time of several.
        or not COMMON_TARGET.fullmatch(b"%b\0%b\0%b" % (hosts[0], raw_path, query))
        or raw_path.decode() != path
    ):
        return None
    return f"{scheme}://{hosts[0].decode()}{path}" + (f"?{query.decode()}" if query else "")


def normalize_scheme(value: object) -> str | None:
    """Return a scheme in lower case, or ``None`` if it is invalid."""
    # Some servers copy the value of a proxy's header into the scope unchecked.
    if isinstance(value, str):
        if value in DEFAULT_PORTS:
            return value
        if SCHEME.fullmatch(value):
            return value.lower()
    return None


def authority_from_host(value: bytes, scheme: str = "") -> str | None:
    """Return the authority from a ``Host`` header, or ``None`` if the header is invalid.

    Args:
        value: The value as sent; surrounding blanks are ignored.
        scheme: The scheme whose default port is omitted.
    """
    if value and not value.translate(None, NAME_BYTES):
        return value.decode("ascii")
    match = HOST.fullmatch(value.strip(b" \t"))
    if match is None or (match[2] is not None and not _is_ipv6(match[2])):
        return None
    host = match[1].decode("ascii")
    # RFC 3986 section 3.2.3: "URI producers and normalizers should omit the port component and its ":"
    # delimiter if port is empty or if its value would be the same as that of the scheme's default."
    if match[3] is None or (port := int(match[3])) == DEFAULT_PORTS.get(scheme):
        return host
    return f"{host}:{port}" if port < 65536 else None


def authority_from_server(host: str, port: int | None, scheme: str = "") -> str | None:
    """Return the authority of the server's address, or ``None`` for a unix socket or an invalid address.

    Args:
        host: A name, an IPv4 or IPv6 address (with or without brackets), or the path of a unix socket.
        port: The port; ``None`` or 0 for a unix socket.
        scheme: The scheme whose default port is omitted.
    """
    if not port:
        return None
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return authority_from_host(f"{bracketed}:{port}".encode(errors="replace"), scheme)


def _is_ipv6(literal: bytes) -> bool:
    from ipaddress import IPv6Address

    try:
        IPv6Address(literal.decode("ascii"))
    except ValueError:
        return False
    return True


def target_path(path: str, raw_path: bytes | None, root_path: str) -> str:
    """Return the path of the target URI, percent-encoded as the client sent it if that is known.

    The path begins with ``/``. For an asterisk-form target it is empty (RFC 9112 section 3.3).

    Args:
        path: ``scope["path"]``, decoded. The specification requires it to include the root path; servers
            behind a proxy that strips the root path, and older frameworks, omit it.
        raw_path: ``scope["raw_path"]``, as sent; some test clients append the query. It is used only if it
            decodes to ``path``, because middleware can have rewritten ``path``.
        root_path: ``scope["root_path"]``, decoded.
    """
    raw = raw_path or b""
    if path == "*":
        return ""
    raw = raw.partition(b"?")[0]
    root = _root(root_path)
    # With a root path, an empty path is the root.
    if not path.startswith("/") and (path or not root):
        path = _origin_form(path)
        raw = _origin_form(raw.decode("latin-1")).encode("latin-1")
    included = not root or path == root or path.startswith(root + "/")
    # A raw path that begins with "%2F" would become a part of the authority.
    if raw.startswith(b"/"):
        sent = percent_decode(raw).decode("utf-8", "replace")
        if sent == path:
            return encode_path(raw) if included else quote_path(root) + encode_path(raw)
        if root and sent == root + path:
            return encode_path(raw)
    return quote_path(path if included else root + path)


def base_path(root_path: str) -> str:
    """Return the path of the application's root, percent-encoded, with a trailing slash."""
    return quote_path(_root(root_path)) + "/"


def _root(root_path: str) -> str:
    root = root_path.rstrip("/")
    return root if not root or root.startswith("/") else "/" + root


def _origin_form(target: str) -> str:
    """Remove scheme and authority from an absolute-form target (RFC 9112 section 3.2.2)."""
    match = ABSOLUTE_FORM.match(target)
    path = target if match is None else target[match.end() :]
    return path if path.startswith("/") else "/" + path


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
