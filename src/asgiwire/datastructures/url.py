"""URLs of requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self, TypeAlias, cast

from asgiwire._parsers import common_url, header_values, parse_urlencoded
from asgiwire._parsers.header_pairs import Pairs
from asgiwire._parsers.percent import encode_query
from asgiwire._parsers.uri import (
    Parts,
    authority_from_host,
    authority_from_server,
    base_path,
    compose_uri,
    normalize_scheme,
    split_authority,
    split_uri,
    target_path,
)
from asgiwire.types import Empty, EmptyType, Scope

from .address import address_from_scope
from .headers import scope_headers
from .multi_dicts import MultiDict

__all__ = ("URL", "make_absolute_url")

CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

_Query: TypeAlias = str | Mapping[str, Any] | Iterable[tuple[str, Any]]
"""A query as text, or as parameters; a list or tuple has several values of one parameter."""


class URL:
    """An immutable URL or relative reference.

    A URL is not normalized, and it is equal to any URL or ``str`` with the same text. ``repr`` masks the
    userinfo, and the secrets in path, query and fragment.

    Args:
        url: The text, or the five parts (such as a ``SplitResult`` of :mod:`urllib.parse`), which are
            composed as in :meth:`from_components`.

    Raises:
        ValueError: The URL has unbalanced brackets, an invalid port or a control character.
    """

    __slots__ = ("_split", "_text")

    _split: Parts | None
    _text: str

    def __new__(cls, url: str | tuple[str, str, str, str, str] | URL) -> Self:
        """Validate the text; it is split only when a part is read."""
        self = object.__new__(cls)
        self._text = str(url) if isinstance(url, str | URL) else compose_uri(*url)
        self._split = None
        if CONTROL.search(self._text):
            msg = "a URL must not contain control characters"
            raise ValueError(msg)
        split_authority(self.netloc)
        return self

    @classmethod
    def from_components(
        cls, scheme: str = "", netloc: str = "", path: str = "", fragment: str = "", query: str = ""
    ) -> Self:
        """Compose a URL; characters that path, query or fragment cannot contain are percent-encoded.

        Raises:
            ValueError: ``scheme`` or ``netloc`` is invalid.
        """
        return cls(compose_uri(scheme, netloc, path, query, fragment))

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        """Reconstruct the URL of the request (RFC 9112 section 3.3). Invalid values in the scope are ignored.

        The authority comes from a valid ``Host`` header, or else from the server's address. Without both, for
        example on a unix socket, the URL is relative. The path has the percent-encoding of ``raw_path``, if
        there is one, and includes ``root_path`` once.
        """
        return cls._requested(scope, scope_headers(scope))

    @classmethod
    def _requested(cls, scope: Scope, pairs: Pairs) -> Self:
        """Implement :meth:`from_scope` for a caller that has the headers."""
        url = object.__new__(cls)  # as in _valid(), whose call would take 10 % more time
        url._text = common_url(scope, pairs) or _request_url(scope, pairs)
        url._split = None
        return url

    @classmethod
    def base_from_scope(cls, scope: Scope) -> Self:
        """Return the URL of the application's root, which ends in ``/``.

        The path is ``app_root_path``, which does not change in mounted applications, or else ``root_path``.
        """
        root_path = scope.get("app_root_path")
        path = base_path(_text(scope.get("root_path") if root_path is None else root_path))
        return cls._valid(_join(scope, scope_headers(scope), path, ""))

    @classmethod
    def _valid(cls, text: str) -> Self:
        """Return the URL of a text that needs no validation."""
        url = object.__new__(cls)
        url._text = text
        url._split = None
        return url

    def with_replacements(
        self,
        scheme: str = "",
        netloc: str = "",
        path: str = "",
        query: _Query | EmptyType | None = Empty,
        fragment: str = "",
    ) -> Self:
        """Return a copy with the given parts replaced; empty ones are unchanged, except the query.

        Args:
            scheme: The new scheme.
            netloc: The new authority.
            path: The new path.
            query: The new query: urlencoded text, a mapping or multidict, or pairs. Values are converted with
                ``str()``, and a list or tuple has several values. ``None`` and ``""`` remove the query.
            fragment: The new fragment.

        Raises:
            ValueError: See :meth:`from_components`.
        """
        old = self._parts
        if query is Empty:
            query = old.query
        elif not isinstance(query, str):
            query = _encode_parameters(query or ())
        return self.from_components(
            scheme or old.scheme, netloc or old.netloc, path or old.path, fragment or old.fragment, query
        )

    def include_query_params(self, **parameters: Any) -> Self:
        """Return a copy with these query parameters at the end, in place of those with the same names."""
        kept = self._query_without(parameters)
        return self.with_replacements(query="&".join(filter(None, (kept, _encode_parameters(parameters)))))

    def replace_query_params(self, **parameters: Any) -> Self:
        """Return a copy with these query parameters and no others."""
        return self.with_replacements(query=_encode_parameters(parameters))

    def remove_query_params(self, *names: str | Iterable[str]) -> Self:
        """Return a copy without the query parameters of these names; each argument is a name or several."""
        removed = {name for one in names for name in ([one] if isinstance(one, str) else one)}
        return self.with_replacements(query=self._query_without(removed))

    def _query_without(self, names: Iterable[str]) -> str:
        """Return the query without some parameters; the others stay as they are encoded."""
        removed = set(names)
        sequences = self.query.split("&") if removed else [self.query]
        return "&".join(
            sequence
            for sequence in sequences
            if not any(name in removed for name, _ in _decode_parameters(sequence))
        )

    def _for_route(self, protocol: str, host: str) -> Self:
        """Return a copy with the scheme and host of a route.

        Args:
            protocol: ``http`` or ``websocket``, which keep TLS; any other keeps the scheme.
            host: The host, or ``""`` to keep the authority.
        """
        is_secure = self.scheme in {"https", "wss"}
        scheme = {"http": ("http", "https"), "websocket": ("ws", "wss")}.get(protocol)
        if self.netloc or host:
            return self.with_replacements(scheme=scheme[is_secure] if scheme else "", netloc=host)
        return self  # a relative URL, because the address of the server is not known

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
        """The path, percent-encoded. It never begins with two slashes.

        As a ``Location``, the path ``//evil.example/`` would lead to another host. So the second slash, or a
        backslash, is percent-encoded here: ``/%2Fevil.example/``. ``str()`` is unchanged.
        """
        path = self._parts.path
        if path[:2] in {"//", "/\\"}:
            return f"/%{ord(path[1]):02X}{path[2:]}"
        return path

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
        """The user name in the authority, or ``None``."""
        userinfo, at, _ = self.netloc.rpartition("@")
        return userinfo.partition(":")[0] if at else None

    @property
    def password(self) -> str | None:
        """The password in the authority, or ``None``."""
        _, colon, password = self.netloc.rpartition("@")[0].partition(":")
        return password if colon else None

    @property
    def hostname(self) -> str | None:
        """The host in lower case, an IPv6 address without brackets, or ``None``."""
        return split_authority(self.netloc)[0] or None

    @property
    def port(self) -> int | None:
        """The explicit port in the authority, or ``None``."""
        return split_authority(self.netloc)[1]

    @property
    def query_params(self) -> MultiDict[str]:
        """The query as a new multidict, in order and with blank values."""
        return MultiDict(_decode_parameters(self.query))

    @property
    def _parts(self) -> Parts:
        if self._split is None:
            self._split = split_uri(self._text)
        return self._split

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
        from asgiwire._parsers.secrets import MAX_URL, mask_url, truncate

        is_cut = len(self._text) > MAX_URL
        text = truncate(mask_url(self._text[:MAX_URL], is_cut=is_cut), MAX_URL, is_cut)
        return f"{type(self).__name__}({text!r})"


def make_absolute_url(path: str | URL, base: str | URL) -> str:
    """Append a path, with query and fragment, to a base URL; the path cannot change the authority."""
    url = base if isinstance(base, URL) else URL(base)
    target, _, fragment = str(path).partition("#")
    target, _, query = target.partition("?")
    slash = "/" if target and not target.startswith("/") else ""
    full_path = url._parts.path.rstrip("/") + slash + target
    return compose_uri(url.scheme, url.netloc, full_path, query, fragment)


def _request_url(scope: Scope, pairs: Pairs) -> str:
    """Return the URL of any request; :func:`common_url` is faster for the common case."""
    raw_path, query = scope.get("raw_path"), scope.get("query_string")
    known = raw_path if isinstance(raw_path, bytes) else None
    path = target_path(_text(scope.get("path")), known, _text(scope.get("root_path")))
    return _join(scope, pairs, path, encode_query(query) if isinstance(query, bytes) else "")


def _join(scope: Scope, pairs: Pairs, path: str, query: str) -> str:
    """Prepend the origin to an encoded path and query."""
    scheme, authority = _origin(scope, header_values(pairs, b"host"))
    if authority:
        path = f"{scheme}://{authority}{path}"
    elif path.startswith("//"):
        path = "/." + path  # see compose_uri()
    return f"{path}?{query}" if query else path


def _origin(scope: Scope, hosts: list[bytes]) -> tuple[str, str]:
    """Return scheme and authority; both are empty if there is no authority."""
    scheme = normalize_scheme(scope.get("scheme")) or ("ws" if scope.get("type") == "websocket" else "http")
    authority = None
    # RFC 9112 section 3.2 requires a 400 for several Host headers. If they differ, they are ignored here.
    if hosts and (len(hosts) == 1 or len(set(hosts)) == 1):
        authority = authority_from_host(hosts[0], scheme)
    if authority is None:
        address = address_from_scope(scope.get("server"))
        authority = None if address is None else authority_from_server(*address, scheme)
    return ("", "") if authority is None else (scheme, authority)


def _encode_parameters(parameters: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str:
    from urllib.parse import urlencode

    pairs: Iterable[tuple[str, Any]] = (
        cast("Mapping[str, Any]", parameters).items() if isinstance(parameters, Mapping) else parameters
    )
    encoded: list[tuple[str, Any]] = []
    for name, value in pairs:
        values = cast("list[Any]", value) if isinstance(value, list | tuple) else [value]
        encoded += [(name, one) for one in values]
    return urlencode(encoded)


def _decode_parameters(query: str) -> list[tuple[str, str]]:
    return parse_urlencoded(query.encode("utf-8", "surrogatepass"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
