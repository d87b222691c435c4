"""Responses with the headers that the page needs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asgiwire.sending import send_response

if TYPE_CHECKING:
    from asgiwire import Request

# The page loads only its own files, and no other page may frame it.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response; one with an entity tag may be stored by the client."""

    body: bytes
    media_type: str
    status: int = 200
    etag: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Headers that describe the body, and headers that restrict the browser."""
        charset = "; charset=utf-8" if self.media_type.startswith("text/") else ""
        headers = {
            "content-type": f"{self.media_type}{charset}",
            "content-security-policy": CONTENT_SECURITY_POLICY,
            "cache-control": "no-cache" if self.etag else "no-store",
            "referrer-policy": "same-origin",
            "vary": "accept",
            "x-content-type-options": "nosniff",
        }
        return headers | {"etag": self.etag} if self.etag else headers


async def respond(request: Request, response: Response) -> None:
    """Send the response: 304 if the client has it, and only the headers to a ``HEAD`` request."""
    condition = request.if_none_match
    if condition and response.etag and condition.matches(response.etag):
        response = replace(response, status=304, body=b"")
    headers = response.headers
    if request.method == "HEAD" and response.body:
        headers["content-length"] = str(len(response.body))
        response = replace(response, body=b"")
    await send_response(request.send, response.status, response.body, headers)
