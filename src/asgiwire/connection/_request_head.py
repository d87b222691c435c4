"""What a request says of itself before its body: the method and the headers that describe the content.

Left out: the body, which is ``request.py``'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic

from asgiwire._parsers.content_headers import parse_content_length, parse_media_type
from asgiwire.datastructures.accept import Accept
from asgiwire.datastructures.headers import raw_header, raw_headers, scope_headers
from asgiwire.exceptions import ClientException

from ._negotiation import Negotiation
from .base import ASGIConnection, AuthT, StateT, UserT, empty_receive, empty_send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.types import Method, Receive, Send


class RequestHead(Negotiation, ASGIConnection[Any, UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """A request whose body nobody has asked about."""

    __slots__ = ("_accept", "_content_type")

    _scope_types: ClassVar[frozenset[str]] = frozenset({"http"})

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive = empty_receive, send: Send = empty_send
    ) -> None:
        """Wrap the three arguments of an ASGI application; nothing is read yet.

        Raises:
            ImproperlyConfiguredException: The scope is not of type ``http``.
        """
        super().__init__(scope, receive, send)
        self._content_type: tuple[str, dict[str, str]] | None = None
        self._accept: Accept | None = None

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
        content_type = self._content_type
        if content_type is None:
            value = raw_header(scope_headers(self.scope), b"content-type") or b""
            content_type = self._content_type = parse_media_type(value)
        return content_type

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes as the client declares it, or ``None`` (RFC 9110 section 8.6).

        Raises:
            ClientException: It is anything but digits, or is there twice with different values.
        """
        values = raw_headers(scope_headers(self.scope), b"content-length")
        if not values:
            return None
        if len(values) > 1 and len(set(values)) > 1:
            msg = "Content-Length came more than once, with different values"
            raise ClientException(msg)
        return parse_content_length(values[0])

    @property
    def accept(self) -> Accept:
        """The media types that the client accepts; all if it does not say (RFC 9110 section 12.5.1)."""
        accept = self._accept
        if accept is None:
            values = raw_headers(scope_headers(self.scope), b"accept")
            accept = self._accept = Accept(b", ".join(values).decode("latin-1") if values else "*/*")
        return accept
