"""The error response of a middleware, and the type of the application that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from asgiwire.sending import send_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.types import RawHeaders, Receive, Send

    Application: TypeAlias = Callable[[Any, Receive, Send], Awaitable[None]]


async def send_error(send: Send, status: int, detail: str, headers: RawHeaders = ()) -> None:
    """Send a plain text response."""
    content_type = (b"content-type", b"text/plain; charset=utf-8")
    await send_response(send, status, detail.encode(), [*headers, content_type])
