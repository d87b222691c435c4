"""Cancelling a block of code when the client leaves, on asyncio and on trio.

A task is made for it, and only while the block runs: for every request that would be too dear. Left out: what
waits for the client to leave, which is the body channel's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from asgiwire._concurrency import in_trio
from asgiwire.exceptions import UsageError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from types import TracebackType


class CancelOnDisconnect:
    """Cancels the block that it is the context of when the client leaves.

    The cancellation ends with the block: what comes after it runs either way.

    Attributes:
        cancelled_caught: Afterwards, whether the block was cancelled because the client left.
    """

    __slots__ = ("_canceller", "_disconnect", "cancelled_caught")

    def __init__(self, disconnect: Callable[[], Awaitable[None]]) -> None:
        self._disconnect = disconnect
        self._canceller: _AsyncioCanceller | _TrioCanceller
        self.cancelled_caught: bool = False

    async def __aenter__(self) -> Self:
        self._canceller = _TrioCanceller() if in_trio() else _AsyncioCanceller()
        self._canceller.open(self._disconnect)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            return await self._canceller.close(kind, error, traceback)
        finally:
            self.cancelled_caught = self._canceller.caught


class _AsyncioCanceller:
    """Cancels the task as ``asyncio.timeout`` does, so that both may be used around one another."""

    __slots__ = ("_cancelled", "_cancelling", "_host", "_watcher", "caught")

    def open(self, disconnect: Callable[[], Awaitable[None]]) -> None:
        import asyncio

        host = asyncio.current_task()
        if host is None:
            msg = "cancel_on_disconnect() was entered outside of a task, so that there is none to cancel"
            raise UsageError(msg)
        self._host: asyncio.Task[object] = host
        self._cancelling = host.cancelling()
        self._cancelled = self.caught = False
        self._watcher = asyncio.get_running_loop().create_task(self._watch(disconnect))

    async def _watch(self, disconnect: Callable[[], Awaitable[None]]) -> None:
        import asyncio

        # An eager task begins before the block does, and a task that is running must not be cancelled here:
        # the cancellation would come with its next await, which may be after the block.
        await asyncio.sleep(0)
        await disconnect()
        self._cancelled = True
        self._host.cancel()

    async def close(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        import asyncio

        self._watcher.cancel()
        interruption: asyncio.CancelledError | None = None
        while not self._watcher.done():
            try:
                await asyncio.wait([self._watcher])
            except asyncio.CancelledError as error:
                interruption = error  # ours, if it came when the block had just ended; else somebody's
        if self._cancelled and self._host.uncancel() <= self._cancelling:
            self.caught = kind is not None and issubclass(kind, asyncio.CancelledError)
            return self.caught
        if interruption is not None:
            raise interruption
        return False


class _TrioCanceller:
    """Cancels a scope around the block; the watcher is a system task, as only its owner knows its end."""

    __slots__ = ("_block", "_done", "_watching")

    def open(self, disconnect: Callable[[], Awaitable[None]]) -> None:
        from contextvars import copy_context

        import trio

        self._watching = trio.CancelScope()
        self._done = trio.Event()
        self._block = trio.CancelScope()
        self._block.__enter__()
        # In the context of the block, as on asyncio: a middleware's receive may look something up there.
        trio.lowlevel.spawn_system_task(self._watch, disconnect, context=copy_context())

    async def _watch(self, disconnect: Callable[[], Awaitable[None]]) -> None:
        with self._watching:
            await disconnect()
            self._block.cancel()
        self._done.set()

    async def close(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        import trio

        self._watching.cancel()
        with trio.CancelScope(shield=True):
            await self._done.wait()
        return bool(self._block.__exit__(kind, error, traceback))

    @property
    def caught(self) -> bool:
        return self._block.cancelled_caught
