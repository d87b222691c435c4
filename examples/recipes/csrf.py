"""Protection against cross-site request forgery (CSRF) without tokens."""

from collections.abc import Collection

from asgiwire import ASGIConnection, Request, WebSocket
from asgiwire.sending import send_response
from asgiwire.types import ASGIApp, Receive, Scope, Send

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}

# "none": the user entered the URL or opened a bookmark. None: the client is not a browser.
ALLOWED_SITES = {"same-origin", "none", None}


class CSRFProtection:
    """Rejects unsafe requests and WebSocket handshakes from pages of other origins.

    Args:
        app: The application.
        trusted_origins: Other origins that are allowed, such as ``https://admin.example``.
    """

    def __init__(self, app: ASGIApp, trusted_origins: Collection[str] = ()) -> None:
        self.app, self.trusted_origins = app, trusted_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or respond with 403."""
        if scope["type"] not in {"http", "websocket"} or self.allows(scope):
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await send_response(send, 403, b"sent by a page of another site\n")
        else:
            await WebSocket(scope, receive, send).deny(403)

    def allows(self, scope: Scope) -> bool:
        """Return whether the request is safe or its origin allowed."""
        if scope["type"] == "http" and scope["method"] in SAFE_METHODS:
            return True
        connection = ASGIConnection(scope)
        if connection.fetch_site in ALLOWED_SITES:
            return True
        return connection.headers.get("origin") in self.trusted_origins


async def account(scope: Scope, receive: Receive, send: Send) -> None:
    """Show the account, change it, or send its messages."""
    if scope["type"] == "http":
        safe = Request(scope).method in SAFE_METHODS
        await send_response(send, 200, b"your account\n" if safe else b"changed\n")
    else:
        async with WebSocket(scope, receive, send) as socket:
            await socket.send_text("your messages")


app = CSRFProtection(account, trusted_origins={"https://admin.example"})
