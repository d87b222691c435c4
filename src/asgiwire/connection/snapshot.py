"""A snapshot of a connection: a redacted, bounded summary that is safe to log, pickle or send to a worker.

Secrets are detected by their names, because most values have no known format. Therefore a snapshot omits the
body, the state, the session and the user, where secrets have no known names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import msgspec

from asgiwire._parsers.percent import percent_decode
from asgiwire._parsers.secrets import (
    MASK,
    PUBLIC_NAMES,
    is_secret_name,
    is_secret_subprotocol,
    mask_headers,
    mask_text,
    mask_url,
    truncate,
)
from asgiwire.datastructures.address import Address

__all__ = ("ConnectionSnapshot", "Redaction", "take_snapshot")


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """The names that a snapshot masks, and its maximum sizes in characters.

    These are masked:

    - ``Authorization``, ``Proxy-Authorization``, ``Cookie`` and ``Set-Cookie``, always;
    - names that contain ``api-key``, ``token``, ``secret``, ``passw``, ``pwd``, ``session``, ``signature``,
      ``credential``, ``csrf``, ``jwt``, ``hmac``, ``authentication`` or a similar text;
    - names that have ``key``, ``auth``, ``pass``, ``pw``, ``pin``, ``otp``, ``sid``, ``sig``, ``code``,
      ``ticket`` or a similar word. The words of ``accessKey`` are those of ``access-key``;
    - names of more than 256 characters;
    - the userinfo of a URL, the text after the name of an authentication scheme, JSON Web Tokens, and the
      tokens of some large providers, under any name.

    The names are those of headers, of query and path parameters, and of pairs within a value: parameters of
    a URL or a header, and members of JSON. Percent-encoding is decoded first.

    Attributes:
        names: More names to mask, in any case.
        shown: Names to show even if they match, in any case.
        max_headers: The maximum number of headers, of path parameters and of subprotocols.
        max_value_size: The maximum size of the value of a header or path parameter; a quarter of it is the
            maximum size of a name.
        max_url_size: The maximum size of the URL.
    """

    names: frozenset[str] = frozenset()
    shown: frozenset[str] = PUBLIC_NAMES
    max_headers: int = 64
    max_value_size: int = 512
    max_url_size: int = 2048

    def masks(self, name: str) -> bool:
        """Whether to mask the value of a header or parameter with this name; a subclass may override it."""
        if self.names and name.lower() in _lower(self.names):
            return True
        return is_secret_name(name, self.shown if self.shown is PUBLIC_NAMES else _lower(self.shown))


class ConnectionSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A redacted, bounded summary of a connection.

    It is unchanged by a round trip through pickle, JSON or MessagePack. :func:`msgspec.to_builtins` converts
    it to a dict. A masked value is ``***``; a truncated one ends in ``...``.

    Attributes:
        type: ``http`` or ``websocket``.
        url: The URL; its password and the secrets in its path and query are masked.
        method: The method of a request, or ``None``.
        http_version: The HTTP version.
        client: The address of the client.
        server: The address that the server listens on.
        headers: Pairs of lower-case name and value, in the order received. Secrets are masked, and so are
            the secrets of a query in any value.
        omitted_headers: The number of headers above the maximum.
        path_params: The path parameters as text; secrets are masked.
        subprotocols: The subprotocols that a WebSocket client offers. All are masked if one looks like a
            secret, because clients that cannot send headers send tokens there.
        connection_state: The state of a WebSocket, or ``None``.
        close_code: The close code of a WebSocket, or ``None``.
        close_reason: The close reason of a WebSocket, or ``None``.
    """

    type: str
    url: str
    method: str | None = None
    http_version: str | None = None
    client: Address | None = None
    server: Address | None = None
    headers: tuple[tuple[str, str], ...] = ()
    omitted_headers: int = 0
    path_params: dict[str, str] = {}
    subprotocols: tuple[str, ...] = ()
    connection_state: str | None = None
    close_code: int | None = None
    close_reason: str | None = None


