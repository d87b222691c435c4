"""The servers of ``servers.py`` with the application of ``socket_app.py``, and their differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .servers import APP, HTTP2, WEBSOCKET, Server

SOCKET_APP: Final = "tests.e2e.socket_app:app"

WITHOUT_DENIAL_RESPONSES: Final = {"daphne-sockets"}
"""Servers without the extension ``websocket.http.response``."""


def _with_socket_app(server: Server) -> Server:
    return replace(server, name=f"{server.name}-sockets", arguments=server.arguments.replace(APP, SOCKET_APP))


SOCKETS: Final = {name: _with_socket_app(server) for name, server in WEBSOCKET.items()}
HTTP2_SOCKETS: Final = {
    name: _with_socket_app(server) for name, server in HTTP2.items() if name.startswith("hypercorn")
}

RESTARTS: Final[dict[str, tuple[int, int | None]]] = {
    **{name: (1012, 1012) for name in SOCKETS if name.startswith("uvicorn")},
    "hypercorn-asyncio": (1011, None),
    "hypercorn-trio": (1006, None),
    "granian": (1006, 1005),
    "daphne": (1006, None),
}
"""The close codes that the client and the application see when the server is stopped."""
