"""What every ASGI connection has: the scope read as values, each one computed when first asked for.

Left out: everything that awaits. ``Request`` reads bodies, ``WebSocket`` talks; this class never touches
``receive`` or ``send``. Also left out: any trust in ``X-Forwarded-*`` or ``Forwarded``, which the server or a
middleware has to judge before a scope is made.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, cast

from asgiwire._parsers.cookies import parse_cookies
from asgiwire._parsers.query import parse_urlencoded
from asgiwire.datastructures.address import address_from_scope
from asgiwire.datastructures.headers import Headers, raw_headers, scope_headers
from asgiwire.datastructures.multi_dicts import MultiDict
from asgiwire.datastructures.url import URL, make_absolute_url
from asgiwire.exceptions import ImproperlyConfiguredException
from asgiwire.limits import Limits

from ._connection_head import ConnectionHead

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.datastructures.address import Address
    from asgiwire.datastructures.capabilities import Capabilities
    from asgiwire.datastructures.state import State
    from asgiwire.types import Receive, Scope, Send, TypeDecoders, TypeEncoders

__all__ = (
    "ASGIConnection",
    "AuthT",
    "HandlerT",
    "StateT",
    "UserT",
    "empty_receive",
    "empty_send",
)

HandlerT = TypeVar("HandlerT", default=Any)
UserT = TypeVar("UserT", default=Any)
AuthT = TypeVar("AuthT", default=Any)
StateT = TypeVar("StateT", default="State")


async def empty_receive() -> NoReturn:
    """Stand in for ``receive`` where a connection is made to read its scope only.

    Raises:
        ImproperlyConfiguredException: Always.
    """
    msg = "cannot receive: the connection was made without a receive callable"
    raise ImproperlyConfiguredException(msg)


async def empty_send(_message: object) -> NoReturn:
    """Stand in for ``send`` where a connection is made to read its scope only.

    Raises:
        ImproperlyConfiguredException: Always.
    """
    msg = "cannot send: the connection was made without a send callable"
    raise ImproperlyConfiguredException(msg)


class ASGIConnection(ConnectionHead, Generic[HandlerT, UserT, AuthT, StateT]):
    """One HTTP request or one WebSocket, as its scope tells of it.

    Every value is computed when it is first asked for and kept on this object; nothing of it is shared with
    another connection. A scope that changes afterwards is seen by connections that are made afterwards.

    Attributes:
        scope: The ASGI scope. Any scope that the specification allows will do: optional keys may be absent
            or ``None``, ``headers`` may be any iterable.
        receive: The ASGI receive callable.
        send: The ASGI send callable.
    """

    # Every request pays for each of them, whatever it is asked for. So all values but the headers are kept in
    # one dict by the names of the properties, each of which makes it if it is the first.
    __slots__ = ("__weakref__", "_headers", "receive", "scope", "send")  # and the dict, in ConnectionHead

    limits: ClassVar[Limits] = Limits()
    """What one peer may make this connection read; give a subclass its own, or a property."""

    type_decoders: ClassVar[TypeDecoders | None] = None
    """Decoders for types that msgspec does not know, used wherever a type is asked for."""

    type_encoders: ClassVar[TypeEncoders | None] = None
    """Encoders for types that msgspec does not know, used wherever something is sent."""

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive = empty_receive, send: Send = empty_send
    ) -> None:
        """Wrap the three arguments of an ASGI application; nothing is read yet.

        Raises:
            ImproperlyConfiguredException: The scope is of a type that this class is not for.
        """
        if scope.get("type") not in self._scope_types:
            raise self._wrong_scope(scope)
        # It is a dict, says the specification; to a type checker, a TypedDict is no more than a Mapping.
        self.scope: Scope = scope  # type: ignore[assignment]  # as above
        self.receive: Receive = receive
        self.send: Send = send
        self._headers: Headers | None = None
        self._values: dict[str, Any] | None = None

    def __repr__(self) -> str:
        # The query may hold a token, so it is left out; URL masks a password by itself.
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
        """The handler that the router found: ``scope["route_handler"]``.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        return cast("HandlerT", self._required("route_handler", "a router sets it"))

    @property
    def state(self) -> StateT:
        """A live view of ``scope["state"]``, which is put there if it is absent; the same one each time."""
        values: dict[str, Any] | State | None = self.scope.get("state")
        if values is None:
            values = self.scope["state"] = {}
        kept = self._values
        if kept is None:
            kept = self._values = {}
        state: State | None = kept.get("state")
        if state is None or state._state is not values:
            from asgiwire.datastructures.state import State

            state = kept["state"] = values if isinstance(values, State) else State(values)
        return cast("StateT", state)

    @property
    def url(self) -> URL:
        """The URL that was asked for (RFC 9110 section 7.1).

        The authority is a valid ``Host`` header's, else that of ``server``; without either, it is relative.
        """
        kept = self._values
        if kept is None:
            kept = self._values = {}
        url: URL | None = kept.get("url")
        if url is None:
            url = kept["url"] = URL._requested(self.scope, self._raw_headers(b"host"))
        return url

    @property
    def base_url(self) -> URL:
        """The URL of the application's root: its path is ``app_root_path`` or ``root_path``, and a ``/``."""
        kept = self._values
        if kept is None:
            kept = self._values = {}
        url: URL | None = kept.get("base_url")
        if url is None:
            url = kept["base_url"] = URL.base_from_scope(self.scope)
        return url

    @property
    def headers(self) -> Headers:
        """The headers: immutable, case-insensitive, duplicates kept."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers.from_scope(self.scope)
        return headers

    @property
    def query_params(self) -> MultiDict[Any]:
        """The query as the WHATWG parser reads it: order and blank values kept, bad UTF-8 replaced.

        It is this connection's own, and may be changed.
        """
        kept = self._values
        if kept is None:
            kept = self._values = {}
        query_params: MultiDict[Any] | None = kept.get("query_params")
        if query_params is None:
            pairs = parse_urlencoded(self.scope.get("query_string") or b"")
            query_params = kept["query_params"] = MultiDict(pairs)
        return query_params

    @property
    def path_params(self) -> dict[str, Any]:
        """The path parameters that the router found: ``scope["path_params"]``, or an empty dict."""
        path_params: dict[str, Any] | None = self.scope.get("path_params")
        return {} if path_params is None else path_params

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies of all ``Cookie`` headers; of two with one name, the last (RFC 9113 section 8.2.3)."""
        kept = self._values
        if kept is None:
            kept = self._values = {}
        cookies: dict[str, str] | None = kept.get("cookies")
        if cookies is None:
            cookies = kept["cookies"] = parse_cookies(self._raw_headers(b"cookie"))
        return cookies

    @property
    def client(self) -> Address | None:
        """The address of the peer as the server reports it, or ``None``."""
        return address_from_scope(self.scope.get("client"))

    @property
    def server(self) -> Address | None:
        """The address that the server listens on, or ``None``; the port is ``None`` for a unix socket."""
        return address_from_scope(self.scope.get("server"))

    @property
    def capabilities(self) -> Capabilities:
        """The version of the specification that the server follows, and the extensions that it offers."""
        from asgiwire.datastructures.capabilities import Capabilities

        return Capabilities(self.scope)

    @property
    def auth(self) -> AuthT:
        """What an authentication middleware found: ``scope["auth"]``.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        return cast("AuthT", self._required("auth", "install an authentication middleware to set it"))

    @property
    def user(self) -> UserT:
        """Who an authentication middleware found: ``scope["user"]``.

        Raises:
            ImproperlyConfiguredException: The scope has none.
        """
        return cast("UserT", self._required("user", "install an authentication middleware to set it"))

    def url_for(self, name: str | Any, **path_parameters: Any) -> str:
        """The absolute URL of a route, which the application or router in the scope is asked for.

        Args:
            name: The route's name, or whatever else the application knows it by, such as its handler.
            **path_parameters: Values for the parameters in its path.

        Raises:
            NoRouteMatchFoundException: No application in the scope can tell, it has no such route, or the
                parameters do not fit.
        """
        from ._routes import route_path

        return make_absolute_url(route_path(self.scope, name, path_parameters), self.base_url)

    def _raw_headers(self, name: bytes) -> list[bytes]:
        """Every value of a header as it was sent; the name is wanted in lower case."""
        headers = self._headers
        if headers is not None:
            return headers.raw_values(name)
        # Most requests are asked for one header or none: those need no object for that.
        return raw_headers(scope_headers(self.scope), name)
