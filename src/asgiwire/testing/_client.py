"""``Client``, which calls an application in process, on the event loop of the test."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypedDict, Unpack
from urllib.parse import quote, unquote, urljoin, urlsplit

from asgiwire.types import ASGIApp, HeaderPairs

from . import _cookies
from ._bodies import RequestBody
from ._conversation import Conversation
from ._errors import ScriptError
from ._exchange import Exchange
from ._factory import WEBSOCKET_SCHEMES, ConnectionOptions, RequestOptions, merged_headers, pop_body
from ._lifespan import Lifespan
from ._messages import DEFAULT_TIMEOUT
from ._options import check_options
from ._response import Response
from ._scopes import (
    CLIENT,
    Cookies,
    cookie_header,
    encode_query_params,
    http_scope,
    raw_pairs,
    websocket_scope,
)

MAX_REDIRECTS: Final = 20

# RFC 3986 section 3.3: the characters of a path, and "%", because the path may be encoded already.
PATH_CHARACTERS: Final = "/%:@!$&'()*+,;=~"

DEFAULT_PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class ClientSettings(TypedDict, total=False):
    """The keyword arguments of :class:`Client`, and of :class:`SyncClient`."""

    headers: HeaderPairs
    cookies: Cookies
    timeout: float | None
    follow_redirects: bool
    raise_exceptions: bool
    client: tuple[str, int] | None
    root_path: str
    http_version: str
    extensions: Mapping[str, Any] | None
    state: Mapping[str, Any] | None


class StreamOptions(RequestOptions, total=False):
    """The keyword arguments of :meth:`Client.stream`.

    ``more_body``: whether :meth:`Exchange.send` sends more of the body.
    """

    more_body: bool
    timeout: float | None


class ClientOptions(RequestOptions, total=False):
    """The keyword arguments of the request methods of :class:`Client`."""

    timeout: float | None
    follow_redirects: bool


class ConversationOptions(ConnectionOptions, total=False):
    """The keyword arguments of :meth:`Client.websocket`."""

    subprotocols: Iterable[str]
    timeout: float | None


class Target(NamedTuple):
    """The components of a URL that a scope contains."""

    url: str
    scheme: str
    host: str
    port: int
    authority: str
    path: str
    raw_path: bytes
    query: bytes


class Client:
    """Calls an application in process: without a thread, on the running event loop of asyncio or trio.

    A call returns after the application has returned. An exception of the application is raised in the test.
    ``async with Client(application) as client`` runs the lifespan of the application, and each request gets a
    copy of its state. Cookies of responses are stored and sent with later requests.

    Args:
        application: The ASGI application.
        base_url: Scheme, host and port of the URLs.
        headers: Headers of every request; the headers of one request follow them.
        cookies: Cookies for the host of ``base_url``.
        timeout: The maximum time of each wait, in seconds, 5 by default; ``None`` for no limit.
        follow_redirects: Whether requests follow redirects.
        raise_exceptions: Whether an exception of the application is raised in the test. Otherwise the
            response is a 500, unless the application sent another one.
        client: The address of the client, port 50000 of 127.0.0.1 by default.
        root_path: The root path of every scope; paths must include it.
        http_version: The HTTP version of every scope.
        extensions: The extensions of every scope. By default, none for HTTP, and the denial response for
            WebSocket.
        state: The state of every scope; a lifespan adds to it.

    Attributes:
        state: The state of every scope.
    """

    def __init__(
        self,
        application: ASGIApp,
        base_url: str = "http://test.org",
        *,
        headers: HeaderPairs = (),
        cookies: Cookies = "",
        timeout: float | None = DEFAULT_TIMEOUT,
        follow_redirects: bool = False,
        raise_exceptions: bool = True,
        client: tuple[str, int] | None = CLIENT,
        root_path: str = "",
        http_version: str = "1.1",
        extensions: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.application = application
        self.base_url = base_url
        self.headers: list[tuple[bytes, bytes]] = raw_pairs(headers)
        self.timeout = timeout
        self.follow_redirects = follow_redirects
        self.raise_exceptions = raise_exceptions
        self.state: dict[str, Any] = dict(state or ())
        self._scope_defaults = {"client": client, "root_path": root_path, "http_version": http_version}
        self._extensions = extensions
        self._cookies: _cookies.CookieJar | None = None
        self._lifespan: Lifespan | None = None
        if cookies:
            _cookies.set_cookies(self.cookies, base_url, cookies)

    @property
    def cookies(self) -> _cookies.CookieJar:
        """The cookies of the client, in an :class:`http.cookiejar.CookieJar`."""
        if self._cookies is None:
            self._cookies = _cookies.new_cookie_jar()
        return self._cookies

    async def __aenter__(self) -> Self:
        """Run the startup of the application.

        Raises:
            ScriptError: The application sent ``lifespan.startup.failed``.
            WaitTimeout: The startup took too long.
        """
        lifespan = Lifespan(self.application, self.state, self.timeout)
        await lifespan.__aenter__()
        self._lifespan = lifespan
        self.state = lifespan.scope["state"]
        return self

    async def __aexit__(
        self,
        type: builtins.type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Run the shutdown of the application, or cancel its lifespan if the block raised.

        Raises:
            ScriptError: The application sent ``lifespan.shutdown.failed``.
            WaitTimeout: The shutdown took too long.
        """
        lifespan, self._lifespan = self._lifespan, None
        assert lifespan is not None
        await lifespan.__aexit__(type, error, traceback)

    async def get(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a GET request, as :meth:`request`."""
        return await self.request("GET", url, **options)

    async def head(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a HEAD request, as :meth:`request`."""
        return await self.request("HEAD", url, **options)

    async def post(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a POST request, as :meth:`request`."""
        return await self.request("POST", url, **options)

    async def put(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a PUT request, as :meth:`request`."""
        return await self.request("PUT", url, **options)

    async def patch(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a PATCH request, as :meth:`request`."""
        return await self.request("PATCH", url, **options)

    async def delete(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a DELETE request, as :meth:`request`."""
        return await self.request("DELETE", url, **options)

    async def query(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a QUERY request, as :meth:`request`."""
        return await self.request("QUERY", url, **options)

    async def options(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send an OPTIONS request, as :meth:`request`."""
        return await self.request("OPTIONS", url, **options)

    async def request(self, method: str, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a request, and return the response after the application has returned.

        Args:
            method: The method.
            url: A path, encoded or not, with or without a query; or an absolute URL.
            **options: The keyword arguments of :class:`RequestFactory`; ``timeout``, the maximum time until
                the application returns, in seconds; and ``follow_redirects``.

        Raises:
            WaitTimeout: The application did not return in time.
            ScriptError: The application returned without a complete response, or redirected more than 20
                times.
            TypeError: A keyword argument is unknown.
        """
        check_options("request", options, ClientOptions.__optional_keys__)
        options["headers"] = self._headers(options)
        follow = options.pop("follow_redirects", self.follow_redirects)
        body = pop_body(options)
        target = self._resolve(self.base_url, url)
        history: list[Response] = []
        while True:
            async with self._exchange(method, target, body, options) as exchange:
                response = await exchange.response()
            response.history = tuple(history)
            location = response.headers.get("location") if 300 <= response.status < 400 else None
            if not follow or location is None:
                return response
            if len(history) == MAX_REDIRECTS:
                msg = f"expected at most {MAX_REDIRECTS} redirects, got one more to {target.path!r}"
                raise ScriptError(msg)
            history.append(response)
            origin, target = target, self._resolve(target.url, location)
            options = _redirected_options(options, same_origin=origin[1:4] == target[1:4])
            if _becomes_get(response.status, method):
                method, body = "GET", RequestBody()

    def stream(self, method: str, url: str = "/", **options: Unpack[StreamOptions]) -> Exchange:
        """Return a request and its response, to send and receive chunk by chunk.

        ::

            async with client.stream("GET", "/events") as events:
                assert await events.receive() == b"data: 1"

        Args:
            method: The method.
            url: As for :meth:`request`.
            **options: The keyword arguments of :class:`RequestFactory`; ``more_body=True`` to send more of
                the body with :meth:`Exchange.send`; ``timeout`` for each wait, in seconds.

        Raises:
            TypeError: A keyword argument is unknown.
        """
        check_options("stream", options, StreamOptions.__optional_keys__)
        options["headers"] = self._headers(options)
        more_body = options.pop("more_body", False)
        body = pop_body(options)
        if more_body:
            body = body._replace(headers=tuple(pair for pair in body.headers if pair[0] != b"content-length"))
        return self._exchange(method, self._resolve(self.base_url, url), body, options, more_body=more_body)

    def websocket(self, url: str = "/", **options: Unpack[ConversationOptions]) -> Conversation:
        """Return a WebSocket client. The application runs in a task.

        ::

            async with client.websocket("/talk", subprotocols=["chat"]) as talk:
                await talk.send_text("hello")
                assert await talk.receive_text() == "hello"

        Args:
            url: As for :meth:`request`.
            **options: The keyword arguments of :meth:`RequestFactory.websocket` without a script, and
                ``timeout`` for each wait, in seconds.

        Raises:
            TypeError: A keyword argument is unknown.
        """
        check_options("websocket", options, ConversationOptions.__optional_keys__)
        options["headers"] = self._headers(options)
        target = self._resolve(self.base_url, url)
        timeout = options.pop("timeout", self.timeout)
        subprotocols = list(options.get("subprotocols", ()))
        offered: list[tuple[bytes, bytes]] = []
        if subprotocols:
            offered = [(b"sec-websocket-protocol", ", ".join(subprotocols).encode())]
        arguments = self._scope_arguments(target, options, offered, {"websocket.http.response": {}})
        arguments["scheme"] = WEBSOCKET_SCHEMES.get(target.scheme, target.scheme)
        arguments["subprotocols"] = subprotocols
        return Conversation(
            self.application,
            websocket_scope(target.path, **arguments),
            timeout=timeout,
            raise_exceptions=self.raise_exceptions,
            on_start=lambda headers: self._store_cookies(target, headers),
        )

    def _exchange(
        self, method: str, target: Target, body: RequestBody, options: Any, *, more_body: bool = False
    ) -> Exchange:
        values = dict(options)
        timeout = values.pop("timeout", self.timeout)
        scope = http_scope(method, target.path, **self._scope_arguments(target, values, body.headers, {}))
        return Exchange(
            self.application,
            scope,
            body.chunks,
            more_body=more_body,
            timeout=timeout,
            raise_exceptions=self.raise_exceptions,
            url=target.url,
            on_start=lambda headers: self._store_cookies(target, headers),
        )

    def _headers(self, options: ConnectionOptions) -> list[tuple[bytes, bytes]]:
        return [*self.headers, *raw_pairs(options.get("headers", ()))]

    def _store_cookies(self, target: Target, headers: Any) -> None:
        if "set-cookie" in headers:
            _cookies.store_cookies(self.cookies, _http_url(target), headers)

    def _scope_arguments(
        self,
        target: Target,
        options: Mapping[str, Any],
        of_request: Iterable[tuple[bytes, bytes]],
        extensions: Mapping[str, Any],
    ) -> dict[str, Any]:
        host = target.authority.encode("ascii" if target.authority.isascii() else "idna")
        headers = merged_headers((), options["headers"], [(b"host", host), *of_request])
        # A client sends Host first (RFC 9110 section 7.2).
        headers.sort(key=lambda pair: pair[0].lower() != b"host")
        query = encode_query_params(options.get("query_params", b""))
        stored = "" if self._cookies is None else _cookies.read_cookies(self._cookies, _http_url(target))
        return {
            **self._scope_defaults,
            "server": (target.host, target.port),
            "scheme": target.scheme,
            "raw_path": target.raw_path,
            "extensions": extensions if self._extensions is None else self._extensions,
            **options,
            "state": {**self.state, **options.get("state", {})},
            "headers": headers,
            "query_params": b"&".join(filter(None, (target.query, query))),
            "cookies": _cookies.joined_cookies(stored, cookie_header(options.get("cookies", ""))),
        }

    @staticmethod
    def _resolve(base: str, url: str) -> Target:
        absolute = urljoin(base, url)
        parts = urlsplit(absolute)
        raw_path = quote(parts.path or "/", safe=PATH_CHARACTERS)
        return Target(
            absolute,
            parts.scheme,
            parts.hostname or "",
            parts.port or DEFAULT_PORTS.get(parts.scheme, 80),
            parts.netloc.rpartition("@")[2],
            unquote(raw_path),
            raw_path.encode("ascii"),
            quote(parts.query, safe="%/:@!$&'()*+,;=~?[]").encode("ascii"),
        )


def _http_url(target: Target) -> str:
    # The cookie jar supports only the schemes of HTTP.
    scheme = "https" if target.scheme in {"https", "wss"} else "http"
    return f"{scheme}://{target.authority}{target.raw_path.decode('ascii')}"


def _becomes_get(status: int, method: str) -> bool:
    """Whether clients change the method after this redirect (RFC 9110 section 15.4)."""
    return (status == 303 and method.upper() != "HEAD") or (status in {301, 302} and method.upper() == "POST")


def _redirected_options(options: Any, *, same_origin: bool) -> Any:
    """Return the options of the request after a redirect, without credentials if the origin changes."""
    remaining = {name: value for name, value in options.items() if name != "query_params"}
    if not same_origin:
        private = {b"authorization", b"cookie"}
        remaining["headers"] = [pair for pair in remaining["headers"] if pair[0].lower() not in private]
        remaining.pop("cookies", None)
    return remaining
