"""A raw application in ``validate``, which collects what real servers and the application violate."""

from __future__ import annotations

import json
import os
from typing import Any

from asgiwire.testing import validate


async def respond(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """Answer ``/token``, ``/failures``, ``/errors`` and ``/echo``; echo messages; run a lifespan."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
    elif scope["type"] == "websocket":
        await talk(receive, send)
    elif scope["path"] == "/token":
        await respond(send, json.dumps(os.environ.get("ASGIWIRE_E2E_TOKEN")).encode())
    elif scope["path"] in {"/failures", "/errors"}:
        side = "application" if scope["path"] == "/failures" else "server"
        found = {(error.event, error.section, str(error)) for error in app.errors if error.side == side}
        await respond(send, json.dumps(sorted(found)).encode())
    else:
        body = b""
        more_body = True
        while more_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more_body = message.get("more_body", False)
        await respond(send, body)
        await receive()


async def talk(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            await send({"type": "websocket.close", "code": 1000, "reason": ""})
        else:
            keys = ("text", "bytes")
            await send({"type": "websocket.send", **{key: message[key] for key in keys if key in message}})


app = validate(raw, collect=True)
