"""``HTTPConnection``: the members that every connection has, as Starlette's users know them."""

# mypy and pyright report members whose types differ in the two bases. Starlette's type is the right one here.
# mypy: disable-error-code="misc, override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, cast

import starlette.requests as theirs
from starlette.routing import NoMatchFound

import asgiwire.connection
from asgiwire._parsers.query import parse_urlencoded
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.datastructures import State as WireState
from asgiwire.exceptions import ImproperlyConfiguredException, NoRouteMatchFoundException

from ._exceptions import TRANSLATION
from .datastructures import URL, Address, Headers, QueryParams, State

__all__ = ("HTTPConnection",)


class HTTPConnection(
    asgiwire.connection.ASGIConnection[Any, UserT, AuthT, StateT],
    theirs.HTTPConnection,
    Generic[UserT, AuthT, StateT],
):
    """One HTTP request or one WebSocket; a mapping of its scope, as in Starlette."""

    @property
    def url(self) -> URL:
        """The URL; its path is that of the scope, decoded, as in Starlette."""
        url: URL | None = self._values.get("url")
        if url is None:
            try:
                url = URL(theirs.HTTPConnection.url.__get__(self))
            except (KeyError, ValueError):  # a query that is not UTF-8, an unknown scheme, a missing key
                url = URL(super().url)
            self._values["url"] = url
        return url

    @property
    def base_url(self) -> URL:
        """The URL of the root of the application."""
        url: URL | None = self._values.get("base_url")
        if url is None:
            try:
                url = URL(theirs.HTTPConnection.base_url.__get__(self))
            except (KeyError, ValueError):
                url = URL(super().base_url)
            self._values["base_url"] = url
        return url

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
        query_params: QueryParams | None = self._values.get("query_params")
        if query_params is None:
            pairs = parse_urlencoded(self.scope.get("query_string") or b"")
            query_params = self._values["query_params"] = QueryParams._from_pairs(pairs)
        return query_params

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, as Starlette parses them: quoted values are unquoted, percent-encoding stays."""
        return theirs.HTTPConnection.cookies.__get__(self)

    @property
    def client(self) -> Address | None:
        """The address of the client, or ``None``."""
        address = super().client
        return None if address is None else Address(*address)

    @property
    def state(self) -> StateT:
        """A live view of ``scope["state"]``; the same object each time."""
        values = self.scope.get("state")
        if values is None:
            values = self.scope["state"] = {}
        state: Any = self._values.get("state")
        if state is None or object.__getattribute__(state, "_state") is not values:
            state = values if isinstance(values, WireState) else State(values)
            self._values["state"] = state
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
