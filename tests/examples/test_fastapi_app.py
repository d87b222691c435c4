"""The FastAPI example: JSON, forms behind the CSRF middleware, a streamed upload, a room."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import anyio
import httpx
import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, websocket_scope

pytest.importorskip("fastapi", reason="needs fastapi")

from examples.fastapi_app.app import MEMBERS, app

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(20)]


def new_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://shop.example")


async def test_json_and_session() -> None:
    async with new_client() as client:
        assert (await client.post("/orders", json={"tea": "green"})).json() == {
            "tea": "green",
            "cups": 1,
            "visits": 1,
        }
        assert (await client.get("/")).json()["visits"] == 2
        assert (await client.post("/orders", json={"cups": 1})).status_code == 422


@pytest.mark.parametrize("photo", [None, b"x" * 2_000_000], ids=["without photo", "with photo"])
async def test_form_passes_the_middleware_with_its_token(photo: bytes | None) -> None:
    async with new_client() as client:
        token = (await client.get("/")).json()["token"]
        files = None if photo is None else {"photo": ("a.png", photo)}
        data = {"token": token, "stars": "5", "text": "good"}
        answer = await client.post("/reviews", data=data, files=files)
        assert answer.json() == {"stars": 5, "text": "good", "photo": len(photo or b"")}


@pytest.mark.parametrize("token", ["", "other"])
async def test_form_with_another_token_is_a_403(token: str) -> None:
    async with new_client() as client:
        await client.get("/")
        answer = await client.post("/reviews", data={"token": token, "stars": "5", "text": ""})
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("the token of the form is invalid")


async def test_upload_is_streamed() -> None:
    async def chunks() -> Any:
        for _ in range(200):
            yield b"x" * 65536

    async with new_client() as client:
        answer = await client.put("/photos/a.png", content=chunks())
    content = b"x" * 65536 * 200
    assert answer.json() == {
        "name": "a.png",
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
    }


async def test_room_sends_each_message_to_everyone() -> None:
    listener, speaker = RecordedSend(), RecordedSend()
    async with anyio.create_task_group() as tasks:
        scope = websocket_scope("/room", query_string=b"name=ada")
        tasks.start_soon(app, scope, ScriptedReceive.websocket(disconnect=None), listener)
        while not MEMBERS:
            await anyio.sleep(0.001)
        receive = ScriptedReceive.websocket('"hello"', disconnect=1000)
        await app(websocket_scope("/room", query_string=b"name=bob"), receive, speaker)
        tasks.cancel_scope.cancel()
    for send in (listener, speaker):
        assert send.messages[1]["text"] == '{"from":"bob","text":"hello"}'
    assert not MEMBERS


async def test_malformed_message_closes_the_socket() -> None:
    send = RecordedSend()
    await app(websocket_scope("/room"), ScriptedReceive.websocket("[", disconnect=1000), send)
    assert send.messages[-1]["type"] == "websocket.close"
