"""Timeouts, cancelled blocks and disconnects on real servers, with real clients."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from .clients import RawWebSocket, open_websocket, receive_until_close
from .servers import each
from .socket_servers import SOCKETS
from .websocket_routes import MODES

if TYPE_CHECKING:
    from .processes import Running

FEWER = {name: server for name, server in SOCKETS.items() if "httptools" not in name}

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90), each(FEWER)]


def test_work_after_the_response_continues(server: Running, key: str) -> None:
    """The server reports a disconnect after the complete response; the client is connected."""
    with server.client() as client:
        response = client.get(f"/after_response?key={key}")
        assert (response.status_code, response.text) == (200, "done")
        record = server.record(key, "over")
    assert (record["worked"], record["cancelled"]) == (True, False)


@pytest.mark.parametrize("seconds", [0.0005, 0.01])
@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in {"binary-json", "msgpack"}])
def test_timed_out_reads_lose_no_message(server: Running, key: str, mode: str, seconds: float) -> None:
    count = 300
    target = f"/time_out?key={key}&mode={mode}&seconds={seconds}&count={count}"
    with open_websocket(server, target) as socket:
        for number in range(count):
            data = str(number)
            socket.send(data.encode() if mode == "binary" else data)
            if number % 20 == 0:
                time.sleep(0.003)
        record = server.record(key, "over")
    assert record["received"] == list(range(count))


def test_client_that_reads_nothing_cannot_hold_the_block(server: Running, key: str) -> None:
    server.require("cancelled send")
    with RawWebSocket(server, f"/stall?key={key}"):
        assert server.record(key, "over")["seconds"] < 2.5


def test_cancelled_block_sends_a_close_frame(server: Running, key: str) -> None:
    with open_websocket(server, f"/cancel_block?key={key}") as socket:
        assert receive_until_close(socket) == []
        assert socket.close_code == server.server.closes_as(1011, "")[0]
    server.record(key, "over")


def test_disconnect_in_a_task_group_ends_quietly(server: Running, key: str) -> None:
    with open_websocket(server, f"/read_in_group?key={key}") as socket:
        server.record(key, "open")
        socket.close(1000, "done")
    assert server.record(key, "over")["code"] == server.server.closings["1000"][0]


@pytest.mark.parametrize(("message", "code"), [("{", 1007), ('"a"', 1007), (b"1", 1003)], ids=repr)
def test_invalid_message_has_its_close_code(server: Running, message: str | bytes, code: int) -> None:
    with open_websocket(server, "/reject") as socket:
        socket.send(message)
        assert receive_until_close(socket) == []
        assert socket.close_code == server.server.closes_as(code, "")[0]


def test_disconnect_cancels_a_block_and_messages_stay_readable(server: Running, key: str) -> None:
    with open_websocket(server, f"/watch?key={key}") as socket:
        server.record(key, "open")
        for number in range(50):
            socket.send(str(number))
        socket.close(1000, "done")
    record = server.record(key, "over")
    assert record["cancelled"]
    assert record["read"] == [str(number) for number in range(50)]
