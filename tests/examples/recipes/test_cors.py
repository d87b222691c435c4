"""CORS on real servers: preflight requests, the headers of responses, and what is not granted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from asgiwire import WebSocket
from asgiwire.testing import SyncClient
from examples.recipes.cors import CORS, app, cart

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope, Send

SHOP = {"origin": "https://shop.example"}
PREFLIGHT = {"access-control-request-method": "PUT", "access-control-request-headers": "content-type"}


def cors_headers(response: Any) -> dict[str, str]:
    names = ("vary", *(name for name in response.headers if name.startswith("access-control-")))
    return {name: response.headers[name] for name in names}


@pytest.mark.e2e
@pytest.mark.parametrize("address", ["uvicorn", "hypercorn"], indirect=True)
def test_on_a_real_server(address: str) -> None:
    granted = {
        "vary": "origin",
        "access-control-allow-origin": "https://shop.example",
        "access-control-allow-credentials": "true",
    }
    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        response = client.get("/", headers={**SHOP, "cookie": "user=ada"})
        assert (response.text, response.headers["cache-control"]) == ("cart of ada\n", "private")
        assert cors_headers(response) == granted
        response = client.options("/", headers={**SHOP, **PREFLIGHT})
        assert (response.status_code, response.content) == (204, b"")
        assert cors_headers(response) == granted | {
            "access-control-allow-methods": "GET, PUT",
            "access-control-allow-headers": "content-type",
            "access-control-max-age": "600",
        }


@pytest.mark.parametrize(
    "origin",
    [
        *(None, "", "null", "*", "http://shop.example", "https://shop.example:8443", "https://shop.example/"),
        *("https://evil.example", "https://shop.example.evil.example", "https://SHOP.example"),
    ],
)
def test_another_origin_is_granted_nothing(origin: str | None) -> None:
    client = SyncClient(app, headers={} if origin is None else {"origin": origin})
    for response in (client.get(), client.options(headers=PREFLIGHT)):
        assert cors_headers(response) == {"vary": "origin"}


def test_a_preflight_request_does_not_reach_the_application() -> None:
    client = SyncClient(app, headers=SHOP)
    assert client.options(headers=PREFLIGHT).body == b""
    assert client.options().body == b"cart of guest\n"
    assert client.put(headers=PREFLIGHT).body == b"cart of guest\n"


def test_without_credentials_no_header_allows_them() -> None:
    client = SyncClient(CORS(cart, {"https://shop.example"}), headers=SHOP)
    for response in (client.get(), client.options(headers=PREFLIGHT)):
        assert response.headers["access-control-allow-origin"] == "https://shop.example"
        assert "access-control-allow-credentials" not in response.headers


def test_the_headers_of_the_application_are_extended_and_not_changed() -> None:
    own = [(b"Vary", b"accept"), (b"Access-Control-Allow-Origin", b"*")]

    async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body"})

    client = SyncClient(CORS(application, {"https://shop.example"}), headers=SHOP)
    for _ in range(2):
        headers = client.get().headers
        assert headers.getall("vary") == ["accept,origin"]
        assert headers.getall("access-control-allow-origin") == ["https://shop.example"]
    assert own == [(b"Vary", b"accept"), (b"Access-Control-Allow-Origin", b"*")]


def test_a_response_without_headers_and_a_websocket() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).accept()
        else:
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})

    client = SyncClient(CORS(application, {"https://shop.example"}), headers=SHOP)
    assert cors_headers(client.get())["access-control-allow-origin"] == "https://shop.example"
    with client.websocket() as socket:
        assert socket.accepted
        assert list(socket.headers) == []