# The argument comes from the application, and is usually the same.
@lru_cache(maxsize=16)
def _lower(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def take_snapshot(
    *,
    type: str,
    url: str,
    method: str | None,
    http_version: str | None,
    client: Address | None,
    server: Address | None,
    headers: Sequence[tuple[bytes, bytes]],
    path_params: Mapping[str, Any],
    subprotocols: tuple[str, ...] = (),
    connection_state: str | None = None,
    close_code: int | None = None,
    close_reason: str | None = None,
    redaction: Redaction | None = None,
) -> ConnectionSnapshot:
    """Return a snapshot of these values; the ``snapshot()`` method of a connection calls this.

    Args:
        type: The type of the scope.
        url: The URL.
        method: The method of a request.
        http_version: The HTTP version.
        client: The address of the client.
        server: The address of the server.
        headers: The headers as in the scope.
        path_params: The path parameters.
        subprotocols: The subprotocols that a WebSocket client offers.
        connection_state: The state of a WebSocket.
        close_code: The close code of a WebSocket.
        close_reason: The close reason of a WebSocket.
        redaction: The names to mask, and the maximum sizes; ``None`` for the defaults.
    """
    redactor = _Redactor(redaction or Redaction())
    return ConnectionSnapshot(
        type=type,
        url=redactor.url(url, path_params),
        method=redactor.optional(method),
        http_version=redactor.optional(http_version),
        client=redactor.address(client),
        server=redactor.address(server),
        headers=redactor.headers(headers),
        omitted_headers=max(len(headers) - redactor.redaction.max_headers, 0),
        path_params=redactor.parameters(path_params),
        subprotocols=redactor.subprotocols(subprotocols),
        connection_state=connection_state,
        close_code=close_code,
        close_reason=redactor.optional(close_reason),
    )


class _Redactor:
    """Masks and truncates values.

    A value is truncated before its secrets are masked, so that the time does not depend on its length. The
    end of a truncated value is masked if it can be a part of a secret.
    """

    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction
        self.max_name = max(redaction.max_value_size // 4, 16)
        # A client can send the same name many times.
        self.masks = cache(redaction.masks)

    def headers(self, pairs: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
        limits = self.redaction
        headers = mask_headers(pairs, self.masks, limits.max_headers, limits.max_value_size)
        return tuple((self.name(name), value) for name, value in headers)

    def url(self, text: str, path_params: Mapping[str, Any]) -> str:
        size = self.redaction.max_url_size
        is_cut = len(text) > size
        text = self.mask_path(text[:size], path_params, is_cut)
        return truncate(mask_url(text, self.masks, is_cut=is_cut), size, is_cut)

    def mask_path(self, text: str, path_params: Mapping[str, Any], is_cut: bool) -> str:
        """Mask the segments of the path that are the values of secret path parameters."""
        masked = [str(value) for name, value in path_params.items() if self.masks(str(name))]
        secrets = {segment for value in masked for segment in value.split("/") if segment}
        if not secrets:
            return text
        path, mark, query = text.partition("?")
        segments = [MASK if _decode(part) in secrets else part for part in path.split("/")]
        if is_cut and not mark:
            segments[-1] = MASK
        return "/".join(segments) + mark + query

    def parameters(self, values: Mapping[str, Any]) -> dict[str, str]:
        items = list(values.items())[: self.redaction.max_headers]
        return {
            self.name(str(name)): MASK if self.masks(str(name)) else self.value(str(value))
            for name, value in items
        }

    def subprotocols(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        offered = offered[: self.redaction.max_headers]
        if any(is_secret_subprotocol(protocol, self.masks) for protocol in offered):
            return (MASK,) * len(offered)
        return tuple(self.name(protocol) for protocol in offered)

    def address(self, address: Address | None) -> Address | None:
        return None if address is None else Address(self.optional(address.host) or "", address.port)

    def optional(self, value: object) -> str | None:
        return None if value is None else self.value(str(value), self.max_name)

    def value(self, text: str, size: int | None = None) -> str:
        size = self.redaction.max_value_size if size is None else size
        is_cut = len(text) > size
        return truncate(mask_text(text[:size], self.masks, is_cut=is_cut), size, is_cut)

    def name(self, text: str) -> str:
        return truncate(text, self.max_name)


def _decode(text: str) -> str:
    return percent_decode(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
