"""Conversations that were recorded from real servers."""

from __future__ import annotations

import anyio
import pytest

from asgiwire.exceptions import WebSocketDisconnect
from tests.fixtures import BLOCKED, load_receives
from tests.websocket_server import ACCEPTED, Server, connected

RECORDED = {
    name: messages
    for name, messages in load_receives().items()
    if messages[0] != BLOCKED and messages[0]["type"].startswith("websocket.")
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", RECORDED)
async def test_messages_and_close_code_of_a_server(name: str) -> None:
    """Every message is read, then the disconnect with its first code; ``receive`` is not called again."""
    messages = [message for message in RECORDED[name] if message != BLOCKED]
    types = [message["type"] for message in messages]
    server = Server(*messages, connect=False)
    socket = connected(server)
    with anyio.fail_after(5):
        if "websocket.disconnect" not in types:
            for message in messages[1:]:
                assert await socket.receive_data() in (message.get("text"), message.get("bytes"))
            return
        end = types.index("websocket.disconnect")
        received = [data async for data in socket]
        await socket.close()
        with pytest.raises(WebSocketDisconnect) as caught:
            await socket.receive()
    expected = [message for message in messages[:end] if message["type"] == "websocket.receive"]
    assert received == [m["bytes"] if m.get("text") is None else m["text"] for m in expected]
    code = messages[end].get("code")
    assert caught.value.code == socket.close_code == (1005 if code is None else code)
    assert type(socket.close_code) is int
    assert socket.close_reason == (messages[end].get("reason") or "")
    assert server.sent == [ACCEPTED]
    assert server.calls == end + 1


def test_every_server_has_recorded_conversations() -> None:
    assert len(RECORDED) > 40
    assert {"hypercorn", "granian", "daphne"} < {name.partition(":")[0] for name in RECORDED}
