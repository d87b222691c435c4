"""The running servers as fixtures. A test that fails shows what its server has written."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from .certificate import make_certificate
from .processes import Running, Servers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import httpx


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of this session; each is started once, and all are ended with it."""
    folder = tmp_path_factory.mktemp("servers")
    servers = Servers(make_certificate(folder), folder)
    yield servers
    servers.stop()


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Running]:
    """A running server, whose application must not have failed when the test is over."""
    running = servers.get(request.param)
    running.mark()
    yield running
    assert running.failures() == []


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    """A client that speaks the HTTP version that the server is here for."""
    with server.client() as client:
        yield client


@pytest.fixture
def key() -> str:
    """A key for what the application records during one test."""
    return uuid.uuid4().hex


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the output of the server beside a failure."""
    report = yield
    running = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(running, Running):
        report.sections.append((f"output of {running.name}", running.output()))
    return report
