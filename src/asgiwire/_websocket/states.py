"""The states of a WebSocket, and the ASGI events that each state allows in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from asgiwire.exceptions import ProtocolError, WebSocketStateError

# An ASGI server and an application exchange two streams of events for one WebSocket. Most errors involve both
# streams: a send after the client disconnected, an accept after a close, a receive after the last message.
# Therefore there is one state for both directions, and events of either direction change it.
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
# * INITIAL is not HANDSHAKE. In the specification, the application responds to `websocket.connect`. The
#   process of one server exits if the response is sent before the event was received. No event may be sent.
#
# * CLOSING is not CLOSED. The server sends a disconnect event after a close by the application too. Messages
#   that the client sent before it received the close may arrive first. No event may be sent.
#
# * A denial leads to CLOSED, not to CLOSING. There was no handshake, so no event can follow, and one server
#   never sends the disconnect event.
#
# * LOST is not CLOSED. After a failed send, messages that the client sent before can be received. The
#   disconnect event with its code may follow. Not every server sends that event, so `receive` must not wait
#   for it.
#
# * CLOSED is final. Servers differ after the disconnect event: some repeat it with another code, some never
#   return. Therefore `receive` is not called again. The row of CLOSED in RECEIVED is for a call of `receive`
#   that was pending when a denial was sent.
#
# The tables contain the allowed events; a missing entry is an error. In RECEIVED, it is an error of the
# server (ProtocolError), in SENT, of the application (WebSocketStateError).
#
# `after_sending` handles one case without the table: a body event of a denial response with `more_body` does
# not change the state. The table contains the event that ends the response.


class WebSocketState(StrEnum):
    """The state of a WebSocket, for both directions."""

    # A StrEnum because a plain Enum computes hashes in Python, at every lookup in the tables.

    INITIAL = "initial"
    """No event was received."""

    HANDSHAKE = "handshake"
    """``websocket.connect`` was received, and no response was sent."""

    OPEN = "open"
    """Accepted: messages may be sent in both directions."""

    DENYING = "denying"
    """A denial response was started."""

    CLOSING = "closing"
    """Closed or rejected by the application; the disconnect event may follow."""

    LOST = "lost"
    """A send failed because the connection is lost; messages and the disconnect event may follow."""

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
"""``SENT[state][event type]`` is the state after the server has accepted the event."""

UNANSWERED: Final = frozenset({INITIAL, HANDSHAKE})
"""States in which reading and sending accept the handshake first."""

ENDED: Final = frozenset({CLOSING, LOST, CLOSED})
"""States in which no event may be sent, after a close by either side."""


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
    """Return the state after the server has accepted an event.

    Raises:
        WebSocketStateError: The state does not allow the event.
    """
    try:
        after = SENT[state][event["type"]]
    except (KeyError, TypeError):  # missing, not in the table, or not hashable
        kind = str(event.get("type"))
        # In INITIAL, the next step is a receive. The default message only lists events to send.
        detail = f"{kind!r} is not allowed before 'websocket.connect' is received" if state is INITIAL else ""
        expected = tuple(SENT[state])
        raise WebSocketStateError(detail, event=kind, state=state.value, expected=expected) from None
    return state if state is DENYING and event.get("more_body") else after
