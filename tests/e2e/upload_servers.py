"""The servers of ``servers.py`` with the application of ``upload_app.py``."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .servers import APP, HTTP1, HTTP2, Server

UPLOAD_APP: Final = "tests.e2e.upload_app:app"


def _with_upload_app(server: Server) -> Server:
    return replace(server, name=f"{server.name}-uploads", arguments=server.arguments.replace(APP, UPLOAD_APP))


UPLOADS1: Final = {name: _with_upload_app(server) for name, server in HTTP1.items()}
UPLOADS2: Final = {name: _with_upload_app(server) for name, server in HTTP2.items()}
UPLOADS: Final = UPLOADS1 | UPLOADS2
