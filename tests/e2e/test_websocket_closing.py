"""How a WebSocket ends over real servers: closed by either side, refused, or broken off.

What the application is told differs from server to server; ``servers.py`` has it as data. What it may rely on
does not: the readers end, the code and the reason stay readable, and nothing hangs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus

from .clients import RawWebSocket, conversation, leave, read_to_the_end
from .conversations import MODES, SENDS
from .servers import WEBSOCKET, each

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90), each(WEBSOCKET)]


def is_over(code: int, reason: str) -> dict[str, Any]:
    """What a WebSocket says of itself, and answers, when it was closed like this."""
    closed = [code, reason]
    return {
        "receive": closed,
        "receive again": closed,
        "send": closed,
        "close": "done",  # and nothing was sent
        "code": code,
        "reason": reason,
        "disconnected": True,
        "state": "disconnect",
    }


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (1000, ""),
        (1000, "done"),
        (1001, "going"),
        (1003, ""),
        (1008, "policy"),
        (1011, "error"),
        (1012, "restart"),
        (3000, ""),
        (3999, "library"),
        (4001, "café ✓"),
        (4999, "x" * 123),
    ],
)
def test_the_application_closes(server: Running, key: str, code: int, reason: str) -> None:
    with conversation(server, f"/close?key={key}&code={code}&reason={reason}") as socket:
        assert read_to_the_end(socket) == []
        seen = socket.close_code, socket.close_reason
    assert seen == server.server.closes_as(code, reason)
    # Its own code, where the server took it: none that the server makes up afterwards.
    sent_as = server.server.closes_as(code, reason)[0]
    assert server.record(key, "over")["after"] == is_over(sent_as, reason)


@pytest.mark.parametrize(
    ("mode", "code", "reason"), [*((mode, 1000, "done") for mode in MODES), ("either", 3001, "café ✓")]
)
def test_the_client_closes(server: Running, key: str, mode: str, code: int, reason: str) -> None:
    with conversation(server, f"/leave?key={key}&mode={mode}") as socket:
        server.record(key, "open")
        socket.close(code, reason)
    record = server.record(key, "over")
    assert record["received"] == []
    assert record["after"] == is_over(*server.server.closings[str(code)])


def test_what_was_sent_before_the_close_is_received(server: Running, key: str) -> None:
    messages = [f"message {number}" for number in range(100)]
    with conversation(server, f"/leave?key={key}&mode=text") as socket:
        for message in messages:
            socket.send(message)
    assert server.record(key, "over")["received"] == messages


def test_the_client_closes_without_a_code(server: Running, key: str) -> None:
    """RFC 6455 section 7.1.5: without a code in the frame, the code is considered to be 1005."""
    with RawWebSocket(server, f"/leave?key={key}&mode=text") as socket:
        server.record(key, "open")
        socket.close_without_code()
    assert server.record(key, "over")["after"] == is_over(*server.server.closings["no code"])


@pytest.mark.parametrize(("mode", "ending"), [*((mode, "FIN") for mode in MODES), ("either", "RST")])
def test_the_client_breaks_off(server: Running, key: str, mode: str, ending: str) -> None:
    with RawWebSocket(server, f"/leave?key={key}&mode={mode}") as socket:
        server.record(key, "open")
        leave(socket.socket, ending)
    record = server.record(key, "over")
    assert record["received"] == []
    assert record["after"] == is_over(*server.server.closings[ending])


def test_what_was_sent_before_breaking_off_is_received(server: Running, key: str) -> None:
    with RawWebSocket(server, f"/leave?key={key}&mode=text") as socket:
        server.record(key, "open")
        socket.send_text("last words")
    record = server.record(key, "over")
    assert record["received"] == ["last words"]
    assert record["after"] == is_over(*server.server.closings["FIN"])


@pytest.mark.parametrize("ending", ["FIN", "RST"])
def test_sending_to_a_client_that_broke_off(server: Running, key: str, ending: str) -> None:
    """Who never receives learns it from the server or not at all, but in no other way than this exception."""
    with RawWebSocket(server, f"/send_blindly?key={key}") as socket:
        server.record(key, "open")
        leave(socket.socket, ending)
    time.sleep(0.05)
    server.signal(key)
    record = server.record(key, "over")
    if server.server.notices_loss:
        assert record["outcome"] == [1006, ""]
        assert record["sent"] < SENDS
    else:
        assert (record["outcome"], record["sent"]) == ("done", SENDS)


def test_a_refused_handshake_is_403(server: Running, key: str) -> None:
    with pytest.raises(InvalidStatus) as refused, conversation(server, f"/refuse?key={key}"):
        pass
    assert refused.value.response.status_code == 403
    assert server.record(key, "over")["after"] == is_over(4003, "no")


@pytest.mark.parametrize("body", ["whole", "pieces"])
def test_a_handshake_denied_with_a_response(server: Running, key: str, body: str) -> None:
    with (
        pytest.raises(InvalidStatus) as denied,
        conversation(server, f"/deny?key={key}&body={body}"),
    ):
        pass
    response, record = denied.value.response, server.record(key, "over")
    if "denial" in server.server.cannot:
        assert response.status_code == 403
        assert "websocket.http.response" in record["error"]
    else:
        assert (response.status_code, response.body) == (401, b"sorry")
        assert response.headers["x-denied"] == "yes"
        assert record["error"] is None
    assert record["late"] == [1000 if "denial" in server.server.cannot else 1006, ""]
    assert record["disconnected"] is True
