"""A tour of the inspector with real clients: start it, send it what clients send, stop it.

Run it with ``python -m examples.tour``; it needs uvicorn, websockets and httpx.
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
    """Visit everything once; an answer that is not the expected one ends the tour with an error."""
    with running_inspector() as address:
        show_request(address)
        show_upload(address)
        show_page(address)
        show_conversation(address)
        show_second_start(address)
    print("The inspector has stopped. That was all.")


@contextlib.contextmanager
def running_inspector() -> Generator[str]:
    """Start the inspector on a free port, give its address, and stop it whatever happens."""
    with subprocess.Popen([*COMMAND, "0"], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            line = process.stdout.readline() if process.stdout else ""
            print(line, end="")
            address = re.search(r"http://\S+/", line)
            expect(address is not None, "the inspector prints its address")
            yield address[0] if address else ""
        finally:
            process.terminate()


def show_request(address: str) -> None:
    """Send JSON, with a query and cookies."""
    answer = httpx.post(f"{address}orders?x=1&x=2", json={"tea": 2}, headers={"cookie": "theme=dark"}).json()
    expect(answer["body"]["value"] == {"tea": 2}, "JSON arrives")
    expect(answer["query"] == [["x", "1"], ["x", "2"]], "the query keeps its order")
    expect(answer["cookies"] == {"theme": "dark"}, "cookies arrive")


def show_upload(address: str) -> None:
    """Upload a file beside a field."""
    answer = httpx.post(address, data={"note": "Größe"}, files={"file": ("all.bin", FILE)}).json()
    (file,) = answer["body"]["files"]
    expect(answer["body"]["fields"] == [["note", "Größe"]], "the field arrives")
    expect(file["sha256"] == hashlib.sha256(FILE).hexdigest(), f"{file['size']:,} bytes arrive unharmed")


def show_page(address: str) -> None:
    """Ask for the same resource as a browser does."""
    answer = httpx.get(address, headers={"accept": "text/html,*/*;q=0.8"})
    expect(answer.headers["content-type"].startswith("text/html"), "a browser gets a page")


def show_conversation(address: str) -> None:
    """Talk JSON over a WebSocket, and have the server close it."""
    with connect(address.replace("http", "ws", 1), subprotocols=[Subprotocol("inspector.json")]) as socket:
        expect("handshake" in json.loads(socket.recv()), "the WebSocket begins with a report")
        socket.send(json.dumps({"close": 4001, "reason": "enough"}))
        with contextlib.suppress(ConnectionClosed):
            socket.recv()
        expect(socket.close_code == 4001, f"the server closes as it was told: {socket.close_reason}")


def show_second_start(address: str) -> None:
    """Start a second inspector on the same port, which must refuse in plain words."""
    port = address.rstrip("/").rpartition(":")[2]
    second = subprocess.run([*COMMAND, port], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    expect(second.returncode != 0 and "is taken" in second.stderr, second.stderr.strip())


def expect(condition: bool, sentence: str) -> None:
    """Print what was seen, or end the tour."""
    print(f"{'ok' if condition else 'FAILED'}: {sentence}")
    if not condition:
        sys.exit(1)


if __name__ == "__main__":
    main()
