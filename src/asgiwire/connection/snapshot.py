"""The picture of a connection: a value without secrets, to be logged, pickled, or sent to a worker.

What counts as a secret is told by names, as a value does not show whether it is one. Left out, therefore:
the body, the state, the session and the user, whose secrets have no names that could be known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from asgiwire._parsers.percent import percent_decode
from asgiwire.datastructures.address import Address


__all__ = ("ConnectionSnapshot", "Redaction", "take_snapshot")

MASK: Final = "***"

ALWAYS_MASKED: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

# These need no word to themselves: "accesstoken" and "PHPSESSID" have no boundary inside.
ANYWHERE: Final = re.compile(
    r"(?:access|account|api|auth|private)[-_. ]?key|assertion|authoriz|bearer|cookie|credential|csrf|jwt"
    r"|oidc|passphrase|passw|pwd|saml|secret|sessid|session|signature|token|xsrf"
)
# These do, or "author", "monkey", "passenger" and "design" would be masked.
WORDS: Final = frozenset({"auth", "code", "key", "otp", "pass", "passcode", "pin", "sid", "sig"})
WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Names that look like a secret's and are none.
HARMLESS: Final = frozenset({"idempotency-key", "sec-websocket-key", "surrogate-key"})

# A parameter of a query, in a URL or in any text that quotes one, as Referer does.
PARAMETER: Final = re.compile(r"(?<![^?&;,#\s])([^?&;=#\s\"'<>]++)=([^&;#\s\"'<>]*+)")
USERINFO: Final = re.compile(r"(?<=//)([^/?#@:\s]*+):[^/?#\s]*@")
SUBPROTOCOLS: Final = "sec-websocket-protocol"


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """What a snapshot masks, and how much it keeps. All sizes are in characters.

    Masked are ``Authorization``, ``Proxy-Authorization``, ``Cookie`` and ``Set-Cookie``, whatever is said
    here; names that have in them ``api-key``, ``token``, ``secret``, ``passw``, ``pwd``, ``session``,
    ``signature``, ``credential``, ``csrf``, ``jwt`` and their like; and names of which one word is ``key``,
    ``auth``, ``pass``, ``passcode``, ``pin``, ``otp``, ``sid``, ``sig`` or ``code``. ``accessKey``
    has the words of ``access-key``.

    Attributes:
        names: What is masked as well, in any case.
        shown: What is not masked although its name looks like a secret's, in any case.
        max_headers: How many headers are kept, and how many path parameters and subprotocols.
        max_value_size: The size of the value of a header or path parameter; names have a quarter of it.
        max_url_size: The size of the URL.
    """

    names: frozenset[str] = frozenset()
    shown: frozenset[str] = HARMLESS
    max_headers: int = 64
    max_value_size: int = 512
    max_url_size: int = 2048

    def masks(self, name: str) -> bool:
        """Say whether the value of a header or parameter is a secret; a subclass may decide otherwise."""
        lower = name.lower()
        if lower in ALWAYS_MASKED or any(lower == other.lower() for other in self.names):
            return True
        if any(lower == other.lower() for other in self.shown):
            return False
        return bool(ANYWHERE.search(lower)) or any(word.lower() in WORDS for word in WORD.findall(name))


class ConnectionSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """What a connection was, for logs and background work: redacted, and of a bounded size.

    It goes through pickle, JSON and MessagePack unchanged; :func:`msgspec.to_builtins` makes a dict of it.
    What was cut ends in ``...``, and what was masked is ``***``.

    Attributes:
        type: ``http`` or ``websocket``.
        url: The URL, its password and the secrets of its query masked.
        method: The method, of a request.
        http_version: The version of HTTP.
        client: The address of the peer.
        server: The address that the server listens on.
        headers: Names in lower case and values, in the order received; secrets masked, and so the secrets
            of a URL's query in any value.
        omitted_headers: How many more headers there were than are kept.
        path_params: The path parameters as text; secrets masked.
        subprotocols: The subprotocols that the client offers, of a WebSocket; all masked if one of them
            looks like a secret, as clients that cannot send headers put tokens there.
        connection_state: How far a WebSocket has come.
        close_code: The code of whoever closed a WebSocket.
        close_reason: The reason that came with it.
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
    """Take a picture of a connection, as its ``snapshot()`` does."""
    picture = _Picture(redaction or Redaction())
    return ConnectionSnapshot(
        type=type,
        url=picture.url(url, path_params),
        method=picture.short(method),
        http_version=picture.short(http_version),
        client=picture.address(client),
        server=picture.address(server),
        headers=picture.headers(headers),
        omitted_headers=max(len(headers) - picture.redaction.max_headers, 0),
        path_params=picture.parameters(path_params),
        subprotocols=picture.subprotocols(subprotocols),
        connection_state=connection_state,
        close_code=close_code,
        close_reason=picture.short(close_reason),
    )


class _Picture:
    """Masks and cuts, as a redaction says."""

    def __init__(self, redaction: Redaction) -> None:
        self.redaction = redaction

    def headers(self, pairs: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
        kept = list(pairs)[: self.redaction.max_headers]
        return tuple(self.header(name.decode("latin-1").lower(), value) for name, value in kept)

    def header(self, name: str, value: bytes) -> tuple[str, str]:
        text = value.decode("latin-1")
        if self.redaction.masks(name) or (name == SUBPROTOCOLS and self.redaction.masks(text)):
            text = MASK
        return self.name(name), self.cut(self.without_secrets(text), self.redaction.max_value_size)

    def url(self, text: str, path_params: dict[str, Any]) -> str:
        masked = [str(value) for name, value in path_params.items() if self.redaction.masks(str(name))]
        secrets = {segment for value in masked for segment in value.split("/") if segment}
        if secrets:
            path, mark, query = text.partition("?")
            path = "/".join(MASK if _decoded(part) in secrets else part for part in path.split("/"))
            text = path + mark + query
        return self.cut(self.without_secrets(text), self.redaction.max_url_size)

    def parameters(self, values: dict[str, Any]) -> dict[str, str]:
        kept = list(values.items())[: self.redaction.max_headers]
        return {
            self.name(str(name)): MASK
            if self.redaction.masks(str(name))
            else self.cut(str(value), self.redaction.max_value_size)
            for name, value in kept
        }

    def subprotocols(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        offered = offered[: self.redaction.max_headers]
        if self.redaction.masks(",".join(offered)):
            return (MASK,) * len(offered)
        return tuple(self.name(protocol) for protocol in offered)

    def address(self, address: Address | None) -> Address | None:
        return None if address is None else Address(self.name(address.host), address.port)

    def short(self, value: object) -> str | None:
        return None if value is None else self.name(str(value))

    def name(self, text: str) -> str:
        return self.cut(text, max(self.redaction.max_value_size // 4, 16))

    def cut(self, text: str, size: int) -> str:
        # What no encoder takes (a lone surrogate) is replaced.
        text = text.encode("utf-8", "replace").decode()
        return text if len(text) <= size else f"{text[: max(size - 3, 0)]}..."

    def without_secrets(self, text: str) -> str:
        text = USERINFO.sub(rf"\1:{MASK}@", text) if "@" in text else text
        return PARAMETER.sub(self.parameter, text) if "=" in text else text

    def parameter(self, match: re.Match[str]) -> str:
        return f"{match[1]}={MASK}" if self.redaction.masks(_decoded(match[1])) else match[0]


def _decoded(text: str) -> str:
    return percent_decode(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
