"""``SyncClient``: the client in tests that are plain functions."""

from __future__ import annotations

import asyncio
from typing import Any, get_type_hints

import pytest

from asgiwire import Request, WebSocket
from asgiwire.exceptions import WebSocketDisconnect
from asgiwire.testing import ScriptError, SyncClient, SyncConversation, validate


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        scope["state"]["loops"] = [asyncio.get_running_loop()]
        for kind in ("startup", "shutdown"):
            await receive()
            scope["state"]["loops"].append(asyncio.get_running_loop())
            await send({"type": f"lifespan.{kind}.complete"})
    elif scope["type"] == "websocket":
        await talk(WebSocket(scope, receive, send))
    else:
        request = Request(scope, receive, send)
        scope["state"].get("loops", []).append(asyncio.get_running_loop())
        body = await request.body()
        headers = [(b"x-method", request.method.encode()), (b"set-cookie", b"a=1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body or request.headers.get("cookie", "").encode()})


async def talk(socket: WebSocket) -> None:
    if socket.url.path == "/denied":
        await socket.receive()
        await socket.send_denial_response(401, {"x-a": "1"}, b"no")
        return
    await socket.accept(subprotocols="chat" if socket.subprotocols else None, headers={"x-a": "1"})
    async for message in socket:
        if message == "close":
            await socket.close(3000, "asked")
        elif isinstance(message, str):
            await socket.send_text(message)
        else:
            await socket.send_bytes(message)


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "query", "options"])
def test_every_method(method: str) -> None:
    received = getattr(SyncClient(validate(application)), method)("/", content=b"x")
    assert (received.headers["x-method"], received.body) == (
        method.upper(),
        b"" if method == "head" else b"x",
    )


def test_cookies_are_stored_between_event_loops() -> None:
    client = SyncClient(application, cookies={"b": "2"})
    assert [client.get().text, client.request("GET").text] == ["b=2", "b=2; a=1"]


def test_a_block_runs_the_lifespan_on_one_event_loop() -> None:
    with SyncClient(validate(application)) as client:
        client.get("/")
        client.get("/")
        with client.websocket("/") as conversation:
            conversation.send_text("a")
            assert conversation.receive_text() == "a"
        loops = client.client.state["loops"]
        assert len(loops) == 4
    assert len(loops) == 5
    assert len(set(loops)) == 1
    assert loops[0].is_closed()


def test_a_failed_startup_closes_the_event_loop() -> None:
    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(ScriptError, match="no database"), SyncClient(failing):
        pytest.fail("the block must not run")


def test_a_running_event_loop_is_an_error() -> None:
    async def test() -> None:
        client = SyncClient(application)
        for call in (client.get, client.__enter__, client.websocket().__enter__):
            with pytest.raises(RuntimeError, match=r"expected no running event loop; .* use Client"):
                call()

    asyncio.run(test())


def test_websocket() -> None:
    with SyncClient(validate(application)).websocket("/", subprotocols=["chat"]) as conversation:
        assert (conversation.accepted, conversation.subprotocol, conversation.status) == (True, "chat", 101)
        assert conversation.headers["x-a"] == "1"
        conversation.send_bytes(b"a")
        assert conversation.receive_bytes(timeout=1) == b"a"
        conversation.send_json({"a": 1})
        assert conversation.receive_json() == {"a": 1}
        conversation.send_json([1], mode="binary")
        assert conversation.receive_json(type=list[int]) == [1]
        assert conversation.close_code is None
        conversation.send_text("close")
        assert conversation.wait_closed() == 3000
        with pytest.raises(WebSocketDisconnect):
            conversation.receive_text()
        assert conversation.close_code == 3000


def test_the_client_closes() -> None:
    with SyncClient(application).websocket("/") as conversation:
        conversation.close(3001, "done")
        assert conversation.close_code == 3001
    assert conversation.conversation.received[-1] == {
        "type": "websocket.disconnect",
        "code": 3001,
        "reason": "done",
    }


def test_denial() -> None:
    with SyncClient(application).websocket("/denied") as conversation:
        assert (conversation.accepted, conversation.status, conversation.body) == (False, 401, b"no")


def test_an_exception_in_the_block_is_raised() -> None:
    with pytest.raises(ZeroDivisionError), SyncClient(application).websocket("/"):
        raise ZeroDivisionError


def test_type_hints_can_be_evaluated() -> None:
    assert get_type_hints(SyncClient.__init__)
    assert get_type_hints(SyncClient.get)
    assert get_type_hints(SyncClient.__exit__)
    assert get_type_hints(SyncConversation.headers.fget)
