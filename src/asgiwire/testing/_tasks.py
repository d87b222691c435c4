"""Waits with a timeout, and an application in a task, on asyncio and trio."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from types import AsyncGeneratorType, CoroutineType, FrameType
from typing import Any, Final

from asgiwire._concurrency import Event, in_trio, new_event
from asgiwire.types import ASGIApp

from ._errors import WaitTimeout

# Frames of these packages show the mechanism of the wait, not the code of the application that waits.
MACHINERY: Final = ("asyncio", "trio", "anyio", "asgiwire/testing")

LIBRARIES: Final = ("asgiwire", "site-packages")
"""Folders of installed code, which tests seldom concern."""

SUSPENDED: Final = (CoroutineType, AsyncGeneratorType)


class Signal:
    """Notifies tasks that wait for a condition, as ``asyncio.Condition`` does."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def notify(self) -> None:
        """Wake every waiting task, so that it checks its condition."""
        events, self._events = self._events, []
        for event in events:
            event.set()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition is true."""
        while not condition():
            event = new_event()
            self._events.append(event)
            await event.wait()


async def within(seconds: float | None, wait: Callable[[], Awaitable[object]]) -> bool:
    """Return whether a wait ended before the timeout; ``None`` means no timeout.

    The wait must not raise TimeoutError.
    """
    if in_trio():
        import trio

        with trio.move_on_after(float("inf") if seconds is None else seconds) as scope:
            await wait()
        return not scope.cancelled_caught
    import asyncio

    try:
        async with asyncio.timeout(seconds):
            await wait()
    except TimeoutError:
        return False
    return True


async def pause() -> None:
    """Let other tasks run."""
    if in_trio():
        import trio

        await trio.lowlevel.checkpoint()
    else:
        import asyncio

        await asyncio.sleep(0)


class BackgroundTask:
    """An application that runs in a separate task, owned by the code that started it.

    Attributes:
        done: Whether the application has returned or raised.
        error: The exception that it raised.
    """

    def __init__(self, application: ASGIApp, scope: Any, receive: Any, send: Any, changed: Signal) -> None:
        self.done = False
        self.error: BaseException | None = None
        self._arguments = (application, scope, receive, send)
        self._changed = changed
        self._awaitable: Any = None
        self._stopping = False
        self._task: Any = None
        self._nursery: Any = None

    async def start(self) -> None:
        """Start the application."""
        if in_trio():
            import trio

            self._nursery = trio.open_nursery()
            self._task = await self._nursery.__aenter__()
            self._task.start_soon(self._run)
        else:
            import asyncio

            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self, timeout: float | None) -> None:
        """Cancel the application if it still runs, and wait for its end.

        Raises:
            WaitTimeout: The application ignores the cancellation.
        """
        self._stopping = not self.done
        if self._nursery is not None:
            self._task.cancel_scope.cancel()
            # An exception of the test must not become part of an exception group.
            await self._nursery.__aexit__(None, None, None)
            return
        import asyncio

        self._task.cancel()
        _, pending = await asyncio.wait([self._task], timeout=timeout)
        if pending:
            expected = "the end of the cancelled application"
            msg = f"expected {expected} within {timeout} s; {self.position()}"
            raise WaitTimeout(msg, expected=expected, timeout=timeout)

    async def _run(self) -> None:
        application, scope, receive, send = self._arguments
        try:
            self._awaitable = application(scope, receive, send)
            await self._awaitable
        except Exception as error:
            self.error = error
        except BaseException as error:
            if not self._stopping:
                self.error = error
            raise
        finally:
            self.done = True
            self._changed.notify()

    def position(self) -> str:
        """Describe the frames where the application waits, or how it ended."""
        if self.done:
            end = f"raised {type(self.error).__name__}" if self.error is not None else "returned"
            return f"the application {end}"
        frames = waiting_frames(self._awaitable)
        if not frames:
            return "the application has not started"
        return f"the application waits in {' > '.join(map(_describe, frames))}"


def waiting_frames(awaitable: Any) -> list[FrameType]:
    """Return frames of a suspended coroutine: the last three outside of libraries, and the innermost one."""
    frames: list[FrameType] = []
    while awaitable is not None:
        frame, awaitable = _frame_and_next(awaitable)
        if frame is not None and not _is_from(frame, MACHINERY):
            frames.append(frame)
    own = [frame for frame in frames[:-1] if not _is_from(frame, LIBRARIES)]
    return [*own[-3:], *frames[-1:]]


def _is_from(frame: FrameType, folders: tuple[str, ...]) -> bool:
    path = PurePath(frame.f_code.co_filename).as_posix()
    return any(f"/{folder}/" in path for folder in folders)


def _describe(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname} ({PurePath(frame.f_code.co_filename).name}:{frame.f_lineno})"


def _frame_and_next(awaitable: Any) -> tuple[FrameType | None, Any]:
    for prefix, following in (("cr", "cr_await"), ("ag", "ag_await"), ("gi", "gi_yieldfrom")):
        if hasattr(awaitable, following):
            return getattr(awaitable, f"{prefix}_frame"), getattr(awaitable, following)
    # There is no other way from the awaitable of an asynchronous generator's step to the generator.
    referents: list[Any] = gc.get_referents(awaitable)
    return None, next((other for other in referents if type(other) in SUSPENDED), None)
