"""Cross-origin resource sharing (CORS): pages of other origins may read the responses."""

from collections.abc import Collection, Sequence

from asgiwire import Request
from asgiwire.datastructures import MutableScopeHeaders
from asgiwire.sending import send_response
from asgiwire.types import ASGIApp, Message, Receive, Scope, Send


class CORS:
    """Answers preflight requests, and adds the CORS headers to every other response.

    Args:
        app: The application.
        origins: The allowed origins, such as ``https://shop.example``.
        methods: The allowed methods.
        headers: The allowed request headers.
        credentials: Whether the responses to requests with cookies may be read.
        max_age: The time in seconds for which browsers cache the answer to a preflight.
    """

    def __init__(
        self,
        app: ASGIApp,
        origins: Collection[str],
        *,
        methods: Sequence[str] = ("GET", "HEAD", "POST"),
        headers: Sequence[str] = ("content-type",),
        credentials: bool = False,
        max_age: int = 600,
    ) -> None:
        self.app, self.origins = app, origins
        self.granted = {"access-control-allow-credentials": "true"} if credentials else {}
        self.preflight = {
            "access-control-allow-methods": ", ".join(methods),
            "access-control-allow-headers": ", ".join(headers),
            "access-control-max-age": str(max_age),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight request, or call the application."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        headers = Request(scope).headers
        origin = headers.get("origin", "")
        granted: dict[str, str] = {}
        if origin in self.origins:
            granted = {"access-control-allow-origin": origin, **self.granted}
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            answer = {**granted, **self.preflight} if granted else {}
            return await send_response(send, 204, headers={"vary": "origin", **answer})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": list(message.get("headers") or ())}
                response_headers = MutableScopeHeaders(message)
                response_headers.extend_header_value("vary", "origin")
                response_headers.update(granted)
            await send(message)

        return await self.app(scope, receive, send_with_headers)


async def cart(scope: Scope, receive: Receive, send: Send) -> None:
    """Return the cart of a user."""
    user = Request(scope).cookies.get("user", "guest")
    headers = {"cache-control": "private"}
    await send_response(send, 200, f"cart of {user}\n".encode(), headers)


app = CORS(cart, {"https://shop.example"}, methods=("GET", "PUT"), credentials=True)
