"""``Request``, an HTTP request of a Starlette or FastAPI application."""

# mypy and pyright report members whose types differ in the two bases. Starlette's type is the right one here.
# mypy: disable-error-code="misc, override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from functools import lru_cache
from math import inf
from typing import Any, ClassVar, Generic, Protocol, TypeVar, overload

import starlette.requests as theirs
from msgspec.structs import replace
from starlette._utils import AwaitableOrContextManagerWrapper

import asgiwire.connection
from asgiwire._body.channel import BodyChannel, BodyState
from asgiwire._body.readers import BodyReader, ReplayReceive
from asgiwire._body.registry import body_channel
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.connection.multipart import MultipartPart, MultipartParts
from asgiwire.connection.request import MULTIPART
from asgiwire.datastructures import FormMultiDict
from asgiwire.datastructures import UploadFile as WireUploadFile
from asgiwire.exceptions import AsgiwireException, ValidationException
from asgiwire.limits import Limits
from asgiwire.serialization import _decode_pairs
from asgiwire.types import Empty, Receive, Send

from ._connection import HTTPConnection
from ._exceptions import MULTIPART_TRANSLATION, TRANSLATION, URLENCODED_TRANSLATION
from ._json import load_json
from .datastructures import FormData, UploadFile

__all__ = ("Request",)

T = TypeVar("T")

MAX_BODY_SIZE_KEY = "starlette.max_body_size"
"""The key of the scope with the ``max_body_size`` that Starlette's ``receive`` enforces."""


class _FormReader(Awaitable[FormData], AbstractAsyncContextManager[FormData], Protocol):
    """The result of :meth:`Request.form`: await it, or use it with ``async with``, which closes the files."""


