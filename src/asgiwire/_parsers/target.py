"""The target of a request, from what a server says of it (RFC 9112 sections 3.2 and 3.3, ASGI's scopes).

Each function takes one part of a scope and gives the same part of a URL, valid whatever it was given:
nothing here raises, and nothing that a client puts into a path or a ``Host`` moves the authority. Left
out: every header but ``Host``.
"""

from __future__ import annotations

import re
from typing import Final

from .percent import PATH_BYTES, QUERY_BYTES, encode_path, percent_decode, quote_path

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}

# RFC 3986 section 3.1.
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")

# RFC 3986 section 3.2.2, without the percent-encoding and the sub-delims that its "reg-name" would allow:
# no name that can be looked up has them, and userinfo and other tricks begin with them.
NAME_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
HOST: Final = re.compile(rb"([%b]+|\[([0-9A-Fa-f:.]+)\])(?::(?:0*([0-9]{1,5}))?)?" % re.escape(NAME_BYTES))

# Host, path and query as nearly every request has them: nothing to encode, decode, leave out or judge.
# The two ports are here because they may be the scheme's own.
COMMON_TARGET: Final = re.compile(
    rb"[%b]++(?::(?!80\0|443\0)[1-9][0-9]{1,3})?+\0/[%b]*+\0[%b]*+(?:%%[0-9A-Fa-f]{2}[%b]*+)*+"
    % (re.escape(NAME_BYTES), re.escape(PATH_BYTES), re.escape(QUERY_BYTES), re.escape(QUERY_BYTES))
)

# RFC 9112 section 3.2.2: "absolute-form"; the server should have taken this off.
ABSOLUTE_FORM: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*")


def is_common_target(host: bytes, raw_path: bytes, query: bytes) -> bool:
    """Whether these can stand in a URL as they are."""
    return COMMON_TARGET.fullmatch(b"%b\0%b\0%b" % (host, raw_path, query)) is not None


def normal_scheme(value: object) -> str | None:
    """Give a scheme in lower case, or ``None`` for what is none."""
    # Behind a proxy, some servers put here whatever text it sent.
    if isinstance(value, str):
        if value in DEFAULT_PORTS:
            return value
        if SCHEME.fullmatch(value):
            return value.lower()
    return None


def authority_from_host(value: bytes, scheme: str = "") -> str | None:
    """Give the authority that a ``Host`` header names, or ``None`` for a value that is not valid.

    Args:
        value: The header as sent, blanks around it included.
        scheme: The scheme whose default port is left out.
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
    """Give the authority of the address that a server listens on, or ``None`` if it has none.

    Args:
        host: A name, an IPv4 or an IPv6 address, with brackets or without; or the path of a unix socket.
        port: Its port; ``None`` and 0 stand for a unix socket.
        scheme: The scheme whose default port is left out.
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
    """Give the path of the target URI, percent-encoded as the client sent it where that is known.

    It begins with ``/``; only of an asterisk-form target it is empty (RFC 9112 section 3.3).

    Args:
        path: ``scope["path"]``: decoded, with the root path according to the specification (a server behind
            a proxy that strips it, and an older framework, leave it out).
        raw_path: ``scope["raw_path"]``: as sent, and of some test clients with the query. It is used only
            where it still decodes to ``path``, which a middleware may have rewritten.
        root_path: ``scope["root_path"]``: decoded.
    """
    raw = raw_path or b""
    if path == "*":
        return ""
    raw = raw.partition(b"?")[0]
    root = _root(root_path)
    # Below a root path an empty path is the root itself.
    if not path.startswith("/") and (path or not root):
        path = _origin_form(path)
        raw = _origin_form(raw.decode("latin-1")).encode("latin-1")
    included = not root or path == root or path.startswith(root + "/")
    # A raw path that begins with "%2F" would be read as a part of the authority.
    if raw.startswith(b"/"):
        sent = percent_decode(raw).decode("utf-8", "replace")
        if sent == path:
            return encode_path(raw) if included else quote_path(root) + encode_path(raw)
        if root and sent == root + path:
            return encode_path(raw)
    return quote_path(path if included else root + path)


def base_path(root_path: str) -> str:
    """Give the path of an application's root, percent-encoded, with a slash at its end."""
    return quote_path(_root(root_path)) + "/"


def _root(root_path: str) -> str:
    root = root_path.rstrip("/")
    return root if not root or root.startswith("/") else "/" + root


def _origin_form(target: str) -> str:
    """Take scheme and authority off a target; RFC 9112 section 3.2.2 gives them to the server to judge."""
    match = ABSOLUTE_FORM.match(target)
    path = target if match is None else target[match.end() :]
    return path if path.startswith("/") else "/" + path
