"""Runs a program of ``examples/recipes`` on a real server, in a process of its own.

A process shows what a thread cannot: what the server logs, and what it does with work at its shutdown.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

T = TypeVar("T")

ROOT: Final = Path(__file__).parents[3]
TIMEOUT: Final = 20.0
COMMANDS: Final = {
    "uvicorn": "uvicorn --host 127.0.0.1 --port 0 --ws websockets-sansio --no-access-log",
    # Without workers it serves from the started process.
    "hypercorn": "hypercorn -w 0 -b 127.0.0.1:0",
}
BOTH: Final = tuple(COMMANDS)


class RunningProgram:
    """The process of a server with one program.

    Attributes:
        port: The port that it listens on.
        url: The URL of that port.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log
        found = wait_for(lambda: re.search(r"unning on http://127\.0\.0\.1:(\d+)", self.output()))
        self.port = int(found[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def output(self) -> str:
        """Return what the server has written."""
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.terminate()
        return self.process.wait(TIMEOUT)


@contextmanager
def run_program(
    name: str,
    folder: Path,
    server: str = "uvicorn",
    environment: Mapping[str, str] | None = None,
    *,
    tracebacks: bool = False,
) -> Iterator[RunningProgram]:
    """Start a server with a program, and stop it at the end; its log may have no traceback by default."""
    for module in (server, "websockets" if server == "uvicorn" else "wsproto"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {module}")
    log = folder / f"{name}-{server}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[server].split(), f"examples.recipes.{name}:app"],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        program = RunningProgram(process, log)
        yield program
        program.stop()
        assert tracebacks or "Traceback" not in program.output(), program.output()
    finally:
        process.kill()
        process.wait(TIMEOUT)


def wait_for(condition: Callable[[], T | None]) -> T:
    """Poll until the condition returns a true value, and return it."""
    deadline = time.monotonic() + TIMEOUT
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.01)
    return value
