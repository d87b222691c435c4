"""Scopes as a server makes them, complete by the ASGI specification and new at each call.

Left out: what servers do differently. For that, any key can be given another value, or be deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast
from urllib.parse import urlencode

from asgiwire._parsers.header_fields import encode_header, encode_headers
from asgiwire._parsers.percent import quote_path
from asgiwire.types import Empty

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgiwire.datastructures import Cookie
    from asgiwire.types import EmptyType, HeaderPairs


T = TypeVar("T")

QueryParams: TypeAlias = "str | bytes | Mapping[str, Any] | Iterable[tuple[str, Any]]"
"""A query: urlencoded already, or as names and values, of which a list stands for several."""

Cookies: TypeAlias = "str | Mapping[str, str] | Iterable[Cookie]"
"""The value of a ``Cookie`` header, or what it is made of."""

CLIENT: Final = ("127.0.0.1", 50000)
SERVER: Final = ("test.org", 80)


def http_scope(
    method: str = "GET",
    path: str = "/",
    *,
    query_params: QueryParams = b"",
    headers: HeaderPairs = (),
    cookies: Cookies = "",
    client: tuple[str, int] | None = CLIENT,
    server: tuple[str, int | None] | None = SERVER,
    scheme: str = "http",
    root_path: str = "",
    raw_path: bytes | EmptyType | None = Empty,
    http_version: str = "1.1",
    state: Mapping[str, Any] | None = None,
    extensions: Mapping[str, Any] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Make the scope of an HTTP request.

    Args:
        method: Put in upper case.
        path: Decoded, with the root path, without the query.
        query_params: The query.
        headers: A mapping or pairs. Pairs of ``bytes`` are left as they are, so that a test can send what no
            client should; anything else is checked and encoded.
        cookies: A ``Cookie`` header, added to the headers.
        client: The address of the peer.
        server: The address of the server.
        scheme: The scheme.
        root_path: The part of ``path`` that is the application's own.
        raw_path: Made of ``path`` if it is not given.
        http_version: The version of HTTP.
        state: Copied, as the state of the lifespan is.
        extensions: By name, what the server offers.
        **extra: Any other key, such as ``app``, ``session`` or ``user``.

    Raises:
        ValueError: ``path`` has a ``?``, and no ``raw_path`` says that it is one of the path; or a header
            cannot be sent.
    """
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": http_version,
        "method": method.upper(),
        "scheme": scheme,
        "path": path,
        "raw_path": _raw_path(path) if raw_path is Empty else raw_path,
        "query_string": encode_query_params(query_params),
        "root_path": root_path,
        "headers": [*raw_pairs(headers), *_cookie_headers(cookies)],
        "client": client,
        "server": server,
        "state": dict(state or ()),
        "extensions": dict(extensions or ()),
        **extra,
    }


def websocket_scope(
    path: str = "/",
    *,
    scheme: str = "ws",
    subprotocols: Iterable[str] = (),
    **keys: Any,
) -> dict[str, Any]:
    """Make the scope of a WebSocket.

    Args:
        path: Decoded, with the root path, without the query.
        scheme: The scheme.
        subprotocols: Those that the client offers.
        **keys: As those of :func:`http_scope`.

    Raises:
        ValueError: As :func:`http_scope`.
    """
    scope = http_scope(path=path, scheme=scheme, **keys)
    del scope["method"]
    return {**scope, "type": "websocket", "subprotocols": list(subprotocols)}


def encode_query_params(params: QueryParams) -> bytes:
    """Encode a query, or the fields of a form, as ``application/x-www-form-urlencoded``."""
    if isinstance(params, bytes):
        return params
    if isinstance(params, str):
        return params.encode()
    return urlencode(list(named(params)), doseq=True).encode("ascii")


def named(values: Mapping[str, T] | Iterable[tuple[str, T]]) -> Iterable[tuple[str, T]]:
    """The names and values of a mapping or of pairs."""
    return cast("Mapping[str, T]", values).items() if isinstance(values, Mapping) else values


def raw_pairs(headers: HeaderPairs) -> list[tuple[bytes, bytes]]:
    """Encode headers as a scope holds them; pairs of ``bytes`` are left as they are."""
    if isinstance(headers, Mapping):
        return encode_headers(cast("Mapping[str, Any]", headers))
    return [
        (name, value) if isinstance(name, bytes) and isinstance(value, bytes) else encode_header(name, value)
        for name, value in headers
    ]


def _raw_path(path: str) -> bytes:
    if "?" in path:
        msg = f"path is without its query, which goes into query_params, got {path!r}"
        raise ValueError(msg)
    return quote_path(path).encode("ascii")


def _cookie_headers(cookies: Cookies) -> list[tuple[bytes, bytes]]:
    if isinstance(cookies, Mapping):
        cookies = "; ".join(f"{name}={value}" for name, value in cast("Mapping[str, str]", cookies).items())
    elif not isinstance(cookies, str):
        cookies = "; ".join(f"{cookie.key}={cookie.value or ''}" for cookie in cookies)
    # Browsers send cookies in UTF-8.
    return [(b"cookie", cookies.encode())] if cookies else []
