"""Cancel a block of code when the client disconnects, on asyncio and trio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self, TypeAlias

from asgiwire._concurrency import in_trio, new_event
from asgiwire.exceptions import UsageError

if TYPE_CHECKING:
    import asyncio

BODY_EVENTS: Final = frozenset({"http.response.body", "http.response.pathsend", "http.response.zerocopysend"})
"""The events that end a response without trailers, unless they have ``more_body``."""


class CancelOnDisconnect:
    """An asynchronous context manager that cancels its block when the client disconnects.

    The code after the block is not cancelled. A task runs only during the block, because one task for every
    connection would be too expensive.

    Args:
        wait_disconnected: Returns when the client has disconnected.

    Attributes:
        cancelled_caught: Whether the block was cancelled because the client disconnected; set on exit.
    """

    __slots__ = ("_canceller", "_wait_disconnected", "cancelled_caught")

    def __init__(self, wait_disconnected: Callable[[], Awaitable[None]]) -> None:
        self._wait_disconnected = wait_disconnected
        self._canceller: Canceller
        self.cancelled_caught: bool = False

    async def __aenter__(self) -> Self:
        self._canceller = start_canceller(self._wait)
        return self

    async def _wait(self) -> None:
        await self._wait_disconnected()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        try:
            return await self._canceller.close(kind, error, traceback)
        finally:
            self.cancelled_caught = self._canceller.caught


class SendOwner(Protocol):
    """A connection whose attribute ``send`` can be replaced."""

    send: Any  # a `Send`; pyright compares the two aliases as different types


class RequestWatch(CancelOnDisconnect):
    """Cancels its block when the client disconnects before the response is complete.

    In the block, the ``send`` of the request is :meth:`send`. A server sends ``http.disconnect`` after a
    complete response too (ASGI HTTP specification, "Disconnect - receive event"). This does not cancel the
    block.

    Args:
        wait_disconnected: Returns when the server has sent ``http.disconnect``.
        request: The request.
    """

    __slots__ = ("_closed", "_complete", "_has_trailers", "_request", "_server_send")

    def __init__(self, wait_disconnected: Callable[[], Awaitable[None]], request: SendOwner) -> None:
        super().__init__(wait_disconnected)
        self._request = request
        self._server_send = request.send
        self._closed = False
        self._complete = False
        self._has_trailers = False

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._server_send = self._request.send
        self._request.send = self.send
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._closed = True
        # Two tasks may watch one request, and the first to enter may be the first to leave.
        while isinstance(watch := _owner(self._request.send), RequestWatch) and watch._closed:
            self._request.send = watch._server_send
        return await super().__aexit__(kind, error, traceback)

    async def send(self, event: Any) -> None:
        """Call the request's ``send``, and detect the end of the response.

        A middleware passes this method to the application instead of its own ``send``.
        """
        # Before the call, because a server may report the disconnect before its `send` returns.
        self._complete = self._complete or self._ends_response(event)
        try:
            await self._server_send(event)
        except BaseException:
            self._complete = False
            raise

    def _ends_response(self, event: Mapping[str, Any]) -> bool:
        kind = event["type"]
        if kind == "http.response.start":
            self._has_trailers = bool(event.get("trailers"))
        if kind in BODY_EVENTS:
            return not (event.get("more_body") or self._has_trailers)
        return kind == "http.response.trailers" and not event.get("more_trailers")

    async def _wait(self) -> None:
        await super()._wait()
        if self._complete:
            await new_event().wait()  # until the end of the block


def _owner(method: Any) -> object:
    return getattr(method, "__self__", None)


def start_canceller(wait: Callable[[], Awaitable[None]]) -> Canceller:
    """Start a task that calls ``wait`` and, when it returns, cancels the code before ``close()``."""
    canceller = _TrioCanceller() if in_trio() else _AsyncioCanceller()
    canceller.open(wait)
    return canceller


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

        # An eager task starts before the block. A cancellation would be raised at the next await of the
        # running task, which may be after the block.
        await asyncio.sleep(0)
        await wait_disconnected()
        self.cancel()

    def cancel(self) -> None:
        if not self._cancelled:
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
                # By this object, if the client disconnected at the end of the block; else by other code.
                # Since Python 3.14, a frame of asyncio.wait() refers to the task, which holds the exception.
                interruption = error.with_traceback(None)
        try:
            if self._cancelled and self._host.uncancel() <= self._cancelling:
                self.caught = kind is not None and issubclass(kind, asyncio.CancelledError)
                return self.caught
            if interruption is not None:
                raise interruption
            return False
        finally:
            # The watcher refers to its exception, whose traceback refers to this object and the server's.
            interruption = None
            del self._watcher, self._host


class _TrioCanceller:
    """Cancels a scope around the block. The watcher is a system task, because there is no nursery."""

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
            self.cancel()
        self._done.set()

    def cancel(self) -> None:
        self._block.cancel()

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


Canceller: TypeAlias = _AsyncioCanceller | _TrioCanceller
"""Cancels the code between ``open()`` and ``close()`` when a function returns, or by ``cancel()``."""
