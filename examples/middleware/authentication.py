"""Authentication by bearer token (RFC 6750), of requests and WebSockets, into ``user`` and ``auth``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire import ASGIConnection, WebSocket
from examples.middleware.responses import refuse

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from asgiwire.types import Receive, Scope, Send
    from examples.middleware.responses import Application


class BearerAuthentication:
    """Lets through who has a token; ``scope["user"]`` is who that is, ``scope["auth"]`` the token.

    Args:
        app: The application.
        find_user: Finds the user of a token; ``None`` where nobody has it.
        public: Paths that anybody may ask for; ``user`` and ``auth`` may be ``None`` there.
    """

    def __init__(
        self,
        app: Application,
        find_user: Callable[[str], Awaitable[object | None]],
        public: Container[str] = (),
    ) -> None:
        self.app, self.find_user, self.public = app, find_user, public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, then call the application or refuse."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        authorization = ASGIConnection(scope).authorization
        token = None if authorization is None else authorization.token
        user = None if token is None else await self.find_user(token)
        if user is None and scope["path"] not in self.public:
            # RFC 6750 section 3.1: no error code where no token was sent.
            challenge = b"Bearer" if token is None else b'Bearer error="invalid_token"'
            return await self.refuse([(b"www-authenticate", challenge)], scope, receive, send)
        # In place, and not in a copy: a session middleware outside must see a session that is set inside.
        scope["user"], scope["auth"] = user, None if user is None else token
        return await self.app(scope, receive, send)

    async def refuse(
        self, headers: list[tuple[bytes, bytes]], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer 401; a WebSocket on a server that cannot do that is closed, which is a 403."""
        if scope["type"] == "http":
            await refuse(send, 401, "a valid bearer token is needed", headers)
        elif "websocket.http.response" in (socket := WebSocket(scope, receive, send)).capabilities:
            await socket.send_denial_response(401, headers)
        else:
            await socket.close()
