"""Bearer authentication, for applications of three frameworks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from asgiwire import WebSocket
from asgiwire.testing import RecordedSend, ScriptedReceive, websocket_scope
from examples.middleware.authentication import BearerAuthentication
from tests.examples.applications import client, each_application

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

USERS = {"t0ken": "ada"}


async def find_user(token: str) -> str | None:
    return USERS.get(token)


@each_application
@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        (None, "Bearer"),
        ("Basic dDBrZW46", "Bearer"),
        ("t0ken", "Bearer"),
        ("Bearer", "Bearer"),
        ("Bearer wrong", 'Bearer error="invalid_token"'),
    ],
)
async def test_a_request_without_a_valid_token_is_rejected(
    make: Callable[[], Any], authorization: str | None, challenge: str
) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    async with client(BearerAuthentication(make(), find_user)) as http:
        response = await http.get("/who", headers=headers)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == challenge
    assert response.text == "a valid bearer token is required"


@each_application
async def test_a_valid_token_and_a_public_path(make: Callable[[], Any]) -> None:
    async with client(BearerAuthentication(make(), find_user, public={"/who"})) as http:
        for authorization, expected in (("bearer t0ken", ["ada", "t0ken"]), ("Bearer wrong", [None, None])):
            response = await http.get("/who", headers={"authorization": authorization})
            assert response.json() == expected


async def socket_application(scope: Scope, receive: Receive, send: Send) -> None:
    async with WebSocket(scope, receive, send) as socket:
        await socket.send_json([socket.user, socket.auth])


async def test_a_websocket() -> None:
    application = BearerAuthentication(socket_application, find_user)
    send = RecordedSend()
    scope = websocket_scope(headers={"authorization": "Bearer t0ken"})
    await application(scope, ScriptedReceive.websocket(), send)
    assert [message["type"] for message in send.messages] == [
        "websocket.accept", "websocket.send", "websocket.close",
    ]  # fmt: skip
    assert send.messages[1]["text"] == '["ada","t0ken"]'


@pytest.mark.parametrize(
    ("extensions", "message_type"),
    [({"websocket.http.response": {}}, "websocket.http.response.start"), ({}, "websocket.close")],
)
async def test_a_websocket_without_a_token_is_rejected(extensions: dict[str, Any], message_type: str) -> None:
    send = RecordedSend()
    scope = websocket_scope(extensions=extensions)
    await BearerAuthentication(socket_application, find_user)(scope, ScriptedReceive.websocket(), send)
    assert send.messages[0]["type"] == message_type
    assert "user" not in scope


async def test_lifespan_passes_through() -> None:
    seen = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    await BearerAuthentication(application, find_user)(
        {"type": "lifespan"}, ScriptedReceive(), RecordedSend()
    )
    assert seen == ["lifespan"]
