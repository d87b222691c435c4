"""The server part: four applications that answer alike, and a client that counts only whole echoes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks import contestants, load, server
from benchmarks.echo import APPLICATIONS
from benchmarks.inputs import http_case

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(load.BODY) + load.BODY


@pytest.mark.parametrize(
    "pieces", [[load.BODY], [load.BODY[:10], load.BODY[10:]]], ids=["whole", "in pieces"]
)
@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_application_echoes(name: str, pieces: list[bytes]) -> None:
    if contestants.load(name) is None:
        pytest.skip(f"{name} is not installed")
    case = http_case(1, content_type=b"application/json", body=pieces)
    asyncio.run(APPLICATIONS[name]()(*case.arguments))

    start, body = case.sent
    assert start["status"] == 200
    assert (b"content-length", b"%d" % len(load.BODY)) in start["headers"]
    assert body == {"type": "http.response.body", "body": load.BODY}


class Transport:
    """What a connection writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def started() -> tuple[load.Connection, list[bytes]]:
    connection, transport = load.Connection(), Transport()
    connection.connection_made(transport)  # type: ignore[arg-type]
    connection.start()
    return connection, transport.written


def test_an_answer_counts_when_it_is_whole() -> None:
    connection, written = started()
    for answer in (ANSWER, ANSWER):
        connection.data_received(answer[:50])
        connection.data_received(answer[50:])

    assert connection.answered == 2
    assert written == [load.REQUEST] * 3
    assert not connection.idle.is_set()


def test_a_connection_that_is_stopped_takes_its_last_answer() -> None:
    connection, written = started()
    connection.is_active = False
    connection.data_received(ANSWER)

    assert connection.answered == 1
    assert written == [load.REQUEST]
    assert connection.idle.is_set()


@pytest.mark.parametrize(
    "answer",
    [ANSWER.replace(b"200", b"500"), ANSWER.replace(load.BODY, load.BODY[::-1])],
    ids=["error", "body"],
)
def test_another_answer_is_refused(answer: bytes) -> None:
    connection, _ = started()
    with pytest.raises(AssertionError):
        connection.data_received(answer)


def test_a_longer_answer_is_refused() -> None:
    connection, _ = started()
    connection.data_received(ANSWER)
    with pytest.raises(AssertionError, match="longer"):
        connection.data_received(ANSWER + b"!")


def test_a_server_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvicorn")
    monkeypatch.setattr(server, "SETUPS", {"uvicorn": {}})
    measured: dict[str, Any] = server.measure(["raw"], 2, 0.02)

    assert len(measured["rounds"]["uvicorn"]["raw"]) == 2
    assert min(measured["rounds"]["uvicorn"]["raw"]) > 0
    assert server.table(measured).splitlines()[1].startswith("uvicorn          raw")
