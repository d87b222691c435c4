"""A bounded queue of outgoing WebSocket messages, for broadcasts."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Final, Literal, Self

from asgiwire._body.cancel import Canceller, start_canceller
from asgiwire._concurrency import Event, finish_within, new_event
from asgiwire.exceptions import WebSocketDisconnect
from asgiwire.types import WebSocketMode

__all__ = ("Outbox",)

TRY_AGAIN_LATER: Final = 1013
"""Registered with IANA: the server closes because it is overloaded by this client."""


class Outbox:
    """An asynchronous context manager: a bounded queue, and the task that sends its messages in order.

    Any task of the event loop may put messages. The block is cancelled when the client disconnects, or when
    the queue is full and ``on_full`` is ``"close"``. The code after the block is not cancelled. At the end of
    the block, the queued messages are sent, for at most ``close_timeout`` seconds. After an exception, they
    are dropped.

    Args:
        send: Sends one message.
        close: Closes the WebSocket with a code and a reason; returns after a bounded time.
        flush_timeout: The maximum time to send the queued messages at the end, in seconds.
        max_messages: The maximum number of messages in the queue.
        on_full: The behaviour if the queue is full; see :meth:`put_nowait`.

    Attributes:
        dropped: Number of messages that were dropped because the queue was full.
        overflowed: Whether the WebSocket was closed because the queue was full.
    """

    __slots__ = (
        "_canceller",
        "_changed",
        "_close",
        "_error",
        "_flush_timeout",
        "_idle",
        "_max_messages",
        "_messages",
        "_on_full",
        "_open",
        "_send",
        "dropped",
        "overflowed",
    )

    def __init__(
        self,
        send: Callable[[str | bytes, WebSocketMode], Awaitable[None]],
        close: Callable[[int, str], Awaitable[None]],
        flush_timeout: float,
        max_messages: int,
        on_full: Literal["close", "drop_oldest", "wait"],
    ) -> None:
        if max_messages < 1:
            msg = f"expected max_messages of 1 or more, got {max_messages}"
            raise ValueError(msg)
        if on_full not in ("close", "drop_oldest", "wait"):
            msg = f"expected on_full of 'close', 'drop_oldest' or 'wait', got {on_full!r}"
            raise ValueError(msg)
        self._send = send
        self._close = close
        self._flush_timeout = flush_timeout
        self._max_messages = max_messages
        self._on_full = on_full
        self._messages: deque[str | bytes] = deque()
        self._open = False  # whether messages are accepted
        self._idle = True  # whether no message is being sent
        self._changed: Event | None = None
        self._error: Exception | None = None
        self._canceller: Canceller
        self.dropped: int = 0
        self.overflowed: bool = False

    def __len__(self) -> int:
        """The number of messages in the queue."""
        return len(self._messages)

    def put_nowait(self, data: str | bytes) -> bool:
        """Queue a message: text for ``str``, binary for ``bytes``.

        If the queue is full, the result depends on ``on_full``. ``"close"`` closes the WebSocket with code
        1013 and cancels the block, ``"drop_oldest"`` drops the oldest message, and ``"wait"`` rejects this
        message.

        Returns:
            Whether the message was queued. ``False`` outside of the block, and after the client disconnected.
        """
        if not self._open:
            return False
        if len(self._messages) >= self._max_messages:
            if self._on_full == "wait":
                return False
            if self._on_full == "close":
                self.overflowed = True
                self._stop()
                self._canceller.cancel()
                return False
            self._messages.popleft()
            self.dropped += 1
        self._messages.append(data)
        self._notify()
        return True

    async def put(self, data: str | bytes) -> bool:
        """Queue a message; with ``on_full="wait"``, wait until the queue has space.

        Returns:
            Whether the message was queued, as :meth:`put_nowait`.
        """
        while self._open and self._on_full == "wait" and len(self._messages) >= self._max_messages:
            await self._wait()
        return self.put_nowait(data)

    async def __aenter__(self) -> Self:
        self._open = True
        self._canceller = start_canceller(self._send_messages)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        raised = error
        if error is None:
            try:
                await finish_within(self._flush_timeout, self._flush)
            except BaseException as interruption:  # raised below, unless it is the canceller's
                kind, raised, traceback = type(interruption), interruption, interruption.__traceback__
        self._stop()
        caught = await self._canceller.close(kind, raised, traceback)
        if self.overflowed:
            await self._close(TRY_AGAIN_LATER, "too many unsent messages")
        if self._error is not None and (caught or raised is None):
            raise self._error
        if raised is not error and raised is not None and not caught:
            raise raised
        return caught

    async def _send_messages(self) -> None:
        """Send messages until the client disconnects or a send fails, then cancel the block."""
        try:
            while True:
                while not self._messages:
                    await self._wait()
                data = self._messages.popleft()
                self._idle = False
                self._notify()
                await self._send(data, "text" if isinstance(data, str) else "binary")
                self._idle = True
                self._notify()
        except WebSocketDisconnect:
            pass
        except Exception as error:
            self._error = error
        self._stop()

    async def _flush(self) -> None:
        while self._open and (self._messages or not self._idle):
            await self._wait()

    def _stop(self) -> None:
        self._open = False
        self._messages.clear()
        self._notify()

    async def _wait(self) -> None:
        if self._changed is None:
            self._changed = new_event()
        await self._changed.wait()

    def _notify(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None
