"""A request id, and one structured log record for each request and WebSocket."""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import msgspec

from asgiwire import ASGIConnection

if TYPE_CHECKING:
    from asgiwire.types import Message, Receive, Scope, Send
    from examples.middleware.responses import Application

LOGGER: Final = logging.getLogger("access")
# Accepted from a proxy; other values could forge log records.
REQUEST_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)


class AccessLog:
    """Sets a request id in ``state.request_id``, in the ``X-Request-ID`` response header, and in the log."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application and log its response or exception."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        connection = ASGIConnection(scope)
        received = connection.headers.get("x-request-id", "")
        request_id = received if REQUEST_ID.fullmatch(received) else uuid.uuid4().hex
        connection.state.request_id = request_id
        entry: dict[str, Any] = {"request_id": request_id, "status": None, "size": 0}
        started = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"].endswith((".start", ".accept")):
                entry["status"] = message.get("status", 101)
                headers = [*(message.get("headers") or ()), (b"x-request-id", request_id.encode())]
                message = {**message, "headers": headers}
            entry["size"] += len(message.get("body") or message.get("bytes") or message.get("text") or b"")
            await send(message)

        try:
            return await self.app(scope, receive, send_with_id)
        except BaseException as error:
            entry["error"] = type(error).__name__
            raise
        finally:
            entry["seconds"] = round(time.perf_counter() - started, 6)
            entry["connection"] = connection.snapshot()
            LOGGER.info("%s", msgspec.json.encode(entry).decode())
