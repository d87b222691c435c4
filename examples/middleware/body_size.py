"""A cap on the size of request bodies, by path, that no ``Content-Length`` can talk its way around."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientException
from examples.middleware.responses import refuse

if TYPE_CHECKING:
    from asgiwire.types import Message, Receive, Scope, Send
    from examples.middleware.responses import Application


class BodySizeCap:
    """Answers 413 where a body is too large, whatever the application makes of that; nothing is kept.

    Args:
        app: The application.
        size: The most bytes that a body may have.
        sizes: The same for single paths.
    """

    def __init__(self, app: Application, size: int, sizes: dict[str, int] | None = None) -> None:
        self.app, self.size, self.sizes = app, size, sizes or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the body as the application reads it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limits = Limits(max_body_size=self.sizes.get(scope["path"], self.size))
        refused: ClientException | None = None
        begun = False

        async def counted() -> Any:
            nonlocal refused
            try:
                return await body()
            except ClientException as error:
                refused = error
                return {"type": "http.disconnect"}  # at which every framework stops, and cleans up

        async def send_unless_refused(message: Message) -> None:
            nonlocal begun
            if refused is None or begun:  # or it is the answer of a framework to the disconnect
                begun = True
                await send(message)

        try:
            body = Request(scope, receive, send).tee(len, limits=limits)  # len(): nobody looks at it
        except ClientException as error:
            return await refuse(send, error.status_code, error.detail)
        try:
            await self.app(scope, counted, send_unless_refused)
        except Exception:
            if refused is None or begun:
                raise
        return None if refused is None or begun else await refuse(send, refused.status_code, refused.detail)
