"""Looking whether a WebSocket's next message is there, without waiting for it and without losing it.

Made when it is first asked; who receives never needs one. Left out: what the messages mean.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from asgiwire._concurrency import in_trio, poll

from .lock import Turn

if TYPE_CHECKING:
    import asyncio

    from asgiwire.types import Message, Receive

MOST_UNREAD: Final = 1024 * 1024
"""Bytes that looking may bring into memory; more is left with the server."""

OVERHEAD: Final = 256
"""Bytes that a message counts as beside those in it: empty ones would fill the memory too."""

TURNS: Final = 10
"""Turns of the event loop that one look takes where nothing has come."""


class Lookout:
    """Receives ahead of the reader, and keeps what comes.

    On asyncio the receive is a task of its own that goes on until there is a message, be it for the next look
    or for a reader: one server loses the message that a cancelled receive has just taken. No server of that
    kind runs on trio, where a look is a receive that is cancelled.

    Attributes:
        looking: The turn to look.
        unread: What came and was not read.
    """

    __slots__ = ("_receiving", "_source", "_weight", "looking", "unread")

    def __init__(self, source: Receive) -> None:
        self.looking = Turn()
        self.unread: deque[Message] = deque()
        self._weight = 0
        self._source = source
        self._receiving: asyncio.Task[Message] | None = None

    def __del__(self) -> None:
        task = self._receiving
        if task is not None and not task.done() and not task.get_loop().is_closed():
            task.cancel()  # the message is nobody's any more

    async def look(self) -> Message | None:
        """The next message, if it is there; whoever gets it has to :meth:`keep` it for the reader."""
        if self._weight >= MOST_UNREAD:
            return None
        return await (self._look_on_trio() if in_trio() else self._look_on_asyncio())

    def keep(self, message: Message) -> None:
        """Put a message behind those that are kept."""
        self.unread.append(message)
        self._weight += _weight(message)

    def take(self) -> Message:
        """The first of the messages that are kept."""
        message = self.unread.popleft()
        self._weight -= _weight(message)
        return message

    async def receive(self) -> Message:
        """Receive the message after those that are kept."""
        if self._receiving is None:
            message: Message = await self._source()
            return message
        import asyncio

        # Whoever waits here may be cancelled; the task goes on.
        await asyncio.wait([self._receiving])
        task, self._receiving = self._receiving, None
        return task.result()

    async def _look_on_asyncio(self) -> Message | None:
        import asyncio

        if self._receiving is None:
            self._receiving = asyncio.get_running_loop().create_task(_call(self._source))
        for _ in range(TURNS):
            await asyncio.sleep(0)
            if self._receiving.done():
                return await self.receive()
        return None

    async def _look_on_trio(self) -> Message | None:
        messages: list[Message] = []

        async def take() -> None:
            messages.append(await self._source())

        await poll(take)
        return messages[0] if messages else None


async def _call(receive: Receive) -> Any:
    """What ``receive`` returns need not be a coroutine, and a task takes no other awaitable."""
    return await receive()


def _weight(message: Message) -> int:
    return OVERHEAD + len(message.get("text") or message.get("bytes") or b"")
