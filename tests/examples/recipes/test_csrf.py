"""The CSRF protection: which sites may send which requests."""

from __future__ import annotations

import httpx
import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, SyncClient, websocket_scope
from examples.recipes.csrf import app

HTTPS = "https://shop.example"
ADMIN = "https://admin.example"


@pytest.mark.e2e
def test_on_a_real_server(address: str) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        evil, own = {"origin": "https://evil.example"}, {"origin": f"http://{address}"}
        assert client.get("/", headers=evil).text == "your account\n"
        assert client.post("/", headers=own, data={"name": "ada"}).text == "changed\n"
        assert client.post("/").text == "changed\n"
        response = client.post("/", headers=evil, data={"name": "mallory"})
        assert (response.status_code, response.text) == (403, "sent by a page of another site\n")
    with connect(f"ws://{address}/", additional_headers=own) as socket:
        assert socket.recv() == "your messages"
    with pytest.raises(InvalidStatus) as error:
        connect(f"ws://{address}/", additional_headers=evil)
    assert error.value.response.status_code == 403


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "origin": HTTPS}, False),
        ({"sec-fetch-site": "cross-site", "origin": ADMIN}, True),
        ({"origin": HTTPS}, True),
        ({"origin": ADMIN}, True),
        ({"origin": "http://admin.example"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
    ],
)
def test_sites(headers: dict[str, str], allowed: bool) -> None:
    client = SyncClient(app, HTTPS, headers=headers)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.request(method).status == (200 if allowed else 403)
    for method in ("GET", "HEAD", "OPTIONS"):
        assert client.request(method).status == 200
    with client.websocket() as socket:
        assert socket.accepted is allowed
        assert socket.status == (101 if allowed else 403)


@pytest.mark.anyio
async def test_a_handshake_is_not_safe_where_its_scope_has_a_method() -> None:
    send = RecordedSend()
    scope = websocket_scope(headers={"host": "a.example", "origin": "https://b.example"})
    await app({**scope, "method": "GET"}, ScriptedReceive.websocket(), send)
    assert [message["type"] for message in send.messages] == ["websocket.close"]
