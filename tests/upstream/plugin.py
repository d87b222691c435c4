"""A pytest plugin that runs the tests of Starlette or FastAPI with the integration on.

Every application gets ``install()``. Tests of Starlette also call a plain ASGI application, or construct a
connection from a hand-written scope: those get the classes of the integration too.
"""

from __future__ import annotations

from typing import Any

import starlette.testclient
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from asgiwire.integrations.starlette import Request, WebSocket, _install, install

CLASSES = _install.ConnectionClasses(Request, WebSocket)


class MarkedApplication:
    """An ASGI application that the entry of ``install()`` calls."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.entry = _install.Entry(app, CLASSES)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.entry(scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.app, name)


def pytest_configure() -> None:
    init_app, init_client = Starlette.__init__, starlette.testclient.TestClient.__init__

    def init_installed(self: Any, *args: Any, **kwargs: Any) -> None:
        init_app(self, *args, **kwargs)
        install(self)

    def init_marked(self: Any, app: Any, *args: Any, **kwargs: Any) -> None:
        init_client(self, app, *args, **kwargs)
        if not isinstance(app, Starlette):
            # Only what is called: the client has looked at the application's signature already.
            transport = self._transport
            transport.app = MarkedApplication(transport.app)

    def new_connection(cls: type[Any], *args: Any, **kwargs: Any) -> Any:
        scope = args[0] if args else kwargs.get("scope")
        if isinstance(scope, dict):
            scope.setdefault(_install.SCOPE_KEY, CLASSES)
        return _install.new_connection(cls, *args, **kwargs)

    install(Starlette())
    Starlette.__init__ = init_installed  # type: ignore[method-assign]  # for every test
    starlette.testclient.TestClient.__init__ = init_marked  # type: ignore[method-assign]  # for every test
    HTTPConnection.__new__ = new_connection  # type: ignore[method-assign, assignment]  # for every test
