"""Webhook signatures: only a body signed with the shared secret reaches the application."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect, ClientException
from examples.middleware.responses import send_error

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope, Send
    from examples.middleware.responses import Application


class WebhookSignature:
    """Checks the HMAC-SHA256 of the body, as GitHub sends it: ``X-Hub-Signature-256: sha256=<hex>``.

    The signature covers the exact bytes, so the body is read once, verified, and replayed to the application.

    Args:
        app: The application.
        secret: The secret shared with the sender.
        header: Name of the header with the signature.
        max_body_size: Maximum size of a body in bytes.
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
        """Call the application with a valid signature, otherwise respond with 401."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope, receive, send)
        try:
            body = await request.body(limits=self.limits)
        except ClientException as error:
            return await send_error(send, error.status_code, error.detail)
        except ClientDisconnect:
            return None  # the client cannot receive a response
        expected = f"sha256={hmac.new(self.secret, body, 'sha256').hexdigest()}"
        # compare_digest() takes constant time; it raises TypeError for a str that is not ASCII.
        received = request.headers.get(self.header, "").encode()
        if not hmac.compare_digest(received, expected.encode()):
            return await send_error(send, 401, "the signature does not match the body")
        return await self.app(scope, request.replay, send)
