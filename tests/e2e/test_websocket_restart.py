"""A server that is told to end while a client talks with it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from .clients import TIMEOUT, conversation, read_to_the_end
from .processes import Running
from .socket_servers import RESTARTS, SOCKETS

if TYPE_CHECKING:
    from pathlib import Path

    from .processes import Servers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

SILENT: dict[str, str] = {"granian": "whether its worker tells anybody before it ends is a race"}
if sys.version_info >= (3, 12):
    SILENT["hypercorn-asyncio"] = "it waits for its clients, as Server.wait_closed() does now"


@pytest.mark.parametrize("name", SOCKETS)
def test_both_sides_are_told(servers: Servers, tmp_path: Path, name: str) -> None:
    """As far as the server tells them; neither is left waiting, and another process goes on."""
    if name in SILENT:
        pytest.skip(SILENT[name])
    servers.get(SOCKETS[name])  # or skip, where it is not installed
    client_code, application_code = RESTARTS[name]
    trace = tmp_path / "trace"
    running = Running(SOCKETS[name], servers._certificate, tmp_path)
    try:
        with conversation(running, f"/leave_a_trace?file={trace}") as socket:
            socket.send("before")
            assert socket.recv(timeout=TIMEOUT) == "before"
            running.stop(wait=False)
            assert read_to_the_end(socket) == []
            assert socket.close_code == client_code
    finally:
        running.stop()
    assert (trace.read_text() if trace.exists() else None) == (
        None if application_code is None else str(application_code)
    )
    with conversation(servers.get(SOCKETS[name]), "/echo?mode=text") as socket:
        socket.send("after")
        assert socket.recv(timeout=TIMEOUT) == "after"
