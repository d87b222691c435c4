"""A server that is stopped while a WebSocket is open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .clients import TIMEOUT, open_websocket, receive_until_close
from .processes import Running
from .socket_servers import RESTARTS, SOCKETS

if TYPE_CHECKING:
    from pathlib import Path

    from .processes import Servers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

SKIPPED: dict[str, str] = {"granian": "its worker may or may not send a close frame before it ends"}
if sys.version_info >= (3, 12):
    SKIPPED["hypercorn-asyncio"] = "it waits for its clients, because Server.wait_closed() does since 3.12"


@pytest.mark.parametrize("name", SOCKETS)
def test_both_sides_receive_a_close(servers: Servers, tmp_path: Path, name: str) -> None:
    """Neither side waits forever, and another process of the server is not affected."""
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    servers.get(SOCKETS[name])  # skips if the server is not installed
    client_code, application_code = RESTARTS[name]
    path = tmp_path / "code"
    running = Running(SOCKETS[name], servers._certificate, tmp_path)
    try:
        with open_websocket(running, f"/write_close_code?file={path}") as socket:
            socket.send("before")
            assert socket.recv(timeout=TIMEOUT) == "before"
            running.stop(wait=False)
            assert receive_until_close(socket) == []
            assert socket.close_code == client_code
    finally:
        running.stop()
    assert (path.read_text() if path.exists() else None) == (
        None if application_code is None else str(application_code)
    )
    with open_websocket(servers.get(SOCKETS[name]), "/echo?mode=text") as socket:
        socket.send("after")
        assert socket.recv(timeout=TIMEOUT) == "after"
