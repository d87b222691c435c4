"""What a request says of itself before its body: the method and the headers that describe the content.

Left out: the body, which is ``request.py``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic

from asgiwire._parsers.content_headers import parse_content_length, parse_media_type
from asgiwire.exceptions import ClientException

from ._connection_head import Negotiation
from .base import ASGIConnection, AuthT, StateT, UserT, empty_receive, empty_send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.datastructures.accept import Accept
    from asgiwire.types import Method, Receive, Send


class RequestHead(Negotiation, ASGIConnection[Any, UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """A request whose body nobody has asked about."""

    __slots__ = ()

    _scope_types: ClassVar[frozenset[str]] = frozenset({"http"})

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive = empty_receive, send: Send = empty_send
    ) -> None:
        """Wrap the three arguments of an ASGI application; nothing is read yet.

        Raises:
            ImproperlyConfiguredException: The scope is not of type ``http``.
        """
        # All of it again, for the call of super() and the lookup of the type would double the cost (0.2 µs).
        try:
            if scope["type"] != "http":
                raise KeyError
        except KeyError:
            raise self._wrong_scope(scope) from None
        self.scope = scope  # type: ignore[assignment]  # as in the base class
        self.receive = receive
        self.send = send
        self._headers = self._values = None

    @property
    def _description(self) -> str:
        return str(self.scope.get("method"))

    @property
    def method(self) -> Method:
        """The request method, as the server passes it on (RFC 9110 section 9)."""
        method: Method = self.scope["method"]
        return method

    @property
    def content_type(self) -> tuple[str, dict[str, str]]:
        """The media type in lower case, its parameters by lower-case name; ``("", {})`` if there is none."""
        kept = self._values
        if kept is None:
            kept = self._values = {}
        content_type: tuple[str, dict[str, str]] | None = kept.get("content_type")
        if content_type is None:
            values = self._raw_headers(b"content-type")
            content_type = kept["content_type"] = parse_media_type(values[0] if values else b"")
        return content_type

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes as the client declares it, or ``None`` (RFC 9110 section 8.6).

        Raises:
            ClientException: It is anything but digits, or is there twice with different values.
        """
        values = self._raw_headers(b"content-length")
        if not values:
            return None
        if len(values) > 1 and len(set(values)) > 1:
            msg = "Content-Length came more than once, with different values"
            raise ClientException(msg)
        return parse_content_length(values[0])

    @property
    def accept(self) -> Accept:
        """The media types that the client accepts; all if it does not say (RFC 9110 section 12.5.1)."""
        kept = self._values
        if kept is None:
            kept = self._values = {}
        accept: Accept | None = kept.get("accept")
        if accept is None:
            from asgiwire.datastructures.accept import Accept

            values = self._raw_headers(b"accept")
            accept = kept["accept"] = Accept(b", ".join(values).decode("latin-1") if values else "*/*")
        return accept
