"""The list of allowed hosts: which Host headers are allowed, on real servers and in every case."""

from __future__ import annotations

import httpx
import pytest

from asgiwire.testing import RecordedSend, ScriptedReceive, SyncClient, http_scope, websocket_scope
from examples.recipes.allowed_hosts import app


@pytest.mark.e2e
@pytest.mark.parametrize("address", ["uvicorn", "hypercorn"], indirect=True)
def test_on_a_real_server(address: str) -> None:
    from websockets.exceptions import InvalidStatus
    from websockets.sync.client import connect

    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        response = client.get("/?token=6.6.6", headers={"host": "shop.example"})
        assert response.text == "http://shop.example/reset?token=t0ken\n"
        response = client.get("/", headers={"host": "evil.example"})
        assert (response.status_code, response.text) == (421, "this host is not served here\n")
    with pytest.raises(InvalidStatus) as error:
        connect(f"ws://{address}/")  # the program allows another port of this address
    assert error.value.response.status_code == 421


@pytest.mark.parametrize("host", ["shop.example", "SHOP.example", "127.0.0.1:8000", "localhost:8000"])
def test_an_allowed_host(host: str) -> None:
    assert SyncClient(app, f"http://{host}").get().status == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        *(
            (["evil.example"], 421),
            (["shop.example.evil.example"], 421),
            (["evil.example#shop.example"], 421),
        ),
        *((["www.shop.example"], 421), (["shop.example:8000"], 421), (["shop.example."], 421), ([""], 421)),
        *(([], 400), (["shop.example", "evil.example"], 400), (["shop.example", "shop.example"], 400)),
    ],
)
async def test_another_host_is_rejected(hosts: list[str], status: int) -> None:
    headers = [(b"host", host.encode()) for host in hosts]
    send = RecordedSend()
    await app(http_scope(headers=headers, server=("localhost", 8000)), ScriptedReceive.body(), send)
    assert send.status == status
    send = RecordedSend()
    scope = websocket_scope(headers=headers, extensions={"websocket.http.response": {}})
    await app(scope, ScriptedReceive.websocket(), send)
    assert send.messages[0]["type"] == "websocket.http.response.start"
    assert send.messages[0]["status"] == status
