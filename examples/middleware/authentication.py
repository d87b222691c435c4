"""Bearer authentication (RFC 6750) of requests and WebSockets, stored in ``user`` and ``auth``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire import ASGIConnection, WebSocket
from examples.middleware.responses import send_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from asgiwire.types import Receive, Scope, Send
    from examples.middleware.responses import Application


class BearerAuthentication:
    """Requires a valid token; sets ``scope["user"]`` to its user and ``scope["auth"]`` to the token.

    Args:
        app: The application.
        find_user: Returns the user of a token, or ``None`` if the token is not valid.
        public: Paths that need no token. ``user`` and ``auth`` are ``None`` there without a valid one.
    """

    def __init__(
        self,
        app: Application,
        find_user: Callable[[str], Awaitable[object | None]],
        public: Container[str] = (),
    ) -> None:
        self.app, self.find_user, self.public = app, find_user, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a valid token, otherwise respond with 401."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        authorization = ASGIConnection(scope).authorization
        token = None if authorization is None else authorization.token
        user = None if token is None else await self.find_user(token)
        if user is None and scope["path"] not in self.public:
            # RFC 6750 section 3.1: no error code if the client sent no token.
            challenge = b"Bearer" if token is None else b'Bearer error="invalid_token"'
            return await self.reject([(b"www-authenticate", challenge)], scope, receive, send)
        # Not in a copy of the scope: an outer session middleware must see a session that is set later.
        scope["user"], scope["auth"] = user, None if user is None else token
        return await self.app(scope, receive, send)

    async def reject(
        self, headers: list[tuple[bytes, bytes]], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Respond with 401, or 403 for a WebSocket if the server supports no denial response."""
        if scope["type"] == "http":
            await send_error(send, 401, "a valid bearer token is required", headers)
        elif "websocket.http.response" in (socket := WebSocket(scope, receive, send)).capabilities:
            await socket.send_denial_response(401, headers)
        else:
            await socket.close()
