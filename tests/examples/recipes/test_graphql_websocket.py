"""GraphQL over WebSocket on real servers: the protocol, its close codes, and the program of the page."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

pytest.importorskip("websockets", reason="needs websockets")

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from .servers_streaming import BOTH, ROOT, RunningProgram, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

INIT: Final = {"type": "connection_init", "payload": {"token": "t0ken"}}
TRANSPORT_WS: Final = Subprotocol("graphql-transport-ws")


@pytest.fixture(scope="module", params=BOTH)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProgram]:
    folder = tmp_path_factory.mktemp("graphql_websocket")
    with run_program("graphql_websocket", folder, request.param, {"INIT_TIMEOUT": "1"}) as program:
        yield program


def open_socket(
    program: RunningProgram, subprotocol: Subprotocol = TRANSPORT_WS, origin: Any = None
) -> ClientConnection:
    return connect(
        program.url.replace("http", "ws"),
        subprotocols=[subprotocol],
        origin=origin,
        open_timeout=10,
        close_timeout=10,
        max_queue=None,  # otherwise a client with unread messages does not receive the close
        proxy=None,
    )


@pytest.fixture
def socket(program: RunningProgram) -> Iterator[ClientConnection]:
    with open_socket(program) as socket:
        assert socket.subprotocol == TRANSPORT_WS
        yield socket


@pytest.fixture
def session(socket: ClientConnection) -> ClientConnection:
    send(socket, INIT)
    assert receive(socket) == {"type": "connection_ack"}
    return socket


def send(socket: ClientConnection, *messages: dict[str, Any]) -> None:
    for message in messages:
        socket.send(json.dumps(message))


def receive(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=10))


def subscribe(id: str, query: str) -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": {"query": query}}


def countdown(id: str, start: int) -> dict[str, Any]:
    return subscribe(id, f"subscription {{ countdown(from: {start}) }}")


def closed_with(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed):
        while True:
            socket.recv(timeout=10)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


def test_an_operation_has_results_and_an_end(session: ClientConnection) -> None:
    send(session, countdown("a", 1))
    assert [receive(session) for _ in range(3)] == [
        {"type": "next", "id": "a", "payload": {"data": {"countdown": 1}}},
        {"type": "next", "id": "a", "payload": {"data": {"countdown": 0}}},
        {"type": "complete", "id": "a"},
    ]


def receive_until(socket: ClientConnection, type: str) -> list[Any]:
    received = [receive(socket)]
    while received[-1]["type"] != type:
        received.append(receive(socket))
    return received


def test_operations_run_at_the_same_time(session: ClientConnection) -> None:
    send(session, countdown("a", 3), countdown("b", 3))
    assert {message["id"] for message in receive_until(session, "complete")} == {"a", "b"}


def test_a_completed_operation_stops_and_its_id_can_be_used_again(session: ClientConnection) -> None:
    send(session, countdown("a", 999))
    assert receive(session)["payload"] == {"data": {"countdown": 999}}
    send(session, {"type": "complete", "id": "a"}, countdown("a", 0), {"type": "complete", "id": "unknown"})
    received = receive_until(session, "complete")
    assert received[-2]["payload"] == {"data": {"countdown": 0}}
    send(session, {"type": "ping"})
    assert receive(session) == {"type": "pong"}


def test_an_invalid_operation_is_an_error_of_this_operation(session: ClientConnection) -> None:
    send(session, subscribe("a", "{ tea }"))
    message = receive(session)
    assert (message["type"], message["id"]) == ("error", "a")
    assert message["payload"][0]["message"].startswith("expected 'subscription")
    send(session, countdown("a", 0))
    assert receive(session)["type"] == "next"


def test_there_may_be_twenty_operations_at_a_time(session: ClientConnection) -> None:
    send(session, *(countdown(str(number), 99) for number in range(21)))
    received = receive_until(session, "error")
    assert received[-1]["id"] == "20"
    send(session, {"type": "complete", "id": "0"}, countdown("20", 99))
    while receive(session) != {"type": "next", "id": "20", "payload": {"data": {"countdown": 99}}}:
        pass


def test_a_ping_is_answered_before_the_initialisation(socket: ClientConnection) -> None:
    send(socket, {"type": "ping"}, {"type": "pong"}, INIT)
    assert [receive(socket) for _ in range(2)] == [{"type": "pong"}, {"type": "connection_ack"}]


@pytest.mark.parametrize(
    ("messages", "code", "reason"),
    [
        ([], 4408, "Connection initialisation timeout"),
        ([{"type": "ping"}], 4408, "Connection initialisation timeout"),
        ([countdown("a", 1)], 4401, "Unauthorized"),
        ([{"type": "connection_init"}], 4403, "Forbidden"),
        ([{"type": "connection_init", "payload": {"token": 1}}], 4403, "Forbidden"),
        ([INIT, INIT], 4429, "Too many initialisation requests"),
        ([INIT, countdown("a", 99), countdown("a", 1)], 4409, "Subscriber for this id already exists"),
    ],
)
def test_close_codes(
    socket: ClientConnection, messages: list[dict[str, Any]], code: int, reason: str
) -> None:
    send(socket, *messages)
    assert closed_with(socket) == (code, reason)


@pytest.mark.parametrize(
    "message",
    ["tea", "[]", "{}", '{"type":"tea"}', '{"type":"subscribe","id":"","payload":{"query":""}}', b"binary"],
)
def test_a_message_that_is_invalid(session: ClientConnection, message: str | bytes) -> None:
    session.send(message)
    assert closed_with(session)[0] == 4400


def test_a_message_that_is_too_large(session: ClientConnection) -> None:
    session.send("x" * 64_001)
    assert closed_with(session)[0] == 1009


def test_another_subprotocol(program: RunningProgram) -> None:
    with open_socket(program, Subprotocol("graphql-ws")) as socket:
        assert socket.subprotocol is None
        assert closed_with(socket) == (4406, "Subprotocol not acceptable")


def test_a_page_of_another_site(program: RunningProgram) -> None:
    with pytest.raises(InvalidStatus) as caught, open_socket(program, origin="https://evil.example"):
        pass
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("how", ["close", "abort"])
def test_a_client_that_disconnects_stops_its_operations(program: RunningProgram, how: str) -> None:
    with open_socket(program) as socket:
        send(socket, INIT, countdown("a", 999))
        receive(socket)
        if how == "abort":
            socket.socket.close()
    # The end of the module checks that no exception was logged, and that the server stops at once.


def test_the_client_of_the_page(program: RunningProgram, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/recipes/graphql_websocket.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found
    namespace: dict[str, Any] = {}
    exec(found[1].replace("8000", str(program.port)), namespace)
    namespace["count_down"]()
    received = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [message["type"] for message in received] == ["connection_ack", *["next"] * 4, "complete"]
