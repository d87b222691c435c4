"""What is seldom asked of a connection: nothing of it is kept, and all of it is imported late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from ._negotiation import single_header

if TYPE_CHECKING:
    from asgiwire.datastructures.authorization import Authorization
    from asgiwire.types import Scope

    from .base import ASGIConnection
    from .snapshot import ConnectionSnapshot, Redaction


class ConnectionHead:
    """The credentials of a connection, and its picture."""

    __slots__ = ()

    scope: Scope

    redaction: ClassVar[Redaction | None] = None
    """What :meth:`snapshot` masks and how much it keeps; give a subclass its own. ``None`` is the default."""

    @property
    def authorization(self) -> Authorization | None:
        """The credentials that the client sends (RFC 9110 section 11.6.2); parsed at each access.

        ``None`` where there are none, malformed ones, or several that differ.
        """
        from asgiwire.datastructures.authorization import Authorization

        return Authorization.from_header(single_header(self.scope, b"authorization"))

    def snapshot(self, redaction: Redaction | None = None) -> ConnectionSnapshot:
        """Take a picture of the connection, for logs and background work: no secrets, bounded in size.

        It holds nothing of the connection, and reads nothing of the body. Credentials are masked by the
        names of headers and of query and path parameters, as :class:`.snapshot.Redaction` says.

        Args:
            redaction: What is masked and how much is kept; that of the class if ``None``.
        """
        from .snapshot import take_snapshot

        return take_snapshot(cast("ASGIConnection[Any, Any, Any, Any]", self), redaction or self.redaction)
