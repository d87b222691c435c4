"""The states of a WebSocket: which ASGI event may follow which, in both directions, as two tables.

Left out: whatever awaits or remembers. The functions here are given the state and an event; who keeps the
state, and when it moves, is ``connection/_socket_channel.py``. What else is in an event is built and read in
``connection/_socket_events.py``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from asgiwire.exceptions import ProtocolError, WebSocketStateError

if TYPE_CHECKING:
    from collections.abc import Mapping

# An ASGI server and an application talk about one WebSocket in two streams of events. Each stream by
# itself is simple; what goes wrong in practice goes wrong between them: a send after the client's
# disconnect was received, an accept after a close, a receive after which nothing more will ever come.
# So there is one state for both directions, and what either side does moves it.
#
#     INITIAL ──connect──> HANDSHAKE ──accept──> OPEN ──close──────────────────> CLOSING
#                              │                                                    ▲
#                              ├──close (HTTP 403)──────────────────────────────────┘
#                              └──http.response.start──> DENYING ──last body──────> CLOSED
#
#     and from each of them ──disconnect──> CLOSED
#
# Why each state is one of its own:
#
# * INITIAL is not HANDSHAKE. The specification has the application answer `websocket.connect`, and one
#   server ends its whole process at an answer that comes before the event was taken. Nothing may be sent.
#
# * CLOSING is not CLOSED. The specification has a disconnect event for the server's closing too, so after
#   our own close one may still be received, and messages that the peer sent before it saw the close may
#   come before that. Nothing may be sent.
#
# * A denial leads to CLOSED and not to CLOSING: there was no handshake, so nothing can follow it, and one
#   server never sends the disconnect event that would end the waiting for it.
#
# * CLOSED is final. Servers differ in what they do when asked again: some repeat the disconnect event with
#   another code, some never return. They are not asked again. The one way to receive anything in CLOSED is
#   a receive that was under way when a send found the connection lost, so its table is not empty.
#
# The tables hold what is allowed; a missing entry is the error. Whose error it is depends on the table:
# in RECEIVED it is the server's (ProtocolError), in SENT it is the caller's (WebSocketStateError).
#
# One transition is written as code, in `after_sending`: a body of a denial response with `more_body`
# leaves the state as it is, and the table has the one that ends the response.


class SocketState(StrEnum):
    """What has passed between the server and the application."""

    # A StrEnum, because the hash of a plain Enum's member is computed in Python, at every look into a table.

    INITIAL = "initial"
    """Nothing was received yet."""

    HANDSHAKE = "handshake"
    """``websocket.connect`` was received and not answered."""

    OPEN = "open"
    """Accepted: messages go both ways."""

    DENYING = "denying"
    """A denial response was begun in the place of the handshake's answer."""

    CLOSING = "closing"
    """Closed or denied by this side; the disconnect event may still come."""

    CLOSED = "closed"
    """The disconnect event was received, or a send found the connection lost."""


INITIAL, HANDSHAKE, OPEN, DENYING, CLOSING, CLOSED = SocketState

RECEIVED: Final[Mapping[SocketState, Mapping[str, SocketState]]] = {
    INITIAL: {"websocket.connect": HANDSHAKE, "websocket.disconnect": CLOSED},
    HANDSHAKE: {"websocket.disconnect": CLOSED},
    OPEN: {"websocket.receive": OPEN, "websocket.disconnect": CLOSED},
    DENYING: {"websocket.disconnect": CLOSED},
    CLOSING: {"websocket.receive": CLOSING, "websocket.disconnect": CLOSED},
    CLOSED: {"websocket.receive": CLOSED, "websocket.disconnect": CLOSED},
}
"""``RECEIVED[state][type of the message received]`` is the next state."""

SENT: Final[Mapping[SocketState, Mapping[str, SocketState]]] = {
    INITIAL: {},
    HANDSHAKE: {
        "websocket.accept": OPEN,
        "websocket.close": CLOSING,
        "websocket.http.response.start": DENYING,
    },
    OPEN: {"websocket.send": OPEN, "websocket.close": CLOSING},
    DENYING: {"websocket.http.response.body": CLOSED},
    CLOSING: {},
    CLOSED: {},
}
"""``SENT[state][type of the event sent]`` is the next state, once the server has taken the event."""

UNANSWERED: Final = (INITIAL, HANDSHAKE)
"""Where a reader or a writer has to accept first."""

ENDED: Final = (CLOSING, CLOSED)
"""Where nothing may be sent any more, whoever closed."""


def after_receiving(state: SocketState, message: Mapping[str, Any]) -> SocketState:
    """The state that a message received leads to.

    Raises:
        ProtocolError: The server must not send this in this state.
    """
    kind = message.get("type")
    after = RECEIVED[state].get(kind) if isinstance(kind, str) else None
    if after is None:
        raise ProtocolError(message_type=kind, expected=tuple(RECEIVED[state]))
    return after


def after_sending(state: SocketState, event: Mapping[str, Any]) -> SocketState:
    """The state that an event leads to, once the server has taken it.

    Raises:
        WebSocketStateError: The event must not be sent in this state.
    """
    kind = str(event.get("type"))
    after = SENT[state].get(kind)
    if after is None:
        # What is missing in INITIAL is a receive; the standard sentence can speak of sends only.
        detail = (
            f"{kind!r} is not allowed before 'websocket.connect' was received" if state is INITIAL else ""
        )
        raise WebSocketStateError(detail, event=kind, state=state.value, expected=tuple(SENT[state]))
    if state is DENYING and event.get("more_body"):
        return DENYING
    return after
