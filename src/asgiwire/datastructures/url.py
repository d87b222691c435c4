"""URLs: the one that a scope describes, and those made from it.

A URL is its text, which is split when a part is asked for: most are only written out. Left out:
normalisation (two URLs are equal if their texts are), relative resolution, internationalised host names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from multidict import MultiMapping

from asgiwire._parsers.percent import encode_query
from asgiwire._parsers.query import parse_urlencoded
from asgiwire._parsers.target import (
    authority_from_host,
    authority_from_server,
    base_path,
    is_common_target,
    normal_scheme,
    target_path,
)
from asgiwire._parsers.uri import Parts, compose_uri, split_authority, split_uri
from asgiwire.types import Empty

from .address import address_from_scope
from .headers import raw_headers, scope_headers
from .multi_dicts import MultiDict

if TYPE_CHECKING:
    from typing import Self
    from urllib.parse import SplitResult

    from asgiwire.types import EmptyType, Scope

__all__ = ("URL", "make_absolute_url")

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

COMMON_SCHEMES: Final = ("https", "http", "wss", "ws")

MASK: Final = "********"


class URL:
    """An immutable URL, or a relative reference.

    Equal to any URL or ``str`` of the same text. In its ``repr`` the password is masked.

    Args:
        url: The text, which is kept as it is, or the parts, which are put together as by
            :meth:`from_components`.

    Raises:
        ValueError: The text is not a URL: a bracket without its pair, a port that is none, a control
            character.
    """

    __slots__ = ("_split", "_text")

    _split: Parts | tuple[str, str, str, str, str] | None
    _text: str

    def __new__(cls, url: str | SplitResult | URL) -> Self:
        """Keep the text, once it is known to be a URL."""
        made = cls._made(str(url) if isinstance(url, str | URL) else compose_uri(*url))
        if CONTROL.search(made._text):
            msg = "a URL must not hold control characters"
            raise ValueError(msg)
        split_authority(made.netloc)
        return made

    @classmethod
    def _made(cls, text: str) -> Self:
        url = object.__new__(cls)
        url._text = text
        url._split = None
        return url

    @classmethod
    def from_components(
        cls, scheme: str = "", netloc: str = "", path: str = "", fragment: str = "", query: str = ""
    ) -> Self:
        """Put a URL together; what may not stand in path, query or fragment is percent-encoded.

        Raises:
            ValueError: ``scheme`` is none, or ``netloc`` is not an authority.
        """
        return cls(compose_uri(scheme, netloc, path, query, fragment))

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Reconstruct the URL that was asked for (RFC 9112 section 3.3), whatever the scope holds.

        The authority is that of a valid ``Host`` header, else of the server's address. With neither, for
        example on a unix socket, the result is relative. The path is percent-encoded as the client sent it
        where ``raw_path`` tells, with ``root_path`` exactly once.
        """
        return cls._requested(scope, raw_headers(scope_headers(scope), b"host"))

    @classmethod
    def _requested(cls, scope: Scope, hosts: list[bytes]) -> Self:
        """As :meth:`from_scope`, for a caller who has the values of ``Host``."""
        scheme, path, root_path = scope.get("scheme"), scope.get("path"), scope.get("root_path")
        raw_path, query_string = scope.get("raw_path"), scope.get("query_string") or b""
        if not isinstance(query_string, bytes):
            query_string = b""
        if (
            # One look at all of it together takes half as long as what follows, which gives the same.
            len(hosts) == 1
            and scheme in COMMON_SCHEMES
            and not root_path
            and isinstance(raw_path, bytes)
            and is_common_target(hosts[0], raw_path, query_string)
            and (sent := raw_path.decode()) == path
        ):
            return cls._joined(scheme, hosts[0].decode(), sent, query_string.decode())
        known = raw_path if isinstance(raw_path, bytes) else None
        target = target_path(_text(path), known, _text(root_path))
        return cls._composed(scope, hosts, target, encode_query(query_string))

    @classmethod
    def base_from_scope(cls, scope: Scope) -> Self:
        """Give the URL of the application's root, which ends in ``/``, whatever the scope holds.

        Its path is ``app_root_path``, which stays when the application mounts others, else ``root_path``.
        """
        root_path = scope.get("app_root_path")
        path = base_path(_text(scope.get("root_path") if root_path is None else root_path))
        return cls._composed(scope, raw_headers(scope_headers(scope), b"host"), path, "")

    @classmethod
    def _composed(cls, scope: Scope, hosts: list[bytes], path: str, query: str) -> Self:
        """Put the origin before what is encoded already."""
        scheme, authority = _origin(scope, hosts)
        if not authority and path.startswith("//"):
            path = "/." + path  # as compose_uri() says
        return cls._joined(scheme, authority, path, query)

    @classmethod
    def _joined(cls, scheme: str, authority: str, path: str, query: str) -> Self:
        """Join parts that nothing has to be done to; as they are known, the text is never split."""
        text = f"{scheme}://{authority}{path}" if authority else path
        url = object.__new__(cls)
        url._text = f"{text}?{query}" if query else text
        url._split = (scheme, authority, path, query, "")
        return url

    def with_replacements(
        self,
        scheme: str = "",
        netloc: str = "",
        path: str = "",
        query: str | MultiDict[Any] | EmptyType | None = Empty,
        fragment: str = "",
    ) -> Self:
        """Give a URL in which the parts that are not empty replace those of this one.

        Args:
            scheme: A scheme.
            netloc: An authority.
            path: A path.
            query: As text that is already urlencoded, or as a multidict; ``None`` and ``""`` remove it.
            fragment: A fragment.

        Raises:
            ValueError: As :meth:`from_components`.
        """
        old = self._parts
        if query is Empty:
            query = old.query
        elif isinstance(query, MultiMapping):
            from urllib.parse import urlencode

            query = urlencode(list(query.items()))
        return self.from_components(
            scheme or old.scheme,
            netloc or old.netloc,
            path or old.path,
            fragment or old.fragment,
            query or "",
        )

    @property
    def scheme(self) -> str:
        """The scheme in lower case, or ``""``."""
        return self._parts.scheme

    @property
    def netloc(self) -> str:
        """The authority with userinfo and port, or ``""``."""
        return self._parts.netloc

    @property
    def path(self) -> str:
        """The path, percent-encoded."""
        return self._parts.path

    @property
    def query(self) -> str:
        """The query without its ``?``, percent-encoded."""
        return self._parts.query

    @property
    def fragment(self) -> str:
        """The fragment without its ``#``, percent-encoded."""
        return self._parts.fragment

    @property
    def username(self) -> str | None:
        """The user in the authority."""
        userinfo, at, _ = self.netloc.rpartition("@")
        return userinfo.partition(":")[0] if at else None

    @property
    def password(self) -> str | None:
        """The password in the authority."""
        _, colon, password = self.netloc.rpartition("@")[0].partition(":")
        return password if colon else None

    @property
    def hostname(self) -> str | None:
        """The host in lower case, an IPv6 address without its brackets."""
        return split_authority(self.netloc)[0] or None

    @property
    def port(self) -> int | None:
        """The port that is written in the authority."""
        return split_authority(self.netloc)[1]

    @property
    def query_params(self) -> MultiDict[Any]:
        """The query as a new multidict, order and blank values kept; changing it leaves the URL as it is."""
        return MultiDict(parse_urlencoded(self.query.encode("utf-8", "surrogatepass")))

    @property
    def _parts(self) -> Parts:
        parts = self._split
        if not isinstance(parts, Parts):
            parts = self._split = split_uri(self._text) if parts is None else Parts(*parts)
        return parts

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        return type(self), (self._text,)

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str | URL):
            return self._text == str(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        text = self._text
        if self.password is not None:
            text = text.replace(f":{self.password}@", f":{MASK}@", 1)
        return f"{type(self).__name__}({text!r})"


def make_absolute_url(path: str | URL, base: str | URL) -> str:
    """Append a path, with its query and fragment, to a base URL; the authority stays, whatever the path."""
    url = base if isinstance(base, URL) else URL(base)
    target, _, fragment = str(path).partition("#")
    target, _, query = target.partition("?")
    slash = "/" if target and not target.startswith("/") else ""
    full_path = url.path.rstrip("/") + slash + target
    return compose_uri(url.scheme, url.netloc, full_path, query, fragment)


def _origin(scope: Scope, hosts: list[bytes]) -> tuple[str, str]:
    """Give scheme and authority, both empty where there is no authority."""
    scheme = normal_scheme(scope.get("scheme")) or ("ws" if scope.get("type") == "websocket" else "http")
    authority = None
    # RFC 9112 section 3.2 wants a 400 for several; of two that differ neither is to be trusted.
    if hosts and (len(hosts) == 1 or len(set(hosts)) == 1):
        authority = authority_from_host(hosts[0], scheme)
    if authority is None:
        address = address_from_scope(scope.get("server"))
        authority = None if address is None else authority_from_server(*address, scheme)
    return ("", "") if authority is None else (scheme, authority)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
