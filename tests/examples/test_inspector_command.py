"""``python -m examples.inspector`` and the tour: their output in the terminal."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="needs uvicorn: pip install uvicorn websockets")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)


def test_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        result = run("examples.inspector", "--port", str(port))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        f"error: port {port} on 127.0.0.1 is in use, perhaps by another inspector; "
        f"stop it or use another port: --port {port + 1}\n"
    )


def test_host_of_another_machine_is_reported() -> None:
    result = run("examples.inspector", "--host", "192.0.2.1", "--port", "0")
    assert result.returncode == 1
    assert result.stderr.startswith("error: cannot listen on 192.0.2.1, port 0: ")
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_inspector_prints_its_address_and_stops_on_ctrl_c(host: str) -> None:
    command = [sys.executable, "-m", "examples.inspector", "--port", "0", "--host", host]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line and host == "::1":
                pytest.skip("this machine has no IPv6")
            found = re.fullmatch(r"The inspector is at http://(.+):(\d+)/ \(Ctrl\+C stops it\)\n", line)
            assert found
            assert found[1].strip("[]") == host
            with socket.create_connection((host, int(found[2])), timeout=10) as client:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert client.recv(12) == b"HTTP/1.1 200"
        finally:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "stopped\n", "")


def test_tour() -> None:
    result = run("examples.tour")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("\nok: ") == 10
    assert "FAILED" not in result.stdout
