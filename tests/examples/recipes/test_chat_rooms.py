"""Chat rooms on real servers: broadcasts, slow members, and what is rejected."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("websockets", reason="needs websockets")
pytest.importorskip("h2", reason="needs h2")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.e2e.clients import RawWebSocket

from .servers_streaming import BOTH, RunningProgram, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


@pytest.fixture(scope="module", params=BOTH)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProgram]:
    with run_program("chat_rooms", tmp_path_factory.mktemp("chat_rooms"), request.param) as program:
        yield program


def join(program: RunningProgram, room: str, name: str, origin: Any = None) -> ClientConnection:
    return connect(
        f"{program.url.replace('http', 'ws')}/?room={room}&name={name}",
        origin=origin,
        compression=None,
        open_timeout=10,
        close_timeout=10,
        ping_interval=None,
        proxy=None,
    )


def receive(member: ClientConnection) -> tuple[str, str]:
    message = json.loads(member.recv(timeout=10))
    return message["name"], message["text"]


def test_members_of_a_room_receive_its_messages(program: RunningProgram) -> None:
    with join(program, "tea", "anna") as anna:
        assert receive(anna) == ("anna", "joined")
        with join(program, "tea", "bob") as bob, join(program, "cake", "carl") as carl:
            assert receive(carl) == ("carl", "joined")
            carl.send("hello?")
            assert receive(anna) == receive(bob) == ("bob", "joined")
            bob.send('hi"\n')
            assert receive(anna) == receive(bob) == ("bob", 'hi"\n')
            assert receive(carl) == ("carl", "hello?")
        assert receive(anna) == ("bob", "left")


def test_a_member_that_reads_too_slowly_is_closed_and_delays_no_other(program: RunningProgram) -> None:
    with join(program, "flood", "anna") as anna:
        assert receive(anna) == ("anna", "joined")
        slow = RawWebSocket(program, "/?room=flood&name=slow")
        assert receive(anna) == ("slow", "joined")
        text = os.urandom(1990).hex()
        for _ in range(10_000):
            anna.send(text)
            if receive(anna) == ("slow", "left"):
                break
        else:
            pytest.fail("the slow member was not closed")
        with slow:
            assert closing_code(slow) == 1013
        anna.send("goodbye")
        while receive(anna) != ("anna", "goodbye"):
            pass


def closing_code(member: RawWebSocket) -> int | None:
    while member.protocol.close_rcvd is None and (data := member.socket.recv(65536)):
        member.protocol.receive_data(data)
    return member.protocol.close_rcvd and member.protocol.close_rcvd.code


@pytest.mark.parametrize("query", ["room=tea", "room=tea&name=", "room=a/b&name=anna", "room=tea&name=a%0Ab"])
def test_an_invalid_name_is_rejected(program: RunningProgram, query: str) -> None:
    url = f"{program.url.replace('http', 'ws')}/?{query}"
    with pytest.raises(InvalidStatus) as caught, connect(url, proxy=None):
        pass
    assert caught.value.response.status_code == 400


def test_a_page_of_another_site_is_rejected(program: RunningProgram) -> None:
    with (
        pytest.raises(InvalidStatus) as caught,
        join(program, "tea", "anna", origin="https://evil.example"),
    ):
        pass
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(("message", "code"), [(b"binary", 1003), ("x" * 4001, 1009)])
def test_an_invalid_message_closes_the_websocket(
    program: RunningProgram, message: str | bytes, code: int
) -> None:
    with join(program, "tea", "anna") as anna:
        receive(anna)
        anna.send(message)
        with pytest.raises(ConnectionClosed):
            while True:
                anna.recv(timeout=10)
        assert anna.close_code == code
