"""The states of a WebSocket: two tables that say which ASGI event may follow which, in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from asgiwire.exceptions import ProtocolError, WebSocketStateError

# An ASGI server and an application exchange two streams of events about one WebSocket. Most mistakes happen
# between the streams: a send after the client disconnected, an accept after a close, a receive after the last
# message. So there is one state for both directions, and events of either direction change it.
#
#     INITIAL ──connect──> HANDSHAKE ──accept──> OPEN ──close──────────────────> CLOSING
#                              │                                                    ▲
#                              ├──close (HTTP 403)──────────────────────────────────┘
#                              └──http.response.start──> DENYING ──last body──────> CLOSED
#
#     and from each of them ──disconnect──> CLOSED, or ──send fails──> LOST ──disconnect──> CLOSED
#
# Why each state exists:
#
# * INITIAL is not HANDSHAKE. In the specification the application answers `websocket.connect`. One server
#   ends its whole process if the answer comes before the event was received. Nothing may be sent.
#
# * CLOSING is not CLOSED. The server sends a disconnect event after the application's own close too, and
#   messages that the client sent before it saw the close may come first. Nothing may be sent.
#
# * A denial leads to CLOSED, not to CLOSING. There was no handshake, so no event can follow, and one server
#   never sends the disconnect event.
#
# * LOST is not CLOSED. After a send that failed, the messages that the client had sent before are still to be
#   received, and so may be the disconnect event with its code. Not every server has that event, so no receive
#   may wait for it.
#
# * CLOSED is final. Servers differ after the disconnect event: some repeat it with another code, some never
#   return. So `receive` is not called again. The row of CLOSED in RECEIVED is for a receive that was already
#   waiting when a denial was sent.
#
# The tables contain what is allowed; a missing entry is an error. In RECEIVED it is an error of the server
# (ProtocolError), in SENT of the application (WebSocketStateError).
#
# One transition is code in `after_sending`: a body event of a denial response with `more_body` does not
# change the state. The table has the event that ends the response.


class WebSocketState(StrEnum):
    """The state of a WebSocket, for both directions."""

    # A StrEnum because a plain Enum computes hashes in Python, at every lookup in the tables.

    INITIAL = "initial"
    """Nothing was received yet."""

    HANDSHAKE = "handshake"
    """``websocket.connect`` was received and not answered."""

    OPEN = "open"
    """Accepted: messages may be sent in both directions."""

    DENYING = "denying"
    """A denial response was started instead of an answer to the handshake."""

    CLOSING = "closing"
    """Closed or rejected by the application; the disconnect event may still come."""

    LOST = "lost"
    """A send found the connection lost; messages and the disconnect event may still come."""

    CLOSED = "closed"
    """The disconnect event was received, or the handshake was denied."""


INITIAL, HANDSHAKE, OPEN, DENYING, CLOSING, LOST, CLOSED = WebSocketState

RECEIVED: Final[Mapping[WebSocketState, Mapping[str, WebSocketState]]] = {
    INITIAL: {"websocket.connect": HANDSHAKE, "websocket.disconnect": CLOSED},
    HANDSHAKE: {"websocket.disconnect": CLOSED},
    OPEN: {"websocket.receive": OPEN, "websocket.disconnect": CLOSED},
    DENYING: {"websocket.disconnect": CLOSED},
    CLOSING: {"websocket.receive": CLOSING, "websocket.disconnect": CLOSED},
    LOST: {"websocket.receive": LOST, "websocket.disconnect": CLOSED},
    CLOSED: {"websocket.disconnect": CLOSED},
}
"""``RECEIVED[state][message type]`` is the state after the message was received."""

SENT: Final[Mapping[WebSocketState, Mapping[str, WebSocketState]]] = {
    INITIAL: {},
    HANDSHAKE: {
        "websocket.accept": OPEN,
        "websocket.close": CLOSING,
        "websocket.http.response.start": DENYING,
    },
    OPEN: {"websocket.send": OPEN, "websocket.close": CLOSING},
    DENYING: {"websocket.http.response.body": CLOSED},
    CLOSING: {},
    LOST: {},
    CLOSED: {},
}
"""``SENT[state][event type]`` is the state after the server has taken the event."""

UNANSWERED: Final = frozenset({INITIAL, HANDSHAKE})
"""States in which reading and sending accept the handshake first."""

ENDED: Final = frozenset({CLOSING, LOST, CLOSED})
"""States in which nothing may be sent, whichever side closed."""


def after_receiving(state: WebSocketState, message: Mapping[str, Any]) -> WebSocketState:
    """Return the state after a message was received.

    Raises:
        ProtocolError: The state does not allow the message.
    """
    try:
        return RECEIVED[state][message["type"]]
    except (KeyError, TypeError):  # missing, not in the table, or not hashable
        expected = tuple(RECEIVED[state])
        raise ProtocolError(message_type=message.get("type"), expected=expected) from None


def after_sending(state: WebSocketState, event: Mapping[str, Any]) -> WebSocketState:
    """Return the state after the server has taken an event.

    Raises:
        WebSocketStateError: The state does not allow the event.
    """
    try:
        after = SENT[state][event["type"]]
    except (KeyError, TypeError):  # missing, not in the table, or not hashable
        kind = str(event.get("type"))
        # In INITIAL the next step is a receive, which the default message cannot name.
        detail = f"{kind!r} is not allowed before 'websocket.connect' is received" if state is INITIAL else ""
        expected = tuple(SENT[state])
        raise WebSocketStateError(detail, event=kind, state=state.value, expected=expected) from None
    return state if state is DENYING and event.get("more_body") else after