class Request(
    HTTPConnection[UserT, AuthT, StateT],
    asgiwire.connection.Request[UserT, AuthT, StateT],
    theirs.Request,
    Generic[UserT, AuthT, StateT],
):
    """An HTTP request that is an instance of asgiwire's class and of Starlette's.

    If the two differ, the behaviour is Starlette's. The other members of asgiwire's class are available.
    """

    base_limits: ClassVar[Limits] = Limits()
    """The limits; a subclass may override them."""

    # Not slots: Starlette's class has a __dict__.
    _form: FormData | None = None
    _json: Any = Empty
    _read: bytes | None = None  # what body() returned
    _stream_reader: BodyReader | None = None

    @property
    def limits(self) -> Limits:
        """``base_limits``, without ``max_body_size`` if Starlette enforces one."""
        if self.scope.get(MAX_BODY_SIZE_KEY) is None:
            return self.base_limits
        return _without_body_size(self.base_limits)

    # The body

    async def body(self, *, limits: Limits | None = None) -> bytes:
        """Return the whole body; it is read once and buffered.

        Raises:
            ClientDisconnect: The client disconnected before the end of the body.
            RequestEntityTooLarge: The body has more than ``max_body_size`` bytes.
            StreamConsumed: ``stream()`` or ``form()`` has claimed the body.
        """
        if self._read is not None and limits is None:
            return self._read
        try:
            self._read = body = await super().body(limits=limits)
        except AsgiwireException as error:  # cheaper than the context manager
            TRANSLATION.apply(error)
            raise
        return body

    async def stream(self, *, limits: Limits | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the chunks of the body as they arrive, then ``b""``.

        After a partial read, another call continues the stream, as in Starlette.

        Raises:
            ClientDisconnect: The client disconnected before the end of the body.
            RequestEntityTooLarge: The body has more than ``max_body_size`` bytes.
            StreamConsumed: The body was streamed to its end, or another consumer has claimed it.
        """
        with TRANSLATION:
            reader = self._stream_reader
            if reader is None or reader._channel.state is not BodyState.STREAMING:
                reader = self._stream_reader = self._body_reader("stream()", limits)
            while chunk := await reader.next_chunk():
                yield chunk
        yield b""

    @overload
    async def json(self, *, limits: Limits | None = ...) -> Any: ...
    @overload
    async def json(self, *, type: type[T], limits: Limits | None = ...) -> T: ...
    @overload
    async def json(self, *, type: Any, limits: Limits | None = ...) -> Any: ...
    async def json(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """Return the body decoded as JSON.

        Without ``type``, it accepts every document that :func:`json.loads` accepts, and returns a cached
        object.

        Args:
            type: The type to decode to: any that msgspec supports or ``type_decoders`` handle.
            limits: The limits of this call.

        Raises:
            SerializationException: The body is not JSON; without ``type``, also a ``json.JSONDecodeError``.
            ValidationException: The body does not match ``type``; the message contains the path.
        """
        if type is not Empty:
            with TRANSLATION:
                return await super().json(type=type, limits=limits)
        if self._json is Empty:
            body = await self._read_body(limits)
            try:
                self._json = load_json(body)
            except AsgiwireException as error:
                TRANSLATION.apply(error)
                raise
        return self._json

    async def msgpack(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """Return the body decoded as MessagePack; raises exceptions of both libraries."""
        with TRANSLATION:
            return await super().msgpack(type=type, limits=limits)

    async def text(self, *, limits: Limits | None = None) -> str:
        """Return the body as text in its charset; raises exceptions of both libraries."""
        with TRANSLATION:
            return await super().text(limits=limits)

    @overload
    def form(
        self,
        *,
        max_files: float | None = ...,
        max_fields: float | None = ...,
        max_part_size: int | None = ...,
        limits: Limits | None = ...,
    ) -> _FormReader: ...
    @overload
    def form(
        self,
        *,
        type: type[T],
        max_files: float | None = ...,
        max_fields: float | None = ...,
        max_part_size: int | None = ...,
        limits: Limits | None = ...,
    ) -> Coroutine[Any, Any, T]: ...
    def form(
        self,
        *,
        type: Any = Empty,
        max_files: float | None = None,
        max_fields: float | None = None,
        max_part_size: int | None = None,
        limits: Limits | None = None,
    ) -> Any:
        """Return the fields and files of a form: ``await`` it, or use it with ``async with``.

        Args:
            type: A type with fields to decode the form to; only to ``await``.
            max_files: The maximum number of files.
            max_fields: The maximum number of fields.
            max_part_size: The maximum size of one field in bytes.
            limits: The limits of this call; the other arguments replace single limits.

        Raises:
            ClientException: The form is malformed; also Starlette's ``HTTPException``.
            ValidationException: A field does not match ``type``; the message contains its path.
            RequestEntityTooLarge: The form exceeds a limit; the message contains its name.
            ClientDisconnect: The client disconnected before the end of the body.
            StreamConsumed: ``stream()`` or another reader that does not buffer has claimed the body.
        """
        form_limits = _form_limits(limits or self.limits, max_files, max_fields, max_part_size)
        if type is not Empty:
            return self._typed_form(type, form_limits)
        return AwaitableOrContextManagerWrapper(self._get_form(form_limits))

    async def _typed_form(self, target_type: Any, limits: Limits) -> Any:
        form = await self._get_form(limits)
        with TRANSLATION:
            return _decode_pairs(form.multi_items(), target_type, self.type_decoders)

    async def _get_form(self, limits: Limits) -> FormData:
        form = self._form
        if form is not None:
            return form
        if self.content_type[0] == MULTIPART:
            with MULTIPART_TRANSLATION:
                form = await self._read_multipart(limits)
        else:
            with URLENCODED_TRANSLATION:
                fields = await super().form(limits=limits)
            form = FormData._from_pairs(list(fields.items()))
        self._form = form
        return form

    async def _read_multipart(self, limits: Limits) -> FormData:
        from asgiwire._body.form import read_form  # imports python-multipart

        channel, receive, maximum = self._body_channel(limits)
        if self._is_in_middleware and channel.cached_form is None:
            # For the endpoint, which may read the body with another request class.
            await channel.buffer(receive, maximum, limits.spool_size)
        if is_buffered := channel.state is BodyState.BUFFERED:
            channel.cached_form = None  # another request object may have read or closed its files
        is_shared = channel.cached_form is not None
        try:
            form = await read_form(channel, receive, self.content_type[1], limits, empty_files=True)
        except ValidationException:
            if channel.size or not channel.complete:
                raise
            return FormData()  # an empty body, which Starlette accepts
        pairs = [(name, _both(value)) for name, value in form.items()]
        channel.cached_form = None if is_buffered else FormMultiDict(pairs)
        if is_shared:
            for _, value in pairs:
                if isinstance(value, UploadFile):
                    await value.seek(0)  # another request object may have read the file
        return FormData._from_pairs(pairs)

    @property
    def _is_in_middleware(self) -> bool:
        return "endpoint" not in self.scope  # set by the router

    async def close(self) -> None:
        """Close the files of the form, if there is one."""
        if self._form is not None:
            await self._form.close()

    def multipart(self, *, limits: Limits | None = None) -> MultipartParts:
        """Iterate over the parts of a multipart body as they arrive; raises exceptions of both libraries."""
        with MULTIPART_TRANSLATION:
            parts = super().multipart(limits=limits)
        parts.__class__ = _MultipartParts
        return parts

    def tee(self, sink: Callable[[bytes], Any], *, limits: Limits | None = None) -> Receive:
        """Return an ASGI ``receive`` callable that passes each chunk of the body to ``sink`` first."""
        with TRANSLATION:
            return super().tee(sink, limits=limits)

    @property
    def content_length(self) -> int | None:
        """The declared length of the body in bytes, or ``None``.

        Raises:
            ClientException: It is not a number, or was sent twice with different values.
        """
        try:
            return super().content_length
        except AsgiwireException as error:
            TRANSLATION.apply(error)
            raise

    # The client

    async def is_disconnected(self) -> bool:
        """Whether the client has disconnected; loses no part of the body."""
        with TRANSLATION:
            return await super().is_disconnected()

    async def send_push_promise(self, path: str, raise_if_unavailable: bool = False) -> None:
        """Ask the server to push a resource; does nothing if the server cannot, as in Starlette.

        Args:
            path: The path of the resource with its query.
            raise_if_unavailable: Whether to raise an error if the server cannot push.

        Raises:
            ImproperlyConfiguredException: The server cannot push and ``raise_if_unavailable`` is set.
        """
        if self.supports_push_promise or raise_if_unavailable:
            with TRANSLATION:
                await super().send_push_promise(path, raise_if_unavailable)

    async def send_early_hints(self, *links: str) -> None:
        """Send ``103 Early Hints`` before the response, if the server supports it.

        Args:
            *links: Values of ``Link`` headers.
        """
        with TRANSLATION:
            await super().send_early_hints(*links)

    # Attributes of Starlette's class that its own code, FastAPI's documentation and applications use.

    @property
    def _receive(self) -> Receive:
        return self.receive

    @_receive.setter
    def _receive(self, value: Receive) -> None:
        self.receive = value

    @property
    def _send(self) -> Send:
        return self.send

    @_send.setter
    def _send(self, value: Send) -> None:
        self.send = value

    @property
    def _body(self) -> bytes:
        if self._read is None:
            raise AttributeError("_body", name="_body", obj=self)
        return self._read

    @_body.setter
    def _body(self, value: bytes) -> None:
        # A subclass in FastAPI's documentation stores a decompressed body here; all readers must return it.
        _, receive = body_channel(self.scope, self.receive)
        replaced = BodyChannel(receive)
        replaced.preload(value)
        self.receive: Receive = ReplayReceive(replaced, receive, None, len(value), _accept_any_length)
        self._read = value


class _MultipartPart(MultipartPart):
    """A part that raises exceptions of both libraries."""

    __slots__ = ()

    __anext__ = MULTIPART_TRANSLATION.wrap(MultipartPart.__anext__)
    read = MULTIPART_TRANSLATION.wrap(MultipartPart.read)
    save = MULTIPART_TRANSLATION.wrap(MultipartPart.save)
    text = MULTIPART_TRANSLATION.wrap(MultipartPart.text)


class _MultipartParts(MultipartParts):
    """Parts that raise exceptions of both libraries."""

    __slots__ = ()

    async def __anext__(self) -> MultipartPart:
        with MULTIPART_TRANSLATION:
            part = await super().__anext__()
        part.__class__ = _MultipartPart
        return part


def _both(value: str | WireUploadFile) -> str | UploadFile:
    if isinstance(value, WireUploadFile) and not isinstance(value, UploadFile):
        return UploadFile._share(value)
    return value


def _accept_any_length() -> None:
    """Do not compare a replaced body with the ``Content-Length`` of the original one."""


# The arguments come from the application, never from a client, so the two caches are small.
@lru_cache(maxsize=256)
def _without_body_size(limits: Limits) -> Limits:
    return replace(limits, max_body_size=None)


@lru_cache(maxsize=256)
def _form_limits(
    limits: Limits, max_files: float | None, max_fields: float | None, max_part_size: int | None
) -> Limits:
    given = {"max_files": max_files, "max_fields": max_fields, "max_field_size": max_part_size}
    changes = {
        name: None if value == inf else int(value) for name, value in given.items() if value is not None
    }
    return replace(limits, **changes) if changes else limits
