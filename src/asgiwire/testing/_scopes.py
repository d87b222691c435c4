"""Complete scopes as in the ASGI specification.

Servers provide different scopes. To test such a scope, pass a key as a keyword argument, or delete it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, TypeVar, cast
from urllib.parse import urlencode

from asgiwire._parsers.header_fields import encode_header, encode_headers
from asgiwire._parsers.percent import quote_path
from asgiwire.datastructures import Cookie
from asgiwire.types import Empty, EmptyType, HeaderPairs

T = TypeVar("T")

QueryParams: TypeAlias = str | bytes | Mapping[str, Any] | Iterable[tuple[str, Any]]
"""A urlencoded query, or names and values to encode; a list contains several values of one name."""

Cookies: TypeAlias = str | Mapping[str, str] | Iterable[Cookie]
"""The value of a ``Cookie`` header, or cookies to encode."""

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
    """Build the scope of an HTTP request.

    Args:
        method: The method; it is converted to upper case.
        path: The decoded path, including the root path, without the query.
        query_params: The query.
        headers: A mapping or pairs. Pairs of ``bytes`` are sent unchanged, even if they are invalid; other
            pairs are validated and encoded.
        cookies: The cookies, sent in one ``Cookie`` header after the other headers.
        client: The address of the client, port 50000 of 127.0.0.1 by default.
        server: The address of the server, port 80 of ``test.org`` by default.
        scheme: The scheme.
        root_path: The part of ``path`` that belongs to the application.
        raw_path: The encoded path; by default, ``path`` encoded.
        http_version: The HTTP version.
        state: The lifespan state; it is copied, as servers do.
        extensions: The extensions that the server supports, by name.
        **extra: Any other key, such as ``app``, ``session`` or ``user``.

    Raises:
        ValueError: ``path`` contains ``?`` and ``raw_path`` is not given, or a header is invalid.
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
    """Build the scope of a WebSocket.

    Args:
        path: The decoded path, including the root path, without the query.
        scheme: The scheme.
        subprotocols: The subprotocols that the client offers.
        **keys: The keyword arguments of :func:`http_scope`, except ``method``.

    Raises:
        ValueError: As for :func:`http_scope`.
        TypeError: ``method`` is given. The scope of a WebSocket has none.
    """
    if "method" in keys:
        raise TypeError("expected no method, because the scope of a WebSocket has none")
    scope = http_scope(path=path, scheme=scheme, **keys)
    del scope["method"]
    return {**scope, "type": "websocket", "subprotocols": list(subprotocols)}


def lifespan_scope(state: Mapping[str, Any] | None = None, **extra: Any) -> dict[str, Any]:
    """Build the scope of a lifespan (Lifespan Protocol, version 2.0).

    Args:
        state: The initial state; it is copied.
        **extra: Any other key.
    """
    asgi = {"version": "3.0", "spec_version": "2.0"}
    return {"type": "lifespan", "asgi": asgi, "state": dict(state or ()), **extra}


def encode_query_params(params: QueryParams) -> bytes:
    """Encode a query, or the fields of a form, as ``application/x-www-form-urlencoded``."""
    if isinstance(params, bytes):
        return params
    if isinstance(params, str):
        return params.encode()
    return urlencode(list(name_value_pairs(params)), doseq=True).encode("ascii")


def name_value_pairs(values: Mapping[str, T] | Iterable[tuple[str, T]]) -> Iterable[tuple[str, T]]:
    """Return the items of a mapping; pairs are returned unchanged."""
    return cast("Mapping[str, T]", values).items() if isinstance(values, Mapping) else values


def raw_pairs(headers: HeaderPairs) -> list[tuple[bytes, bytes]]:
    """Encode headers as in a scope; pairs of ``bytes`` are unchanged."""
    if isinstance(headers, Mapping):
        return encode_headers(cast("Mapping[str, Any]", headers))
    return [
        (name, value) if isinstance(name, bytes) and isinstance(value, bytes) else encode_header(name, value)
        for name, value in headers
    ]


def _raw_path(path: str) -> bytes:
    if "?" in path:
        msg = f"expected a path without a query, got {path!r}; pass the query as query_params"
        raise ValueError(msg)
    return quote_path(path).encode("ascii")


def _cookie_headers(cookies: Cookies) -> list[tuple[bytes, bytes]]:
    # Browsers send cookies in UTF-8.
    value = cookie_header(cookies)
    return [(b"cookie", value.encode())] if value else []


def cookie_header(cookies: Cookies) -> str:
    """Return the value of a Cookie header."""
    if isinstance(cookies, str):
        return cookies
    if isinstance(cookies, Mapping):
        return "; ".join(f"{name}={value}" for name, value in cast("Mapping[str, str]", cookies).items())
    return "; ".join(f"{cookie.key}={cookie.value or ''}" for cookie in cookies)
