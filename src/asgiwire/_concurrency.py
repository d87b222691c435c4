"""The few primitives that differ between asyncio and trio, written once for both.

Nothing here is created per request: an event exists only while one task waits for another, a thread only
while a file is on disk. ``asyncio`` and ``trio`` are imported on first use, because a program that never
waits should not load them.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from types import CodeType, CoroutineType, FunctionType, MethodType, TracebackType, coroutine
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")

POLL_ITERATIONS: Final = 10
"""Iterations of the event loop that :func:`poll` waits."""

COROUTINE: Final[Any] = CoroutineType
"""The type of the awaitable that nearly every ``receive`` returns."""


CO_COROUTINE: Final = 0x80
"""The flag of ``async def`` in the code of a function; ``inspect`` would add modules to the import."""


class Event(Protocol):
    """The interface that ``asyncio.Event`` and ``trio.Event`` share."""

    def set(self) -> object: ...

    def wait(self) -> Awaitable[object]: ...


def is_coroutine_function(function: object) -> bool:
    """Whether every call returns a coroutine: the function, or the ``__call__`` of its type, is ``async``."""
    if type(function) is not FunctionType and type(function) is not MethodType:
        function = type(function).__call__
    code: CodeType | None = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & CO_COROUTINE)


def in_trio() -> bool:
    """Whether the running event loop is trio's."""
    # A program that runs on trio has imported it, so this never causes an import.
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


def new_event() -> Event:
    """Create an event of the running event loop's kind."""
    if in_trio():
        import trio

        return trio.Event()
    import asyncio

    return asyncio.Event()


class Lock:
    """A lock for tasks, acquired in the order of asking; it allocates nothing until a task has to wait.

    Attributes:
        locked: Whether a task holds the lock.
    """

    __slots__ = ("locked", "waiters")

    def __init__(self) -> None:
        self.locked = False
        self.waiters: deque[Event] | None = None

    async def acquire(self) -> None:
        """Wait until the lock is free, and take it."""
        if not self.locked:
            self.locked = True
            return
        if self.waiters is None:
            self.waiters = deque()
        event = new_event()
        self.waiters.append(event)
        try:
            await event.wait()
        except BaseException:
            if event in self.waiters:
                self.waiters.remove(event)
            else:  # the lock was handed over at the moment of the cancellation
                self.release()
            raise

    def release(self) -> None:
        """Hand the lock to the task that has waited longest, or free it."""
        if self.waiters:
            self.waiters.popleft().set()
        else:
            self.locked = False

    async def __aenter__(self) -> None:
        await self.acquire()

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.release()


class PendingReceive:
    """Calls an ASGI ``receive`` in such a way that a cancelled wait loses no message.

    Nearly every server returns a coroutine, which takes no message when it is cancelled. granian returns a
    future to which another thread may already be handing a message. Such a future is never cancelled: it
    stays here, and the next call waits for it.
    """

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: Any = None

    def start(self, receive: Callable[[], Awaitable[Any]]) -> Awaitable[Any]:
        """Return an awaitable of the next message; the caller ensures that only one task waits at a time."""
        future = self._future
        awaitable: Any = receive() if future is None or future.cancelled() else future
        # A coroutine of our own would cost as much as the rest of receiving a message.
        return awaitable if type(awaitable) is COROUTINE else self.wait(awaitable)

    async def wait(self, awaitable: Any) -> Any:
        """Return the result of what ``receive`` returned; a future stays here if the wait is cancelled."""
        if not hasattr(awaitable, "add_done_callback"):
            return await awaitable
        from asyncio import shield

        self._future = awaitable
        try:
            message = await shield(awaitable)
        except BaseException as error:
            if isinstance(error, Exception) or awaitable.cancelled():
                self._future = None
            awaitable = None  # a future that failed holds this frame
            raise
        self._future = None
        return message


async def poll(function: Callable[[], Awaitable[T]]) -> T | None:
    """Return the result of ``function()`` if it is there within a few iterations of the event loop.

    Otherwise the call is cancelled and the result is ``None``. One iteration is not enough: the channels of
    trio and anyio have a checkpoint before they look for a message, and a server's thread has to hand it
    over. A time would be wrong: on a busy loop it is over at once.
    """
    countdown = _Countdown()
    try:
        return await interruptible(function, countdown.start)
    finally:
        countdown.left = 0


