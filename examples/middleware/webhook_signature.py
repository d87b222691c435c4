"""The signature of a webhook: only a body that was signed with the shared secret reaches the application."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientException
from examples.middleware.responses import refuse

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope, Send
    from examples.middleware.responses import Application


class WebhookSignature:
    """Checks the HMAC-SHA256 of the body, as GitHub sends it: ``X-Hub-Signature-256: sha256=<hex>``.

    A signature covers the exact bytes: they are read once, compared, and replayed to the application.

    Args:
        app: The application.
        secret: What the sender shares with us.
        header: Where the signature is.
        max_body_size: The most bytes that are read before the sender is known.
    """

    def __init__(
        self,
        app: Application,
        secret: bytes,
        header: str = "x-hub-signature-256",
        max_body_size: int = 1_000_000,
    ) -> None:
        self.app = app
        self.secret = secret
        self.header = header
        self.limits = Limits(max_body_size=max_body_size)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Verify, then call the application or answer 401."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope, receive, send)
        try:
            body = await request.body(limits=self.limits)
        except ClientException as error:
            return await refuse(send, error.status_code, error.detail)
        expected = f"sha256={hmac.new(self.secret, body, 'sha256').hexdigest()}"
        # In bytes, because text that is not ASCII would be a TypeError; in constant time.
        given = request.headers.get(self.header, "").encode()
        if not hmac.compare_digest(given, expected.encode()):
            return await refuse(send, 401, "the signature does not fit the body")
        return await self.app(scope, request.replay, send)
