"""A list of allowed hosts: rejects requests whose ``Host`` header is not one of yours."""

from collections.abc import Collection

from asgiwire import ASGIConnection, Request, WebSocket
from asgiwire.sending import send_response
from asgiwire.types import ASGIApp, Receive, Scope, Send


class AllowedHosts:
    """Responds with 421 to a request or WebSocket for another host (RFC 9110 section 7.4).

    Args:
        app: The application.
        hosts: The values of ``Host`` in lower case, with the port unless it is the default.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or reject the request."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        received = ASGIConnection(scope).headers.getall("host", [])
        if len(received) == 1 and received[0].lower() in self.hosts:
            return await self.app(scope, receive, send)
        # RFC 9112 section 3.2: a request must have exactly one Host header.
        status = 421 if len(received) == 1 else 400
        if scope["type"] == "http":
            await send_response(send, status, b"this host is not served here\n")
        else:
            await WebSocket(scope, receive, send).deny(status)
        return None


async def reset_password(scope: Scope, receive: Receive, send: Send) -> None:
    """Return the link that a password reset sends by email."""
    link = Request(scope).url.with_replacements(path="/reset", query="token=t0ken")
    await send_response(send, 200, f"{link}\n".encode())


app = AllowedHosts(reset_password, {"shop.example", "127.0.0.1:8000", "localhost:8000"})
