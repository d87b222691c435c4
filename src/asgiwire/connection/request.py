"""``Request``: one HTTP request, readers of its body, and messages that accompany a response."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, overload

import asgiwire.datastructures
from asgiwire import _body
from asgiwire._body.channel import UNREAD, BodyChannel
from asgiwire._body.readers import BodyReader, ReplayReceive, TeeReceive, read_urlencoded
from asgiwire._body.registry import body_channel, find_channel
from asgiwire._parsers import content_length
from asgiwire._parsers.content_headers import has_several_boundaries, parse_media_type
from asgiwire.exceptions import (
    AsgiwireWarning,
    ImproperlyConfiguredException,
    RequestEntityTooLarge,
    ValidationException,
)
from asgiwire.limits import Limits
from asgiwire.serialization import _decode_pairs, decode_json, decode_msgpack
from asgiwire.types import (
    Empty,
    HeaderPairs,
    HTTPEarlyHintEvent,
    HTTPResponseTrailersEvent,
    HTTPServerPushEvent,
    Method,
    Receive,
)

from .base import ASGIConnection, AuthT, StateT, UserT

if TYPE_CHECKING:
    import asgiwire.connection.multipart  # at runtime, an attribute that is imported on first use

__all__ = ("Request",)

T = TypeVar("T")

MULTIPART: Final = "multipart/form-data"
URLENCODED: Final = "application/x-www-form-urlencoded"
PUSH: Final = "http.response.push"
EARLY_HINT: Final = "http.response.early_hint"
TRAILERS: Final = "http.response.trailers"

# The headers of the request that are copied to the pushed request; the same as Litestar's.
PUSHED_HEADERS: Final = (b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"user-agent")


class Request(ASGIConnection[Any, UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """One HTTP request.

    Requests with the same scope, or a copy of it, and the same ``receive`` share one body. The ``limits``
    argument of a reader replaces the limits of the class for that call.
    """

    __slots__ = ()

    _scope_types: ClassVar[frozenset[str]] = frozenset({"http"})

    @property
    def _description(self) -> str:
        return str(self.scope.get("method"))

    # Request metadata

    @property
    def method(self) -> Method:
        """The request method, as the server sends it (RFC 9110 section 9)."""
        method: Method = self.scope["method"]
        return method

    @property
    def content_type(self) -> tuple[str, dict[str, str]]:
        """The media type in lower case and its parameters by lower-case name; ``("", {})`` if absent."""
        cache = self._values or self._new_values()
        content_type: tuple[str, dict[str, str]] | None = cache.get("content_type")
        if content_type is None:
            values = self._header_values(b"content-type")
            content_type = cache["content_type"] = parse_media_type(values[0] if values else b"")
        return content_type

    @property
    def content_length(self) -> int | None:
        """The declared length of the body in bytes, or ``None`` (RFC 9110 section 8.6).

        Raises:
            ClientException: It is not a number, or was sent twice with different values.
        """
        return content_length(self._header_pairs())

    @property
    def accept(self) -> asgiwire.datastructures.Accept:
        """The media types that the client accepts; all without the header (RFC 9110 section 12.5.1)."""
        cache = self._values or self._new_values()
        accept: asgiwire.datastructures.Accept | None = cache.get("accept")
        if accept is None:
            from asgiwire.datastructures.accept import Accept

            value = self._list_header(b"accept")
            accept = cache["accept"] = Accept("*/*" if value is None else value)
        return accept

    @property
    def accept_language(self) -> asgiwire.datastructures.AcceptLanguage:
        """The languages that the client prefers (RFC 9110 section 12.5.4); parsed at each access."""
        from asgiwire.datastructures.preferences import AcceptLanguage

        return AcceptLanguage(self._list_header(b"accept-language"))

    @property
    def accept_encoding(self) -> asgiwire.datastructures.AcceptEncoding:
        """The content codings that the client accepts (RFC 9110 section 12.5.3); parsed at each access."""
        from asgiwire.datastructures.preferences import AcceptEncoding

        return AcceptEncoding(self._list_header(b"accept-encoding"))

    @property
    def accept_charset(self) -> asgiwire.datastructures.AcceptCharset:
        """The charsets that the client accepts (RFC 9110 section 12.5.2); parsed at each access.

        The header is deprecated, and browsers do not send it.
        """
        from asgiwire.datastructures.preferences import AcceptCharset

        return AcceptCharset(self._list_header(b"accept-charset"))

    @property
    def if_match(self) -> asgiwire.datastructures.IfMatch | None:
        """The ``If-Match`` condition (RFC 9110 section 13.1.1); parsed at each access.

        ``None`` without the header. A header without a valid entity tag matches nothing.
        """
        from asgiwire.datastructures.conditional import IfMatch

        value = self._list_header(b"if-match")
        return None if value is None else IfMatch.from_header(value)

    @property
    def if_none_match(self) -> asgiwire.datastructures.IfNoneMatch | None:
        """The ``If-None-Match`` condition (RFC 9110 section 13.1.2); parsed at each access.

        ``None`` without the header. A header without a valid entity tag matches nothing.
        """
        from asgiwire.datastructures.conditional import IfNoneMatch

        value = self._list_header(b"if-none-match")
        return None if value is None else IfNoneMatch.from_header(value)

    @property
    def if_modified_since(self) -> datetime | None:
        """The date of the ``If-Modified-Since`` header in UTC; parsed at each access.

        ``None`` if it is absent or invalid. It applies to GET and HEAD only, and only without
        ``If-None-Match`` (RFC 9110 section 13.1.3).
        """
        return self._date_header(b"if-modified-since")

    @property
    def if_unmodified_since(self) -> datetime | None:
        """The date of the ``If-Unmodified-Since`` header in UTC; parsed at each access.

        ``None`` if it is absent or invalid. It applies only without ``If-Match`` (RFC 9110 section 13.1.4).
        """
        return self._date_header(b"if-unmodified-since")

    @property
    def if_range(self) -> asgiwire.datastructures.IfRange | None:
        """The condition of :attr:`range`: a tag or date (RFC 9110 section 13.1.5); parsed at each access.

        ``None`` without the header. An invalid header matches nothing.
        """
        from asgiwire.datastructures.conditional import IfRange

        value = self._list_header(b"if-range")
        return None if value is None else IfRange.from_header(value)

    @property
    def range(self) -> asgiwire.datastructures.Range | None:
        """The requested ranges (RFC 9110 section 14.2); parsed at each access.

        ``None`` if the header is absent or invalid, and so ignored. It applies to GET only.
        """
        from asgiwire.datastructures.range import Range

        value = self._single_header(b"range")
        return None if value is None else Range.from_header(value)

    @property
    def cache_control(self) -> asgiwire.datastructures.RequestCacheControl:
        """The directives of ``Cache-Control`` (RFC 9111 section 5.2.1); parsed at each access.

        A header that is absent or invalid has no directives.
        """
        from asgiwire.datastructures.cache_control import RequestCacheControl

        return RequestCacheControl.from_header(self._list_header(b"cache-control") or "")

    @property
    def last_event_id(self) -> str | None:
        """The id of the last server-sent event before the client reconnected; read at each access.

        ``None`` without ``Last-Event-ID`` (HTML standard, "Server-sent events"). It is UTF-8; invalid bytes
        become U+FFFD.
        """
        values = self._header_values(b"last-event-id")
        return values[0].decode("utf-8", "replace") if values else None

    # The client

    @property
    def is_connected(self) -> bool:
        """Whether no disconnect was received so far; :meth:`is_disconnected` checks for one."""
        channel = find_channel(self.scope, self.receive)
        return channel is None or not channel.disconnected

    async def is_disconnected(self) -> bool:
        """Whether the client has disconnected, checked without waiting.

        Receives at most one message. If it contains a chunk of the body, the chunk is buffered.
        """
        channel, receive = body_channel(self.scope, self.receive)
        return await channel.is_disconnected(receive)

    def cancel_on_disconnect(self) -> _body.RequestWatch:
        """Return an ``async with`` context manager that cancels its block when the client disconnects.

        A disconnect after the end of the response does not cancel the block. In the block, ``send`` detects
        the end of the response. A middleware passes the context manager's ``send`` to the application.

        The code after the block is not cancelled; ``cancelled_caught`` is whether the block was. The body can
        be read in the block and after it.
        """
        from asgiwire._body.cancel import RequestWatch

        channel, receive = body_channel(self.scope, self.receive)
        return RequestWatch(partial(channel.wait_disconnected, receive), self)

    # The body

    async def body(self, *, limits: Limits | None = None) -> bytes:
        """Return the whole body; it is read once and buffered.

        Raises:
            ClientDisconnect: The client disconnected before the end of the body.
            RequestEntityTooLarge: The body has more than ``max_body_size`` bytes.
            ClientException: The ``Content-Length`` is invalid.
            StreamConsumed: ``stream()`` or another reader that does not buffer has claimed the body.
        """
        channel, receive, maximum = self._body_channel(limits)
        return await channel.buffer(receive, maximum)

    async def buffer(self, *, limits: Limits | None = None) -> None:
        """Read the whole body into a buffer: in memory up to ``spool_size`` bytes, then in a temporary file.

        Afterwards ``body()``, ``json()``, ``text()``, ``form()``, ``multipart()``, ``stream()`` and
        ``replay`` read it from the start, any number of times. Without this call, a multipart ``form()`` and
        ``stream()`` consume the body. The file is deleted with the last request over this ``receive``.

        Raises:
            ClientDisconnect: The client disconnected before the end of the body.
            RequestEntityTooLarge: The body has more than ``max_body_size`` bytes.
            InsufficientStorage: The disk is full, or the process has no file descriptor left.
            ClientException: The ``Content-Length`` is invalid.
            StreamConsumed: ``stream()`` or another reader that does not buffer has claimed the body.
        """
        channel, receive, maximum = self._body_channel(limits)
        await channel.buffer(receive, maximum, (limits or self.limits).spool_size)

    def stream(self, *, limits: Limits | None = None) -> AsyncGenerator[bytes, None]:
        """Iterate over the non-empty chunks of the body as they arrive, then ``b""``.

        A body that is already buffered is yielded as one chunk.

        Raises:
            ClientDisconnect: The client disconnected before the end of the body.
            RequestEntityTooLarge: The body has more than ``max_body_size`` bytes.
            ClientException: The ``Content-Length`` is invalid.
            StreamConsumed: ``stream()`` or another reader that does not buffer has claimed the body. It is
                also a ``RuntimeError``.
        """
        return self._body_reader("stream()", limits)

    async def text(self, *, limits: Limits | None = None) -> str:
        """Return the body as text in the charset of its ``Content-Type``, else UTF-8.

        A byte order mark is skipped. The labels of the WHATWG Encoding standard are supported. Without a
        supported label, bytes that are not UTF-8 become U+FFFD.

        Raises:
            SerializationException: The body does not decode in the declared charset.
        """
        from asgiwire._parsers.charsets import decode_body  # a large table, which few programs need

        body = await self._read_body(limits)
        return decode_body(body, self.content_type[1].get("charset", ""))

    @overload
    async def json(self, *, limits: Limits | None = ...) -> Any: ...
    @overload
    async def json(self, *, type: type[T], limits: Limits | None = ...) -> T: ...
    @overload
    async def json(self, *, type: Any, limits: Limits | None = ...) -> Any: ...
    async def json(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """Return the body decoded as JSON, whatever its ``Content-Type``; ``None`` for an empty body.

        Args:
            type: The type to decode to: any that msgspec, Pydantic or one of ``type_decoders`` supports.
            limits: The limits of this call.

        Raises:
            SerializationException: The body is malformed, not UTF-8, or nested too deep.
            ValidationException: The body does not match ``type``; the message contains the path.
            RequestEntityTooLarge: The body has more than ``max_values`` values, and ``type`` is missing or
                contains ``Any``.
            UsageError: msgspec and ``type_decoders`` do not support ``type``.
        """
        body = await self._read_body(limits) or b"null"
        maximum = (limits or self.limits).max_values
        return decode_json(body, type, self.type_decoders, max_values=maximum)

    @overload
    async def msgpack(self, *, limits: Limits | None = ...) -> Any: ...
    @overload
    async def msgpack(self, *, type: type[T], limits: Limits | None = ...) -> T: ...
    @overload
    async def msgpack(self, *, type: Any, limits: Limits | None = ...) -> Any: ...
    async def msgpack(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """Return the body decoded as MessagePack, whatever its ``Content-Type``; ``None`` for an empty body.

        Args:
            type: The type to decode to: any that msgspec, Pydantic or one of ``type_decoders`` supports.
            limits: The limits of this call.

        Raises:
            SerializationException: The body is malformed, contains invalid UTF-8, or is nested too deep.
            ValidationException: The body does not match ``type``; the message contains the path.
            RequestEntityTooLarge: The body has more than ``max_values`` values, and ``type`` is missing or
                contains ``Any``.
            UsageError: msgspec and ``type_decoders`` do not support ``type``.
        """
        body = await self._read_body(limits) or b"\xc0"
        maximum = (limits or self.limits).max_values
        return decode_msgpack(body, type, self.type_decoders, max_values=maximum)

    @overload
    async def form(self, *, limits: Limits | None = ...) -> asgiwire.datastructures.FormMultiDict: ...
    @overload
    async def form(self, *, type: type[T], limits: Limits | None = ...) -> T: ...
    @overload
    async def form(self, *, type: Any, limits: Limits | None = ...) -> Any: ...
    async def form(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """Return the fields and files of a multipart or urlencoded form; empty for any other body.

        The form is parsed once and cached. Files are stored in memory up to ``spool_size`` bytes, then on
        disk. Close the form to release them.

        Args:
            type: A type with fields to decode the form to, as in :meth:`.ASGIConnection.query`. Fields of
                type :class:`~asgiwire.datastructures.UploadFile` take files. By default, a
                :class:`~asgiwire.datastructures.FormMultiDict` is returned.
            limits: The limits of this call.

        Raises:
            ClientException: The form is malformed; the message contains the position.
            ValidationException: A field does not match ``type``; the message contains its path, ``$.name``.
            RequestEntityTooLarge: The form exceeds a limit; the message contains its name. A cached form is
                checked against the limits of each call.
            InsufficientStorage: A file cannot be stored: the disk is full, or the process has no file
                descriptor left.
            ClientDisconnect: The client disconnected before the end of the body.
            StreamConsumed: ``stream()`` or another reader that does not buffer has claimed the body, or the
                form was closed and the body is not buffered; see :meth:`buffer`.
            UsageError: ``type`` is not supported, or has no fields.
        """
        if type is not Empty:
            return _decode_pairs(await self._form_pairs(limits), type, self.type_decoders)
        media_type, parameters = self._form_type()
        if media_type == MULTIPART:
            from asgiwire._body.form import read_form  # imports python-multipart

            channel, receive, _ = self._body_channel(limits)
            return await read_form(channel, receive, parameters, limits or self.limits)
        from asgiwire.datastructures.form import FormMultiDict

        if media_type != URLENCODED:
            return FormMultiDict()
        channel, receive, _ = self._body_channel(limits)
        pairs = await self._read_urlencoded(channel, receive, limits)
        if channel.cached_form is None:
            channel.cached_form = FormMultiDict(pairs)
        return channel.cached_form

    def _read_urlencoded(
        self, channel: BodyChannel, receive: Receive, limits: Limits | None
    ) -> Awaitable[list[tuple[str, Any]]]:
        # The chunks are those of the body, unless a subclass decodes them.
        read_body = None if type(self).body is Request.body else partial(self._read_body, limits)
        return read_urlencoded(channel, receive, limits or self.limits, read_body)

    async def _form_pairs(self, limits: Limits | None) -> list[tuple[str, Any]]:
        if self._form_type()[0] == URLENCODED:
            # Without a FormMultiDict: the body is buffered, so another call can parse it again.
            channel, receive, _ = self._body_channel(limits)
            return await self._read_urlencoded(channel, receive, limits)
        form = await self.form(limits=limits)
        return list(form.items())

    def multipart(self, *, limits: Limits | None = None) -> asgiwire.connection.multipart.MultipartParts:
        """Iterate over the parts of a multipart body as they arrive.

        Messages are received only as the parts are read. The unread rest of a part is skipped.

        Raises:
            ValidationException: The body is not ``multipart/form-data``, or its boundary is invalid. While
                iterating: the body is malformed, or ends before its final boundary.
            RequestEntityTooLarge: While iterating: the body exceeds a limit; the message contains its name.
        """
        from asgiwire._multipart.decoder import MultipartDecoder  # imports python-multipart

        from .multipart import MultipartParts

        media_type, parameters = self._form_type()
        if media_type != MULTIPART:
            msg = f"expected a body of type {MULTIPART}, got another Content-Type"
            raise ValidationException(msg)
        decoder = MultipartDecoder(parameters, limits or self.limits)
        return MultipartParts(self._body_reader("multipart()", limits), decoder)

    @property
    def replay(self) -> Receive:
        """A ``receive`` callable that passes the body of this request to a downstream application.

        After the body, it waits for the disconnect. The first call reads the body if it was not read, and
        buffers it: in memory up to ``limits.spool_size`` bytes, then on disk. If the body was consumed, the
        call raises ``StreamConsumed``. Call :meth:`buffer` before the reader that consumes it.
        """
        limits = self.limits
        channel, receive = body_channel(self.scope, self.receive)
        check_content_length = partial(self._body_channel, None)
        return ReplayReceive(channel, receive, limits.max_body_size, limits.spool_size, check_content_length)

    def tee(self, sink: Callable[[bytes], Any], *, limits: Limits | None = None) -> Receive:
        """Return a ``receive`` callable that passes the body to ``sink`` and to a downstream application.

        The body is not buffered, and messages are received only as the application reads.

        Args:
            sink: Called with each chunk before the application receives it; may be a coroutine function.
            limits: The limits of this body.
        """
        reader = self._body_reader("tee()", limits)
        channel, receive = body_channel(self.scope, self.receive)
        return TeeReceive(channel, receive, reader, sink)

    # Messages that accompany a response

    @property
    def supports_push_promise(self) -> bool:
        """Whether the server supports the ``http.response.push`` extension."""
        return PUSH in self.capabilities

    async def send_push_promise(self, path: str, raise_if_unavailable: bool = False) -> None:
        """Ask the server to push a resource (ASGI extension ``http.response.push``).

        Args:
            path: The path of the resource with its query, such as ``/style.css?v=2``; non-ASCII characters
                are percent-encoded.
            raise_if_unavailable: Whether to raise an error, instead of a warning, if the server cannot push.

        Raises:
            ImproperlyConfiguredException: The server does not support it and ``raise_if_unavailable`` is set.
            ValueError: The path does not begin with exactly one slash, or it has a blank, a control
                character, a backslash or a fragment.
        """
        if not self.supports_push_promise:
            msg = f"the server does not support {PUSH}; see Request.supports_push_promise"
            if raise_if_unavailable:
                raise ImproperlyConfiguredException(msg)
            warnings.warn(msg, AsgiwireWarning, stacklevel=2)
            return
        from asgiwire._parsers.header_fields import encode_header

        event: HTTPServerPushEvent = {
            "type": "http.response.push",
            "path": _request_target(path),
            "headers": [
                encode_header(name, value) for name in PUSHED_HEADERS for value in self._header_values(name)
            ],
        }
        await self.send(event)

    @property
    def supports_early_hints(self) -> bool:
        """Whether the server supports the ``http.response.early_hint`` extension."""
        return EARLY_HINT in self.capabilities

    async def send_early_hints(self, *links: str) -> None:
        """Send ``103 Early Hints`` before the response (RFC 8297), if the server supports it.

        Args:
            *links: Values of ``Link`` headers, such as ``"</style.css>; rel=preload; as=style"``.

        Raises:
            ValueError: A link is not a valid header value.
        """
        from asgiwire._parsers.header_fields import encode_header

        values = [encode_header("link", link)[1] for link in links]
        if values and self.supports_early_hints:
            event: HTTPEarlyHintEvent = {"type": "http.response.early_hint", "links": values}
            await self.send(event)

    @property
    def supports_trailers(self) -> bool:
        """Whether the server supports the ``http.response.trailers`` extension."""
        return TRAILERS in self.capabilities

    async def send_trailers(self, headers: HeaderPairs) -> None:
        """Send trailer fields after the body (RFC 9110 section 6.5), if the server supports it.

        ``http.response.start`` has to announce them with ``"trailers": self.supports_trailers``. They are
        sent after the last ``http.response.body`` and end the response. The server drops them if the client
        does not accept trailers, so they must not be essential.

        Args:
            headers: A mapping or an iterable of pairs.

        Raises:
            ValueError: A header is invalid, or must not be a trailer because it is needed before the content.
        """
        from asgiwire._parsers.header_fields import encode_trailers

        values = encode_trailers(headers)
        if self.supports_trailers:
            event: HTTPResponseTrailersEvent = {
                "type": "http.response.trailers",
                "headers": values,
                "more_trailers": False,
            }
            await self.send(event)

    def _date_header(self, name: bytes) -> datetime | None:
        from asgiwire._parsers.http_dates import parse_http_date

        value = self._single_header(name)
        return None if value is None else parse_http_date(value)

    def _form_type(self) -> tuple[str, dict[str, str]]:
        """Return the ``content_type`` of a form.

        Raises:
            ValidationException: The header or its boundary is duplicated. Another parser may use the other
                value.
        """
        values = self._header_values(b"content-type")
        if len(values) > 1 and len(set(values)) > 1:
            msg = "expected one Content-Type header, got several with different values"
            raise ValidationException(msg)
        content_type = self.content_type
        if content_type[0] == MULTIPART and values and has_several_boundaries(values[0]):
            msg = "expected one boundary in the Content-Type, got several"
            raise ValidationException(msg)
        return content_type

    def _read_body(self, limits: Limits | None) -> Awaitable[bytes]:
        # Nearly always; without the coroutine of body(), json() takes 4 % less time.
        if type(self).body is Request.body:
            channel, receive, maximum = self._body_channel(limits)
            return channel.buffer(receive, maximum)
        # An override of body() in a subclass may have no `limits` parameter.
        return self.body() if limits is None else self.body(limits=limits)

    def _body_reader(self, consumer: str, limits: Limits | None) -> BodyReader:
        return BodyReader(*self._body_channel(limits), consumer)

    def _body_channel(self, limits: Limits | None) -> tuple[BodyChannel, Receive, int | None]:
        """Return the channel, its ``receive`` and the maximum size; check the declared size."""
        channel, receive = body_channel(self.scope, self.receive)
        maximum = (limits or self.limits).max_body_size
        if channel.state is UNREAD:
            declared = self.content_length
            if declared is not None and maximum is not None and declared > maximum:
                channel.fail(RequestEntityTooLarge(limit="max_body_size", maximum=maximum))
                channel.raise_failure()
        return channel, receive, maximum


def _request_target(path: str) -> str:
    """Return the path as HTTP/2 carries it in ``:path``; servers fail on non-ASCII after the promise."""
    # RFC 9113 section 8.3.1: the path and query parts of the target URI.
    if not path.startswith("/") or path.startswith("//") or any(c in " \\#\x7f" or c < " " for c in path):
        msg = (
            "the path of a push promise must begin with one slash, and must not have a blank,"
            " a control character, a backslash or a fragment"
        )
        raise ValueError(msg)
    if path.isascii():
        return path
    from urllib.parse import quote

    return quote(path, safe="/?%:@!$&'()*+,;=-._~")
