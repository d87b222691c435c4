"""A request id in every log record, and one JSON line for each request and WebSocket."""

import logging
import re
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import msgspec

from asgiwire import ASGIConnection, Request
from asgiwire.sending import send_response
from asgiwire.types import ASGIApp, Message, Receive, Scope, Send

LOGGER = logging.getLogger("shop")
REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
VALID_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


class JSONFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with the request id and its own values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. JSON escapes line breaks, so a client cannot add a line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname,
            "request_id": REQUEST_ID.get(),
            "message": record.getMessage(),
            **getattr(record, "values", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class RequestLog:
    """Sets the request id, adds it to the response, and logs the end of each connection."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, and log its response and its exception."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        connection, started, status = ASGIConnection(scope), perf_counter(), None
        received = connection.headers.get("x-request-id", "")
        request_id = received if VALID_ID.fullmatch(received) else uuid.uuid4().hex
        token = REQUEST_ID.set(request_id)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"].endswith((".start", ".accept")):
                status = message.get("status", 101)
                header = (b"x-request-id", request_id.encode())
                message = {**message, "headers": [*(message.get("headers") or ()), header]}
            await send(message)

        try:
            return await self.app(scope, receive, send_with_id)
        except Exception:
            LOGGER.exception("the application failed")
            raise
        finally:
            values = {
                "status": status,
                "seconds": round(perf_counter() - started, 6),
                "connection": connection.snapshot(),
            }
            LOGGER.info("complete", extra={"values": values})
            REQUEST_ID.reset(token)


async def shop(scope: Scope, receive: Receive, send: Send) -> None:
    """Take an order. The log record contains the request id."""
    tea = Request(scope).query_params.get("tea", "green")
    LOGGER.info("order of %s tea", tea)
    await send_response(send, 200, b"ordered\n")


handler = logging.StreamHandler()
handler.setFormatter(JSONFormatter())
LOGGER.addHandler(handler)
LOGGER.setLevel(logging.INFO)
app = RequestLog(shop)
