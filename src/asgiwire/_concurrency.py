"""What asyncio and trio do differently: an event, an await that does not wait, a call in a worker thread.

Left out: everything else. Nothing here is made per request; an event exists only while one task waits
for another, a thread only while a file is on disk. ``asyncio`` and ``trio`` are imported when first
needed, because a program that never waits should not load them.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

TURNS: Final = 10
"""Turns of the event loop that a poll takes where nothing has arrived."""


class Event(Protocol):
    """What ``asyncio.Event`` and ``trio.Event`` share."""

    def set(self) -> object: ...

    def wait(self) -> Awaitable[object]: ...


def in_trio() -> bool:
    """Whether the running event loop is trio's."""
    # A program that runs on trio has imported it; looking it up costs nobody else an import.
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


def new_event() -> Event:
    """Make an event of the running event loop's kind."""
    if in_trio():
        import trio

        return trio.Event()
    import asyncio

    return asyncio.Event()


async def poll(function: Callable[[], Awaitable[None]]) -> None:
    """Await what ``function`` returns for a few turns of the event loop, then cancel it.

    Not for none: channels, as those of trio and anyio, have a checkpoint before they look for what has come,
    and a server's thread has to hand it over. Nor for some time: on a loop that is late, it is over at once.
    """
    if in_trio():
        import trio

        scope = trio.CancelScope()
        turns = _Turns(trio.lowlevel.current_trio_token().run_sync_soon, scope.cancel)
        try:
            with scope:
                turns.take()
                await function()
        finally:
            turns.left = 0
        return
    import asyncio

    loop = asyncio.get_running_loop()
    timeout = asyncio.timeout(None)
    turns = _Turns(loop.call_soon, lambda: timeout.reschedule(loop.time()))
    try:
        async with timeout:
            turns.take()
            await function()
    except TimeoutError:
        if not timeout.expired():
            raise  # the function's own
    finally:
        turns.left = 0


class _Turns:
    """Calls ``end`` after some turns of the event loop."""

    __slots__ = ("_call_soon", "_end", "left")

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], end: Callable[[], None]) -> None:
        self._call_soon = call_soon
        self._end = end
        self.left = TURNS

    def take(self) -> None:
        self.left -= 1
        if self.left > 0:
            self._call_soon(self.take)
        elif self.left == 0:
            self._end()


async def run_in_thread(function: Callable[[], T]) -> T:
    """Call ``function`` in a worker thread, and return only when it is done, cancelled or not.

    A file that a thread still writes to must not be closed by the task that gave up waiting, so a
    cancellation is delivered after the thread has finished.
    """
    if in_trio():
        import trio

        return await trio.to_thread.run_sync(function)
    import asyncio

    future = asyncio.get_running_loop().run_in_executor(None, function)
    interruption: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            interruption = error  # the thread cannot be stopped, however often it is asked for
    if interruption is None:
        return future.result()
    with suppress(asyncio.CancelledError):  # it may have been dropped before it began
        future.exception()  # looked at, so that the loop does not report it as never retrieved
    raise interruption
