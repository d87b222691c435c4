"""asgiwire in a Starlette or FastAPI application.

::

    from asgiwire.integrations.starlette import install

    install(app)
"""

from __future__ import annotations

import importlib.util

if importlib.util.find_spec("starlette") is None:
    msg = "asgiwire.integrations.starlette needs Starlette, which is not installed: pip install starlette"
    raise ModuleNotFoundError(msg, name="starlette")

from ._connection import HTTPConnection
from ._install import install
from .request import Request
from .websocket import WebSocket

__all__ = ("HTTPConnection", "Request", "WebSocket", "install")
