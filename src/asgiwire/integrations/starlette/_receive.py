"""The ``receive`` callable of an application, and the one that ``BaseHTTPMiddleware`` passes on.

A middleware may read the body, and what comes after it calls ``receive`` again. The server sends each body
once, so this callable replays what a request object has read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire._body.channel import BodyState
from asgiwire._body.readers import BodyReader, ReplayReceive
from asgiwire.exceptions import StreamConsumed

if TYPE_CHECKING:
    from asgiwire._body.channel import BodyChannel
    from asgiwire.types import HTTPReceiveMessage, Receive


class SharedReceive(ReplayReceive):
    """Passes on the body as it arrives, or replays it if a request object has buffered it.

    Request objects over this callable share one channel, as ``body_channel()`` takes it from here.

    Args:
        channel: The channel.
        receive: The callable that the channel belongs to.
        empty_if_consumed: Whether a body that ``stream()`` or another consumer has taken reads as empty, as
            after ``BaseHTTPMiddleware``. Otherwise the call waits for the disconnect, as a server does.
    """

    __slots__ = ("_empty_if_consumed", "_reader")

    def __init__(self, channel: BodyChannel, receive: Receive, empty_if_consumed: bool = False) -> None:
        super().__init__(channel, receive, None, 0, _no_check)
        self._empty_if_consumed = empty_if_consumed
        self._reader: BodyReader | None = None  # most applications read through a request object

    async def __call__(self) -> HTTPReceiveMessage:
        """Return the next message: the parts of the body, then the disconnect."""
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


def _no_check() -> None:
    """Accept any length: the limits of the reader behind this callable apply."""