async def interruptible(
    function: Callable[[], Awaitable[T]], start: Callable[[Callable[[], None]], object]
) -> T | None:
    """Return the result of ``function()``, or ``None`` if it was interrupted.

    Args:
        function: Returns a coroutine.
        start: Called at the beginning with a callable that interrupts; it may be called once, before the end.
    """
    if in_trio():
        import trio

        with trio.CancelScope() as scope:
            start(scope.cancel)
            return await function()
        return None
    import asyncio

    loop = asyncio.get_running_loop()
    timeout = asyncio.timeout(None)
    try:
        async with timeout:
            start(lambda: timeout.reschedule(loop.time()))
            result: T = await _finish_if_ready(function(), timeout.expired)
            return result
    except TimeoutError:
        if not timeout.expired():
            raise  # raised by the function itself
        return None


@coroutine
def _finish_if_ready(running: Any, interrupted: Callable[[], bool]) -> Generator[Any, Any, Any]:
    """Run a coroutine; when it is interrupted, let it finish if its result is already there.

    asyncio delivers a cancellation instead of the result of a future that was set in the same iteration. A
    coroutine that awaits a plain future would lose the message.
    """
    from asyncio import CancelledError

    future: Any = None
    error: BaseException | None = None
    finishing: CancelledError | None = None
    try:
        while True:
            try:
                future = running.send(None) if error is None else running.throw(error)
            except StopIteration as stop:
                return stop.value
            error = finishing
            if error is None:
                try:
                    yield future
                except CancelledError as cancellation:
                    ready = interrupted() and future is not None and future.done() and not future.cancelled()
                    error, finishing = (None, cancellation) if ready else (cancellation, None)
                except BaseException as other:
                    error = other
    finally:
        del future, error, finishing  # an exception holds this frame


class _Countdown:
    """Interrupts after some iterations of the event loop."""

    __slots__ = ("_call_soon", "_interrupt", "left")

    def start(self, interrupt: Callable[[], None]) -> None:
        self._call_soon = _call_soon()
        self._interrupt = interrupt
        self.left = POLL_ITERATIONS
        self._tick()

    def _tick(self) -> None:
        self.left -= 1
        if self.left > 0:
            self._call_soon(self._tick)
        elif self.left == 0:
            self._interrupt()


def _call_soon() -> Callable[[Callable[[], None]], object]:
    """Return the function of the running event loop that calls another one in the next iteration."""
    if in_trio():
        import trio

        return trio.lowlevel.current_trio_token().run_sync_soon
    import asyncio

    return asyncio.get_running_loop().call_soon


async def run_in_thread(function: Callable[[], T]) -> T:
    """Call ``function`` in a worker thread, and return only when it has finished, even if cancelled.

    A file that a thread still writes to must not be closed by the task that gave up waiting. So a
    cancellation is delivered after the thread has finished. A call that no thread has begun is dropped.
    """
    if in_trio():
        import trio

        return await trio.to_thread.run_sync(function)
    import asyncio
    from threading import Lock as ThreadLock

    begun = ThreadLock()  # acquired by the thread, or by the task that no longer wants the call

    def call() -> Any:
        return function() if begun.acquire(blocking=False) else None

    future = asyncio.get_running_loop().run_in_executor(None, call)
    interruption: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            # Since Python 3.14, a frame of asyncio.wait() refers to the task, which holds the exception.
            interruption = error.with_traceback(None)
            if begun.acquire(blocking=False):
                future.cancel()
                break  # else a thread runs, which cannot be stopped
    try:
        if interruption is None:
            return future.result()  # type: ignore[no-any-return]  # that of the function
        with suppress(asyncio.CancelledError):  # raised if the call was dropped before it began
            future.exception()  # marks it as retrieved, so that the loop does not report it
        raise interruption
    finally:
        del future, interruption  # an exception holds this frame


async def finish_within(seconds: float, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Call ``function``, also in a cancelled task, and wait for it for at most ``seconds``.

    Then the call is cancelled. A cancellation that arrives meanwhile is delivered afterwards.
    """
    if in_trio():
        import trio

        with trio.move_on_after(seconds, shield=True):
            await function()
        return
    import asyncio

    # A task of its own: anyio cancels the tasks of its scopes again and again, at each of their awaits.
    loop = asyncio.get_running_loop()
    task = loop.create_task(function())
    timer = loop.call_later(seconds, task.cancel)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            interruption = error.with_traceback(None)  # as in run_in_thread()
    timer.cancel()
    try:
        if interruption is not None:
            if not task.cancelled():
                task.exception()  # marks it as retrieved
            raise interruption
        if not task.cancelled():
            task.result()
    finally:
        del task, interruption  # an exception holds this frame
