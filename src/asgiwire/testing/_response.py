"""``Response``, a complete response that a client received."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, overload

from asgiwire._parsers.content_headers import parse_media_type
from asgiwire.datastructures import Headers
from asgiwire.serialization import decode_json
from asgiwire.types import Empty

T = TypeVar("T")


class Response:
    """A complete response.

    Attributes:
        status: The status code.
        headers: The headers.
        body: The body.
        trailers: The trailers, empty if there are none.
        early_hints: The values of the ``Link`` headers of early hints (RFC 8297).
        messages: Copies of the messages that the application sent.
        url: The URL of the request.
        history: The responses that redirected to this one, oldest first.
    """

    def __init__(
        self,
        status: int,
        headers: Headers,
        body: bytes = b"",
        *,
        trailers: Headers | None = None,
        early_hints: tuple[bytes, ...] = (),
        messages: tuple[Mapping[str, Any], ...] = (),
        url: str = "",
        history: tuple[Response, ...] = (),
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.trailers: Headers = Headers() if trailers is None else trailers
        self.early_hints = early_hints
        self.messages = messages
        self.url = url
        self.history = history

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"

    @property
    def text(self) -> str:
        """The body as text in the charset of its Content-Type, else UTF-8.

        Raises:
            SerializationException: The body does not decode in the declared charset.
        """
        from asgiwire._parsers.charsets import decode_body

        parameters = parse_media_type(self.headers.get("content-type", ""))[1]
        return decode_body(self.body, parameters.get("charset", ""))

    @overload
    def json(self) -> Any: ...
    @overload
    def json(self, *, type: type[T]) -> T: ...
    @overload
    def json(self, *, type: Any) -> Any: ...
    def json(self, *, type: Any = Empty) -> Any:
        """Return the body decoded as JSON.

        Args:
            type: The type to decode to: any that msgspec supports.

        Raises:
            SerializationException: The body is not JSON.
            ValidationException: The body does not match ``type``.
        """
        return decode_json(self.body, type)
