"""Server-sent events on real servers: reconnection, heartbeats, and the end after a disconnect."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

pytest.importorskip("h2", reason="needs h2")

from tests.e2e.clients import disconnect

from .servers_streaming import BOTH, RunningProgram, run_program, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


@pytest.fixture(scope="module", params=BOTH)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProgram]:
    folder = tmp_path_factory.mktemp("server_sent_events")
    with run_program("server_sent_events", folder, request.param, {"HEARTBEAT": "0.2"}) as program:
        yield program


@pytest.fixture
def client(program: RunningProgram) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=program.url, trust_env=False, timeout=10) as client:
        yield client


def publish(client: httpx.Client, text: str) -> str:
    response = client.post("/", json={"text": text})
    assert response.status_code == 202
    event_id: str = response.json()["id"]
    return event_id


@contextmanager
def stream(client: httpx.Client, last_id: str | None = None) -> Iterator[Iterator[str]]:
    """Yield the lines of a stream, after the first line."""
    headers = {} if last_id is None else {"last-event-id": last_id}
    with client.stream("GET", "/", headers=headers) as response:
        assert response.headers["content-type"] == "text/event-stream"
        lines = response.iter_lines()
        assert next(lines) == "retry: 2000"
        yield lines


def read(lines: Iterator[str], *, until: str) -> list[str]:
    """Return the data and id fields up to a line."""
    received: list[str] = []
    for line in lines:
        received.append(line)
        if line == until:
            return [line for line in received if line.startswith(("id:", "data:"))]
    pytest.fail(f"the stream ended: {received}")


def test_a_new_client_receives_only_later_events(client: httpx.Client) -> None:
    publish(client, "earlier")
    with stream(client) as lines:
        event_id = publish(client, "later")
        assert read(lines, until='data: {"text":"later"}') == [f"id: {event_id}", 'data: {"text":"later"}']


def test_a_text_cannot_add_fields(client: httpx.Client) -> None:
    with stream(client) as lines:
        publish(client, "x\n\nid: forged")
        assert read(lines, until=r'data: {"text":"x\n\nid: forged"}')[1:] == [
            r'data: {"text":"x\n\nid: forged"}'
        ]


def test_a_client_that_reconnects_receives_what_it_missed(client: httpx.Client) -> None:
    with stream(client) as lines:
        last_id = publish(client, "seen")
        read(lines, until=f"id: {last_id}")
    missed = [publish(client, text) for text in ("missed 1", "missed 2")]
    with stream(client, last_id) as lines:
        received = read(lines, until='data: {"text":"missed 2"}')
    assert received[::2] == [f"id: {event_id}" for event_id in missed]


def test_an_unknown_id_receives_all_stored_events(client: httpx.Client) -> None:
    first_id, last_id = publish(client, "stored 1"), publish(client, "stored 2")
    with stream(client, "of-another-run") as lines:
        assert f"id: {first_id}" in read(lines, until=f"id: {last_id}")


def test_an_idle_stream_has_heartbeats(client: httpx.Client) -> None:
    with stream(client) as lines:
        for _ in range(2):
            assert read(lines, until=": heartbeat") == []


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_the_stream_stops_when_the_client_disconnects(
    program: RunningProgram, client: httpx.Client, how: str
) -> None:
    def clients() -> int:
        number: int = client.post("/", json={"text": "count"}).json()["clients"]
        return number

    wait_for(lambda: clients() == 0)
    connection = socket.create_connection(("127.0.0.1", program.port), timeout=10)
    connection.sendall(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
    assert connection.recv(12) == b"HTTP/1.1 200"
    wait_for(lambda: clients() == 1)
    disconnect(connection, how)
    wait_for(lambda: clients() == 0)


def test_invalid_news_is_rejected(client: httpx.Client) -> None:
    response = client.post("/", json={"text": 1})
    assert (response.status_code, response.text) == (400, "Expected `str`, got `int` - at `$.text`")
