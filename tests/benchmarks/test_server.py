"""The server part: four applications with equal responses, and a client that counts only complete ones."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import contestants, load, server
from benchmarks.inputs import http_case

RESPONSE = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(load.BODY) + load.BODY


@pytest.mark.parametrize("chunks", [[load.BODY], [load.BODY[:10], load.BODY[10:]]], ids=["one", "two"])
@pytest.mark.parametrize("name", server.APPLICATIONS)
def test_every_application_is_an_echo(name: str, chunks: list[bytes]) -> None:
    if contestants.load(name) is None:
        pytest.skip(f"{name} is not installed")
    case = http_case(1, content_type=b"application/json", body=chunks)
    asyncio.run(server.application(name)(*case.arguments))

    start, body = case.sent
    assert start["status"] == 200
    assert (b"content-length", b"%d" % len(load.BODY)) in start["headers"]
    assert body == {"type": "http.response.body", "body": load.BODY}


class Transport:
    """Records what a connection writes."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.written.append(data)


def start() -> tuple[load.Connection, list[bytes]]:
    connection, transport = load.Connection(), Transport()
    connection.connection_made(transport)  # type: ignore[arg-type]  # has only the method that is used
    connection.start()
    return connection, transport.written


def test_a_response_counts_when_complete() -> None:
    connection, written = start()
    for response in (RESPONSE, RESPONSE):
        connection.data_received(response[:50])
        connection.data_received(response[50:])

    assert connection.responses == 2
    assert written == [load.REQUEST] * 3
    assert not connection.idle.is_set()


def test_a_stopped_connection_waits_for_its_last_response() -> None:
    connection, written = start()
    connection.is_active = False
    connection.data_received(RESPONSE)

    assert connection.responses == 1
    assert written == [load.REQUEST]
    assert connection.idle.is_set()


@pytest.mark.parametrize(
    "response",
    [RESPONSE.replace(b"200", b"500"), RESPONSE.replace(load.BODY, load.BODY[::-1])],
    ids=["status", "body"],
)
def test_an_unexpected_response_is_an_error(response: bytes) -> None:
    connection, _ = start()
    with pytest.raises(AssertionError):
        connection.data_received(response)


def test_a_longer_response_is_an_error() -> None:
    connection, _ = start()
    connection.data_received(RESPONSE)
    with pytest.raises(AssertionError, match="longer"):
        connection.data_received(RESPONSE + b"!")


def test_a_server_is_measured() -> None:
    pytest.importorskip("httptools")
    pytest.importorskip("uvloop")
    measured = server.measure(["raw"], 2, 0.02)

    assert len(measured["raw"]) == 2
    assert min(measured["raw"]) > 0
