"""What ``Request`` and ``WebSocket`` have in common: where Litestar knows more than a bare scope does.

Members that are not here are asgiwire's. ``logger``, ``get_session_id`` and ``url_for_static_asset``, which
asgiwire has not, are Litestar's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from litestar.types import Empty
from litestar.utils.scope.state import ScopeState

from asgiwire._parsers.query import parse_urlencoded
from asgiwire.connection._session import UnstoredSession, session_from
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.types import Empty as OurEmpty

from ._datastructures import with_face
from ._exceptions import TRANSLATION

if TYPE_CHECKING:
    from litestar import Litestar

    from asgiwire.connection import ASGIConnection
    from asgiwire.datastructures import URL, Headers, MultiDict
    from asgiwire.types import TypeDecoders, TypeEncoders

    class _Base(ASGIConnection[Any, UserT, AuthT, StateT]): ...
else:

    class _Base(Generic[UserT, AuthT, StateT]):
        __slots__ = ()


# What may raise, in every connection, on account of the scope.
RAISING = ("auth", "url_for", "user")


class ConnectionMembers(_Base[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """Stands before the adopted class; ``super()`` is asgiwire's behaviour."""

    __slots__ = ()

    @property
    def _connection_state(self) -> ScopeState:
        # Made by whoever asks first, as in Litestar; the session middleware writes to it.
        return ScopeState.from_scope(self.scope)  # type: ignore[arg-type]  # it is as wide as ASGI's

    @property
    def _parsed_query(self) -> tuple[tuple[str, str], ...]:
        # What query parameters are injected from; a tuple, because Litestar keeps what it makes of it.
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
            KeyError: There is none, as in a handler of 404s; Litestar itself catches this.
        """
        return self.scope["route_handler"]

    @property
    def type_decoders(self) -> TypeDecoders | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # a property in place of a constant is what the class allows
        """Those of the route handler and the layers above it."""
        handler = self.scope.get("route_handler")
        return None if handler is None else handler.resolve_type_decoders()

    @property
    def type_encoders(self) -> TypeEncoders | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
        """Those of the route handler and the layers above it."""
        handler = self.scope.get("route_handler")
        return None if handler is None else handler.resolve_type_encoders()

    @property
    def headers(self) -> Headers:
        """The headers: immutable, case-insensitive, duplicates kept."""
        return with_face(super().headers)

    @property
    def query_params(self) -> MultiDict[Any]:
        """The query as the WHATWG parser reads it."""
        return with_face(super().query_params)

    @property
    def url(self) -> URL:
        """The URL that was asked for."""
        return with_face(super().url)

    @property
    def base_url(self) -> URL:
        """The URL of the application's root."""
        return with_face(super().base_url)

    @property
    def state(self) -> StateT:
        """A live view of ``scope["state"]``; the same one each time."""
        return with_face(super().state)

    @property
    def session(self) -> dict[str, Any]:
        """The session; a cleared one reads as an empty dict, which is stored when it is written to."""
        if self.scope.get("session") is Empty:
            kept = self._values
            cleared: dict[str, Any] | None = kept.get("session")
            if cleared is None or cleared:  # one that was written to was a session of its own
                cleared = kept["session"] = _ClearedSession(self.scope)
            return cleared
        with TRANSLATION:
            return super().session

    def set_session(self, value: Any) -> None:
        """Put a session into the scope, for the session middleware to store.

        Args:
            value: A dict, msgspec Struct, dataclass, attrs or pydantic instance; or either library's
                ``Empty``, which clears the session.

        Raises:
            TypeError: The value is none of these.
        """
        if value is Empty or value is OurEmpty:
            self.scope["session"] = Empty
        else:
            self.scope["session"] = session_from(value)

    def clear_session(self) -> None:
        """Put Litestar's ``Empty`` into the scope, and forget the session's id."""
        self.scope["session"] = Empty
        self._connection_state.session_id = Empty


class _ClearedSession(UnstoredSession):
    """The same for a scope in which Litestar's ``Empty`` stands for a cleared session."""

    __slots__ = ()

    def _store(self) -> None:
        if self._scope.get("session") is Empty:
            self._scope["session"] = self
