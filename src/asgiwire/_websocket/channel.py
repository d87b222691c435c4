"""The channel of one WebSocket: its state, its locks, and its read-ahead buffer."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from asgiwire._concurrency import (
    COROUTINE,
    Event,
    Lock,
    PendingReceive,
    interruptible,
    is_coroutine_function,
    new_event,
    poll,
)
from asgiwire.exceptions import Disconnected, WebSocketDisconnect, WebSocketStateError
from asgiwire.types import Message, Receive, Send

from .events import ABNORMAL_CLOSURE, NO_STATUS_RECEIVED, NORMAL_CLOSURE, code_and_reason
from .states import (
    CLOSED,
    ENDED,
    HANDSHAKE,
    INITIAL,
    LOST,
    OPEN,
    WebSocketState,
    after_receiving,
    after_sending,
)

MAX_PENDING: Final = 1024 * 1024
"""Maximum size of the read-ahead buffer in bytes. Above it, only reads receive messages."""

MESSAGE_OVERHEAD: Final = 256
"""Bytes added to the size of each pending message, so that the number of empty messages is bounded too."""


class ReadAhead:
    """The messages and the call of ``receive`` that a peek or a watcher started before the next read.

    Attributes:
        messages: Messages for the next reads.
        size: Bytes of these messages.
        receiving: Whether a peek or a watcher is receiving.
        reader_waits: Whether a reader waits for the message that the peek or the watcher receives.
        pending_receive: Stores a pending call of the server's ``receive``.
    """

    __slots__ = (
        "_interrupt",
        "_progress",
        "messages",
        "pending_receive",
        "reader_waits",
        "receiving",
        "size",
    )

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.size = 0
        self.receiving = False
        self.reader_waits = False
        self.pending_receive = PendingReceive()
        self._progress: Event | None = None
        self._interrupt: Callable[[], None] | None = None  # ends the wait of a watcher for the server

    @property
    def full(self) -> bool:
        """Whether the buffer is full, so that a read must remove a message first."""
        return self.size >= MAX_PENDING

    def append(self, message: Message) -> None:
        """Buffer a message for the next read."""
        self.messages.append(message)
        self.size += _size(message)

    def popleft(self) -> Message:
        """Remove and return the oldest message."""
        message = self.messages.popleft()
        self.size -= _size(message)
        self.notify()
        return message

    async def wait_for_progress(self) -> None:
        """Wait until the state changes, or until a task starts or stops receiving."""
        if self._progress is None:
            self._progress = new_event()
        await self._progress.wait()

    def notify(self) -> None:
        """Wake the tasks that wait for progress."""
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    async def watch(self, receive: Callable[[], Awaitable[Message]]) -> Message | None:
        """Receive one message; ``None`` if :meth:`stop` was called."""

        def start(interrupt: Callable[[], None]) -> None:
            self._interrupt = interrupt

        try:
            return await interruptible(receive, start)
        finally:
            self._interrupt = None

    def stop(self) -> None:
        """End the waits of all watchers, because the WebSocket is closed."""
        if self._interrupt is not None:
            self._interrupt()
            self._interrupt = None
        self.notify()


class WebSocketChannel:
    """Receives and sends the events of one WebSocket, and holds its state.

    The state changes after the server's callable has returned, never before. A cancelled send does not change
    it, nor does a failed send while the client is connected: the server may or may not have sent the event. A
    close is allowed in both states.

    Attributes:
        source: The server's ``receive``.
        sink: The server's ``send``.
        state: The state of both directions.
        accepted: Whether the handshake was accepted.
        received_any: Whether a ``websocket.receive`` event was received.
        receiving: Whether a reader waits for the server.
        reads_directly: Whether a read only has to await ``source()`` if ``receiving`` is false: the state is
            OPEN, there is no ``read_ahead``, and ``source`` is a coroutine function. ``None`` if another
            callable or method has to be called instead.
        sending: Whether an event is being sent.
        sends_directly: Whether a send only has to await ``sink()`` if ``sending`` is false: the state is
            OPEN. ``None`` as above.
        send_lock: The lock for ``sending``, created by the first task that has to wait.
        read_ahead: Created by the first peek or watcher, and for the first awaitable that is not a coroutine.
    """

    __slots__ = (
        "_accepting",
        "_end",
        "_ended_here",
        "_handshake",
        "accepted",
        "read_ahead",
        "reads_directly",
        "received_any",
        "receiving",
        "send_lock",
        "sending",
        "sends_directly",
        "sink",
        "source",
        "state",
    )

    def __init__(self, source: Receive, sink: Send) -> None:
        self.source = source
        self.sink = sink
        self.state: WebSocketState = INITIAL
        self.accepted = False
        self.received_any = False
        self.receiving = False
        self.reads_directly: bool | None = False
        self.sending = False
        self.sends_directly: bool | None = False
        self.send_lock: Lock | None = None
        self.read_ahead: ReadAhead | None = None
        self._accepting = False  # websocket.accept was passed to the server, which may not have returned
        self._ended_here = False
        self._handshake: Lock | None = None
        self._end: tuple[int, str] | None = None

    @property
    def handshake(self) -> Lock:
        """The lock that is held while ``websocket.connect`` is received and answered."""
        if self._handshake is None:
            self._handshake = Lock()
        return self._handshake

    @property
    def close_code(self) -> int | None:
        """The close code; ``None`` before the end."""
        if self._end is None:
            return ABNORMAL_CLOSURE if self.state in ENDED else None
        return self._end[0]

    @property
    def close_reason(self) -> str | None:
        """The close reason; ``None`` before the end."""
        if self._end is None:
            return "" if self.state in ENDED else None
        return self._end[1]

    def disconnect_error(self) -> WebSocketDisconnect:
        """Create the exception that receiving and sending raise after the end."""
        return WebSocketDisconnect(code=self.close_code, reason=self.close_reason or "")

    async def receive(self) -> Any:
        """Receive one message; the disconnect event is the last.

        Raises:
            WebSocketDisconnect: The disconnect event was received before, or a send failed because the
                connection was lost and the server has no further message.
            WebSocketStateError: Another task is receiving.
            ProtocolError: The state does not allow the message.
        """
        ahead = self.read_ahead
        if ahead is not None:
            if ahead.receiving and not ahead.messages:
                await self._wait_for_read_ahead(ahead)
            if ahead.messages:
                return ahead.popleft()
        if self.state is CLOSED:
            raise self.disconnect_error()
        if self.receiving:
            raise self._second_reader()
        self.receiving = True
        try:
            message = await (self._receive_last() if self.state is LOST else self.start_receive())
            self.set_received(message)
        finally:
            self.receiving = False
            if self.read_ahead is not None:
                self.read_ahead.notify()
        return message

    async def _wait_for_read_ahead(self, ahead: ReadAhead) -> None:
        """Wait until the task that reads ahead has received a message, or has stopped."""
        if ahead.reader_waits:
            raise self._second_reader()
        ahead.reader_waits = True
        try:
            while ahead.receiving and not ahead.messages:
                await ahead.wait_for_progress()
        finally:
            ahead.reader_waits = False

    async def _receive_last(self) -> Message:
        """Receive a message after a failed send, if the server has one; it may never return another."""
        try:
            message = await poll(self.start_receive)
        except Exception as error:
            raise self.disconnect_error() from error
        if message is None:
            raise self.disconnect_error()
        return message

    def start_receive(self) -> Awaitable[Message]:
        """Call the server's ``receive``, or return the pending call of a cancelled reader."""
        if self.read_ahead is not None:
            return self.read_ahead.pending_receive.start(self.source)
        awaitable = self.source()
        # An awaitable that is not a coroutine is stored for the next read if the wait is cancelled.
        if type(awaitable) is COROUTINE:
            return awaitable
        return self._created_read_ahead().pending_receive.wait(awaitable)

    async def peek(self) -> None:
        """Receive one message if the server has one, and buffer it for the next read.

        Raises:
            ProtocolError: The state does not allow the message, which is dropped.
        """
        ahead = self._created_read_ahead()
        # In INITIAL, accept() receives the next message. If a task is receiving, no message is available.
        idle = not self.receiving and not ahead.receiving and not ahead.full
        if idle and self.state is not INITIAL and self.state not in ENDED:
            await self._receive_ahead(ahead, poll(self.start_receive))

    async def wait_closed(self) -> None:
        """Return when the WebSocket is closed. Messages that arrive before are buffered for the next reads.

        Raises:
            ProtocolError: The state does not allow a message, which is dropped.
        """
        ahead = self._created_read_ahead()
        while self.state not in ENDED:
            if self.state is INITIAL or self.receiving or ahead.receiving or ahead.full:
                await ahead.wait_for_progress()
            else:
                await self._receive_ahead(ahead, ahead.watch(self.start_receive))

    async def wait_disconnected(self) -> None:
        """Return when the client has disconnected; never after a close from this side."""
        try:
            await self.wait_closed()
        except (OSError, Disconnected):
            return
        except Exception:  # noqa: S110  # the next read calls the server too, and raises it
            pass
        else:
            if not self._ended_here:
                return
        await new_event().wait()  # until the caller is cancelled

    async def _receive_ahead(self, ahead: ReadAhead, receiving: Awaitable[Message | None]) -> None:
        ahead.receiving = True
        try:
            message = await receiving
            if message is not None:
                self.set_received(message)
                ahead.append(message)
        finally:
            ahead.receiving = False
            ahead.notify()

    def _created_read_ahead(self) -> ReadAhead:
        if self.read_ahead is None:
            self.read_ahead = ReadAhead()
            self.set_state(self.state)
        return self.read_ahead

    async def send(self, event: Mapping[str, Any]) -> None:
        """Send one event; several tasks send in the order of their calls.

        Raises:
            WebSocketDisconnect: The WebSocket is closed, or the server reported that the connection is lost.
            WebSocketStateError: The state does not allow the event.
        """
        await self._acquire_send()
        try:
            before = self.state
            if before in ENDED:
                raise self.disconnect_error()
            after = after_sending(before, event)
            self._accepting = before is HANDSHAKE and after is OPEN
            try:
                await self.sink(event)
            except (OSError, RuntimeError) as error:
                await self.raise_if_lost(error)
                raise
            if after is not before:
                self._set_sent(before, after, event)
        finally:
            self.release_send()

    async def _acquire_send(self) -> None:
        if self.sending:
            if self.send_lock is None:
                self.send_lock = Lock()
                self.send_lock.locked = True  # by the task that is sending
            await self.send_lock.acquire()
        self.sending = True

    def release_send(self) -> None:
        """Let the next task send."""
        lock = self.send_lock
        if lock is not None:
            lock.release()
            if not lock.locked:
                self.send_lock = None
        self.sending = self.send_lock is not None

    async def raise_if_lost(self, error: OSError | RuntimeError) -> None:
        """Raise ``WebSocketDisconnect`` if an error of the server's ``send`` means a lost connection.

        Some servers raise a ``RuntimeError`` for a client that has disconnected, and for other reasons. It
        means a lost connection only if the server has the disconnect event too.
        """
        self._accepting = False
        if isinstance(error, OSError):
            self.set_lost()
        else:
            with suppress(Exception):  # the error of the send is the one to report
                await self._find_disconnect()
        if self.state in ENDED:
            raise self.disconnect_error() from error

    def set_lost(self) -> None:
        """Change the state after a send failed because the connection is lost."""
        if self.state not in ENDED:
            self.set_state(LOST)  # no close code yet: a pending or later receive may return it
            self._stop_watchers()

    async def _find_disconnect(self) -> None:
        """Receive available messages, up to the disconnect event, and buffer them for the next reads."""
        ahead = self._created_read_ahead()
        while self.state not in ENDED and not ahead.full:
            if self.receiving or ahead.receiving:  # another task receives the event within these iterations
                await poll(ahead.wait_for_progress)
                return
            count = len(ahead.messages)
            await self.peek()
            if len(ahead.messages) == count:
                return

    def _set_sent(self, before: WebSocketState, after: WebSocketState, event: Mapping[str, Any]) -> None:
        """Change the state after the server has accepted an event."""
        # The client's first messages, or its disconnect, may have been received before the accept returned.
        self.accepted = self.accepted or after is OPEN
        self._handshake = None  # a waiting task has a reference to it; a later task does not need it
        if self.state is not before:  # a disconnect event that was received during the send is final
            return
        self.set_state(after)
        if after in ENDED:
            self._ended_here = True
            if event["type"] == "websocket.close":
                self._set_end(event, NORMAL_CLOSURE)
            else:  # denied: there was no close frame, even if the server reports a code
                self._set_end({}, ABNORMAL_CLOSURE)
            self._stop_watchers()

    def set_received(self, message: Message) -> None:
        """Change the state after a message was received.

        Raises:
            ProtocolError: The state does not allow the message.
        """
        if self._accepting and self.state is HANDSHAKE and message.get("type") == "websocket.receive":
            # The handshake was accepted before the server's `send` returned, or although it was cancelled.
            self.accepted = True
            self.state = OPEN
        self.set_state(after_receiving(self.state, message))
        if message["type"] == "websocket.receive":
            self.received_any = True
        elif message["type"] == "websocket.disconnect":
            self._set_end(message, NO_STATUS_RECEIVED)
            # On some servers, a send after a disconnect never returns. Tasks that wait for it must continue.
            self.release_send()

    def set_state(self, state: WebSocketState) -> None:
        """Change the state; the caller has looked it up in the tables."""
        self.state = state
        is_open = state is OPEN
        if self.reads_directly is not None:
            self.reads_directly = is_open and self.read_ahead is None and is_coroutine_function(self.source)
        if self.sends_directly is not None:
            self.sends_directly = is_open

    def _stop_watchers(self) -> None:
        if self.read_ahead is not None:
            self.read_ahead.stop()

    def _set_end(self, event: Mapping[str, Any], default_code: int) -> None:
        # The first close determines the code: after a close by the application, servers report various codes.
        if self._end is None:
            self._end = code_and_reason(event, default_code)

    def _second_reader(self) -> WebSocketStateError:
        return WebSocketStateError(
            "another task is receiving from this WebSocket; only one may receive at a time",
            event="websocket.receive",
            state=self.state.value,
        )


def _size(message: Message) -> int:
    return MESSAGE_OVERHEAD + len(message.get("text") or message.get("bytes") or b"")
