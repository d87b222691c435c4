"""``RequestFactory``: requests and WebSockets for unit tests, without a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypedDict, Unpack

from asgiwire.connection import Request, WebSocket
from asgiwire.types import HeaderPairs

from ._bodies import Content, Files, RequestBody
from ._messages import RecordedSend, ScriptedReceive
from ._scopes import Cookies, QueryParams, http_scope, raw_pairs, websocket_scope

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
    """The keyword arguments of the request methods; a body is one of the five, or ``data`` with ``files``."""

    data: QueryParams
    files: Files
    json: Any
    msgpack: Any
    content: Content


class WebSocketOptions(ConnectionOptions, total=False):
    """The keyword arguments of :meth:`RequestFactory.websocket`."""

    messages: Iterable[str | bytes | Mapping[str, Any]]
    disconnect: int
    subprotocols: Iterable[str]


class RequestFactory:
    """Makes connections with a complete scope, a :class:`ScriptedReceive` and a :class:`RecordedSend`.

    ``receive`` returns the body as a server would. ``request.send.messages`` holds the messages sent.

    Args:
        app: ``scope["app"]`` of every connection.
        server: The host name of the server.
        port: The port of the server.
        root_path: ``scope["root_path"]`` of every connection; paths must include it.
        scheme: ``"http"`` or ``"https"``; a WebSocket gets ``"ws"`` or ``"wss"``.
        headers: Headers of every connection; the headers of one connection follow them.
        request_class: The class of the requests.
        websocket_class: The class of the WebSockets.
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
        request_class: type[Request[Any, Any, Any]] = Request,
        websocket_class: type[WebSocket[Any, Any, Any]] = WebSocket,
    ) -> None:
        self.app = app
        self.server = server
        self.port = port
        self.root_path = root_path
        self.scheme = scheme
        self.headers: list[tuple[bytes, bytes]] = raw_pairs(headers)
        self.request_class = request_class
        self.websocket_class = websocket_class

    def get(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a GET request."""
        return self.request("GET", path, **options)

    def head(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a HEAD request."""
        return self.request("HEAD", path, **options)

    def post(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a POST request."""
        return self.request("POST", path, **options)

    def put(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a PUT request."""
        return self.request("PUT", path, **options)

    def patch(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a PATCH request."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a DELETE request."""
        return self.request("DELETE", path, **options)

    def options(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make an OPTIONS request."""
        return self.request("OPTIONS", path, **options)

    def trace(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a TRACE request."""
        return self.request("TRACE", path, **options)

    def query(self, path: str = "/", **options: Unpack[RequestOptions]) -> Request[Any, Any, Any]:
        """Make a QUERY request: like GET, but with a body."""
        return self.request("QUERY", path, **options)

    def request(
        self, method: str, path: str = "/", **options: Unpack[RequestOptions]
    ) -> Request[Any, Any, Any]:
        """Make a request of any method.

        Raises:
            ValueError: There is more than one body, or :func:`http_scope` raises it.
        """
        body = _pop_body(options)
        scope = http_scope(method, path, scheme=self.scheme, **self._scope_arguments(options, body.headers))
        return self.request_class(scope, ScriptedReceive.body(*body.chunks), RecordedSend())

    def websocket(self, path: str = "/", **options: Unpack[WebSocketOptions]) -> WebSocket[Any, Any, Any]:
        """Make a WebSocket. Its client connects, sends ``messages``, and closes with the code ``disconnect``.

        Without ``disconnect`` the client stays connected.

        Raises:
            ValueError: :func:`websocket_scope` raises it.
        """
        receive = ScriptedReceive.websocket(
            *options.pop("messages", ()), disconnect=options.pop("disconnect", None)
        )
        scheme = WEBSOCKET_SCHEMES.get(self.scheme, self.scheme)
        scope = websocket_scope(path, scheme=scheme, **self._scope_arguments(options))
        return self.websocket_class(scope, receive, RecordedSend())

    def _scope_arguments(
        self, options: Mapping[str, Any], body_headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> dict[str, Any]:
        given = [*self.headers, *raw_pairs(options.get("headers", ()))]
        names = {name.lower() for name, _ in given}
        # The headers of the caller replace those of the body.
        headers = [*given, *(pair for pair in body_headers if pair[0] not in names)]
        defaults = {"server": (self.server, self.port), "root_path": self.root_path}
        if self.app is not None:
            defaults["app"] = self.app
        return {**defaults, **options, "headers": headers}


def _pop_body(options: RequestOptions) -> RequestBody:
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
