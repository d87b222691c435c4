"""The ``receive`` callable of an application, and the one that ``BaseHTTPMiddleware`` passes on.

A middleware may read the body before the next application calls ``receive``. The server sends each body once,
so this callable replays the body that a request object has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire._body.channel import BodyState
from asgiwire._body.readers import BodyReader, ReplayReceive
from asgiwire.exceptions import StreamConsumed

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from asgiwire._body.channel import BodyChannel
    from asgiwire.types import HTTPReceiveMessage, Message, Receive


class SharedReceive(ReplayReceive):
    """Passes on the body as it arrives, or replays it if a request object has buffered it.

    Request objects with this callable share its channel, which ``body_channel()`` returns.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        reader: Reads the channel; if ``None``, a new reader is created.
        empty_if_consumed: Whether a consumed body reads as empty, as after ``BaseHTTPMiddleware``. Otherwise
            the call waits for the disconnect, as with a server.
    """

    __slots__ = ("_empty_if_consumed", "_reader")

    def __init__(
        self,
        channel: BodyChannel,
        receive: Receive,
        reader: BodyReader | None = None,
        empty_if_consumed: bool = False,
    ) -> None:
        super().__init__(channel, receive, None, 0, _no_check)
        self._empty_if_consumed = empty_if_consumed
        # Created on first use, because most applications read through a request object.
        self._reader = reader

    async def __call__(self) -> HTTPReceiveMessage:
        """Return the next message: the chunks of the body, then the disconnect."""
        try:
            return await super().__call__()
        except StreamConsumed:
            self._complete = True
        if self._empty_if_consumed:
            return {"type": "http.request", "body": b"", "more_body": False}
        return await super().__call__()

    async def _next_chunk(self) -> bytes:
        channel = self.channel
        if self._reader is None:
            self._reader = BodyReader(channel, self.original, None, "receive()")
        chunk = await self._reader.next_chunk()
        self._position += len(chunk)
        if channel.state is BodyState.BUFFERED:
            self._complete = self._position >= channel.size
        else:
            self._complete = channel.state is not BodyState.STREAMING
        return chunk


class SocketReceive:
    """The ``receive`` callable of a WebSocket, which records whether the connect event was received.

    Starlette creates several objects for one WebSocket: one for the route, one for exception handlers.

    Args:
        receive: The server's callable.
    """

    __slots__ = ("_receive", "connected")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.connected = False

    def __call__(self) -> Awaitable[Message]:
        """Return the server's awaitable, except for the first message."""
        return self._receive() if self.connected else self._first()

    async def _first(self) -> Message:
        message: Message = await self._receive()
        self.connected = True
        return message


def _no_check() -> None:
    """Accept any length: the reader of this callable checks the limits."""
