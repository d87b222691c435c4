"""Recorded scopes and messages of real servers."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from asgiwire import Request, WebSocket
from asgiwire.datastructures import Address
from asgiwire.exceptions import ClientDisconnect
from asgiwire.testing import ScriptedReceive, http_scope
from tests.connection.test_base import REQUEST_ACCESSORS, WEBSOCKET_ACCESSORS
from tests.fixtures import BLOCKED, load_receives, load_scopes

SCOPES = load_scopes()
BODIES = {
    name: messages
    for name, messages in load_receives().items()
    if messages[0] != BLOCKED and messages[0]["type"].startswith("http.")
}


@pytest.mark.parametrize("name", SCOPES)
def test_every_accessor_works_on_every_recorded_scope(name: str) -> None:
    scope = load_scopes()[name]
    kind, accessors = {
        "http": (Request, REQUEST_ACCESSORS),
        "websocket": (WebSocket, WEBSOCKET_ACCESSORS),
    }[scope["type"]]
    connection: Any = kind(scope)
    values = {accessor: getattr(connection, accessor) for accessor in accessors}

    for key in ("client", "server"):
        address = values[key]
        assert address is None or (isinstance(address, Address) and type(address.port) in {int, type(None)})
    assert values["headers"].to_header_list() == [
        (name.lower(), value.strip(b" \t")) for name, value in scope["headers"]
    ]
    assert str(values["url"]) == str(type(values["url"])(str(values["url"])))
    assert values["base_url"].path.endswith("/")
    assert repr(connection)


@pytest.mark.anyio
@pytest.mark.parametrize("name", BODIES)
async def test_every_recorded_body_is_read_completely_or_raises(name: str) -> None:
    messages = load_receives()[name]
    receive = ScriptedReceive(*(message for message in messages if message != BLOCKED))
    request = Request(http_scope("POST"), receive)
    expected, calls, is_complete = b"", 0, False
    for calls, message in enumerate(messages, 1):
        expected += message.get("body", b"")
        is_complete = message["type"] == "http.request" and not message.get("more_body", False)
        if is_complete or message["type"] == "http.disconnect" or messages[calls] == BLOCKED:
            break

    with anyio.fail_after(5):
        if is_complete:
            assert await request.body() == expected
        elif message["type"] == "http.disconnect":
            with pytest.raises(ClientDisconnect):
                await request.body()
        else:
            with anyio.move_on_after(0.01) as waited:
                await request.body()
            assert waited.cancelled_caught
            calls += 1
    assert receive.calls == calls
