"""The error response of a middleware, and the type of the application that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.types import RawHeaders, Receive, Send

    Application: TypeAlias = Callable[[Any, Receive, Send], Awaitable[None]]


async def send_error(send: Send, status: int, detail: str, headers: RawHeaders = ()) -> None:
    """Send a plain text response."""
    body = detail.encode()
    content_headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *content_headers]})
    await send({"type": "http.response.body", "body": body})
