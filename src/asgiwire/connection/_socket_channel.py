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

from asgiwire._websocket_states import (
    CLOSED,
    ENDED,
    INITIAL,
    OPEN,
    SocketState,
    after_receiving,
    after_sending,
)
from asgiwire.exceptions import WebSocketDisconnect, WebSocketStateError

from ._lookout import Lookout
from ._socket_events import ABNORMAL_CLOSURE, NO_STATUS_RECEIVED, NORMAL_CLOSURE, closed_with, is_of_mode
from ._turn import Turn

if TYPE_CHECKING:
    from asgiwire.types import Message, Receive, Send, WebSocketMode


class SocketChannel:
    """The one place where a WebSocket's state moves.

    Attributes:
        source: The server's ``receive``, or what stands before it.
        sink: The server's ``send``, or what stands before it.
        state: What has passed between the server and the application.
        heard: Whether a message of the client was ever received.
        handshake: The turn to answer ``websocket.connect``: two tasks that send first both want to.
        receiving: Whether a task is waiting for the server's next message.
        sending: The turn to send.
        lookout: What keeps the messages that came while somebody looked for a disconnect, once somebody has.
        refused: The last message that a read refused, until another one takes it.
        refused_by: What it did not decode as; ``None`` where it was of the wrong mode.
        decoding: What the read that is under way decodes to, if it decodes.
        received: What it has received, until it is decoded.
    """

    __slots__ = (
        "_code",
        "_looking",
        "_reason",
        "decoding",
        "handshake",
        "heard",
        "lookout",
        "received",
        "receiving",
        "refused",
        "refused_by",
        "sending",
        "sink",
        "source",
        "state",
    )

    def __init__(self, source: Receive, sink: Send) -> None:
        self.source = source
        self.sink = sink
        self.state: SocketState = INITIAL
        self.heard = False
        self.handshake = Turn()
        self.receiving = False
        self.sending = Turn()
        self.lookout: Lookout | None = None
        self.refused: Message | None = None
        self.refused_by: object = None
        self.decoding: object = None
        self.received: Message | None = None
        self._looking = Turn()
        self._code: int | None = None
        self._reason = ""

    @property
    def code(self) -> int | None:
        """The close code, ``None`` while nobody has closed."""
        if self._code is None and self.state in ENDED:
            return ABNORMAL_CLOSURE
        return self._code

    @property
    def reason(self) -> str | None:
        """The close reason, ``None`` while nobody has closed."""
        return self._reason if self.state in ENDED else None

    def disconnect(self) -> WebSocketDisconnect:
        """The error of who receives or sends after the end."""
        return WebSocketDisconnect(code=self.code, reason=self._reason)

    def refuse(self, message: Message, by: object = None) -> None:
        """Put a message aside for another read; the one that lay there is gone."""
        self.refused, self.refused_by = message, by

    def refuse_undecoded(self) -> None:
        """Put aside what was received and does not decode, unless this was its second chance."""
        if self.received is not None:
            self.refuse(self.received, self.decoding)

    def take_refused(self, mode: WebSocketMode | None) -> Message | None:
        """The message that was refused, if it is of this mode and does not decode as something else."""
        message = self.refused
        if message is None or not is_of_mode(message, mode):
            return None
        self.refused = None
        if self.decoding is not None and self.decoding == self.refused_by:
            return None  # the same would only come of it again
        self.decoding = None  # so that it is not put aside again
        return message

    async def receive(self, receive: Receive) -> Any:
        """Receive one message; the disconnect event is the last.

        Raises:
            WebSocketDisconnect: The disconnect event was received before.
            WebSocketStateError: Another task is receiving.
            ProtocolError: The server must not send this now.
        """
        # Who only looks is not a second reader, is done in a moment, and may then have left something.
        while self._looking.taken:
            async with self._looking:
                pass
        lookout = self.lookout
        if lookout is not None and lookout.unread:
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
        self.state = after_receiving(self.state, message)
        if message["type"] == "websocket.disconnect":
            self._end(message, NO_STATUS_RECEIVED)
            # A server may leave a send to a lost peer hanging; those who wait behind it need not.
            self.sending.pass_on()

    async def look(self) -> None:
        """Receive one message if it is there already, and leave it for the next read.

        Raises:
            ProtocolError: The server must not send this now.
        """
        # The connect event is for whoever answers it. Where a task is receiving, nothing is there.
        if self.state is INITIAL or self.state in ENDED or self.receiving:
            return
        async with self._looking:
            self.receiving = True
            try:
                lookout = self.lookout = self.lookout or Lookout(self.source)
                message = await lookout.look()
            finally:
                self.receiving = False
            if message is not None:
                self.move(message)

    async def send(self, send: Send, event: Message) -> None:
        """Send one event, after those whose turn is before.

        Raises:
            WebSocketDisconnect: The WebSocket is closed, whoever closed it, or the server finds it lost.
            WebSocketStateError: The event must not be sent in this state.
        """
        turn = self.sending
        if turn.taken:
            await turn.wait()
        else:
            turn.taken = True
        try:
            state = self.state
            # What nearly every event is, is not looked up.
            message = state is OPEN and event.get("type") == "websocket.send"
            after = state if message else self._after_sending(event)
            try:
                await send(event)
            except (OSError, RuntimeError) as error:
                self.raise_if_lost(error)
                raise
            # A disconnect that was received in the meantime is final.
            if after is not state and self.state is state:
                self.state = after
                if event["type"] == "websocket.close":
                    self._end(event, NORMAL_CLOSURE)
                elif after is CLOSED:  # denied: no close frame, whatever code the server has for it
                    self._end({}, ABNORMAL_CLOSURE)
        finally:
            turn.pass_on()

    def raise_if_lost(self, error: OSError | RuntimeError) -> None:
        """Tell the loss of the connection from other errors of the server's ``send``.

        Raises:
            WebSocketDisconnect: It is lost.
        """
        if isinstance(error, OSError):
            # The code stays open: a receive that is under way may still learn the real one.
            self.state = CLOSED
        # One server has a RuntimeError instead, where the disconnect was received in the meantime.
        if self.state is CLOSED:
            raise self.disconnect() from error

    def _after_sending(self, event: Message) -> SocketState:
        if self.state in ENDED:
            raise self.disconnect()
        return after_sending(self.state, event)

    def _end(self, event: Message, default: int) -> None:
        # The first one counts: servers repeat the disconnect with another code, after our close too.
        if self._code is None:
            self._code, self._reason = closed_with(event, default)

    def _second_reader(self) -> WebSocketStateError:
        return WebSocketStateError(
            "another task is receiving from this WebSocket, and one message cannot go to two",
            event="websocket.receive",
            state=self.state.value,
        )
