"""A web framework in 160 lines: asgiwire provides the connections, itsdangerous signs the session cookie.

The annotations of a handler are the types of its arguments: the connection, then path parameters by name, the
query as ``query``, a form as ``form``, and JSON under any other name.
"""

import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import make_dataclass
from inspect import isawaitable, signature
from typing import Any, get_origin, get_type_hints
from urllib.parse import quote

import msgspec
from itsdangerous import BadData, URLSafeTimedSerializer

from asgiwire import ASGIConnection, Request, WebSocket
from asgiwire.datastructures import Cookie, MutableScopeHeaders
from asgiwire.exceptions import ClientException, Disconnected, UsageError, WebSocketException
from asgiwire.sending import send_response
from asgiwire.serialization import decode_params, encode_json
from asgiwire.types import Message, Receive, Scope, Send

Handler = Callable[..., Awaitable[Any]]


class Response(msgspec.Struct, frozen=True):
    """A response: ``bytes`` are sent unchanged, other content as JSON."""

    content: Any = b""
    status: int = 200
    headers: dict[str, str] = {}

    async def send_to(self, request: Request) -> None:
        """Send the response; a ``HEAD`` request gets only the headers."""
        body = self.content if isinstance(self.content, bytes) else encode_json(self.content)
        headers = MutableScopeHeaders()
        headers.update({"content-type": "application/json", "content-length": str(len(body))} if body else {})
        headers.update(self.headers)
        body = b"" if request.method == "HEAD" else body
        await send_response(request.send, self.status, body, headers.headers)


class Route:
    """A path with ``{parameters}``, and the arguments of its handler."""

    def __init__(self, method: str, path: str, handler: Handler) -> None:
        self.method, self.path, self.handler = method, path, handler
        parts = enumerate(re.split(r"{(\w+)}", path))  # every second part is a parameter name
        self.pattern = re.compile("".join(f"(?P<{p}>[^/]+)" if i % 2 else re.escape(p) for i, p in parts))
        self.types = get_type_hints(handler, include_extras=True)
        first, *others = signature(handler).parameters
        self.connection_class = get_origin(self.types[first]) or self.types[first]  # Request[User]: Request
        self.inputs = [name for name in others if name not in self.pattern.groupindex]
        self.path_type: type[Any] = make_dataclass(
            "Path", [(p, self.types[p]) for p in self.pattern.groupindex]
        )

    def match(self, path: str) -> dict[str, Any] | None:
        """Return the converted path parameters, or ``None`` if path or types do not match."""
        if found := self.pattern.fullmatch(path):
            with suppress(ClientException):
                values: object = decode_params(found.groupdict(), self.path_type)
                return vars(values)
        return None

    async def call(self, connection: Any) -> Any:
        """Call the handler with its arguments."""
        arguments = {**connection.path_params}
        for name in self.inputs:
            read = getattr(connection, name if name in {"query", "form"} else "json")
            value = read(type=self.types[name])  # query() is not a coroutine
            arguments[name] = await value if isawaitable(value) else value
        return await self.handler(connection, **arguments)


class App:
    """An ASGI application with routes, and sessions in a signed cookie."""

    def __init__(self, secret: str, session_age: int = 14 * 24 * 3600) -> None:
        self.routes: list[Route] = []
        self.signer, self.session_age = URLSafeTimedSerializer(secret, salt="session"), session_age

    def route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Register a handler; for WebSockets, the method is ``WEBSOCKET``."""

        def register(handler: Handler) -> Handler:
            self.routes.append(Route(method, path, handler))
            return handler

        return register

    def route_reverse(self, name: str, **parameters: Any) -> str:
        """Return the path of a handler; ``url_for()`` of a connection calls this method."""
        path = next(route.path for route in self.routes if route.handler.__name__ == name)
        return re.sub(r"{(\w+)}", lambda found: quote(str(parameters[found[1]]), safe=""), path)

    def find(self, method: str, scope: Scope) -> Route:
        """Find the route, and store application, handler and path parameters in the scope."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        for route in self.routes:
            if route.method == method and (values := route.match(path)) is not None:
                scope.update(app=self, route_handler=route.handler, path_params=values)
                return route
        raise ClientException("not found", status_code=404)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request or a WebSocket; the ``KeyError`` tells a server that lifespan is not supported."""
        handle = {"http": self.respond, "websocket": self.converse}[scope["type"]]
        await handle(scope, receive, self.open_session(scope, send))

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the result of the handler, or the error of the client."""
        request = Request(scope, receive, send)
        try:
            route = self.find("GET" if request.method == "HEAD" else request.method, scope)
            result = await route.call(route.connection_class(scope, receive, send))
            response = result if isinstance(result, Response) else Response(result)
        except ClientException as error:
            response = Response({"detail": error.detail}, error.status_code)
        except Disconnected:
            return  # the client disconnected
        await response.send_to(request)

    async def converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the handler, and close the WebSocket after it."""
        socket, code, reason = WebSocket(scope, receive, send), 1011, ""
        try:
            route = self.find("WEBSOCKET", scope)
            socket = route.connection_class(scope, receive, send)
            await route.call(socket)
            code = 1000
        except WebSocketException as error:  # may come from another WebSocket
            code, reason = 1000 if isinstance(error, Disconnected) else error.code, error.detail
        except ClientException as error:
            code, reason = 1008, error.detail
            with suppress(UsageError):  # already accepted, or not supported by the server
                await socket.send_denial_response(error.status_code, body=error.detail.encode())
        finally:
            await socket.close(code, reason[:30])

    def open_session(self, scope: Scope, send: Send) -> Send:
        """Read the session from its cookie; the returned ``send`` sets the cookie if the session changed."""
        connection = ASGIConnection(scope)
        connection.set_session({})
        with suppress(KeyError, BadData):
            connection.set_session(self.signer.loads(connection.cookies["session"], self.session_age))
        before = encode_json(connection.session)

        async def send_with_session(message: Message) -> None:
            session = connection.session
            if message["type"].endswith((".start", ".accept")) and encode_json(session) != before:
                age, secure = self.session_age if session else 0, scope.get("scheme") in {"https", "wss"}
                cookie = Cookie("session", "/", self.signer.dumps(session), age, httponly=True, secure=secure)
                message["headers"] = [*message.get("headers", ()), cookie.to_encoded_header()]
            await send(message)

        return send_with_session
