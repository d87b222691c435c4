"""Responses with the headers that the page needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asgiwire import Request
    from asgiwire.types import HTTPResponseBodyEvent, HTTPResponseStartEvent

HTML = "text/html"
JSON = "application/json"

# The page loads only its own files, and no other page may frame it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response."""

    body: bytes
    media_type: str
    status: int = 200

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Headers that describe the body, and headers that restrict the browser."""
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
    """Send the response; a ``HEAD`` request gets only the headers."""
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
