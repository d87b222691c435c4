"""What a connection is seldom asked for, and imports when it is: session, credentials, negotiation, snapshot.

The headers of negotiation are rare, or asked for by one middleware at most: each property parses at each
access, and keeps nothing. None raises because of what the client sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from asgiwire.datastructures.headers import raw_headers, scope_headers
from asgiwire.exceptions import ImproperlyConfiguredException
from asgiwire.types import Empty

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from asgiwire.datastructures.authorization import Authorization
    from asgiwire.datastructures.conditional import IfMatch, IfNoneMatch, IfRange
    from asgiwire.datastructures.preferences import AcceptCharset, AcceptEncoding, AcceptLanguage
    from asgiwire.datastructures.range import Range
    from asgiwire.types import EmptyType, Scope

    from .base import ASGIConnection
    from .snapshot import ConnectionSnapshot, Redaction


class ConnectionHead:
    """The credentials of a connection, its session, and its picture."""

    __slots__ = ("_values",)

    scope: Scope
    _values: dict[str, Any] | None
    _scope_types: ClassVar[frozenset[str]] = frozenset({"http", "websocket"})

    redaction: ClassVar[Redaction | None] = None
    """What :meth:`snapshot` masks and how much it keeps; give a subclass its own. ``None`` is the default."""

    @property
    def authorization(self) -> Authorization | None:
        """The credentials that the client sends (RFC 9110 section 11.6.2); parsed at each access.

        ``None`` where there are none, malformed ones, or several that differ.
        """
        from asgiwire.datastructures.authorization import Authorization

        return Authorization.from_header(single_header(self.scope, b"authorization"))

    @property
    def session(self) -> dict[str, Any]:
        """The session: ``scope["session"]``.

        A cleared session reads as an empty dict, which goes into the scope when it is first written to.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        session = self._required("session", "install a session middleware to set it")
        if type(session) is dict:
            return cast("dict[str, Any]", session)
        from ._session import read_session

        kept = self._values
        if kept is None:
            kept = self._values = {}
        return read_session(self.scope, session, kept)

    def set_session(self, value: dict[str, Any] | Any | EmptyType) -> None:
        """Put a session into the scope, for the session middleware to store.

        Args:
            value: A dict, which is stored as it is; a msgspec Struct, dataclass, attrs or pydantic instance,
                of which a dict of its fields is stored; or ``Empty``, which clears the session.

        Raises:
            TypeError: The value is none of these.
        """
        from ._session import session_from, store_session

        store_session(self.scope, value if value is Empty else session_from(value))

    def clear_session(self) -> None:
        """Put ``Empty`` into the scope, by which a session middleware knows to remove what it has stored."""
        from ._session import store_session

        store_session(self.scope, Empty)

    def snapshot(self, redaction: Redaction | None = None) -> ConnectionSnapshot:
        """Take a picture of the connection, for logs and background work: no secrets, bounded in size.

        It holds nothing of the connection, and reads nothing of the body. Credentials are masked by the
        names of headers and of query and path parameters, as :class:`.snapshot.Redaction` says.

        Args:
            redaction: What is masked and how much is kept; that of the class if ``None``.
        """
        from .snapshot import take_snapshot

        scope = self.scope
        connection = cast("ASGIConnection[Any, Any, Any, Any]", self)
        is_websocket = scope["type"] == "websocket"
        websocket = connection if is_websocket else None
        return take_snapshot(
            type=scope["type"],
            url=str(connection.url),
            method=None if is_websocket else scope.get("method"),
            http_version=scope.get("http_version"),
            client=connection.client,
            server=connection.server,
            headers=scope_headers(scope),
            path_params=connection.path_params,
            subprotocols=getattr(websocket, "subprotocols", ()),
            connection_state=getattr(websocket, "connection_state", None),
            close_code=getattr(websocket, "close_code", None),
            close_reason=getattr(websocket, "close_reason", None),
            redaction=redaction or self.redaction,
        )

    def _required(self, key: str, remedy: str) -> Any:
        try:
            return self.scope[key]
        except KeyError:
            msg = f"'{key}' is not defined in scope, {remedy}"
            raise ImproperlyConfiguredException(msg) from None

    def _wrong_scope(self, scope: Mapping[str, Any]) -> ImproperlyConfiguredException:
        """Say which scopes the class is for."""
        wanted = " or ".join(repr(name) for name in sorted(self._scope_types))
        return ImproperlyConfiguredException(
            f"{type(self).__name__} is for scopes of type {wanted}, not {scope.get('type')!r}"
        )


