"""An HTTP request: its body in every form, and what may be sent beside a response.

Left out: the response itself; what the headers say, which is ``_request_head.py``'s; and everything that is
known about how far a body has been read, which is the body channel's (``_body.py``).
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from asgiwire._body.channel import UNREAD
from asgiwire._body.registry import body_channel, find_channel
from asgiwire._parsers.query import parse_urlencoded
from asgiwire.datastructures.headers import raw_headers, scope_headers
from asgiwire.exceptions import AsgiwireWarning, ImproperlyConfiguredException, ValidationException
from asgiwire.serialization import decode_json, decode_msgpack
from asgiwire.types import Empty

from ._request_head import RequestHead
from .base import AuthT, StateT, UserT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from asgiwire._body.cancel import CancelOnDisconnect
    from asgiwire._body.channel import BodyChannel
    from asgiwire.datastructures.form import FormMultiDict
    from asgiwire.limits import Limits
    from asgiwire.types import HTTPEarlyHintEvent, HTTPServerPushEvent, Receive

    from .multipart import MultipartParts

__all__ = ("Request",)

T = TypeVar("T")

MULTIPART: Final = "multipart/form-data"
URLENCODED: Final = "application/x-www-form-urlencoded"
PUSH: Final = "http.response.push"
EARLY_HINT: Final = "http.response.early_hint"

# What the pushed request would have sent by itself (as Litestar chooses them).
PUSHED_HEADERS: Final = (b"accept", b"accept-encoding", b"accept-language", b"cache-control", b"user-agent")


class Request(RequestHead[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """One HTTP request.

    Requests over the same scope, or over a copy of it, and the same ``receive`` share one body: whichever
    reads first reads it for all. Every reader takes ``limits`` for this one call, in place of the class's.
    """

    __slots__ = ()

    @property
    def is_connected(self) -> bool:
        """Whether no disconnect has been met with; to look for one, await :meth:`is_disconnected`."""
        channel = find_channel(self.scope, self.receive)
        return channel is None or not channel.disconnected

    async def is_disconnected(self) -> bool:
        """Whether the client has left, as far as can be told without waiting.

        It asks the server at most once, and what comes before a disconnect is kept for who reads the body.
        """
        channel = body_channel(self.scope, self.receive)
        return await channel.is_disconnected()

    def cancel_on_disconnect(self) -> CancelOnDisconnect:
        """Cancel the block of an ``async with`` when the client leaves.

        The cancellation ends with the block; ``cancelled_caught`` says afterwards whether there was one. The
        body can be read in the block and after it: what has to be received to watch is kept.
        """
        from asgiwire._body.cancel import CancelOnDisconnect

        return CancelOnDisconnect(body_channel(self.scope, self.receive).watch)

    async def body(self, *, limits: Limits | None = None) -> bytes:
        """The whole body, read once and kept.

        Raises:
            ClientDisconnect: The client left before the end.
            RequestEntityTooLarge: The body has more than ``max_body_size`` bytes.
            ClientException: The ``Content-Length`` is not a number.
            StreamConsumed: The body was taken by ``stream()`` or ``form()``, or is being taken.
        """
        channel, maximum = self._body_channel(limits)
        return await channel.read(maximum, channel.receive)

    def stream(self, *, limits: Limits | None = None) -> AsyncGenerator[bytes, None]:
        """The body in non-empty pieces as they arrive, then ``b""``; a body that was kept comes as one piece.

        Raises:
            ClientDisconnect: The client left before the end.
            RequestEntityTooLarge: The body has more than ``max_body_size`` bytes.
            ClientException: The ``Content-Length`` is not a number.
            StreamConsumed: The body was taken by ``stream()`` or ``form()``, or is being taken. It is a
                ``RuntimeError``.
        """
        channel, maximum = self._body_channel(limits)
        return channel.stream(maximum, "stream()", channel.receive)

    async def text(self, *, limits: Limits | None = None) -> str:
        """The body as text, in the charset of its ``Content-Type``, else UTF-8; a byte order mark is skipped.

        Charsets are the labels of the WHATWG Encoding standard. Where none of them is declared, bytes that
        are not UTF-8 are read as U+FFFD.

        Raises:
            SerializationException: The charset was declared, and the body is no text in it.
        """
        # Imported with the first text: the table of charsets is larger than what most programs need of it.
        from asgiwire._parsers.charsets import decode_body

        body = await self._whole(limits)
        return decode_body(body, self.content_type[1].get("charset", ""))

    @overload
    async def json(self, *, limits: Limits | None = ...) -> Any: ...
    @overload
    async def json(self, *, type: type[T], limits: Limits | None = ...) -> T: ...
    @overload
    async def json(self, *, type: Any, limits: Limits | None = ...) -> Any: ...
    async def json(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """The body decoded as JSON, whatever its ``Content-Type``; an empty body is ``None``.

        Args:
            type: What to decode to: anything that msgspec or one of ``type_decoders`` decodes.
            limits: For this call only.

        Raises:
            SerializationException: It is malformed, not UTF-8, or nested too deep.
            ValidationException: It does not fit ``type``; the sentence names the place.
        """
        return decode_json(await self._whole(limits) or b"null", type, self.type_decoders)

    @overload
    async def msgpack(self, *, limits: Limits | None = ...) -> Any: ...
    @overload
    async def msgpack(self, *, type: type[T], limits: Limits | None = ...) -> T: ...
    @overload
    async def msgpack(self, *, type: Any, limits: Limits | None = ...) -> Any: ...
    async def msgpack(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """The body decoded as MessagePack, whatever its ``Content-Type``; an empty body is ``None``.

        Args:
            type: What to decode to: anything that msgspec or one of ``type_decoders`` decodes.
            limits: For this call only.

        Raises:
            SerializationException: It is malformed, has text that is not UTF-8, or is nested too deep.
            ValidationException: It does not fit ``type``; the sentence names the place.
        """
        return decode_msgpack(await self._whole(limits) or b"\xc0", type, self.type_decoders)

    async def form(self, *, limits: Limits | None = None) -> FormMultiDict:
        """The fields and files of a multipart or urlencoded form, parsed once; empty for any other body.

        Files are in memory up to ``spool_size``, then on disk; close the form to release them.

        Raises:
            ClientException: The form is malformed; the sentence says where.
            RequestEntityTooLarge: It exceeds one of the limits; the sentence says which.
            ClientDisconnect: The client left before the end.
            StreamConsumed: The body was taken by ``stream()``, or is being taken.
        """
        media_type, parameters = self.content_type
        if media_type == MULTIPART:
            # Imported with the first form: most programs that import asgiwire never parse one.
            from asgiwire._body.form import MultipartForm

            channel, maximum = self._body_channel(limits)
            return await channel.form(MultipartForm(parameters, limits or self.limits), maximum)
        from asgiwire.datastructures.form import FormMultiDict

        if media_type != URLENCODED:
            return FormMultiDict()
        body = await self._whole(limits)
        channel, limits = body_channel(self.scope, self.receive), limits or self.limits
        if channel.kept_form is None:
            pairs = parse_urlencoded(body, max_fields=limits.max_fields, max_field_size=limits.max_field_size)
            channel.kept_form = FormMultiDict(pairs)
        return channel.kept_form

    def multipart(self, *, limits: Limits | None = None) -> MultipartParts:
        """The parts of a multipart body, to be iterated over, each as it arrives.

        The client is read from only as fast as the parts are; what is not read of a part is skipped.

        Raises:
            ValidationException: The body is no ``multipart/form-data``, or has no usable boundary. While
                iterating: it is malformed, or ends before its final boundary.
            RequestEntityTooLarge: While iterating: it exceeds one of the limits; the sentence says which.
        """
        from asgiwire._body.reader import BodyReader
        from asgiwire._multipart.decoder import MultipartDecoder

        from .multipart import MultipartParts

        media_type, parameters = self.content_type
        if media_type != MULTIPART:
            msg = f"a body of type {MULTIPART} was wanted, not {media_type[:100]!r}"
            raise ValidationException(msg)
        decoder = MultipartDecoder(parameters, limits or self.limits)
        channel, maximum = self._body_channel(limits)
        return MultipartParts(BodyReader(channel, maximum, "multipart()"), decoder)

    @property
    def replay(self) -> Receive:
        """An ASGI ``receive`` that gives an application behind this one the body that was read here.

        After the body it goes on with the live channel, so that the application still learns when the client
        leaves. A body that nobody has read yet is read with the application's first call and kept for both:
        in memory up to ``limits.spool_size``, then on disk.
        """
        from asgiwire._body.readers import Replay

        limits = self.limits
        channel = body_channel(self.scope, self.receive)
        return Replay(channel, limits.max_body_size, limits.spool_size, partial(self._body_channel, None))

    def tee(self, sink: Callable[[bytes], Any], *, limits: Limits | None = None) -> Receive:
        """An ASGI ``receive`` that gives an application behind this one the body while ``sink`` sees it pass.

        Nothing is kept, and the client is read from only as fast as the application reads.

        Args:
            sink: Called with each piece before the application gets it; may be a coroutine function.
            limits: For this body only.
        """
        from asgiwire._body.reader import BodyReader
        from asgiwire._body.readers import Tee

        channel, maximum = self._body_channel(limits)
        return Tee(channel, maximum, BodyReader(channel, maximum, "tee()"), sink)

    @property
    def supports_push_promise(self) -> bool:
        """Whether the server offers the ``http.response.push`` extension."""
        return PUSH in self.capabilities

    async def send_push_promise(self, path: str, raise_if_unavailable: bool = False) -> None:
        """Ask the server to push a resource (ASGI extension ``http.response.push``).

        Args:
            path: The path of the resource, with its query; what is not ASCII is percent-encoded.
            raise_if_unavailable: Whether to raise, rather than warn, where the server cannot.

        Raises:
            ImproperlyConfiguredException: The server does not offer the extension, and that was to be one.
            ValueError: The path has a control character in it.
        """
        if not self.supports_push_promise:
            msg = f"the server does not offer {PUSH}; see Request.supports_push_promise"
            if raise_if_unavailable:
                raise ImproperlyConfiguredException(msg)
            warnings.warn(msg, AsgiwireWarning, stacklevel=2)
            return
        from asgiwire._parsers.header_fields import encode_header

        pairs = scope_headers(self.scope)
        event: HTTPServerPushEvent = {
            "type": "http.response.push",
            "path": _request_target(path),
            "headers": [
                encode_header(name, value) for name in PUSHED_HEADERS for value in raw_headers(pairs, name)
            ],
        }
        await self.send(event)

    @property
    def supports_early_hints(self) -> bool:
        """Whether the server offers the ``http.response.early_hint`` extension."""
        return EARLY_HINT in self.capabilities

    async def send_early_hints(self, *links: str) -> None:
        """Tell the client what it will need, before the response is begun (RFC 8297), if the server can.

        Args:
            *links: Values of ``Link`` headers, such as ``"</style.css>; rel=preload; as=style"``.

        Raises:
            ValueError: A link cannot be sent as a header value.
        """
        from asgiwire._parsers.header_fields import encode_header

        values = [encode_header("link", link)[1] for link in links]
        if values and self.supports_early_hints:
            event: HTTPEarlyHintEvent = {"type": "http.response.early_hint", "links": values}
            await self.send(event)

    def _whole(self, limits: Limits | None) -> Awaitable[bytes]:
        # A subclass that overrides body() as it was before there were limits for one call is honoured.
        return self.body() if limits is None else self.body(limits=limits)

    def _body_channel(self, limits: Limits | None) -> tuple[BodyChannel, int | None]:
        """The channel of this request's ``receive``, and how many bytes may be read from it."""
        channel = body_channel(self.scope, self.receive)
        maximum = (limits or self.limits).max_body_size
        if channel.state is UNREAD:
            declared = self.content_length
            if declared is not None and maximum is not None and declared > maximum:
                channel.refuse(maximum)
        return channel, maximum


def _request_target(path: str) -> str:
    """The path as HTTP/2 can carry it in ``:path``; servers fail on anything but ASCII after promising."""
    from asgiwire._parsers.header_fields import encode_header

    encode_header(b"path", path.encode("ascii", "replace"))
    if path.isascii():
        return path
    from urllib.parse import quote

    return quote(path, safe="/?%:@!$&'()*+,;=-._~")
