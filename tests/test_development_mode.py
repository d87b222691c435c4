"""asgiwire issues no warning in the development mode of Python, with all warnings as errors."""

from __future__ import annotations

import subprocess
import sys

from .test_architecture import PUBLIC

PROGRAM = """
import importlib
import sys

for module in sys.argv[1:]:
    importlib.import_module(module)

from asgiwire import Request, WebSocket
from asgiwire.sending import send_response
from asgiwire.testing import SyncClient


async def application(scope, receive, send):
    if scope["type"] == "websocket":
        async with WebSocket(scope, receive, send) as websocket:
            async for message in websocket:
                await websocket.send_text(message)
        return
    request = Request(scope, receive, send)
    async with request.cancel_on_disconnect(), await request.form() as form:
        await send_response(send, 200, await form["photo"].read())


with SyncClient(application) as client:
    content = b"x" * 2_000_000  # stored on disk
    assert client.post("/", files={"photo": content}).body == content
    with client.websocket("/") as conversation:
        conversation.send_text("hello")
        assert conversation.receive_text() == "hello"
"""


def test_no_warnings() -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, *PUBLIC]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
