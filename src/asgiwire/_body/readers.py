"""Readers of a body channel: chunk by chunk, for urlencoded forms, and two ``receive`` callables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Final

from asgiwire._parsers import parse_urlencoded
from asgiwire.exceptions import ClientDisconnect

from .channel import READING, STREAMING, without_traceback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.limits import Limits
    from asgiwire.types import HTTPReceiveMessage, Receive

    from .channel import BodyChannel


LARGE_FORM: Final = 64 * 1024
"""A form with fewer bytes has no large field."""


class BodyReader(AsyncGenerator[bytes, None]):
    """Iterates once over the chunks of a body, as they arrive or from the buffer, and then ``b""``.

    A call that was cancelled loses no chunk. An async generator would take twice the time on Python 3.13,
    and has to be closed.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to; it is held as long as the reader.
        maximum: The most bytes that the body may have.
        consumer: The name of the consumer for error messages, such as ``"multipart()"``.
    """

    __slots__ = ("_channel", "_consumer", "_ended", "_maximum", "_position", "_receive", "_streaming")

    def __init__(self, channel: BodyChannel, receive: Receive, maximum: int | None, consumer: str) -> None:
        self._channel = channel
        self._receive = receive
        self._maximum = maximum
        self._consumer = consumer
        self._streaming: bool | None = None  # not known before the first chunk is requested
        self._position = 0
        self._ended = False  # whether b"" was returned, or the iteration was ended by the caller

    async def __anext__(self) -> bytes:
        """Return the next chunk, which is not empty, or ``b""`` after the last one."""
        if self._ended:
            raise StopAsyncIteration
        channel = self._channel
        if self._streaming is None:
            while channel.state is READING:
                await channel.wait_for_progress()
            self._streaming = channel.claim_stream(self._maximum, self._consumer)
        if self._streaming:
            while channel.state is STREAMING:
                if channel.chunks or channel.receiving or channel.complete or channel.spool is not None:
                    chunk = await channel.next_queued(self._maximum)
                else:
                    try:
                        chunk = channel.received(await channel.start_receive(self._receive), self._maximum)
                    except BaseException as error:
                        channel.stop_receiving(error)
                        raise
                    if channel.complete:
                        channel.enter("end")
                if chunk:
                    return chunk
            channel.raise_failure()
        elif chunk := await channel.read_buffered(self._position):
            self._position += len(chunk)
            return chunk
        self._ended = True
        return b""

    next_chunk = __anext__

    async def asend(self, _value: None) -> bytes:
        """Return the next chunk."""
        return await self.__anext__()

    async def athrow(self, *error: Any) -> bytes:
        """End the iteration, and raise an exception."""
        self._ended = True
        # The base class implements it, although typeshed declares it as abstract.
        return await super().athrow(*error)  # pyright: ignore[reportAbstractUsage]

    def raise_failure(self) -> None:
        """Raise the failure of the body, if there is one."""
        self._channel.raise_failure()

    def fail(self, error: Exception) -> None:
        """Make each later read raise this error, unless the body is buffered."""
        if self._streaming:
            self._channel.fail(error)


class DownstreamReceive:
    """A ``receive`` callable for the application behind a middleware.

    After the body it waits for the disconnect on the real ``receive``.

    Attributes:
        channel: The channel that it reads from.
        original: The ``receive`` callable that the channel belongs to.
    """

    __slots__ = ("__weakref__", "_complete", "_reading", "channel", "original")

    def __init__(self, channel: BodyChannel, receive: Receive) -> None:
        self.channel = channel
        self.original = receive
        self._complete = False
        self._reading = False

    async def __call__(self) -> HTTPReceiveMessage:
        """Return the next message: the parts of the body, then the disconnect."""
        while self._reading:  # some applications wait for a disconnect while they read
            await self.channel.wait_for_progress()
        if not self._complete:
            return await self._next_part()
        await self.channel.wait_disconnected(self.original)
        return {"type": "http.disconnect"}

    async def _next_part(self) -> HTTPReceiveMessage:
        self._reading = True
        try:
            chunk = await self._next_chunk()
        except ClientDisconnect:
            self._complete = True
            return {"type": "http.disconnect"}
        finally:
            self._reading = False
            self.channel.notify()
        return {"type": "http.request", "body": chunk, "more_body": not self._complete}

    @abstractmethod
    async def _next_chunk(self) -> bytes:
        """Return the next chunk; set ``_complete`` with the last one."""


class ReplayReceive(DownstreamReceive):
    """Gives a downstream application the whole body, which stays buffered for other readers.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        maximum: The most bytes that the body may have.
        spool_size: Bytes that may stay in memory; a larger body goes to disk.
        check_content_length: Called before the body is received; raises an error if it is declared too large.
    """

    __slots__ = ("_check_content_length", "_maximum", "_position", "_spool_size")

    def __init__(
        self,
        channel: BodyChannel,
        receive: Receive,
        maximum: int | None,
        spool_size: int,
        check_content_length: Callable[[], object],
    ) -> None:
        super().__init__(channel, receive)
        self._maximum = maximum
        self._spool_size = spool_size
        self._check_content_length = check_content_length
        self._position = 0

    async def _next_chunk(self) -> bytes:
        channel = self.channel
        self._check_content_length()
        await channel.buffer(self.original, self._maximum, self._spool_size)
        chunk = await channel.read_buffered(self._position)
        self._position += len(chunk)
        self._complete = self._position >= channel.size
        return chunk


class TeeReceive(DownstreamReceive):
    """Gives a downstream application the body as it arrives, each chunk after ``sink`` has seen it.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        reader: Reads the channel.
        sink: Called with each chunk; may be a coroutine function.
    """

    __slots__ = ("_chunk", "_failure", "_reader", "_sink")

    def __init__(
        self, channel: BodyChannel, receive: Receive, reader: BodyReader, sink: Callable[[bytes], Any]
    ) -> None:
        super().__init__(channel, receive)
        self._reader = reader
        self._sink = sink
        self._chunk = b""  # seen by the sink, and not yet returned to the application
        self._failure: Exception | None = None  # raised by the sink, which has missed a chunk

    async def _next_chunk(self) -> bytes:
        if self._failure is not None:
            raise without_traceback(self._failure).with_traceback(None)
        if not self._chunk:
            self._chunk = await self._reader.next_chunk()
            self._complete = not self._chunk
            if self._chunk:
                await self._call_sink(self._chunk)
        # Cleared only now: an application that is cancelled while the sink works gets the chunk next time.
        chunk, self._chunk = self._chunk, b""
        return chunk

    async def _call_sink(self, chunk: bytes) -> None:
        from inspect import isawaitable

        try:
            result = self._sink(chunk)
            if isawaitable(result):
                await result
        except Exception as error:
            self._chunk = b""
            self._failure = without_traceback(error)
            self._reader.fail(error)
            raise


async def read_urlencoded(
    channel: BodyChannel,
    receive: Receive,
    limits: Limits,
    read_body: Callable[[], Awaitable[bytes]] | None,
) -> list[tuple[str, str]]:
    """Return the names and values of the urlencoded form in a channel; the body is buffered.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        limits: The limits of the form.
        read_body: Returns the body, if it differs from the body that the channel receives.

    Raises:
        SerializationException: A field does not decode in the charset that the form declares.
        RequestEntityTooLarge: The form exceeds a limit.
        StreamConsumed: Another consumer has claimed the body.
        Exception: The error that ended the body.
    """
    if read_body is None:
        body = await channel.buffer(receive, limits.max_body_size, None, _new_check(limits))
    else:
        body = await read_body()
    if len(body) < LARGE_FORM and b"_charset_" not in body:
        return parse_urlencoded(body, limits.max_fields, limits.max_field_size)
    from asgiwire._parsers.form_fields import declared_codec, has_large_field, parse_fields

    if b"_charset_" not in body and not has_large_field(body):
        return parse_urlencoded(body, limits.max_fields, limits.max_field_size)
    _new_check(limits)(body)
    return parse_fields(body, declared_codec(body))


def _new_check(limits: Limits) -> Callable[[bytes], None]:
    """Return a function that checks the chunks of a form against the limits."""
    feed: Callable[[bytes], None] | None = None

    def check(chunk: bytes) -> None:
        nonlocal feed
        if feed is None:
            # Imported only for a form that is large or arrives in chunks.
            from asgiwire._parsers.form_fields import FieldCounter

            feed = FieldCounter(limits.max_fields, limits.max_field_size).feed
        feed(chunk)

    return check
