"""The processes of the servers: started on a free port, polled until ready, and stopped."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from .parent import PARENT
from .servers import HOST

if TYPE_CHECKING:
    import ssl
    from typing import IO

    from .certificate import Certificate
    from .servers import Server

ROOT: Final = Path(__file__).parents[2]
START_TIMEOUT: Final = 30.0
STOP_TIMEOUT: Final = 5.0
RECORD_TIMEOUT: Final = 15.0
ATTEMPTS: Final = 3


class StartError(Exception):
    """A server did not start."""


class Running:
    """The process of a server.

    Attributes:
        server: The server.
        port: The port that it listens on.
        base_url: The URL of that port, without a final slash.
        trust: A client context that trusts only the certificate of the servers.
    """

    def __init__(self, server: Server, certificate: Certificate, folder: Path) -> None:
        self.server = server
        self.trust: ssl.SSLContext = certificate.trust
        self.authority_file = certificate.authority
        self._log = folder / f"{server.name}.log"
        self._marked_size = 0
        self._process, self.port = self._start(certificate)
        self.base_url = self._url(self.port)
        # Servers close idle connections after 5 seconds or more; this client closes them first.
        self._control = self.client(limits=httpx.Limits(keepalive_expiry=2))

    @property
    def name(self) -> str:
        """The name of the server."""
        return self.server.name

    def require(self, *features: str) -> None:
        """Skip the test if the server lacks one of these features."""
        for feature in features:
            if feature in self.server.cannot:
                pytest.skip(self.server.cannot[feature])

    def client(self, **options: Any) -> httpx.Client:
        """Create a client for the HTTP version of the server."""
        http2 = self.server.http2
        return httpx.Client(
            base_url=self.base_url,
            verify=self.trust,
            http1=not http2,
            http2=http2,
            timeout=10,
            trust_env=False,
            **options,
        )

    def record(self, key: str, state: str) -> dict[str, Any]:
        """Wait until the record of the key has this state, and return the record."""
        deadline = time.monotonic() + RECORD_TIMEOUT
        while True:
            record: dict[str, Any] = self._control.get("/record", params={"key": key}).json()
            if record.get("state") == state:
                return record
            if time.monotonic() > deadline:
                pytest.fail(f"{self.name}: expected a record with state {state!r}, got {record}")
            time.sleep(0.005)

    def signal(self, key: str) -> None:
        """Set the signal of a key, for which the application waits."""
        self._control.post("/signal", params={"key": key}).raise_for_status()

    def failures(self) -> list[str]:
        """Return and remove the unexpected exceptions of the application."""
        failures: list[str] = self._control.get("/failures").json()
        return failures

    def is_dead(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def mark(self) -> None:
        """Store the size of the output before a test."""
        self._marked_size = self._log.stat().st_size

    def output(self) -> str:
        """Return the output since the mark."""
        return self._log.read_bytes()[self._marked_size :].decode(errors="replace")

    def stop(self, *, wait: bool = True) -> None:
        """Terminate the process; wait for it, and kill it with its children after a timeout."""
        self._control.close()
        self._process.terminate()
        if wait:
            _reap(self._process)

    def _url(self, port: int) -> str:
        return f"{'https' if self.server.http2 else 'http'}://{HOST}:{port}"

    def _start(self, certificate: Certificate) -> tuple[subprocess.Popen[bytes], int]:
        # Another program may take the port before the server starts, so try several ports.
        for _ in range(ATTEMPTS):
            port, token = _free_port(), uuid.uuid4().hex
            with self._log.open("wb") as log:
                process = self._spawn(self.server.command(port, certificate), token, log)
            if self._is_ready(process, self._url(port), token):
                return process, port
            process.terminate()
            _reap(process)
        raise StartError(f"{self.name} did not start in {ATTEMPTS} attempts; it wrote:\n{self.output()}")

    def _spawn(self, command: list[str], token: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"ASGIWIRE_E2E_TOKEN": token, "PYTHONUNBUFFERED": "1", PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # allows killing it with its workers
        )

    def _is_ready(self, process: subprocess.Popen[bytes], url: str, token: str) -> bool:
        """Poll until this process answers; another program on the port does not know the token."""
        deadline = time.monotonic() + START_TIMEOUT
        # A separate client, because refused connections are expected here.
        with httpx.Client(verify=self.trust, http2=self.server.http2, timeout=5, trust_env=False) as client:
            while process.poll() is None and time.monotonic() < deadline:
                try:
                    return client.get(f"{url}/token").text == f'"{token}"'
                except httpx.TransportError:
                    time.sleep(0.05)
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _reap(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(STOP_TIMEOUT)


class Servers:
    """The servers of one test session; each is started on first use."""

    def __init__(self, certificate: Certificate, folder: Path) -> None:
        self._certificate = certificate
        self._folder = folder
        self._running: dict[str, Running] = {}
        self._failures: dict[str, str] = {}

    def get(self, server: Server) -> Running:
        """Return the running server; skip the test if it is not installed."""
        for module in server.modules:
            if importlib.util.find_spec(module) is None:
                pytest.skip(f"{server.name} needs {module}, which is not installed on this Python")
        running = self._running.get(server.name)
        # A server that ended has failed one test already, and must not fail the others.
        if running is not None and running.is_dead():
            del self._running[server.name]
            running.stop()
            running = None
        if running is None:
            running = self._running[server.name] = self._start(server)
        return running

    def stop(self) -> None:
        """Terminate all servers, then wait for each."""
        for running in self._running.values():
            running.stop(wait=False)
        for running in self._running.values():
            running.stop()

    def _start(self, server: Server) -> Running:
        # A server that did not start is not tried again for each test.
        if server.name in self._failures:
            pytest.fail(self._failures[server.name], pytrace=False)
        try:
            return Running(server, self._certificate, self._folder)
        except StartError as error:
            self._failures[server.name] = str(error)
            pytest.fail(str(error), pytrace=False)
