"""The request log: one id in the response and in every record, on real servers."""

from __future__ import annotations

import io
import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from asgiwire import WebSocket
from asgiwire.testing import RecordedSend, ScriptedReceive, SyncClient, http_scope
from examples.recipes.request_log import LOGGER, RequestLog, app, handler

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope, Send


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """The output of the program's handler."""
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    monkeypatch.setattr(LOGGER, "propagate", False)
    return stream


def records(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().split("\n")[:-1]]


@pytest.mark.e2e
@pytest.mark.parametrize("address", ["uvicorn", "hypercorn"], indirect=True)
def test_on_a_real_server(address: str, log: io.StringIO) -> None:
    url = f"http://{address}/orders?tea=black&token=t0ken"
    headers = {"authorization": "Bearer t0ken", "x-request-id": "from-the-proxy.1"}
    response = httpx.get(url, headers=headers, trust_env=False)
    assert (response.text, response.headers["x-request-id"]) == ("ordered\n", "from-the-proxy.1")
    deadline = time.monotonic() + 10
    while log.getvalue().count("\n") < 2 and time.monotonic() < deadline:
        time.sleep(0.005)  # the last record follows the response
    order, complete = records(log)
    assert order["message"] == "order of black tea"
    assert datetime.fromisoformat(order["time"]).tzinfo is not None
    assert order["request_id"] == complete["request_id"] == "from-the-proxy.1"
    assert (complete["message"], complete["status"]) == ("complete", 200)
    assert 0 <= complete["seconds"] < 10
    assert complete["connection"]["url"] == url.replace("t0ken", "***")
    assert ["authorization", "***"] in complete["connection"]["headers"]
    assert "t0ken" not in log.getvalue()


@pytest.mark.parametrize("sent", [None, "", "a b", "x" * 65, '"}', "id;", "é"])
def test_an_invalid_id_is_replaced(log: io.StringIO, sent: str | None) -> None:
    headers = {} if sent is None else {"x-request-id": sent}
    first, second = (SyncClient(app, headers=headers).get().headers["x-request-id"] for _ in range(2))
    assert first != second
    assert [record["request_id"] for record in records(log)] == [first, first, second, second]
    assert all(len(received) == 32 and received.isalnum() for received in (first, second))


def test_a_client_cannot_add_a_line(log: io.StringIO) -> None:
    SyncClient(app).get("/", query_params={"tea": 'green tea"}\n{"level": "ERROR"}\u2028'})
    order, _ = records(log)
    assert order["message"] == 'order of green tea"}\n{"level": "ERROR"}\u2028 tea'


def test_an_exception_is_logged_with_the_id_and_raised(log: io.StringIO) -> None:
    async def application(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ZeroDivisionError

    client = SyncClient(RequestLog(application), headers={"x-request-id": "a"})
    with pytest.raises(ZeroDivisionError):
        client.get()
    failed, complete = records(log)
    assert (failed["level"], failed["request_id"], complete["request_id"]) == ("ERROR", "a", "a")
    assert failed["exception"].endswith("ZeroDivisionError")
    assert complete["status"] is None


@pytest.mark.anyio
async def test_the_id_ends_with_the_request(log: io.StringIO) -> None:
    await app(http_scope(), ScriptedReceive.body(), RecordedSend())
    LOGGER.info("after the request")
    *during, after = records(log)
    assert [isinstance(record["request_id"], str) for record in during] == [True, True]
    assert after["request_id"] is None


@pytest.mark.parametrize("status", [101, 401])
def test_a_websocket_is_logged_at_its_end(log: io.StringIO, status: int) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await (socket.accept() if status == 101 else socket.deny(status))

    with SyncClient(RequestLog(application)).websocket("/talk") as socket:
        received = socket.headers["x-request-id"]
    (complete,) = records(log)
    assert (complete["request_id"], complete["status"]) == (received, status)
    assert complete["connection"]["type"] == "websocket"
