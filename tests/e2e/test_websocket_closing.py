"""The end of a WebSocket on real servers: closed by either side, rejected, or aborted.

Close codes and reasons differ between servers; ``servers.py`` lists them. On every server the readers end,
code and reason stay readable, and nothing hangs.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import InvalidStatus

from .clients import RawWebSocket, disconnect, open_websocket, receive_until_close
from .servers import WEBSOCKET, each
from .websocket_routes import MODES, SENDS

if TYPE_CHECKING:
    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90), each(WEBSOCKET)]


def closed_state(code: int, reason: str) -> dict[str, Any]:
    """Return the state of a WebSocket that was closed like this, and the results of its methods."""
    closed = [code, reason]
    return {
        "receive": closed,
        "receive again": closed,
        "send": closed,
        "close": "done",  # nothing is sent
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
def test_application_closes(server: Running, key: str, code: int, reason: str) -> None:
    with open_websocket(server, f"/close?key={key}&code={code}&reason={reason}") as socket:
        assert receive_until_close(socket) == []
        seen = socket.close_code, socket.close_reason
    assert seen == server.server.closes_as(code, reason)
    # The application's own code, not one that the server reports afterwards.
    sent_as = server.server.closes_as(code, reason)[0]
    assert server.record(key, "over")["after"] == closed_state(sent_as, reason)


@pytest.mark.parametrize(
    ("mode", "code", "reason"), [*((mode, 1000, "done") for mode in MODES), ("either", 3001, "café ✓")]
)
def test_client_closes(server: Running, key: str, mode: str, code: int, reason: str) -> None:
    with open_websocket(server, f"/receive_all?key={key}&mode={mode}") as socket:
        server.record(key, "open")
        socket.close(code, reason)
    record = server.record(key, "over")
    assert record["received"] == []
    assert record["after"] == closed_state(*server.server.closings[str(code)])


def test_messages_before_the_close_are_received(server: Running, key: str) -> None:
    messages = [f"message {number}" for number in range(100)]
    with open_websocket(server, f"/receive_all?key={key}&mode=text") as socket:
        for message in messages:
            socket.send(message)
    assert server.record(key, "over")["received"] == messages


def test_client_closes_without_a_code(server: Running, key: str) -> None:
    """RFC 6455 section 7.1.5: without a code in the frame, the code is considered to be 1005."""
    with RawWebSocket(server, f"/receive_all?key={key}&mode=text") as socket:
        server.record(key, "open")
        socket.close_without_code()
    assert server.record(key, "over")["after"] == closed_state(*server.server.closings["no code"])


@pytest.mark.parametrize(("mode", "ending"), [*((mode, "FIN") for mode in MODES), ("either", "RST")])
def test_client_aborts(server: Running, key: str, mode: str, ending: str) -> None:
    with RawWebSocket(server, f"/receive_all?key={key}&mode={mode}") as socket:
        server.record(key, "open")
        disconnect(socket.socket, ending)
    record = server.record(key, "over")
    assert record["received"] == []
    assert record["after"] == closed_state(*server.server.closings[ending])


def test_messages_before_the_end_of_the_connection_are_received(server: Running, key: str) -> None:
    with RawWebSocket(server, f"/receive_all?key={key}&mode=text") as socket:
        server.record(key, "open")
        socket.send_text("last words")
    record = server.record(key, "over")
    assert record["received"] == ["last words"]
    assert record["after"] == closed_state(*server.server.closings["FIN"])


@pytest.mark.parametrize("ending", ["FIN", "RST"])
def test_send_after_the_client_aborted(server: Running, key: str, ending: str) -> None:
    """A sender that never receives gets ``WebSocketDisconnect`` or no error, depending on the server."""
    with RawWebSocket(server, f"/send_only?key={key}") as socket:
        server.record(key, "open")
        disconnect(socket.socket, ending)
    time.sleep(0.05)
    server.signal(key)
    record = server.record(key, "over")
    if server.server.notices_loss:
        assert record["outcome"] == [1006, ""]
        assert record["sent"] < SENDS
    else:
        assert (record["outcome"], record["sent"]) == ("done", SENDS)


def test_close_before_accept_is_403(server: Running, key: str) -> None:
    with pytest.raises(InvalidStatus) as caught, open_websocket(server, f"/refuse?key={key}"):
        pass
    assert caught.value.response.status_code == 403
    assert server.record(key, "over")["after"] == closed_state(4003, "no")


@pytest.mark.parametrize("body", ["whole", "chunks"])
def test_denial_response(server: Running, key: str, body: str) -> None:
    with (
        pytest.raises(InvalidStatus) as caught,
        open_websocket(server, f"/deny?key={key}&body={body}"),
    ):
        pass
    response, record = caught.value.response, server.record(key, "over")
    if "denial" in server.server.cannot:
        assert response.status_code == 403
        assert "websocket.http.response" in record["error"]
    else:
        assert (response.status_code, response.body) == (401, b"sorry")
        assert response.headers["x-denied"] == "yes"
        assert record["error"] is None
    assert record["late"] == [1000 if "denial" in server.server.cannot else 1006, ""]
    assert record["disconnected"] is True
