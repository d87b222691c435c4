"""``ASGIConnection``, which reads the scope of a request or a WebSocket."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, NoReturn, cast, overload

import asgiwire.datastructures
from asgiwire._parsers import header_values, parse_cookies, parse_urlencoded
from asgiwire._parsers.uri import ABSOLUTE_FORM
from asgiwire.datastructures.address import Address, address_from_scope
from asgiwire.datastructures.headers import Headers, scope_headers
from asgiwire.datastructures.multi_dicts import MultiDict
from asgiwire.datastructures.url import URL, make_absolute_url
from asgiwire.exceptions import (
    ImproperlyConfiguredException,
    MissingCallableError,
    NoRouteMatchFoundException,
)
from asgiwire.limits import Limits
from asgiwire.serialization import _decode_pairs
from asgiwire.types import Empty, EmptyType, FetchSite, Receive, Scope, Send, TypeDecoders, TypeEncoders

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    import asgiwire.connection.snapshot  # at runtime, an attribute that is imported on first use
    from asgiwire.datastructures.state import State
    from asgiwire.limits import overridable

__all__ = (
    "ASGIConnection",
    "AuthT",
    "HandlerT",
    "StateT",
    "UserT",
    "empty_receive",
    "empty_send",
)

T = TypeVar("T")
HandlerT = TypeVar("HandlerT", default=Any)
UserT = TypeVar("UserT", default=Any)
AuthT = TypeVar("AuthT", default=Any)
StateT = TypeVar("StateT", default="State")

# The methods that build the path of a route: Litestar's, then Starlette's.
ROUTE_REVERSERS: Final = (
    ("litestar_app", "route_reverse"),
    ("app", "route_reverse"),
    ("router", "url_path_for"),
    ("app", "url_path_for"),
)


async def empty_receive() -> NoReturn:
    """Raise an error; the default ``receive`` of a connection that only reads its scope.

    Raises:
        MissingCallableError: Always.
    """
    msg = "cannot receive: the connection was created without a receive callable"
    raise MissingCallableError(msg)


async def empty_send(_message: object) -> NoReturn:
    """Raise an error; the default ``send`` of a connection that only reads its scope.

    Raises:
        MissingCallableError: Always.
    """
    msg = "cannot send: the connection was created without a send callable"
    raise MissingCallableError(msg)


class ASGIConnection(Generic[HandlerT, UserT, AuthT, StateT]):
    """One HTTP request or one WebSocket, described by its scope.

    Each value is computed on first access and cached on this object. No value is shared with another
    connection. Changes of the scope affect connections that are created later. ``X-Forwarded-*`` and
    ``Forwarded`` are not read: the server or a middleware must decide which proxies to trust.

    Args:
        scope: The ASGI scope. Optional keys may be absent or ``None``; ``headers`` may be any iterable.
        receive: The ASGI receive callable.
        send: The ASGI send callable.

    Raises:
        ImproperlyConfiguredException: The class is not for scopes of this type.

    Attributes:
        scope: The ASGI scope.
        receive: The ASGI receive callable.
        send: The ASGI send callable.
    """

    __slots__ = ("__weakref__", "_headers", "_values", "receive", "scope", "send")

    if TYPE_CHECKING:

        @overridable
        def limits(self) -> Limits:
            """The limits for the data of a client. A subclass can override them, or define a property."""
            ...
    else:
        limits = Limits()
        """The limits for the data of a client. A subclass can override them, or define a property."""

    type_decoders: ClassVar[TypeDecoders | None] = None
    """Decoders for types that msgspec does not support, used by every reader with a ``type`` parameter."""

    type_encoders: ClassVar[TypeEncoders | None] = None
    """Encoders for types that msgspec does not support, used by every writer."""

    redaction: ClassVar[asgiwire.connection.snapshot.Redaction | None] = None
    """The redaction of :meth:`snapshot`; ``None`` for the default."""

    _scope_types: ClassVar[frozenset[str]] = frozenset({"http", "websocket"})

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive = empty_receive, send: Send = empty_send
    ) -> None:
        try:
            # The comparison with a constant saves a tenth of the time. WebSocket rejects "http" itself.
            if (scope_type := scope["type"]) != "http" and scope_type not in self._scope_types:
                raise KeyError
        except (KeyError, TypeError):  # absent, or not hashable
            raise self._wrong_scope_type(scope) from None
        self.scope: Scope = scope
        self.receive: Receive = receive
        self.send: Send = send
        self._headers: Headers | None = None
        self._values: dict[str, Any] | None = None  # values by the names of their properties

    def _new_values(self) -> dict[str, Any]:
        # Created on first use: a dict for every request would add 20 % to the time of its construction.
        if self._values is None:
            self._values = {}
        return self._values

    def __repr__(self) -> str:
        # Without the query, which can be long. URL masks secrets.
        url = self.url.with_replacements(query="")
        return f"<{type(self).__name__} {self._description} {url!r}>"

    @property
    def _description(self) -> str:
        return str(self.scope["type"])

    @property
    def app(self) -> Any:
        """The application: ``scope["litestar_app"]``, else ``scope["app"]``.

        Raises:
            ImproperlyConfiguredException: The scope has neither.
        """
        key = "litestar_app" if "litestar_app" in self.scope else "app"
        return self._required(key, "the framework sets it")

    @property
    def route_handler(self) -> HandlerT:
        """The handler that the router selected: ``scope["route_handler"]``.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        return cast("HandlerT", self._required("route_handler", "a router sets it"))

    @property
    def state(self) -> StateT:
        """A live view of ``scope["state"]``, which is created if absent; the same object each time."""
        values: dict[str, Any] | State | None = self.scope.get("state")
        if values is None:
            values = self.scope["state"] = {}
        cache = self._values or self._new_values()
        state: State | None = cache.get("state")
        if state is None or state._state is not values:
            from asgiwire.datastructures.state import State

            state = cache["state"] = values if isinstance(values, State) else State(values)
        return cast("StateT", state)

    @property
    def url(self) -> URL:
        """The requested URL (RFC 9110 section 7.1).

        The authority is a valid ``Host`` header, else the address in ``scope["server"]``. Without either, the
        URL is relative.
        """
        cache = self._values or self._new_values()
        url: URL | None = cache.get("url")
        if url is None:
            url = cache["url"] = URL._requested(self.scope, self._header_pairs())
        return url

    @property
    def base_url(self) -> URL:
        """The URL of the application's root: its path is ``app_root_path`` or ``root_path``, and a ``/``."""
        cache = self._values or self._new_values()
        url: URL | None = cache.get("base_url")
        if url is None:
            url = cache["base_url"] = URL.base_from_scope(self.scope)
        return url

    @property
    def headers(self) -> Headers:
        """The headers: immutable, case-insensitive, with duplicates."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers.from_scope(self.scope)
        return headers

    @property
    def query_params(self) -> MultiDict[str]:
        """The query parameters in order, with duplicates and blank values (WHATWG URL standard).

        Invalid UTF-8 is replaced. The multidict belongs to this connection and may be changed.
        """
        cache = self._values or self._new_values()
        query_params: MultiDict[str] | None = cache.get("query_params")
        if query_params is None:
            pairs = parse_urlencoded(self.scope.get("query_string") or b"")
            query_params = cache["query_params"] = MultiDict(pairs)
        return query_params

    @overload
    def query(self, *, type: type[T]) -> T: ...
    @overload
    def query(self, *, type: Any) -> Any: ...
    def query(self, *, type: Any) -> Any:
        """Return the query parameters decoded to a type, as :func:`.serialization.decode_params` does.

        Names must match the fields exactly.

        Args:
            type: A type with fields, for example a msgspec Struct, a dataclass or a Pydantic model.

        Raises:
            ValidationException: A parameter does not match; the message contains its path, as in ``$.page``.
            UsageError: ``type`` is not supported, or has no fields.
        """
        cached: MultiDict[str] | None = (self._values or {}).get("query_params")
        if cached is None:
            pairs = parse_urlencoded(self.scope.get("query_string") or b"")
        else:
            pairs = list(cached.items())
        return _decode_pairs(pairs, type, self.type_decoders)

    @property
    def path_params(self) -> dict[str, Any]:
        """The path parameters that the router set: ``scope["path_params"]``, or an empty dict."""
        path_params: dict[str, Any] | None = self.scope.get("path_params")
        return {} if path_params is None else path_params

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies of all ``Cookie`` headers; the last of those with equal names."""
        cache = self._values or self._new_values()
        cookies: dict[str, str] | None = cache.get("cookies")
        if cookies is None:
            cookies = cache["cookies"] = parse_cookies(self._header_values(b"cookie"))
        return cookies

    @property
    def client(self) -> Address | None:
        """The address of the client as the server reports it, or ``None``."""
        return address_from_scope(self.scope.get("client"))

    @property
    def server(self) -> Address | None:
        """The address that the server listens on, or ``None``; the port is ``None`` for a Unix socket."""
        return address_from_scope(self.scope.get("server"))

    @property
    def capabilities(self) -> asgiwire.datastructures.Capabilities:
        """The version of the ASGI specification that the server implements, and its extensions."""
        from asgiwire.datastructures.capabilities import Capabilities

        return Capabilities(self.scope)

    @property
    def tls(self) -> asgiwire.datastructures.TLS | None:
        """The TLS version, cipher suite and client certificate (ASGI TLS extension); read at each access.

        ``None`` if the server does not support the extension or the connection does not use TLS.
        """
        from asgiwire.datastructures.tls import TLS

        return TLS.from_scope(self.scope)

    @property
    def fetch_site(self) -> FetchSite | None:
        """The site that sent the request, for CSRF protection; read at each access.

        This is ``Sec-Fetch-Site`` (W3C Fetch Metadata), which browsers send to hosts with HTTPS. Without it,
        an ``Origin`` with the host and port of the request is ``"same-origin"``, and every other ``Origin``
        is ``"cross-site"``. So is a value that is unknown or sent twice. ``None`` means that the client sent
        neither header: it is not a browser, or the request is a navigation of an old browser.
        """
        from asgiwire._parsers.fetch_metadata import fetch_site

        return fetch_site(*map(self._header_values, (b"sec-fetch-site", b"origin", b"host")))

    @property
    def auth(self) -> AuthT:
        """The result of an authentication middleware: ``scope["auth"]``.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        return cast("AuthT", self._required("auth", "install an authentication middleware to set it"))

    @property
    def user(self) -> UserT:
        """The user that an authentication middleware found: ``scope["user"]``.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        return cast("UserT", self._required("user", "install an authentication middleware to set it"))

    @property
    def authorization(self) -> asgiwire.datastructures.Authorization | None:
        """The credentials that the client sent (RFC 9110 section 11.6.2); parsed at each access.

        ``None`` if there are none, they are malformed, or several headers differ.
        """
        from asgiwire.datastructures.authorization import Authorization

        return Authorization.from_header(self._single_header(b"authorization"))

    @property
    def session(self) -> dict[str, Any]:
        """The session: ``scope["session"]``.

        A cleared session reads as an empty dict, which is stored in the scope when it is first written to.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        session = self._required("session", "install a session middleware to set it")
        if type(session) is dict:
            return cast("dict[str, Any]", session)
        from ._session import read_session

        return read_session(self.scope, session, self._values or self._new_values())

    def set_session(self, value: dict[str, Any] | Any | EmptyType) -> None:
        """Store a session in the scope, for the session middleware to save.

        Args:
            value: A dict, which is stored as it is; an instance of a msgspec Struct, dataclass, attrs class
                or Pydantic model, whose fields are stored as a dict; or ``Empty``, which clears the session.

        Raises:
            TypeError: The value is of another type.
        """
        from ._session import session_from, store_session

        store_session(self.scope, value if value is Empty else session_from(value))

    def clear_session(self) -> None:
        """Store ``Empty`` as the session, so that a session middleware deletes it."""
        from ._session import store_session

        store_session(self.scope, Empty)

    def url_for(self, name: str | Any, **path_parameters: Any) -> str:
        """Return the absolute URL of a route, as the application or router in the scope builds it.

        The scheme and host are those of the connection, unless the router returns others: ``ws`` for the
        route of a WebSocket, the host of a Starlette ``Host`` route, or those of an absolute URL.

        Args:
            name: The name of the route, or another key that the application accepts, such as a handler.
            **path_parameters: The values of the route's path parameters.

        Raises:
            NoRouteMatchFoundException: The scope has no application with routes, the route does not exist, or
                the parameters do not match.
        """
        reverse = self._route_reverser()
        if reverse is None:
            msg = "url_for() needs an app in the scope with route_reverse() or url_path_for()"
            raise NoRouteMatchFoundException(msg, name=str(name))
        try:
            path = reverse(name, **path_parameters)
        except Exception as error:  # each framework has its own exception for an unknown route
            raise NoRouteMatchFoundException(name=str(name)) from error
        # Starlette's router returns a `str` with the kind of the route and the host of a `Host` route.
        base = self.base_url._for_route(getattr(path, "protocol", ""), getattr(path, "host", ""))
        text = str(path)
        return text if ABSOLUTE_FORM.match(text) else make_absolute_url(text, base)

    def snapshot(
        self, redaction: asgiwire.connection.snapshot.Redaction | None = None
    ) -> asgiwire.connection.snapshot.ConnectionSnapshot:
        """Return a redacted, bounded summary that is safe to log, pickle or send to a worker.

        It contains no reference to the connection and no part of the body. Credentials are masked by the
        names of headers, query parameters and path parameters; see :class:`.snapshot.Redaction`.

        Args:
            redaction: The masked names and the maximum sizes; by default, those of the class.
        """
        from .snapshot import take_snapshot

        return take_snapshot(
            type=self.scope["type"],
            url=str(self.url),
            method=None if self.scope["type"] == "websocket" else self.scope.get("method"),
            http_version=self.scope.get("http_version"),
            client=self.client,
            server=self.server,
            headers=self._header_pairs(),
            path_params=self.path_params,
            redaction=redaction or self.redaction,
            **self._snapshot_values(),
        )

    def _snapshot_values(self) -> dict[str, Any]:
        """Return the values that a subclass adds to its snapshot."""
        return {}

    def _route_reverser(self) -> Callable[..., Any] | None:
        for key, method in ROUTE_REVERSERS:
            reverse = getattr(self.scope.get(key), method, None)
            if reverse is not None:
                return cast("Callable[..., Any]", reverse)
        return None

    # All headers are read with these methods, so that values are consistent after `headers` was read.

    def _header_pairs(self) -> Any:
        headers = self._headers
        return scope_headers(self.scope) if headers is None else headers._pairs

    def _header_values(self, name: bytes) -> list[bytes]:
        """Return every value of a header as it was sent; ``name`` is in lower case."""
        headers = self._headers
        if headers is not None:
            return headers.raw_values(name)
        # Most applications read at most one header of a request, which needs no Headers object.
        return header_values(scope_headers(self.scope), name)

    def _list_header(self, name: bytes) -> str | None:
        """Return all values of a header that is a list, joined (RFC 9110 section 5.3), or ``None``."""
        values = self._header_values(name)
        return b", ".join(values).decode("latin-1") if values else None

    def _single_header(self, name: bytes) -> str | None:
        """Return the value of a header that is not a list; ``None`` if absent or sent with two values."""
        values = self._header_values(name)
        different = {value.strip(b" \t") for value in values}
        return different.pop().decode("latin-1") if len(different) == 1 else None

    def _required(self, key: str, remedy: str) -> Any:
        try:
            return self.scope[key]
        except KeyError:
            msg = f"'{key}' is not defined in scope, {remedy}"
            raise ImproperlyConfiguredException(msg) from None

    def _wrong_scope_type(self, scope: Mapping[str, Any]) -> ImproperlyConfiguredException:
        expected = " or ".join(repr(name) for name in sorted(self._scope_types))
        return ImproperlyConfiguredException(
            f"{type(self).__name__} expected a scope of type {expected}, got {scope.get('type')!r}"
        )
