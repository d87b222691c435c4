"""Request id and access log, for applications of three frameworks."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from asgiwire import WebSocket
from asgiwire.connection.snapshot import ConnectionSnapshot
from asgiwire.testing import RecordedSend, ScriptedReceive, http_scope, websocket_scope
from examples.middleware.access_log import AccessLog
from tests.examples.applications import client, each_application

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]


@pytest.fixture(autouse=True)
def _log_all(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "access")


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(record.getMessage()) for record in caplog.records if record.name == "access"]


@each_application
async def test_every_request_is_logged(make: Callable[[], Any], caplog: pytest.LogCaptureFixture) -> None:
    async with client(AccessLog(make())) as http:
        response = await http.post(
            "/id?token=s3cr3t", content=b"s3cr3t", headers={"authorization": "Bearer s3cr3t"}
        )

    request_id = response.headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{32}", request_id)
    assert response.json() == request_id
    assert response.headers["x-a"] == "1"
    (line,) = lines(caplog)
    assert (line["request_id"], line["status"], line["size"]) == (request_id, 200, len(response.content))
    assert line["seconds"] >= 0
    assert "s3cr3t" not in str(line)  # httpx logs to another logger
    snapshot = msgspec.convert(line["connection"], ConnectionSnapshot)
    assert (snapshot.method, snapshot.url) == ("POST", "http://test/id?token=***")


@each_application
@pytest.mark.parametrize(
    ("received", "accepted"),
    [("a-1.B_2", True), ("a b", False), ("", False), ("x" * 65, False), ('"', False)],
)
async def test_the_request_id_of_a_proxy(make: Callable[[], Any], received: str, accepted: bool) -> None:
    async with client(AccessLog(make())) as http:
        response = await http.get("/id", headers={"x-request-id": received})
    assert (response.json() == response.headers["x-request-id"] == received) is accepted


async def test_an_exception_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await AccessLog(application)(http_scope(), ScriptedReceive.body(), RecordedSend())
    (line,) = lines(caplog)
    assert (line["status"], line["error"]) == (None, "LookupError")


async def test_a_websocket(caplog: pytest.LogCaptureFixture) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        async with WebSocket(scope, receive, send) as socket:
            await socket.send_text("tea")
            await socket.send_bytes(b"cake")

    send = RecordedSend()
    await AccessLog(application)(websocket_scope(), ScriptedReceive.websocket(), send)
    (line,) = lines(caplog)
    assert (line["status"], line["size"], line["connection"]["type"]) == (101, 7, "websocket")
    assert send.messages[0]["headers"] == [(b"x-request-id", line["request_id"].encode())]


async def test_lifespan_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope == {"type": "lifespan"}

    await AccessLog(application)({"type": "lifespan"}, ScriptedReceive(), RecordedSend())
    assert lines(caplog) == []
