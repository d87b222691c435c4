"""The members that ``Request`` and ``WebSocket`` share, where Litestar has more than the scope.

``logger``, ``get_session_id`` and ``url_for_static_asset`` are inherited from Litestar. All other members are
asgiwire's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Generic

from litestar import Litestar
from litestar.types import Empty as LitestarEmpty
from litestar.utils.scope.state import ScopeState

from asgiwire._parsers import parse_urlencoded
from asgiwire.connection._session import UnstoredSession, session_from
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.datastructures import URL, Headers, MultiDict
from asgiwire.types import Empty, TypeDecoders, TypeEncoders

from ._datastructures import as_litestar
from ._exceptions import TRANSLATION

if TYPE_CHECKING:
    from asgiwire.connection import ASGIConnection

    class _Base(ASGIConnection[Any, UserT, AuthT, StateT]): ...
else:

    class _Base(Generic[UserT, AuthT, StateT]):
        __slots__ = ()


# The members of every connection that raise because of the scope.
RAISING: Final = ("auth", "query", "url_for", "user")


class ConnectionMembers(_Base[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """A mixin that precedes the class with asgiwire's members; ``super()`` calls asgiwire's members."""

    __slots__ = ()

    @property
    def _connection_state(self) -> ScopeState:
        # Litestar's session middleware writes to it. As in Litestar, the first access creates it.
        return ScopeState.from_scope(self.scope)  # type: ignore[arg-type]  # asgiwire's Scope is wider

    @property
    def _parsed_query(self) -> tuple[tuple[str, str], ...]:
        # Litestar injects query parameters from it. A tuple, because Litestar caches what it makes of it.
        return tuple(parse_urlencoded(self.scope.get("query_string") or b""))

    @property
    def app(self) -> Litestar:
        """The Litestar application."""
        app: Litestar = self.scope["litestar_app"]
        return app

    @property
    def route_handler(self) -> Any:
        """The route handler.

        Raises:
            KeyError: The scope has no route handler, for example after a 404. Litestar catches this.
        """
        return self.scope["route_handler"]

    @property
    def type_decoders(self) -> TypeDecoders | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # the base class documents that a property may replace the class variable
        """The decoders of the route handler and the layers above it."""
        handler = self.scope.get("route_handler")
        return None if handler is None else handler.resolve_type_decoders()

    @property
    def type_encoders(self) -> TypeEncoders | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
        """The encoders of the route handler and the layers above it."""
        handler = self.scope.get("route_handler")
        return None if handler is None else handler.resolve_type_encoders()

    @property
    def headers(self) -> Headers:
        """The headers: an immutable, case-insensitive multidict."""
        return as_litestar(super().headers)

    @property
    def query_params(self) -> MultiDict[Any]:
        """The query parameters, parsed as in the WHATWG URL standard."""
        return as_litestar(super().query_params)

    @property
    def url(self) -> URL:
        """The URL of the request."""
        return as_litestar(super().url)

    @property
    def base_url(self) -> URL:
        """The URL of the root of the application."""
        return as_litestar(super().base_url)

    @property
    def state(self) -> StateT:
        """A live view of ``scope["state"]``; each access returns the same object."""
        return as_litestar(super().state)

    @property
    def session(self) -> dict[str, Any]:
        """The session. A cleared session reads as an empty dict, which is stored when it is first written to.

        Raises:
            ImproperlyConfiguredException: There is no session in the scope.
        """
        if self.scope.get("session") is LitestarEmpty:
            values = self._values or self._new_values()
            cleared: dict[str, Any] | None = values.get("session")
            if not isinstance(cleared, _ClearedSession) or cleared:  # one with items has been stored before
                cleared = values["session"] = _ClearedSession(self.scope)
            return cleared
        with TRANSLATION:
            return super().session

    def set_session(self, value: Any) -> None:
        """Set the session, which the session middleware stores.

        Args:
            value: A dict, msgspec Struct, dataclass, attrs or pydantic instance; ``Empty`` of either library
                clears the session.

        Raises:
            TypeError: The value is of another type.
        """
        if value is LitestarEmpty or value is Empty:
            self.scope["session"] = LitestarEmpty
        else:
            self.scope["session"] = session_from(value)

    def clear_session(self) -> None:
        """Set the session to Litestar's ``Empty``, and remove the session id."""
        self.scope["session"] = LitestarEmpty
        self._connection_state.session_id = LitestarEmpty


class _ClearedSession(UnstoredSession):
    """A cleared session, for a scope that marks it with Litestar's ``Empty``."""

    __slots__ = ()

    def _store(self) -> None:
        if self._scope.get("session") is LitestarEmpty:
            self._scope["session"] = self
