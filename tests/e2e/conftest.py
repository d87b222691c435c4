"""Fixtures of running servers; the report of a failed test includes the output of its server."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from .certificate import create_certificate
from .processes import Running, Servers

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import httpx


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of the session, which are stopped at its end."""
    folder = tmp_path_factory.mktemp("servers")
    servers = Servers(create_certificate(folder), folder)
    yield servers
    servers.stop()


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Running]:
    """A running server; the test fails if its application had an unexpected exception."""
    running = servers.get(request.param)
    running.mark()
    yield running
    assert running.failures() == []


@pytest.fixture
def client(server: Running) -> Iterator[httpx.Client]:
    """A client for the HTTP version of the server."""
    with server.client() as client:
        yield client


@pytest.fixture
def key() -> str:
    """The key of the records of one test."""
    return uuid.uuid4().hex


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the output of the server to the report of a failure."""
    report = yield
    running = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(running, Running):
        report.sections.append((f"output of {running.name}", running.output()))
    return report
