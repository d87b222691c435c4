"""Cancels a block of code when the client disconnects, on asyncio and on trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from asgiwire._concurrency import in_trio
from asgiwire.exceptions import UsageError

if TYPE_CHECKING:
    import asyncio


class CancelOnDisconnect:
    """An asynchronous context manager that cancels its block when the client disconnects.

    The cancellation ends with the block: the code after it runs in either case. A task exists only while the
    block runs; one for every request would be too expensive.

    Args:
        wait_disconnected: Returns when the client has disconnected.

    Attributes:
        cancelled_caught: Whether the block was cancelled because the client disconnected; set at its end.
    """

    __slots__ = ("_canceller", "_wait_disconnected", "cancelled_caught")

    def __init__(self, wait_disconnected: Callable[[], Awaitable[None]]) -> None:
        self._wait_disconnected = wait_disconnected
        self._canceller: _AsyncioCanceller | _TrioCanceller
        self.cancelled_caught: bool = False

    async def __aenter__(self) -> Self:
        self._canceller = _TrioCanceller() if in_trio() else _AsyncioCanceller()
        self._canceller.open(self._wait_disconnected)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            return await self._canceller.close(kind, error, traceback)
        finally:
            self.cancelled_caught = self._canceller.caught


class _AsyncioCanceller:
    """Cancels the task as ``asyncio.timeout`` does, so that the two can be nested in either order."""

    __slots__ = ("_cancelled", "_cancelling", "_host", "_watcher", "caught")

    def open(self, wait_disconnected: Callable[[], Awaitable[None]]) -> None:
        import asyncio

        host = asyncio.current_task()
        if host is None:
            msg = "cancel_on_disconnect() needs a running task to cancel; enter it inside a task"
            raise UsageError(msg)
        self._host: asyncio.Task[object] = host
        self._cancelling = host.cancelling()
        self._cancelled = self.caught = False
        self._watcher = asyncio.get_running_loop().create_task(self._watch(wait_disconnected))

    async def _watch(self, wait_disconnected: Callable[[], Awaitable[None]]) -> None:
        import asyncio

        # An eager task starts before the block does. A cancellation of the running task would be delivered at
        # its next await, which may come after the block.
        await asyncio.sleep(0)
        await wait_disconnected()
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
                interruption = error  # ours, if the client disconnected as the block ended; else another's
        try:
            if self._cancelled and self._host.uncancel() <= self._cancelling:
                self.caught = kind is not None and issubclass(kind, asyncio.CancelledError)
                return self.caught
            if interruption is not None:
                raise interruption
            return False
        finally:
            # The watcher holds its exception, whose traceback holds this object and the server's.
            interruption = None
            del self._watcher, self._host


class _TrioCanceller:
    """Cancels a scope around the block; the watcher is a system task, so that no nursery is needed."""

    __slots__ = ("_block", "_done", "_watching")

    def open(self, wait_disconnected: Callable[[], Awaitable[None]]) -> None:
        from contextvars import copy_context

        import trio

        self._watching = trio.CancelScope()
        self._done = trio.Event()
        self._block = trio.CancelScope()
        self._block.__enter__()
        # In the block's context, as on asyncio: the `receive` of a middleware may read a context variable.
        trio.lowlevel.spawn_system_task(self._watch, wait_disconnected, context=copy_context())

    async def _watch(self, wait_disconnected: Callable[[], Awaitable[None]]) -> None:
        with self._watching:
            await wait_disconnected()
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
