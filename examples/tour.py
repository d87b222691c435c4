"""Tour of the inspector with real clients: start it, send requests and messages, stop it.

Run it with ``python -m examples.tour``. It requires uvicorn, websockets and httpx.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

if TYPE_CHECKING:
    from collections.abc import Generator

COMMAND = (sys.executable, "-m", "examples.inspector", "--port")
FILE = bytes(range(256)) * 4096


def main() -> None:
    """Send one of each kind of request; exit with an error after an unexpected response."""
    with running_inspector() as address:
        show_request(address)
        show_upload(address)
        show_page(address)
        show_conversation(address)
        show_second_start(address)
    print("The inspector has stopped.")


@contextlib.contextmanager
def running_inspector() -> Generator[str]:
    """Start the inspector on a free port, yield its address, and stop it at the end."""
    with subprocess.Popen([*COMMAND, "0"], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our command
        try:
            line = process.stdout.readline() if process.stdout else ""
            print(line, end="")
            address = re.search(r"http://\S+/", line)
            expect(address is not None, "the inspector prints its address")
            yield address[0] if address else ""
        finally:
            process.terminate()


def show_request(address: str) -> None:
    """Send JSON with a query and cookies."""
    report = httpx.post(f"{address}orders?x=1&x=2", json={"tea": 2}, headers={"cookie": "theme=dark"}).json()
    expect(report["body"]["value"] == {"tea": 2}, "the report contains the JSON value")
    expect(report["query_params"] == [["x", "1"], ["x", "2"]], "the report contains the query in its order")
    expect(report["cookies"] == {"theme": "dark"}, "the report contains the cookies")


def show_upload(address: str) -> None:
    """Upload a file and a field."""
    report = httpx.post(address, data={"note": "Größe"}, files={"file": ("all.bin", FILE)}).json()
    (file,) = report["body"]["files"]
    expect(report["body"]["fields"] == [["note", "Größe"]], "the report contains the field")
    expect(file["sha256"] == hashlib.sha256(FILE).hexdigest(), f"{file['size']:,} bytes are unchanged")


def show_page(address: str) -> None:
    """Request the same resource as a browser does."""
    response = httpx.get(address, headers={"accept": "text/html,*/*;q=0.8"})
    expect(response.headers["content-type"].startswith("text/html"), "a browser receives an HTML page")


def show_conversation(address: str) -> None:
    """Exchange JSON over a WebSocket, and ask the server to close it."""
    with connect(address.replace("http", "ws", 1), subprotocols=[Subprotocol("inspector.json")]) as socket:
        expect("handshake" in json.loads(socket.recv()), "the WebSocket starts with a report")
        socket.send(json.dumps({"close": 4001, "reason": "enough"}))
        with contextlib.suppress(ConnectionClosed):
            socket.recv()
        expect(socket.close_code == 4001, f"the server closes as requested: {socket.close_reason}")


def show_second_start(address: str) -> None:
    """Start a second inspector on the same port; it must exit with an error message."""
    port = address.rstrip("/").rpartition(":")[2]
    second = subprocess.run([*COMMAND, port], capture_output=True, text=True, check=False)  # noqa: S603 - our command
    expect(second.returncode != 0 and "in use" in second.stderr, second.stderr.strip())


def expect(condition: bool, description: str) -> None:
    """Print the result of one check; exit if it failed."""
    print(f"{'ok' if condition else 'FAILED'}: {description}")
    if not condition:
        sys.exit(1)


if __name__ == "__main__":
    main()
