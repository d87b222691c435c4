"""The socket channel: one per WebSocket, between its methods and the server's two callables.

It keeps the state of ``_websocket_states``, lets one task receive at a time, lets tasks that send take
turns, and keeps messages that were received and not read. Left out: what is in the messages.

Two kinds of messages are kept. The lookout has those that came while somebody only looked whether the client
is still there; they are read in their order, as if they had come later. ``refused`` is one that a read did
not want or could not decode. It lies aside for one more try, by a read that may do better, and is no
obstacle to the others: were it the next message again and again, then a loop that tells the client of the
error and goes on would tell it for ever, and the client could have any server's processor for one message.

The state moves when the server has done its part and never before. So a send that was cancelled, or that
failed with anything but an ``OSError``, leaves the state where it was: what the server has made of the event
cannot be known. That is on the safe side, because a close, which is what should follow, is allowed in
both of the states that could be the true one. A cancelled receive has taken nothing that we know of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiwire.exceptions import WebSocketDisconnect, WebSocketStateError

from .events import ABNORMAL_CLOSURE, NO_STATUS_RECEIVED, NORMAL_CLOSURE, closed_with, is_of_mode
from .lock import Turn
from .peek import Lookout
from .states import (
    CLOSED,
    ENDED,
    INITIAL,
    OPEN,
    SocketState,
    after_receiving,
    after_sending,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asgiwire.types import Message, Receive, Send, WebSocketMode


class Decoding:
    """A read that decodes what it receives, while it is under way.

    Attributes:
        by: What it decodes with and to; ``None`` where the message has had its second chance.
        message: What it has received.
    """

    __slots__ = ("by", "message")

    def __init__(self, by: object) -> None:
        self.by: object | None = by
        self.message: Message | None = None


class SocketChannel(Turn):
    """The one place where a WebSocket's state moves; it is itself the turn to send.

    There is one for each open WebSocket, so it has no more than an idle one needs, and what few ever need is
    made when they do.

    Attributes:
        source: The server's ``receive``, or what stands before it.
        sink: The server's ``send``, or what stands before it.
        reads_directly: Whether a reader may call ``source`` itself if nobody is receiving: the state is OPEN
            and no message is kept. ``None`` for good where something else stands before it.
        sends_directly: Whether a writer may call ``sink`` itself if nobody is sending: the state is OPEN.
            ``None`` for good where something else stands before it.
        state: What has passed between the server and the application.
        heard: Whether a message of the client was ever received.
        receiving: Whether a task is waiting for the server's next message.
        lookout: What keeps the messages that came while somebody looked for a disconnect, once somebody has.
        refused: The last message that a read refused, until another one takes it, and what it did not decode
            as; that is ``None`` where it was of the wrong mode.
        decoding: The read that is under way, if it decodes.
    """

    __slots__ = (
        "_end",
        "_handshake",
        "decoding",
        "heard",
        "lookout",
        "reads_directly",
        "receiving",
        "refused",
        "sends_directly",
        "sink",
        "source",
        "state",
    )

    def __init__(self, source: Receive, sink: Send) -> None:
        super().__init__()
        self.source = source
        self.sink = sink
        self.reads_directly: bool | None = False
        self.sends_directly: bool | None = False
        self.state: SocketState = INITIAL
        self.heard = False
        self.receiving = False
        self.lookout: Lookout | None = None
        self.refused: tuple[Message, object] | None = None
        self.decoding: Decoding | None = None
        self._handshake: Turn | None = None
        self._end: tuple[int, str] | None = None

    @property
    def handshake(self) -> Turn:
        """The turn to answer ``websocket.connect``: two tasks that send first both want to."""
        if self._handshake is None:
            self._handshake = Turn()
        return self._handshake

    @property
    def code(self) -> int | None:
        """The close code, ``None`` while nobody has closed."""
        if self._end is None:
            return ABNORMAL_CLOSURE if self.state in ENDED else None
        return self._end[0]

    @property
    def reason(self) -> str | None:
        """The close reason, ``None`` while nobody has closed."""
        if self._end is None:
            return "" if self.state in ENDED else None
        return self._end[1]

    def disconnect(self) -> WebSocketDisconnect:
        """The error of who receives or sends after the end."""
        return WebSocketDisconnect(code=self.code, reason=self.reason or "")

    def settle(self, state: SocketState) -> None:
        """Enter a state, or stay in it, and decide anew what may be called directly."""
        self.state = state
        if self.sends_directly is not None:
            self.sends_directly = state is OPEN
        if self.reads_directly is not None:
            self.reads_directly = state is OPEN and self.refused is None and self.lookout is None

    def refuse(self, message: Message, by: object = None) -> None:
        """Put a message aside for another read; the one that lay there is gone."""
        self.refused = (message, by)
        self.settle(self.state)

    def take_refused(self, mode: WebSocketMode | None) -> Message | None:
        """The message that was refused, if it is of this mode and does not decode as something else."""
        if self.refused is None or not is_of_mode(self.refused[0], mode):
            return None
        (message, by), self.refused = self.refused, None
        self.settle(self.state)
        if self.decoding is not None:
            if self.decoding.by == by:
                return None  # the same would only come of it again
            self.decoding.by = None  # so that it is not put aside again
        return message

    async def receive(self, receive: Receive) -> Any:
        """Receive one message; the disconnect event is the last.

        Raises:
            WebSocketDisconnect: The disconnect event was received before.
            WebSocketStateError: Another task is receiving.
            ProtocolError: The server must not send this now.
        """
        lookout = self.lookout
        if lookout is not None:
            # Who only looks is not a second reader, is done in a moment, and may then have left something.
            while lookout.looking.taken:
                async with lookout.looking:
                    pass
            if lookout.unread:
                return lookout.take()
        if self.state is CLOSED:
            raise self.disconnect()
        if self.receiving:
            raise self._second_reader()
        self.receiving = True
        try:
            message = await (receive() if lookout is None else lookout.receive())
        finally:
            self.receiving = False
        self.move(message)
        return message

    def move(self, message: Message) -> None:
        """Take note of a message that was received.

        Raises:
            ProtocolError: The server must not send this now.
        """
        if message.get("type") == "websocket.receive" and self.state is OPEN:  # what nearly every message is
            self.heard = True
            return
        self.settle(after_receiving(self.state, message))
        if message["type"] == "websocket.disconnect":
            self._close(message, NO_STATUS_RECEIVED)
            # A server may leave a send to a lost peer hanging; those who wait behind it need not.
            self.pass_on()

    async def look(self) -> None:
        """Receive one message if it is there already, and leave it for the next read.

        Raises:
            ProtocolError: The server must not send this now.
        """
        # The connect event is for whoever answers it. Where a task is receiving, nothing is there.
        if self.state is INITIAL or self.state in ENDED or self.receiving:
            return
        if self.lookout is None:
            self.lookout = Lookout(self.source)
            self.settle(self.state)
        lookout = self.lookout
        async with lookout.looking:
            self.receiving = True
            try:
                message = await lookout.look()
            finally:
                self.receiving = False
            if message is not None:
                self.move(message)
                lookout.keep(message)  # not before: what the server must not send is nobody's to read

    async def send(self, send: Send, event: Mapping[str, Any]) -> None:
        """Send one event, after those whose turn is before.

        Raises:
            WebSocketDisconnect: The WebSocket is closed, whoever closed it, or the server finds it lost.
            WebSocketStateError: The event must not be sent in this state.
        """
        if self.taken:
            await self.wait()
        else:
            self.taken = True
        try:
            state = self.state
            if state in ENDED:
                raise self.disconnect()
            after = after_sending(state, event)
            try:
                await send(event)
            except (OSError, RuntimeError) as error:
                self.raise_if_lost(error)
                raise
            # A disconnect that was received in the meantime is final.
            if after is not state and self.state is state:
                self._answer(event, after)
        finally:
            self.pass_on()

    def raise_if_lost(self, error: OSError | RuntimeError) -> None:
        """Tell the loss of the connection from other errors of the server's ``send``.

        Raises:
            WebSocketDisconnect: It is lost.
        """
        if isinstance(error, OSError):
            # The code stays open: a receive that is under way may still learn the real one.
            self.settle(CLOSED)
        # One server has a RuntimeError instead, where the disconnect was received in the meantime.
        if self.state is CLOSED:
            raise self.disconnect() from error

    def _answer(self, event: Mapping[str, Any], after: SocketState) -> None:
        """Take note of an event that was sent and moves the state."""
        self.settle(after)
        self._handshake = None  # who waits for it has it in hand, and who comes now need not ask for it
        if event["type"] == "websocket.close":
            self._close(event, NORMAL_CLOSURE)
        elif after is CLOSED:  # denied: no close frame, whatever code the server has for it
            self._close({}, ABNORMAL_CLOSURE)

    def _close(self, event: Mapping[str, Any], default: int) -> None:
        # The first one counts: servers repeat the disconnect with another code, after our close too.
        if self._end is None:
            self._end = closed_with(event, default)

    def _second_reader(self) -> WebSocketStateError:
        return WebSocketStateError(
            "another task is receiving from this WebSocket, and one message cannot go to two",
            event="websocket.receive",
            state=self.state.value,
        )
