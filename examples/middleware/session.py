"""A session in a signed cookie, which the client can read but not change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from itsdangerous import BadData, URLSafeTimedSerializer

from asgiwire import ASGIConnection
from asgiwire.datastructures import Cookie

if TYPE_CHECKING:
    from asgiwire.types import Message, Receive, Scope, Send
    from examples.middleware.responses import Application


class SignedCookieSession:
    """Reads ``scope["session"]`` from a cookie, and sets the cookie if the session changed by the response.

    Args:
        app: The application.
        secret: Key that signs the cookie. With a list, the last key signs and every key is accepted.
        cookie: Name and attributes. A session expires ``max_age`` after its last change.
    """

    def __init__(self, app: Application, secret: str | list[str], cookie: Cookie | None = None) -> None:
        self.app, self.serializer = app, URLSafeTimedSerializer(secret, salt="session")
        self.cookie = cookie or Cookie("session", httponly=True, max_age=1_209_600)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Load the session, and store it with the response headers or the WebSocket handshake."""
        if scope["type"] not in {"http", "websocket"}:
            return await self.app(scope, receive, send)
        received = ASGIConnection(scope).cookies.get(self.cookie.key)
        session = self.load(received)
        before, inner = self.serializer.dump_payload(session), {**scope, "session": session}

        async def send_with_cookie(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.accept"}:
                after = inner["session"] or {}  # clear_session() sets it to Empty
                if self.serializer.dump_payload(after) != before or (received and not after):
                    headers = [*(message.get("headers") or ()), self.dump(after).to_encoded_header()]
                    message = {**message, "headers": headers}
            await send(message)

        return await self.app(inner, receive, send_with_cookie)

    def load(self, value: str | None) -> dict[str, Any]:
        """Return the session of a cookie value, empty if the signature is invalid or expired."""
        try:
            max_age = self.cookie.max_age
            seconds = int(max_age.total_seconds()) if isinstance(max_age, timedelta) else max_age
            return dict(self.serializer.loads(value or "", max_age=seconds))
        except BadData:
            return {}

    def dump(self, session: dict[str, Any]) -> Cookie:
        """Return the cookie of a session; an empty session removes it from the client."""
        if not session:
            return replace(self.cookie, value="", max_age=0)
        return replace(self.cookie, value=str(self.serializer.dumps(session)))
