"""The channel of one WebSocket: its state, its locks, and the messages that were received ahead of a read."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Mapping
from typing import Any, Final

from asgiwire._concurrency import COROUTINE, Lock, PendingReceive, poll
from asgiwire.exceptions import WebSocketDisconnect, WebSocketStateError
from asgiwire.types import Message, Receive, Send

from .events import ABNORMAL_CLOSURE, NO_STATUS_RECEIVED, NORMAL_CLOSURE, code_and_reason
from .states import CLOSED, ENDED, INITIAL, OPEN, WebSocketState, after_receiving, after_sending

MAX_PENDING: Final = 1024 * 1024
"""Bytes of pending messages above which :meth:`WebSocketChannel.peek` receives no more."""

MESSAGE_OVERHEAD: Final = 256
"""Bytes that a pending message counts in addition to its data, so that empty messages are bounded too."""


class ReadAhead:
    """What the channel has received, or has begun to receive, before a reader asked for it.

    Attributes:
        lock: Held while a peek receives.
        messages: Messages for the next reads.
        size: Bytes of these messages.
        pending_receive: Keeps a call of the server's ``receive`` that was begun and not finished.
    """

    __slots__ = ("lock", "messages", "pending_receive", "size")

    def __init__(self) -> None:
        self.lock = Lock()
        self.messages: deque[Message] = deque()
        self.size = 0
        self.pending_receive = PendingReceive()

    def append(self, message: Message) -> None:
        """Keep a message for the next read."""
        self.messages.append(message)
        self.size += _size(message)

    def popleft(self) -> Message:
        """Return the oldest message."""
        message = self.messages.popleft()
        self.size -= _size(message)
        return message


class WebSocketChannel:
    """Receives and sends the events of one WebSocket, and holds its state.

    The state changes after the server's callable has returned, never before. A send that was cancelled, or
    that failed with anything but an ``OSError``, leaves it unchanged: what the server did with the event is
    unknown. The close that should follow is allowed in both of the possible states.

    Attributes:
        source: The server's ``receive``.
        sink: The server's ``send``.
        state: The state of both directions.
        received_any: Whether a message of the client was received.
        receiving: Whether a reader waits for the server.
        send_lock: Held while an event is sent.
        read_ahead: Created by the first peek, and for the first awaitable that is not a coroutine. Without
            it, an open channel that is not receiving has nothing to do but to call ``source``.
    """

    __slots__ = (
        "_end",
        "_handshake",
        "read_ahead",
        "received_any",
        "receiving",
        "send_lock",
        "sink",
        "source",
        "state",
    )

    def __init__(self, source: Receive, sink: Send) -> None:
        self.source = source
        self.sink = sink
        self.state: WebSocketState = INITIAL
        self.received_any = False
        self.receiving = False
        self.send_lock = Lock()
        self.read_ahead: ReadAhead | None = None
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
            WebSocketDisconnect: The disconnect event was received before.
            WebSocketStateError: Another task is receiving.
            ProtocolError: The state does not allow the message.
        """
        ahead = self.read_ahead
        if ahead is not None:
            if ahead.lock.locked:
                # A peek ends within a few iterations of the event loop, and may leave a message.
                async with ahead.lock:
                    pass
            if ahead.messages:
                return ahead.popleft()
        if self.state is CLOSED:
            raise self.disconnect_error()
        if self.receiving:
            raise self._second_reader()
        self.receiving = True
        try:
            message = await self.start_receive()
        finally:
            self.receiving = False
        self.set_received(message)
        return message

    def start_receive(self) -> Awaitable[Message]:
        """Call the server's ``receive``, or return the call that a cancelled reader has left."""
        ahead = self.read_ahead
        if ahead is None:
            awaitable = self.source()
            return awaitable if type(awaitable) is COROUTINE else self.keep(awaitable)
        return ahead.pending_receive.start(self.source)

    def keep(self, awaitable: Awaitable[Message]) -> Awaitable[Message]:
        """Wait for an awaitable that is not a coroutine, and keep it for the next read if cancelled."""
        self.read_ahead = ReadAhead()
        return self.read_ahead.pending_receive.wait(awaitable)

    async def peek(self) -> None:
        """Receive one message if the server has one, and keep it for the next read.

        Raises:
            ProtocolError: The state does not allow the message, which is dropped.
        """
        ahead = self.read_ahead
        if ahead is None:
            ahead = self.read_ahead = ReadAhead()
        async with ahead.lock:
            # In INITIAL the next message is for accept(). A reader that waits would have received it.
            if self.state is INITIAL or self.state in ENDED or self.receiving or ahead.size >= MAX_PENDING:
                return
            message = await poll(self.start_receive)
            if message is not None:
                self.set_received(message)
                ahead.append(message)

    async def send(self, event: Mapping[str, Any]) -> None:
        """Send one event; several tasks send in the order of their calls.

        Raises:
            WebSocketDisconnect: The WebSocket is closed, or the server found the connection lost.
            WebSocketStateError: The state does not allow the event.
        """
        await self.send_lock.acquire()
        try:
            before = self.state
            if before in ENDED:
                raise self.disconnect_error()
            after = after_sending(before, event)
            try:
                await self.sink(event)
            except (OSError, RuntimeError) as error:
                self.raise_if_lost(error)
                raise
            # A disconnect event that was received during the send is final.
            if after is not before and self.state is before:
                self._set_sent(after, event)
        finally:
            self.send_lock.release()

    def raise_if_lost(self, error: OSError | RuntimeError) -> None:
        """Raise ``WebSocketDisconnect`` if an error of the server's ``send`` means a lost connection."""
        if isinstance(error, OSError):
            # The close code stays open: a receive that is still waiting may learn it.
            self.state = CLOSED
        # One server raises RuntimeError if the disconnect event was received during the send.
        if self.state is CLOSED:
            raise self.disconnect_error() from error

    def _set_sent(self, state: WebSocketState, event: Mapping[str, Any]) -> None:
        """Change the state after the server has taken an event."""
        self.state = state
        self._handshake = None  # a task that waits for it holds it; a later one does not need it
        if event["type"] == "websocket.close":
            self._set_end(event, NORMAL_CLOSURE)
        elif state is CLOSED:  # denied: there was no close frame, whatever the server reports
            self._set_end({}, ABNORMAL_CLOSURE)

    def set_received(self, message: Message) -> None:
        """Change the state after a message was received.

        Raises:
            ProtocolError: The state does not allow the message.
        """
        state = after_receiving(self.state, message)
        self.state = state
        if state is OPEN:
            self.received_any = True
        elif message["type"] == "websocket.disconnect":
            self._set_end(message, NO_STATUS_RECEIVED)
            # Some servers never return from a send to a lost peer; the tasks that wait behind it must go on.
            self.send_lock.release()

    def _set_end(self, event: Mapping[str, Any], default_code: int) -> None:
        # The first end counts: after our own close, servers report the disconnect with various codes.
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
