"""A maximum size of request bodies, by path, that also holds without ``Content-Length``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientException
from examples.middleware.responses import send_error

if TYPE_CHECKING:
    from asgiwire.types import Message, Receive, Scope, Send
    from examples.middleware.responses import Application


class BodySizeCap:
    """Responds with 413 to a body that is too large, whatever the application does. Stores no chunks.

    Args:
        app: The application.
        size: Maximum body size in bytes.
        sizes: Maximum body sizes of single paths.
    """

    def __init__(self, app: Application, size: int, sizes: dict[str, int] | None = None) -> None:
        self.app, self.size, self.sizes = app, size, sizes or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes of the body as the application reads them."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limits = Limits(max_body_size=self.sizes.get(scope["path"], self.size))
        failure: ClientException | None = None
        started = False

        async def receive_limited() -> Any:
            nonlocal failure
            try:
                return await tee()
            except ClientException as error:
                failure = error
                return {"type": "http.disconnect"}  # makes every framework stop and clean up

        async def send_unless_failed(message: Message) -> None:
            nonlocal started
            if failure is None or started:  # otherwise it is a response to the disconnect
                started = True
                await send(message)

        try:
            tee = Request(scope, receive, send).tee(len, limits=limits)  # len() ignores the chunks
        except ClientException as error:
            return await send_error(send, error.status_code, error.detail)
        try:
            await self.app(scope, receive_limited, send_unless_failed)
        except Exception:
            if failure is None or started:
                raise
        if failure is not None and not started:
            await send_error(send, failure.status_code, failure.detail)
        return None
