"""What a middleware answers by itself: a sentence; and the type of what it calls otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asgiwire.types import RawHeaders, Receive, Send

    Application: TypeAlias = Callable[[Any, Receive, Send], Awaitable[None]]


async def refuse(send: Send, status: int, sentence: str, headers: RawHeaders = ()) -> None:
    """Send a plain text response."""
    body = sentence.encode()
    described = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *described]})
    await send({"type": "http.response.body", "body": body})