class Negotiation:
    """The headers by which a client says which representation it wants, and when."""

    __slots__ = ()

    scope: Scope

    @property
    def accept_language(self) -> AcceptLanguage:
        """The languages that the client wants (RFC 9110 section 12.5.4); parsed at each access."""
        from asgiwire.datastructures.preferences import AcceptLanguage

        return AcceptLanguage(header_list(self.scope, b"accept-language"))

    @property
    def accept_encoding(self) -> AcceptEncoding:
        """The content codings that the client accepts (RFC 9110 section 12.5.3); parsed at each access."""
        from asgiwire.datastructures.preferences import AcceptEncoding

        return AcceptEncoding(header_list(self.scope, b"accept-encoding"))

    @property
    def accept_charset(self) -> AcceptCharset:
        """The charsets that the client accepts (RFC 9110 section 12.5.2); parsed at each access.

        The header is deprecated, and no browser sends it.
        """
        from asgiwire.datastructures.preferences import AcceptCharset

        return AcceptCharset(header_list(self.scope, b"accept-charset"))

    @property
    def if_match(self) -> IfMatch | None:
        """The tags of which the representation must be one (RFC 9110 section 13.1.1); parsed at each access.

        ``None`` where there is no such header; one in which no tag can be read matches nothing.
        """
        from asgiwire.datastructures.conditional import IfMatch

        value = header_list(self.scope, b"if-match")
        return None if value is None else IfMatch.from_header(value)

    @property
    def if_none_match(self) -> IfNoneMatch | None:
        """The tags of which the representation must be none (RFC 9110 section 13.1.2); parsed at each access.

        ``None`` where there is no such header; one in which no tag can be read matches nothing.
        """
        from asgiwire.datastructures.conditional import IfNoneMatch

        value = header_list(self.scope, b"if-none-match")
        return None if value is None else IfNoneMatch.from_header(value)

    @property
    def if_modified_since(self) -> datetime | None:
        """The date since which a modification is asked for, in UTC; parsed at each access.

        ``None`` where it is absent or invalid. It counts for GET and HEAD alone, and only where there is no
        ``If-None-Match`` (RFC 9110 section 13.1.3).
        """
        return _date(self.scope, b"if-modified-since")

    @property
    def if_unmodified_since(self) -> datetime | None:
        """The date since which there must be no modification, in UTC; parsed at each access.

        ``None`` where it is absent or invalid. It counts only where there is no ``If-Match`` (RFC 9110
        section 13.1.4).
        """
        return _date(self.scope, b"if-unmodified-since")

    @property
    def if_range(self) -> IfRange | None:
        """The tag or date on which :attr:`range` depends (RFC 9110 section 13.1.5); parsed at each access.

        ``None`` where there is no such header; one that is invalid matches nothing.
        """
        from asgiwire.datastructures.conditional import IfRange

        value = header_list(self.scope, b"if-range")
        return None if value is None else IfRange.from_header(value)

    @property
    def range(self) -> Range | None:
        """The ranges that the client asks for (RFC 9110 section 14.2); parsed at each access.

        ``None`` where the header is absent or invalid, and so to be ignored. It counts for GET alone.
        """
        from asgiwire.datastructures.range import Range

        value = single_header(self.scope, b"range")
        return None if value is None else Range.from_header(value)


def header_list(scope: Scope, name: bytes) -> str | None:
    """All values of a header that is a list, joined (RFC 9110 section 5.3), or ``None``."""
    values = raw_headers(scope_headers(scope), name)
    return b", ".join(values).decode("latin-1") if values else None


def single_header(scope: Scope, name: bytes) -> str | None:
    """The value of a header that is no list, or ``None``; of several that differ none is to be trusted."""
    values = raw_headers(scope_headers(scope), name)
    return values[0].decode("latin-1") if values and len(set(values)) == 1 else None


def _date(scope: Scope, name: bytes) -> datetime | None:
    from asgiwire._parsers.http_dates import parse_http_date

    value = single_header(scope, name)
    return None if value is None else parse_http_date(value)
