"""The server side of one connection, whose application runs in a task."""

from __future__ import annotations

import builtins
from collections import deque
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Final, Generic, Self, cast

from asgiwire.exceptions import Disconnected
from asgiwire.types import ASGIApp, Empty, EmptyType

from ._errors import ScriptError, SpecificationError, WaitTimeout
from ._messages import copy_message, describe_all
from ._protocols import ProtocolT
from ._tasks import BackgroundTask, Signal, pause, within
from ._validator import EVENTS

MAX_LOST: Final = 64
"""The number of messages that ``send`` accepts after the client disconnected, before it raises an error."""


class SendAfterDisconnect(OSError):
    """The client disconnected (ASGI specification for HTTP, Disconnected Client - send exception)."""


class RunningConnection(Generic[ProtocolT]):
    """An application that runs in a task; the base class of :class:`Exchange` and :class:`Conversation`.

    ``async with`` starts the application in a task of the running event loop. At the end of the block, the
    client disconnects, and the application must return. If the block raised, the application is cancelled. An
    exception of the application is raised by the call that waits, or at the end of the block. After the
    disconnect, an ``OSError`` of ``send`` and :class:`~asgiwire.exceptions.Disconnected` are ignored.

    Attributes:
        scope: The scope.
        timeout: The maximum time of each wait, in seconds; ``None`` for no limit.
        sent: Copies of the messages that the application sent.
        received: The messages that the application received.
    """

    def __init__(
        self,
        application: ASGIApp,
        scope: dict[str, Any],
        protocol: ProtocolT,
        timeout: float | None,
        raise_exceptions: bool,
    ) -> None:
        self.scope: Final = scope
        self.timeout: Final = timeout
        self.sent: list[Mapping[str, Any]] = []
        self.received: list[Mapping[str, Any]] = []
        self._protocol: ProtocolT = protocol
        self._incoming: deque[Mapping[str, Any]] = deque()
        self._left = False
        self._lost = 0
        self._raise_exceptions = raise_exceptions
        self._raised = False
        self._changed = Signal()
        self._task = BackgroundTask(application, scope, self._receive, self._send, self._changed)

    async def __aenter__(self) -> Self:
        await self._task.start()
        try:
            await self._enter()
        except BaseException:
            await self._task.stop(self.timeout)
            raise
        return self

    async def __aexit__(
        self,
        type: builtins.type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self._leave()
                self._raise_error()
        finally:
            await self._task.stop(self.timeout)

    async def _enter(self) -> None:
        """Wait for the event that must happen before the block starts."""

    async def _leave(self) -> None:
        """End the connection, and wait until the application has returned."""

    # --- The application's side ---

    async def _receive(self) -> Any:
        message = await self._next_message()
        self._protocol.received(message)
        self.received.append(message)
        self._changed.notify()
        return dict(message)

    async def _next_message(self) -> Mapping[str, Any]:
        await self._changed.wait_until(lambda: bool(self._incoming))
        return self._incoming.popleft()

    async def _send(self, message: Any) -> None:
        await pause()
        if self._is_lost():
            msg = "the client disconnected"
            raise SendAfterDisconnect(msg)
        kind = cast("Any", message).get("type") if isinstance(message, Mapping) else None
        allowed = self._protocol.sendable
        if kind not in allowed:
            state = str(self._protocol.state)
            problem = "expected another message"
            raise SpecificationError(problem, event=str(kind), state=state, expected=allowed, section=EVENTS)
        copied = copy_message(message)
        self._protocol.sent(copied)
        self.sent.append(copied)
        self._handle(copied)
        self._changed.notify()
        await self._changed.wait_until(self._may_continue)

    def _is_lost(self) -> bool:
        """Whether ``send`` raises because the client disconnected."""
        # The client sent the pending messages before it disconnected. As on a real connection, responses to
        # them are lost without an error. An application that only sends must get the error too.
        self._lost += self._left
        pending = any(not str(message["type"]).endswith(".disconnect") for message in self._incoming)
        return self._left and (not pending or self._lost > MAX_LOST)

    def _handle(self, message: Mapping[str, Any]) -> None:
        """Store the data of a message of the application."""

    def _may_continue(self) -> bool:
        """Whether the application may send more before the test reads."""
        return True

    # --- The test's side ---

    def _queue(self, *messages: Mapping[str, Any]) -> None:
        self._incoming.extend(messages)
        self._changed.notify()

    async def _wait(
        self, condition: Callable[[], bool], expected: str, timeout: float | EmptyType | None = Empty
    ) -> None:
        """Wait until a condition is true.

        Raises:
            WaitTimeout: The condition was not true in time.
            ScriptError: The application returned before the condition was true.
        """
        seconds = self.timeout if isinstance(timeout, EmptyType) else timeout
        in_time = await within(
            seconds, lambda: self._changed.wait_until(lambda: condition() or self._task.done)
        )
        if condition():
            return
        self._raise_error()
        limit = "" if in_time else f" within {seconds} s"
        detail = f"expected {expected}{limit}; {self._account()}"
        if in_time:
            raise ScriptError(detail)
        raise WaitTimeout(detail, expected=expected, timeout=seconds)

    def _account(self) -> str:
        received, sent = describe_all(self.received), describe_all(self.sent)
        return f"{self._task.position()}; it received: {received}; it sent: {sent}"

    def _raise_error(self) -> None:
        """Raise the exception of the application, once."""
        error = self._task.error
        if error is None or self._raised or not self._raise_exceptions:
            return
        if self._left and _is_disconnect_error(error):
            return
        self._raised = True
        raise error


def _is_disconnect_error(error: BaseException) -> bool:
    """Whether an exception reports that the client disconnected: raised by ``send`` or by asgiwire."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_disconnect_error, cast("BaseExceptionGroup[BaseException]", error).exceptions))
    return isinstance(error, SendAfterDisconnect | Disconnected)
