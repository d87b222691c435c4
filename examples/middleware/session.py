"""A session in a signed cookie: whoever has the cookie can read it, and nobody can change it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, URLSafeTimedSerializer

from asgiwire import ASGIConnection
from asgiwire.datastructures import Cookie

if TYPE_CHECKING:
    from asgiwire.types import Message, Receive, Scope, Send
    from examples.middleware.responses import Application


class SignedCookieSession:
    """Reads ``scope["session"]`` from a cookie, and sends it again when it has changed before the response.

    Args:
        app: The application.
        secret: Signs the cookie; of several the last signs and all are believed, so that one can be replaced.
        cookie: Its name and attributes; a session lasts ``max_age`` seconds after its last change.
    """

    def __init__(self, app: Application, secret: str | list[str], cookie: Cookie | None = None) -> None:
        self.app, self.serializer = app, URLSafeTimedSerializer(secret, salt="session")
        self.cookie = cookie or Cookie("session", httponly=True, max_age=1_209_600)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Load the session, and store it with the head of the response, or as a WebSocket is accepted."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        session = self.load(sent := ASGIConnection(scope).cookies.get(self.cookie.key))
        before, inner = self.serializer.dump_payload(session), {**scope, "session": session}

        async def send_with_cookie(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                now = inner["session"] or {}  # Empty where it was cleared
                if self.serializer.dump_payload(now) != before or (sent and not now):
                    headers = [*(message.get("headers") or ()), self.written(now).to_encoded_header()]
                    message = {**message, "headers": headers}
            await send(message)

        return await self.app(inner, receive, send_with_cookie)

    def load(self, value: str | None) -> dict[str, Any]:
        """Read a cookie; what was not signed here, or too long ago, is empty."""
        try:
            return dict(self.serializer.loads(value or "", max_age=self.cookie.max_age))
        except BadData:
            return {}

    def written(self, session: dict[str, Any]) -> Cookie:
        """Write the cookie; that of an empty session tells the client to forget it."""
        if not session:
            return replace(self.cookie, value="", max_age=0)
        return replace(self.cookie, value=str(self.serializer.dumps(session)))
