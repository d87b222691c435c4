"""``HTTPConnection``: the members that every connection has, as Starlette's users know them."""

# mypy and pyright report members whose types differ in the two bases. Starlette's type is the right one here.
# mypy: disable-error-code="misc, override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
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

    _state_view: Any = None

    @cached_property
    def url(self) -> URL:
        """The URL; its path is that of the scope, decoded, as in Starlette."""
        try:
            return URL(theirs.HTTPConnection.url.__get__(self))
        except (
            Exception
        ):  # Starlette does not support every scope: a query that is not UTF-8, an unknown scheme
            return URL(super().url)

    @cached_property
    def base_url(self) -> URL:
        """The URL of the root of the application."""
        try:
            return URL(theirs.HTTPConnection.base_url.__get__(self))
        except Exception:  # as above
            return URL(super().base_url)

    @property
    def headers(self) -> Headers:
        """The headers: immutable, case-insensitive, with duplicates."""
        headers = self._headers
        if headers is None:
            headers = self._headers = Headers.from_scope(self.scope)
        return cast("Headers", headers)

    @cached_property
    def query_params(self) -> QueryParams:
        """The query parameters; ``[]`` returns the last value of a name, as in Starlette."""
        return QueryParams._from_pairs(parse_urlencoded(self.scope.get("query_string") or b""))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies, as Starlette parses them: quoted values are unquoted, percent-encoding stays."""
        cookies: dict[str, str] = theirs.HTTPConnection.cookies.__get__(self)
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
        state = self._state_view
        if state is None or object.__getattribute__(state, "_state") is not values:
            state = self._state_view = values if isinstance(values, WireState) else State(values)
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
