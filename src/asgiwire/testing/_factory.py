"""Requests and WebSockets for unit tests: what a handler or a dependency is given, without a server.

Left out: routing, middleware, and anything else that a framework would put into the scope, which any test
can put there by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from asgiwire.connection import Request, WebSocket

from ._bodies import RequestBody
from ._messages import RecordedSend, ScriptedReceive
from ._scopes import http_scope, raw_pairs, websocket_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asgiwire.types import HeaderPairs

    from ._bodies import Content, Files
    from ._scopes import Cookies, QueryParams


SECURE: Final = {"http": "ws", "https": "wss"}


class ConnectionOptions(TypedDict, total=False):
    """What every method of :class:`RequestFactory` takes; what is not given is not in the scope."""

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
    """What the methods for requests take; the body is one of the five, or ``data`` and ``files``."""

    data: QueryParams
    files: Files
    json: Any
    msgpack: Any
    content: Content


class WebSocketOptions(ConnectionOptions, total=False):
    """What :meth:`RequestFactory.websocket` takes."""

    messages: Iterable[str | bytes | Mapping[str, Any]]
    disconnect: int
    subprotocols: Iterable[str]


class RequestFactory:
    """Makes connections over a complete scope, a scripted ``receive`` and a recording ``send``.

    The body arrives through ``receive``, as a server would deliver it; what is sent stands in
    ``request.send.messages``.

    Args:
        app: ``scope["app"]`` of every connection.
        server: The name of the server.
        port: Its port.
        root_path: ``scope["root_path"]`` of every connection; the paths given have to include it.
        scheme: ``"http"`` or ``"https"``; a WebSocket gets ``"ws"`` or ``"wss"``.
        headers: Headers of every connection, which come before those of one.
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

    def request(
        self, method: str, path: str = "/", **options: Unpack[RequestOptions]
    ) -> Request[Any, Any, Any]:
        """Make a request of any method.

        Raises:
            ValueError: More than one body was given, or what :func:`http_scope` refuses.
        """
        body = _body(options)
        scope = http_scope(method, path, scheme=self.scheme, **self._keys(options, body.headers))
        return self.request_class(scope, ScriptedReceive.body(*body.chunks), RecordedSend())

    def websocket(self, path: str = "/", **options: Unpack[WebSocketOptions]) -> WebSocket[Any, Any, Any]:
        """Make a WebSocket whose client connects, sends the messages, and leaves if a code is given.

        Raises:
            ValueError: What :func:`websocket_scope` refuses.
        """
        receive = ScriptedReceive.websocket(
            *options.pop("messages", ()), disconnect=options.pop("disconnect", None)
        )
        scheme = SECURE.get(self.scheme, self.scheme)
        return self.websocket_class(
            websocket_scope(path, scheme=scheme, **self._keys(options)), receive, RecordedSend()
        )

    def _keys(
        self, options: Mapping[str, Any], described: Iterable[tuple[bytes, bytes]] = ()
    ) -> dict[str, Any]:
        """The arguments of a scope that do not depend on its type."""
        given = [*self.headers, *raw_pairs(options.get("headers", ()))]
        names = {name.lower() for name, _ in given}
        # A header that the caller gives is not contradicted.
        headers = [*given, *(pair for pair in described if pair[0] not in names)]
        defaults = {"server": (self.server, self.port), "root_path": self.root_path}
        if self.app is not None:
            defaults["app"] = self.app
        return {**defaults, **options, "headers": headers}


def _body(options: RequestOptions) -> RequestBody:
    """Take the body out of the options."""
    data, files = options.pop("data", None), options.pop("files", None)
    bodies = [RequestBody.of_form(data or {}, files)] if data is not None or files is not None else []
    if "json" in options:
        bodies.append(RequestBody.of_json(options.pop("json")))
    if "msgpack" in options:
        bodies.append(RequestBody.of_msgpack(options.pop("msgpack")))
    if "content" in options:
        bodies.append(RequestBody.of_content(options.pop("content")))
    if len(bodies) > 1:
        msg = "a request has one body: data and files, json, msgpack or content"
        raise ValueError(msg)
    return bodies[0] if bodies else RequestBody()
