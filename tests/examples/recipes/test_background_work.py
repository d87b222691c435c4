"""Background work on real servers: order, exceptions, and the shutdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from .servers_streaming import BOTH, RunningProgram, run_program, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

PATHS = ["/call", "/group"]


@pytest.fixture(scope="module", params=BOTH)
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProgram]:
    folder = tmp_path_factory.mktemp("background_work")
    with run_program("background_work", folder, request.param, tracebacks=True) as program:
        yield program


def order(program: RunningProgram, path: str, tea: str, seconds: float = 0) -> httpx.Response:
    # Each call opens and closes a connection: the client has gone while the work continues.
    order = {"tea": tea, "seconds": seconds}
    return httpx.post(program.url + path, json=order, trust_env=False, timeout=10)


def test_the_response_precedes_the_work(program: RunningProgram) -> None:
    for path in PATHS:
        response = order(program, path, f"Assam {path[1:]}", 1)
        assert (response.status_code, response.text) == (202, "accepted")
    assert "brewed Assam" not in program.output()
    for path in PATHS:
        wait_for(lambda path=path: f"brewed Assam {path[1:]}" in program.output())


@pytest.mark.parametrize("path", PATHS)
def test_an_exception_is_logged_and_stops_nothing_else(program: RunningProgram, path: str) -> None:
    errors = program.output().count("ValueError: this is a teapot")
    tea = f"Darjeeling {path[1:]}"
    assert order(program, path, tea, 0.3).status_code == 202
    assert order(program, path, "coffee").status_code == 202
    wait_for(lambda: program.output().count("ValueError: this is a teapot") > errors)
    wait_for(lambda: f"brewed {tea}" in program.output())
    assert order(program, path, "after").status_code == 202


def test_an_invalid_order_is_rejected(program: RunningProgram) -> None:
    assert order(program, "/call", "tea\nforged log line").status_code == 400


@pytest.mark.parametrize("server", BOTH)
def test_the_server_waits_for_the_work_at_its_shutdown(server: str, tmp_path: Path) -> None:
    with run_program("background_work", tmp_path, server) as program:
        # The longer work is in the group, so that no server waits for it only because of the call.
        for path, seconds in (("/call", 0.5), ("/group", 1)):
            assert order(program, path, f"Assam {path[1:]}", seconds).status_code == 202
        program.stop()
        for path in PATHS:
            assert f"brewed Assam {path[1:]}" in program.output()
