"""A lock for tasks that take turns, on any event loop.

Left out: who takes it for what, which is the socket channel's.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from asgiwire._concurrency import new_event

if TYPE_CHECKING:
    from types import TracebackType

    from asgiwire._concurrency import Event


class Turn:
    """A lock that is handed over in the order of asking; nothing is made while nobody has to wait.

    ``async with`` takes it. Where each call counts, in ``send``, the same is written out.

    Attributes:
        taken: Whether somebody has the turn.
        waiting: What the others wait for, in the order of asking.
    """

    __slots__ = ("taken", "waiting")

    def __init__(self) -> None:
        self.taken = False
        self.waiting: deque[Event] | None = None

    async def __aenter__(self) -> None:
        if self.taken:
            await self.wait()
        self.taken = True

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.pass_on()

    async def wait(self) -> None:
        """Queue up, and return with the turn."""
        event = new_event()
        if self.waiting is None:
            self.waiting = deque()
        self.waiting.append(event)
        try:
            await event.wait()
        except BaseException:
            if event in self.waiting:
                self.waiting.remove(event)
            else:  # the turn came together with the cancellation, and nobody else would pass it on
                self.pass_on()
            raise

    def pass_on(self) -> None:
        """Give the turn to who has waited longest."""
        if self.waiting:
            self.waiting.popleft().set()
        else:
            self.taken = False
