"""One reader of a request body, who takes it piece by piece and may stop at any of them.

Left out: who may have the body at all, which is the body channel's to know (``_body.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from .channel import BodyChannel


class BodyReader:
    """Reads one body once, piece by piece: as it arrives, or from where it is kept.

    Args:
        channel: Where the body is.
        maximum: The most bytes that it may have.
        consumer: Who reads it, for the sentence of whoever comes too late.
    """

    __slots__ = ("_arriving", "_channel", "_consumer", "_maximum", "_position", "_receive")

    def __init__(self, channel: BodyChannel, maximum: int | None, consumer: str) -> None:
        self._channel = channel
        self._receive = channel.receive  # which the channel itself may hold weakly only
        self._maximum = maximum
        self._consumer = consumer
        self._arriving: bool | None = None  # or kept; not known before the first piece is asked for
        self._position = 0

    def next_chunk(self) -> Coroutine[Any, Any, bytes]:
        """The next piece, ``b""`` after the last."""
        if self._arriving:
            return self._channel.advance(self._maximum, self._receive)
        return self._piece()

    async def _piece(self) -> bytes:
        if self._arriving is None:
            self._arriving = await self._channel.begin(self._maximum, self._consumer)
            return await self.next_chunk()
        piece = await self._channel.kept_from(self._position)
        self._position += len(piece)
        return piece

    def fail(self, error: Exception) -> None:
        """Make each later read raise this error, unless the body is kept."""
        if self._arriving:
            self._channel.fail(error)
