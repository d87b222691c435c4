"""Two ASGI ``receive`` callables that a middleware hands to the application behind it.

:class:`Replay` gives it a body that was read here; :class:`Tee` gives it the body as it comes, while
something here sees it pass. After the body, both go on with the live channel, so that the application still
learns when the client leaves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from inspect import isawaitable
from typing import TYPE_CHECKING, Any, ClassVar

from asgiwire.exceptions import ClientDisconnect

from .reader import BodyReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import HTTPReceiveMessage

    from .channel import BodyChannel

__all__ = ("BodyReader", "Replay", "Tee")


class Downstream(ABC):
    """A ``receive`` callable that takes its messages from a channel instead of a server.

    Attributes:
        channel: The channel.
    """

    __slots__ = ("_complete", "_maximum", "_reading", "channel")

    def __init__(self, channel: BodyChannel, maximum: int | None) -> None:
        self.channel = channel
        self._maximum = maximum
        self._complete = False
        self._reading = False

    async def __call__(self) -> HTTPReceiveMessage:
        """The next message: the body first, then the disconnect, when it comes."""
        while self._reading:
            await self.channel.next_turn()  # some applications wait for a disconnect while they read
        if not self._complete:
            return await self._next_part()
        await self.channel.watch()
        return {"type": "http.disconnect"}

    async def _next_part(self) -> HTTPReceiveMessage:
        self._reading = True
        try:
            piece = await self._next_chunk()
        except ClientDisconnect:
            self._complete = True
            return {"type": "http.disconnect"}
        finally:
            self._reading = False
            self.channel.wake()
        return {"type": "http.request", "body": piece, "more_body": not self._complete}

    @abstractmethod
    async def _next_chunk(self) -> bytes:
        """The next piece of the body; sets ``_complete`` with the last one."""


class Replay(Downstream):
    """Gives a downstream application the whole body, which stays for whoever else asks."""

    __slots__ = ("_check_declared_length", "_position", "_spool_size")

    replays_a_body: ClassVar[bool] = True
    """By this the class is known where it is not imported (``_channels.py``)."""

    def __init__(
        self,
        channel: BodyChannel,
        maximum: int | None,
        spool_size: int,
        check_declared_length: Callable[[], object],
    ) -> None:
        super().__init__(channel, maximum)
        self._check_declared_length = check_declared_length
        self._position = 0
        self._spool_size = spool_size

    async def _next_chunk(self) -> bytes:
        channel = self.channel
        self._check_declared_length()
        await channel.keep(self._maximum, self._spool_size)
        piece = await channel.kept_from(self._position)
        self._position += len(piece)
        self._complete = self._position >= channel.size
        return piece


class Tee(Downstream):
    """Gives a downstream application the body as it comes, each piece after ``sink`` has had it."""

    __slots__ = ("_failure", "_piece", "_reader", "_sink")

    def __init__(
        self, channel: BodyChannel, maximum: int | None, reader: BodyReader, sink: Callable[[bytes], Any]
    ) -> None:
        super().__init__(channel, maximum)
        self._reader = reader
        self._sink = sink
        self._piece = b""  # one that the sink has had, and the application has not
        self._failure: Exception | None = None  # of the sink, which has missed a piece

    async def _next_chunk(self) -> bytes:
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if not self._piece:
            self._piece = await self._reader.next_chunk()
            self._complete = not self._piece
            if self._piece:
                await self._show(self._piece)
        # Not before: an application that is cancelled while the sink is at work gets the piece next time.
        piece, self._piece = self._piece, b""
        return piece

    async def _show(self, piece: bytes) -> None:
        try:
            result = self._sink(piece)
            if isawaitable(result):
                await result
        except Exception as error:
            self._piece = b""
            self._failure = error
            self._reader.fail(error)
            raise
