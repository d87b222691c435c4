"""A pytest plugin that runs the tests of Starlette or FastAPI with the integration on.

With ``--asgiwire``, every application gets ``install()``. Tests of Starlette also call a plain ASGI
application or construct a connection from a hand-written scope: those get the classes of the integration too.
``--outcomes`` writes the tests that passed and failed to a file, which ``compare.py`` reads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

OUTCOMES: dict[str, bool] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--asgiwire", action="store_true", help="turn the integration on")
    parser.addoption("--outcomes", type=Path, help="the file for the outcomes")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--asgiwire"):
        turn_on()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome != "skipped":
        OUTCOMES[report.nodeid] = OUTCOMES.get(report.nodeid, True) and report.passed


def pytest_sessionfinish(session: pytest.Session) -> None:
    path: Path | None = session.config.getoption("--outcomes")
    if path is not None and not hasattr(session.config, "workerinput"):  # not in a worker of pytest-xdist
        path.write_text(json.dumps(OUTCOMES))


def turn_on() -> None:
    # Only here, so that a run without the integration imports nothing of it.
    import starlette.testclient
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

    from asgiwire.integrations.starlette import Request, WebSocket, _install, install

    classes = _install.ConnectionClasses(Request, WebSocket)
    init_app, init_client = Starlette.__init__, starlette.testclient.TestClient.__init__

    class MarkedApplication:
        """A plain ASGI application, called as ``install()`` would call it."""

        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await _install.Entry(self.app, classes)(scope, receive, send)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.app, name)

    def init_installed(self: Any, *args: Any, **kwargs: Any) -> None:
        init_app(self, *args, **kwargs)
        install(self)

    def init_marked(self: Any, app: Any, *args: Any, **kwargs: Any) -> None:
        init_client(self, app, *args, **kwargs)
        if not isinstance(app, Starlette):
            self._transport.app = MarkedApplication(self._transport.app)

    def new_connection(cls: type[Any], *args: Any, **kwargs: Any) -> Any:
        scope = args[0] if args else kwargs.get("scope")
        if isinstance(scope, dict):
            scope.setdefault(_install.SCOPE_KEY, classes)
        return _install.new_connection(cls, *args, **kwargs)

    install(Starlette())
    patched: Any = Starlette
    patched.__init__ = init_installed
    patched = starlette.testclient.TestClient
    patched.__init__ = init_marked
    patched = HTTPConnection
    patched.__new__ = new_connection
