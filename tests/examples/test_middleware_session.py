"""Sessions in a signed cookie, for applications of three frameworks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from itsdangerous import URLSafeTimedSerializer

from asgiwire import WebSocket
from asgiwire.datastructures import Cookie
from asgiwire.testing import RecordedSend, ScriptedReceive, websocket_scope
from examples.middleware.authentication import BearerAuthentication
from examples.middleware.session import SignedCookieSession
from tests.examples.applications import client, each_application

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from asgiwire.types import Receive, Scope, Send

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

SECRET = "s3cr3t"


async def ask(http: httpx.AsyncClient, path: str) -> tuple[Any, bool]:
    """Return the session after a request, and whether the response set a cookie."""
    response = await http.get(path)
    assert response.status_code == 200
    assert response.headers["x-a"] == "1"
    return response.json(), "set-cookie" in response.headers


@each_application
async def test_a_session(make: Callable[[], Any]) -> None:
    async with client(SignedCookieSession(make(), SECRET)) as http:
        assert await ask(http, "/empty") == ({}, False)
        assert await ask(http, "/count") == ({"count": 1}, True)
        assert await ask(http, "/count") == ({"count": 2}, True)
        assert await ask(http, "/set") == ({"user": "ada"}, True)
        assert await ask(http, "/set") == ({"user": "ada"}, False)
        assert await ask(http, "/nothing") == ("", False)
        assert await ask(http, "/clear") == ({}, True)
        assert not http.cookies
        assert await ask(http, "/clear") == ({}, False)
        assert await ask(http, "/count") == ({"count": 1}, True)
        assert await ask(http, "/empty") == ({}, True)
        assert not http.cookies


@each_application
async def test_a_session_set_after_authentication(make: Callable[[], Any]) -> None:
    async def find_user(token: str) -> str:
        return token

    application = SignedCookieSession(BearerAuthentication(make(), find_user), SECRET)
    async with client(application) as http:
        response = await http.get("/set", headers={"authorization": "Bearer a"})
        assert "set-cookie" in response.headers


def signed(secret: str, session: object) -> str:
    return str(URLSafeTimedSerializer(secret, salt="session").dumps(session))


@each_application
@pytest.mark.parametrize(
    ("cookie", "count"),
    [
        (signed(SECRET, {"count": 1}), 2),
        (signed("older", {"count": 1}), 2),
        (signed("wrong", {"count": 1}), 1),
        (signed(SECRET, {"count": 1})[:-1], 1),
        (signed(SECRET, {"count": 1}).replace(".", "", 1), 1),
        ("", 1),
        ("%ff", 1),
    ],
    ids=["current secret", "older secret", "other secret", "truncated", "malformed", "empty", "not UTF-8"],
)
async def test_only_a_valid_signature_is_accepted(make: Callable[[], Any], cookie: str, count: int) -> None:
    async with client(SignedCookieSession(make(), ["older", SECRET])) as http:
        http.cookies["session"] = cookie
        assert (await http.get("/count")).json() == {"count": count}


async def test_an_expired_cookie_is_removed() -> None:
    cookie = Cookie("id", max_age=-1, secure=True)
    send = RecordedSend()
    scope = websocket_scope(cookies={"id": signed(SECRET, {"count": 1})})
    await SignedCookieSession(socket_application, SECRET, cookie)(scope, ScriptedReceive.websocket(), send)
    ((name, value),) = send.messages[0]["headers"]
    assert name == b"set-cookie"
    assert value.startswith(b'id=""; Max-Age=0; Path=/')
    assert b"Secure" in value


async def socket_application(scope: Scope, receive: Receive, send: Send) -> None:
    await WebSocket(scope, receive, send).accept()


async def test_accept_stores_the_session_of_a_websocket() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        socket.session["count"] = 1
        await socket.accept(headers={"x-a": "1"})

    send = RecordedSend()
    scope = websocket_scope()
    await SignedCookieSession(application, SECRET)(scope, ScriptedReceive.websocket(), send)
    assert [name for name, _ in send.messages[0]["headers"]] == [b"x-a", b"set-cookie"]
    assert "session" not in scope


async def test_lifespan_passes_through() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope == {"type": "lifespan"}

    await SignedCookieSession(application, SECRET)({"type": "lifespan"}, ScriptedReceive(), RecordedSend())
