"""``RequestFactory``, which builds requests and WebSockets for unit tests, without a server."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypedDict, Unpack, cast

from asgiwire.connection import Request, WebSocket
from asgiwire.types import HeaderPairs

from ._bodies import Content, Files, RequestBody
from ._messages import RecordedSend, ScriptedConnection, ScriptedReceive, SocketStep
from ._options import check_options
from ._scopes import Cookies, QueryParams, http_scope, raw_pairs, websocket_scope

if sys.version_info >= (3, 13):
    from typing import TypeVar
else:
    from typing_extensions import TypeVar

WEBSOCKET_SCHEMES: Final = {"http": "ws", "https": "wss"}


class ConnectionOptions(TypedDict, total=False):
    """The keyword arguments of every method of :class:`RequestFactory`.

    An omitted ``session``, ``user``, ``auth``, ``path_params``, ``app`` or ``route_handler`` is not in the
    scope.
    """

    headers: HeaderPairs
    cookies: Cookies
    query_params: QueryParams
    session: Any
    user: Any
    auth: Any
    state: Mapping[str, Any]
    path_params: dict[str, Any]
    app: Any
    route_handler: Any
    client: tuple[str, int] | None
    raw_path: bytes | None
    http_version: str
    extensions: Mapping[str, Any]


class RequestOptions(ConnectionOptions, total=False):
    """The keyword arguments of the request methods; the body is one argument, or ``data`` with ``files``."""

    data: QueryParams
    files: Files
    json: Any
    msgpack: Any
    content: Content


class WebSocketOptions(ConnectionOptions, total=False):
    """The keyword arguments of :meth:`RequestFactory.websocket`."""

    messages: Iterable[SocketStep]
    disconnect: int
    subprotocols: Iterable[str]


class ScriptedRequest(Request[Any, Any, Any]):
    """A request with a :class:`ScriptedReceive` and a :class:`RecordedSend`."""

    __slots__ = ()

    if TYPE_CHECKING:  # narrower for type checkers; the factory passes nothing else
        receive: ScriptedReceive  # pyright: ignore[reportIncompatibleMethodOverride]
        send: RecordedSend  # pyright: ignore[reportIncompatibleMethodOverride]


class ScriptedWebSocket(WebSocket[Any, Any, Any]):
    """A WebSocket with a :class:`ScriptedReceive` and a :class:`RecordedSend`."""

    __slots__ = ()

    if TYPE_CHECKING:  # as above
        receive: ScriptedReceive  # pyright: ignore[reportIncompatibleMethodOverride]
        send: RecordedSend  # pyright: ignore[reportIncompatibleMethodOverride]


RequestT = TypeVar("RequestT", bound=Request[Any, Any, Any], default=ScriptedRequest)
WebSocketT = TypeVar("WebSocketT", bound=WebSocket[Any, Any, Any], default=ScriptedWebSocket)


class RequestFactory(Generic[RequestT, WebSocketT]):
    """Builds connections with a complete scope, a :class:`ScriptedReceive` and a :class:`RecordedSend`.

    ``receive`` returns the body as a server would, and ``http.disconnect`` after the response is complete.
    ``request.send.messages`` contains the messages sent. For type checkers, ``request.send`` is a
    :class:`RecordedSend` unless ``request_class`` is given.

    Args:
        app: ``scope["app"]`` of every connection.
        server: The host name of the server.
        port: The port of the server.
        root_path: ``scope["root_path"]`` of every connection; paths must include it.
        scheme: ``"http"`` or ``"https"``; a WebSocket gets ``"ws"`` or ``"wss"``.
        headers: Headers of every connection; the headers of one connection follow them.
        request_class: The class of the requests; by default :class:`ScriptedRequest`.
        websocket_class: The class of the WebSockets; by default :class:`ScriptedWebSocket`.
    """

    def __init__(
        self,
        app: Any = None,
        server: str = "test.org",
        port: int = 3000,
        root_path: str = "",
        scheme: str = "http",
        *,
        headers: HeaderPairs = (),
        request_class: type[RequestT] | None = None,
        websocket_class: type[WebSocketT] | None = None,
    ) -> None:
        self.app = app
        self.server = server
        self.port = port
        self.root_path = root_path
        self.scheme = scheme
        self.headers: list[tuple[bytes, bytes]] = raw_pairs(headers)
        self.request_class: type[RequestT] = request_class or cast("type[RequestT]", ScriptedRequest)
        self.websocket_class: type[WebSocketT] = websocket_class or cast(
            "type[WebSocketT]", ScriptedWebSocket
        )

    def get(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a GET request."""
        return self.request("GET", path, **options)

    def head(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a HEAD request."""
        return self.request("HEAD", path, **options)

    def post(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a POST request."""
        return self.request("POST", path, **options)

    def put(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a PUT request."""
        return self.request("PUT", path, **options)

    def patch(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a PATCH request."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a DELETE request."""
        return self.request("DELETE", path, **options)

    def query(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a QUERY request."""
        return self.request("QUERY", path, **options)

    def options(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build an OPTIONS request."""
        return self.request("OPTIONS", path, **options)

    def trace(self, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a TRACE request."""
        return self.request("TRACE", path, **options)

    def request(self, method: str, path: str = "/", **options: Unpack[RequestOptions]) -> RequestT:
        """Build a request of any method.

        Raises:
            TypeError: A keyword argument is unknown.
            ValueError: More than one body was given, or as for :func:`http_scope`.
        """
        check_options("request", options, RequestOptions.__optional_keys__)
        body = pop_body(options)
        scope = http_scope(method, path, scheme=self.scheme, **self._scope_arguments(options, body.headers))
        connection = ScriptedConnection.body(*body.chunks)
        return self.request_class(scope, connection.receive, connection.send)

    def websocket(self, path: str = "/", **options: Unpack[WebSocketOptions]) -> WebSocketT:
        """Build a WebSocket. The client connects, sends ``messages``, and closes with ``disconnect``.

        Without ``disconnect`` the client stays connected.

        Raises:
            TypeError: A keyword argument is unknown.
            ValueError: As for :func:`websocket_scope`.
        """
        check_options("websocket", options, WebSocketOptions.__optional_keys__)
        connection = ScriptedConnection.websocket(
            *options.pop("messages", ()), disconnect=options.pop("disconnect", None)
        )
        scheme = WEBSOCKET_SCHEMES.get(self.scheme, self.scheme)
        scope = websocket_scope(path, scheme=scheme, **self._scope_arguments(options))
        return self.websocket_class(scope, connection.receive, connection.send)

    def _scope_arguments(
        self, options: Mapping[str, Any], body_headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> dict[str, Any]:
        headers = merged_headers(self.headers, options.get("headers", ()), body_headers)
        defaults = {"server": (self.server, self.port), "root_path": self.root_path}
        if self.app is not None:
            defaults["app"] = self.app
        return {**defaults, **options, "headers": headers}


def merged_headers(
    first: Iterable[tuple[bytes, bytes]], own: HeaderPairs, of_body: Iterable[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Join headers; headers of the caller replace headers of the body."""
    given = [*first, *raw_pairs(own)]
    names = {name.lower() for name, _ in given}
    return [*given, *(pair for pair in of_body if pair[0] not in names)]


def pop_body(options: RequestOptions) -> RequestBody:
    """Remove the body from the options and encode it."""
    data, files = options.pop("data", None), options.pop("files", None)
    bodies = [RequestBody.from_form(data or {}, files)] if data is not None or files is not None else []
    if "json" in options:
        bodies.append(RequestBody.from_json(options.pop("json")))
    if "msgpack" in options:
        bodies.append(RequestBody.from_msgpack(options.pop("msgpack")))
    if "content" in options:
        bodies.append(RequestBody.from_content(options.pop("content")))
    if len(bodies) > 1:
        msg = "expected one body (data and files, json, msgpack or content), got more than one"
        raise ValueError(msg)
    return bodies[0] if bodies else RequestBody()
