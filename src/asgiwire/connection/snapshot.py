"""A snapshot of a connection: a redacted, bounded summary that is safe to log, pickle or send to a worker.

Secrets are recognised by their names, because a value does not show that it is one. So a snapshot omits
the body, the state, the session and the user, where secrets have no known names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from asgiwire._parsers.percent import percent_decode
from asgiwire._parsers.secrets import CREDENTIAL_HEADERS, MASK
from asgiwire.datastructures.address import Address

__all__ = ("ConnectionSnapshot", "Redaction", "take_snapshot")

# These match inside a word: "accesstoken" and "PHPSESSID" have no word boundary.
SECRET_TEXT: Final = re.compile(
    r"(?:access|account|api|auth|private)[-_. ]?key|assertion|authoriz|bearer|cookie|credential|csrf|jwt"
    r"|oidc|passphrase|passw|pwd|saml|secret|sessid|session|signature|token|xsrf"
)
# These match a whole word only, or "author", "monkey", "passenger" and "design" would be masked.
SECRET_WORDS: Final = frozenset({"auth", "code", "key", "otp", "pass", "passcode", "pin", "sid", "sig"})
WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# These names match, but their values are public.
PUBLIC_NAMES: Final = frozenset({"idempotency-key", "sec-websocket-key", "surrogate-key"})

# A query parameter, in a URL or in a header value that quotes a URL, such as Referer.
PARAMETER: Final = re.compile(r"(?<![^?&;,#\s])([^?&;=#\s\"'<>]++)=([^&;#\s\"'<>]*+)")
USERINFO: Final = re.compile(r"(?<=//)([^/?#@:\s]*+):[^/?#\s]*@")
SUBPROTOCOLS: Final = "sec-websocket-protocol"


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot masks, and its maximum sizes. All sizes are in characters.

    These are masked:

    - ``Authorization``, ``Proxy-Authorization``, ``Cookie`` and ``Set-Cookie``, always;
    - names that contain ``api-key``, ``token``, ``secret``, ``passw``, ``pwd``, ``session``, ``signature``,
      ``credential``, ``csrf``, ``jwt`` or a similar text;
    - names that have ``key``, ``auth``, ``pass``, ``passcode``, ``pin``, ``otp``, ``sid``, ``sig`` or
      ``code`` as a word. The words of ``accessKey`` are those of ``access-key``.

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
        lower = name.lower()
        if lower in CREDENTIAL_HEADERS or any(lower == other.lower() for other in self.names):
            return True
        if any(lower == other.lower() for other in self.shown):
            return False
        if SECRET_TEXT.search(lower):
            return True
        return any(word.lower() in SECRET_WORDS for word in WORD.findall(name))


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
        redaction: What to mask, and the maximum sizes; ``None`` for the defaults.
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
    """Masks and truncates values. It masks first, or a truncated secret would stay visible."""

    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction

    def headers(self, pairs: Sequence[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
        pairs = pairs[: self.redaction.max_headers]
        return tuple(self.header(name.decode("latin-1").lower(), value) for name, value in pairs)

    def header(self, name: str, value: bytes) -> tuple[str, str]:
        text = value.decode("latin-1")
        if self.redaction.masks(name) or (name == SUBPROTOCOLS and self.redaction.masks(text)):
            text = MASK
        return self.name(name), self.truncate(self.mask_secrets(text), self.redaction.max_value_size)

    def url(self, text: str, path_params: Mapping[str, Any]) -> str:
        masked = [str(value) for name, value in path_params.items() if self.redaction.masks(str(name))]
        secrets = {segment for value in masked for segment in value.split("/") if segment}
        if secrets:
            path, mark, query = text.partition("?")
            path = "/".join(MASK if _decode(part) in secrets else part for part in path.split("/"))
            text = path + mark + query
        return self.truncate(self.mask_secrets(text), self.redaction.max_url_size)

    def parameters(self, values: Mapping[str, Any]) -> dict[str, str]:
        items = list(values.items())[: self.redaction.max_headers]
        return {
            self.name(str(name)): MASK
            if self.redaction.masks(str(name))
            else self.truncate(str(value), self.redaction.max_value_size)
            for name, value in items
        }

    def subprotocols(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        offered = offered[: self.redaction.max_headers]
        if self.redaction.masks(",".join(offered)):
            return (MASK,) * len(offered)
        return tuple(self.name(protocol) for protocol in offered)

    def address(self, address: Address | None) -> Address | None:
        return None if address is None else Address(self.name(address.host), address.port)

    def optional(self, value: object) -> str | None:
        return None if value is None else self.name(str(value))

    def name(self, text: str) -> str:
        return self.truncate(text, max(self.redaction.max_value_size // 4, 16))

    def truncate(self, text: str, size: int) -> str:
        # A lone surrogate is replaced, because no encoder takes it.
        text = text.encode("utf-8", "replace").decode()
        return text if len(text) <= size else f"{text[: max(size - 3, 0)]}..."

    def mask_secrets(self, text: str) -> str:
        text = USERINFO.sub(rf"\1:{MASK}@", text) if "@" in text else text
        return PARAMETER.sub(self.parameter, text) if "=" in text else text

    def parameter(self, match: re.Match[str]) -> str:
        return f"{match[1]}={MASK}" if self.redaction.masks(_decode(match[1])) else match[0]


def _decode(text: str) -> str:
    return percent_decode(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
