"""What is seldom asked of a connection, and imported when it is: credentials, session, a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from asgiwire.exceptions import ImproperlyConfiguredException
from asgiwire.types import Empty

from ._negotiation import single_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.datastructures.authorization import Authorization
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

        return read_session(self.scope, session, self._values or self._begin_keeping())

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

        return take_snapshot(cast("ASGIConnection[Any, Any, Any, Any]", self), redaction or self.redaction)

    def _begin_keeping(self) -> dict[str, Any]:
        """Make the dict of values that are kept, by the name of the property."""
        kept = self._values = {}
        return kept

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
