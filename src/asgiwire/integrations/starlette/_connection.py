"""``HTTPConnection``, the members of every connection, with the behaviour of Starlette."""

# mypy and pyright report members whose types differ in the two bases. Starlette's type is the right one here.
# mypy: disable-error-code="misc, override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast, overload

import starlette.requests as theirs
from starlette.routing import NoMatchFound

import asgiwire.connection
from asgiwire._parsers import parse_urlencoded
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.datastructures import State as WireState
from asgiwire.exceptions import ImproperlyConfiguredException, NoRouteMatchFoundException
from asgiwire.integrations._exceptions import Translation

from ._exceptions import TRANSLATION
from .datastructures import URL, Address, Headers, QueryParams, State

T = TypeVar("T")

__all__ = ("HTTPConnection",)


class HTTPConnection(
    asgiwire.connection.ASGIConnection[Any, UserT, AuthT, StateT],
    theirs.HTTPConnection,
    Generic[UserT, AuthT, StateT],
):
    """One HTTP request or one WebSocket; a mapping of its scope, as in Starlette."""

    # Not slots, because Starlette's class has a __dict__; not functools.cached_property, which takes a lock
    # before Python 3.12.
    _own_url: URL | None = None
    _own_base_url: URL | None = None
    _own_query_params: QueryParams | None = None
    _own_cookies: dict[str, str] | None = None
    _own_state: Any = None

    _query_translation: ClassVar[Translation] = TRANSLATION

    @property
    def url(self) -> URL:
        """The URL. Its path is the decoded path of the scope, as in Starlette."""
        if self._own_url is None:
            try:
                self._own_url = URL(theirs.HTTPConnection.url.__get__(self))
            except Exception:  # Starlette does not support every scope: a query that is not UTF-8, ...
                self._own_url = URL(super().url)
        return self._own_url

    @property
    def base_url(self) -> URL:
        """The URL of the root of the application."""
        if self._own_base_url is None:
            try:
                self._own_base_url = URL(theirs.HTTPConnection.base_url.__get__(self))
            except Exception:  # as above
                self._own_base_url = URL(super().base_url)
        return self._own_base_url

    @property
    def headers(self) -> Headers:
        """The headers: immutable, case-insensitive, with duplicates."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers.from_scope(self.scope)
        return cast("Headers", headers)

    @property
    def query_params(self) -> QueryParams:
        """The query parameters; ``[]`` returns the last value of a name, as in Starlette."""
        query_params = self._own_query_params
        if query_params is None:
            query_params = QueryParams._from_pairs(parse_urlencoded(self.scope.get("query_string") or b""))
            self._own_query_params = query_params
        return query_params

    @overload
    def query(self, *, type: type[T]) -> T: ...
    @overload
    def query(self, *, type: Any) -> Any: ...
    def query(self, *, type: Any) -> Any:
        """Return the query parameters decoded to a type; raises exceptions of both libraries."""
        with self._query_translation:
            return super().query(type=type)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, as Starlette parses them: unquoted, but not percent-decoded."""
        cookies = self._own_cookies
        if cookies is None:
            cookies = self._own_cookies = {}
            for value in self._header_values(b"cookie"):
                cookies.update(theirs.cookie_parser(value.decode("latin-1")))
        return cookies

    @property
    def client(self) -> Address | None:
        """The address of the client, or ``None``."""
        address = super().client
        return None if address is None else Address(*address)

    @property
    def state(self) -> StateT:
        """A live view of ``scope["state"]``; the same object each time."""
        values: Any = self.scope.get("state")
        if values is None:
            values = self.scope["state"] = {}
        state = self._own_state
        if state is None or object.__getattribute__(state, "_state") is not values:
            state = self._own_state = values if isinstance(values, WireState) else State(values)
        return cast("StateT", state)

    def url_for(self, name: str, /, **path_params: Any) -> URL:
        """Return the absolute URL of a route.

        Raises:
            NoRouteMatchFoundException: The route does not exist, or its path parameters do not match; also
                Starlette's ``NoMatchFound``. Without a router in the scope, also a ``RuntimeError``.
        """
        try:
            return URL(theirs.HTTPConnection.url_for(self, name, **path_params))
        except (NoMatchFound, RuntimeError) as error:
            no_route = NoRouteMatchFoundException(str(error), name=name)
            TRANSLATION.apply(no_route)
            raise no_route from error

    def _required(self, key: str, remedy: str) -> Any:
        with TRANSLATION:
            return super()._required(key, remedy)

    def _wrong_scope_type(self, scope: Mapping[str, Any]) -> ImproperlyConfiguredException:
        error = super()._wrong_scope_type(scope)
        TRANSLATION.apply(error)
        return error
