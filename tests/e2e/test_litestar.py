"""A Litestar application with asgiwire's connection classes on a real server."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect

from .servers import APP, UVICORNS, each

if TYPE_CHECKING:
    import httpx

    from .processes import Running

UVICORN = replace(
    UVICORNS[0],
    name="uvicorn-litestar",
    arguments=UVICORNS[0].arguments.replace(APP, "tests.e2e.litestar_app:app"),
    modules=(*UVICORNS[0].modules, "litestar"),
)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60), each({UVICORN.name: UVICORN})]


def test_json(client: httpx.Client, server: Running) -> None:
    response = client.post("/json?a=1", json={"tea": "mint"}, headers={"cookie": "a=b"})
    url = f"{server.base_url}/json?a=1"
    module = "asgiwire.integrations.litestar.request"
    assert response.json() == [{"tea": "mint"}, url, {"a": "b"}, module]


def test_upload_to_disk(client: httpx.Client) -> None:
    response = client.post("/upload", files={"file": ("a.bin", b"x" * 2_000_000)})
    assert response.json() == ["a.bin", 2_000_000, True]


def test_body_over_the_limit_is_413(client: httpx.Client) -> None:
    response = client.post("/json", content=b" " * 3_000_001)
    assert response.status_code == 413
    assert "request_max_body_size" in response.json()["detail"]


def test_malformed_json_is_400(client: httpx.Client) -> None:
    assert client.post("/json", content=b"{").status_code == 400


def test_websocket(server: Running) -> None:
    with connect(server.base_url.replace("http", "ws") + "/ws", proxy=None) as socket:
        socket.send('{"tea": "mint"}')
        assert socket.recv() == '{"tea":"mint"}'
        socket.send("not JSON")
        with pytest.raises(Exception, match="4500"):
            socket.recv()
    assert [name for name in server.failures() if "Serialization" in name] == []
