"""The transition tables of a WebSocket, entry by entry."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from asgiwire._websocket import states
from asgiwire._websocket.states import RECEIVED, SENT, WebSocketState, after_receiving, after_sending
from asgiwire.exceptions import ProtocolError, WebSocketStateError

RECEIVABLE = ("websocket.connect", "websocket.receive", "websocket.disconnect")
SENDABLE = (
    "websocket.accept",
    "websocket.send",
    "websocket.close",
    "websocket.http.response.start",
    "websocket.http.response.body",
)
FOREIGN = ("http.request", "http.response.start", "websocket.ping", "", None, 7, ["websocket.send"])

AFTER_RECEIVING = {
    ("initial", "websocket.connect"): "handshake",
    ("initial", "websocket.disconnect"): "closed",
    ("handshake", "websocket.disconnect"): "closed",
    ("open", "websocket.receive"): "open",
    ("open", "websocket.disconnect"): "closed",
    ("denying", "websocket.disconnect"): "closed",
    ("closing", "websocket.receive"): "closing",
    ("closing", "websocket.disconnect"): "closed",
    ("lost", "websocket.receive"): "lost",
    ("lost", "websocket.disconnect"): "closed",
    ("closed", "websocket.disconnect"): "closed",
}
AFTER_SENDING = {
    ("handshake", "websocket.accept"): "open",
    ("handshake", "websocket.close"): "closing",
    ("handshake", "websocket.http.response.start"): "denying",
    ("open", "websocket.send"): "open",
    ("open", "websocket.close"): "closing",
    ("denying", "websocket.http.response.body"): "closed",
}
RECEIVE_ERRORS = {
    "initial": "unexpected ASGI message type {}, expected 'websocket.connect' or 'websocket.disconnect'",
    "handshake": "unexpected ASGI message type {}, expected 'websocket.disconnect'",
    "open": "unexpected ASGI message type {}, expected 'websocket.receive' or 'websocket.disconnect'",
    "denying": "unexpected ASGI message type {}, expected 'websocket.disconnect'",
    "closing": "unexpected ASGI message type {}, expected 'websocket.receive' or 'websocket.disconnect'",
    "lost": "unexpected ASGI message type {}, expected 'websocket.receive' or 'websocket.disconnect'",
    "closed": "unexpected ASGI message type {}, expected 'websocket.disconnect'",
}
SEND_ERRORS = {
    "initial": "{} is not allowed before 'websocket.connect' is received",
    "handshake": (
        "{} is not allowed in state 'handshake', expected 'websocket.accept' or 'websocket.close'"
        " or 'websocket.http.response.start'"
    ),
    "open": "{} is not allowed in state 'open', expected 'websocket.send' or 'websocket.close'",
    "denying": "{} is not allowed in state 'denying', expected 'websocket.http.response.body'",
    "closing": "{} is not allowed in state 'closing', no further event is allowed",
    "lost": "{} is not allowed in state 'lost', no further event is allowed",
    "closed": "{} is not allowed in state 'closed', no further event is allowed",
}


@pytest.mark.parametrize(
    ("state", "kind"), list(itertools.product(WebSocketState, RECEIVABLE + SENDABLE + FOREIGN)), ids=repr
)
class TestEachStateWithEachMessageType:
    def test_receiving(self, state: WebSocketState, kind: Any) -> None:
        """A message that is not in the table is an error of the server."""
        after = AFTER_RECEIVING.get((state.value, kind)) if isinstance(kind, str) else None
        if after is not None:
            assert after_receiving(state, {"type": kind}) is WebSocketState(after)
            return
        with pytest.raises(ProtocolError) as caught:
            after_receiving(state, {"type": kind})
        assert str(caught.value) == RECEIVE_ERRORS[state.value].format(repr(kind))
        assert caught.value.message_type == kind
        assert caught.value.expected == tuple(RECEIVED[state])

    def test_sending(self, state: WebSocketState, kind: Any) -> None:
        """An event that is not in the table is an error of the application."""
        after = AFTER_SENDING.get((state.value, kind)) if isinstance(kind, str) else None
        if after is not None:
            assert after_sending(state, {"type": kind}) is WebSocketState(after)
            return
        with pytest.raises(WebSocketStateError) as caught:
            after_sending(state, {"type": kind})
        assert str(caught.value) == SEND_ERRORS[state.value].format(repr(str(kind)))
        assert (caught.value.event, caught.value.state) == (str(kind), state.value)
        assert caught.value.expected == tuple(SENT[state])


def test_both_tables_have_every_state() -> None:
    assert list(RECEIVED) == list(SENT) == list(WebSocketState)


def test_message_without_a_type() -> None:
    with pytest.raises(ProtocolError, match="unexpected ASGI message type None"):
        after_receiving(states.OPEN, {})


def test_disconnect_leads_to_closed_from_every_state() -> None:
    """ASGI: the disconnect event is sent whenever the connection ends."""
    assert all(row["websocket.disconnect"] is states.CLOSED for row in RECEIVED.values())


@pytest.mark.parametrize(
    ("more_body", "after"),
    [({}, "closed"), ({"more_body": False}, "closed"), ({"more_body": True}, "denying")],
    ids=["absent", "last", "more"],
)
def test_last_body_event_ends_a_denial(more_body: dict[str, bool], after: str) -> None:
    event = {"type": "websocket.http.response.body", "body": b"", **more_body}
    assert after_sending(states.DENYING, event).value == after


def test_more_body_is_ignored_in_other_events() -> None:
    event = {"type": "websocket.close", "more_body": True}
    assert after_sending(states.OPEN, event) is states.CLOSING
