"""Trusted proxies: which address and scheme the application sees."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from asgiwire import WebSocket
from asgiwire.testing import RecordedSend, ScriptedReceive, SyncClient, http_scope
from examples.recipes.trusted_proxy import TrustedProxies, app, whoami  # noqa: F401 - the fixture runs app

CLIENT, PROXY = "203.0.113.9", "10.0.0.7"


def seen(peer: str | None, *headers: tuple[str, str], proxies: tuple[str, ...] = ("10.0.0.0/24",)) -> str:
    client = None if peer is None else (peer, 40000)
    response = SyncClient(TrustedProxies(whoami, *proxies), client=client, headers=headers).get()
    return response.text.partition(" ")[0]


@pytest.mark.e2e
def test_on_a_real_server(address: str) -> None:
    with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
        assert client.get("/").text == f"127.0.0.1 requested http://{address}/\n"
        headers = {
            "host": "shop.example",
            "x-forwarded-for": f"6.6.6.6, {CLIENT}",
            "x-forwarded-proto": "https",
        }
        assert client.get("/", headers=headers).text == f"{CLIENT} requested https://shop.example/\n"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (CLIENT, CLIENT),
        (f"6.6.6.6, {CLIENT}", CLIENT),
        (f"6.6.6.6,{CLIENT} , 10.0.0.8", CLIENT),
        (f"10.0.0.9, {CLIENT}, 10.0.0.8, 10.0.0.9", CLIENT),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("2001:db8::1", "2001:db8::1"),
        # What follows a value that is not an address is not from a proxy that appends addresses.
        (f"{CLIENT}, unknown", PROXY),
        (f"{CLIENT}, unknown, 10.0.0.8", "10.0.0.8"),
        (f"{CLIENT},", PROXY),
        ("", PROXY),
        ("x" * 10_000, PROXY),
    ],
)
def test_the_rightmost_untrusted_address_is_the_client(forwarded: str, client: str) -> None:
    assert seen(PROXY, ("x-forwarded-for", forwarded)) == client


def test_several_headers_are_one_list() -> None:
    headers = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", CLIENT), ("x-forwarded-for", "10.0.0.8")]
    assert seen(PROXY, *headers) == CLIENT
    assert seen(PROXY) == PROXY


@pytest.mark.parametrize("peer", [CLIENT, "10.0.1.7", "unknown", "10.0.0.7.evil.example", "::1"])
def test_the_headers_of_other_peers_are_ignored(peer: str) -> None:
    headers = {"x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https"}
    response = SyncClient(TrustedProxies(whoami, "10.0.0.0/24"), client=(peer, 40000), headers=headers).get()
    assert response.text == f"{peer} requested http://test.org/\n"


def test_a_client_without_an_address_is_not_trusted() -> None:
    assert seen(None, ("x-forwarded-for", "6.6.6.6")) == "unknown"


def test_ipv4_proxies_of_an_ipv6_socket_and_ipv6_proxies() -> None:
    assert seen("::ffff:10.0.0.7", ("x-forwarded-for", CLIENT)) == CLIENT
    assert seen("2001:db8::7", ("x-forwarded-for", CLIENT), proxies=("2001:db8::/32",)) == CLIENT


@pytest.mark.parametrize(
    ("protocol", "scheme"),
    [("https", "https"), ("http, https", "https"), ("https, http", "http"), ("wss", "https"), ("x", "http")],
)
def test_scheme(protocol: str, scheme: str) -> None:
    schemes: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        schemes.append(scope["scheme"])
        if scope["type"] == "http":
            await whoami(scope, receive, send)
        else:
            await WebSocket(scope, receive, send).accept()

    proxied = TrustedProxies(application, PROXY)
    client = SyncClient(proxied, client=(PROXY, 1), headers={"x-forwarded-proto": protocol})
    client.get()
    with client.websocket():
        pass
    assert schemes == [scheme, scheme.replace("http", "ws")]


@pytest.mark.anyio
async def test_the_scope_of_the_server_is_not_changed() -> None:
    inner: list[Any] = []

    async def application(scope: Any, _receive: Any, _send: Any) -> None:
        inner.append(scope)

    headers = {"x-forwarded-for": CLIENT, "x-forwarded-proto": "https"}
    scope = http_scope(client=(PROXY, 40000), headers=headers)
    before = {**scope}
    await TrustedProxies(application, PROXY)(scope, ScriptedReceive.body(), RecordedSend())
    assert scope == before
    assert inner == [{**before, "client": (CLIENT, 0), "scheme": "https"}]
