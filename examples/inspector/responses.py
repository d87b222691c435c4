"""Sending a response: the two ASGI messages, with the headers that every answer carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgiwire import Request
    from asgiwire.types import HTTPResponseBodyEvent, HTTPResponseStartEvent

HTML = "text/html"
JSON = "application/json"

# The page loads its own files and nothing else; no other page may frame it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response, ready to be sent."""

    body: bytes
    media_type: str
    status: int = 200

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the body is, and what the browser may do with it."""
        charset = "; charset=utf-8" if self.media_type.startswith("text/") else ""
        return [
            (b"content-type", f"{self.media_type}{charset}".encode()),
            (b"content-length", str(len(self.body)).encode()),
            (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
            (b"cache-control", b"no-store"),
            (b"referrer-policy", b"same-origin"),
            (b"vary", b"accept"),
            (b"x-content-type-options", b"nosniff"),
        ]


async def send_response(request: Request, response: Response) -> None:
    """Send the response; a ``HEAD`` request gets its headers alone."""
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": response.status,
        "headers": response.headers,
    }
    body: HTTPResponseBodyEvent = {
        "type": "http.response.body",
        "body": b"" if request.method == "HEAD" else response.body,
    }
    await request.send(start)
    await request.send(body)
