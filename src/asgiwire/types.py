"""Types of ASGI: the callables, the scopes, and one TypedDict per event.

The names follow the specification (HTTP & WebSocket ASGI Message Format, version 2.5). ``Scope``,
``Receive`` and ``Send`` are deliberately wide. Frameworks type these three objects in incompatible ways (a
``MutableMapping``, unions of TypedDicts), and each of those types is assignable to and from these. Use the
TypedDicts in code that builds or reads one event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from enum import Enum
from typing import Any, Final, Literal, NotRequired, TypeAlias, TypedDict

__all__ = (
    "ASGIApp",
    "ASGIVersions",
    "Empty",
    "EmptyType",
    "FetchSite",
    "HTTPDisconnectEvent",
    "HTTPEarlyHintEvent",
    "HTTPReceiveMessage",
    "HTTPRequestEvent",
    "HTTPResponseBodyEvent",
    "HTTPResponseDebugEvent",
    "HTTPResponsePathsendEvent",
    "HTTPResponseStartEvent",
    "HTTPResponseTrailersEvent",
    "HTTPScope",
    "HTTPSendMessage",
    "HTTPServerPushEvent",
    "HTTPZeroCopySendEvent",
    "HeaderPairs",
    "LifespanReceiveMessage",
    "LifespanScope",
    "LifespanSendMessage",
    "LifespanShutdownCompleteEvent",
    "LifespanShutdownEvent",
    "LifespanShutdownFailedEvent",
    "LifespanStartupCompleteEvent",
    "LifespanStartupEvent",
    "LifespanStartupFailedEvent",
    "Message",
    "Method",
    "RawHeaders",
    "Receive",
    "Scope",
    "Send",
    "Serializer",
    "TypeDecoders",
    "TypeEncoders",
    "WebSocketAcceptEvent",
    "WebSocketCloseEvent",
    "WebSocketConnectEvent",
    "WebSocketDisconnectEvent",
    "WebSocketMode",
    "WebSocketReceiveEvent",
    "WebSocketReceiveMessage",
    "WebSocketResponseBodyEvent",
    "WebSocketResponseStartEvent",
    "WebSocketScope",
    "WebSocketSendEvent",
    "WebSocketSendMessage",
)


class EmptyType(Enum):
    """The type of :data:`Empty`."""

    EMPTY = "Empty"

    def __repr__(self) -> str:
        return "Empty"

    def __bool__(self) -> Literal[False]:
        return False


Empty: Final = EmptyType.EMPTY
"""Marks an absent value where ``None`` is a valid value."""

# Messages are `Any`, so that the receive and send callables of every framework are assignable to these two.
Receive: TypeAlias = Callable[[], Awaitable[Any]]
"""The ASGI ``receive`` callable."""

Send: TypeAlias = Callable[[Any], Awaitable[None]]
"""The ASGI ``send`` callable."""

# Also `Any`, because servers and frameworks type the scope as TypedDicts, which are no MutableMapping.
Scope: TypeAlias = MutableMapping[str, Any] | Any
"""The scope of one HTTP request, WebSocket connection or lifespan."""

ASGIApp: TypeAlias = Callable[[Any, Receive, Send], Awaitable[None]]
"""An ASGI application; its scope is a :data:`Scope`, or the one of another framework."""

Message: TypeAlias = MutableMapping[str, Any]
"""One event that ``receive`` returns or ``send`` takes."""

# The literals are for completion in editors. Without `str`, a comparison with another method is an error to
# type checkers.
Method: TypeAlias = (
    Literal["GET", "POST", "DELETE", "PATCH", "PUT", "HEAD", "TRACE", "OPTIONS", "CONNECT", "QUERY"]  # noqa: PYI051  # as above
    | str
)
"""A request method of RFC 9110, PATCH (RFC 5789), QUERY, or any other token that the client sends."""

WebSocketMode: TypeAlias = Literal["text", "binary"]
"""The two types of WebSocket messages (RFC 6455 section 5.6)."""

FetchSite: TypeAlias = Literal["same-origin", "same-site", "cross-site", "none"]
"""The relation between a page and the URL that it requests; ``"none"`` for a request of the user."""

RawHeaders: TypeAlias = Iterable[tuple[bytes, bytes]]
"""Pairs of header name and value, as in an ASGI scope."""

HeaderPairs: TypeAlias = Mapping[str, Any] | Iterable[tuple[str | bytes, str | bytes]]
"""Headers to send, as a mapping or an iterable of pairs."""

Serializer: TypeAlias = Callable[[Any], Any]
"""Converts a value of an unsupported type to a type that the encoder supports."""

TypeEncoders: TypeAlias = Mapping[Any, Callable[[Any], Any]]
"""Maps a type to the function that converts its instances to an encodable type."""

TypeDecoders: TypeAlias = Iterable[tuple[Callable[[Any], bool], Callable[[Any, Any], Any]]]
"""Pairs of a predicate on the target type and a decoder ``decode(type, value)``."""


class ASGIVersions(TypedDict):
    """``scope["asgi"]``: the version of ASGI and that of the message format."""

    version: str
    spec_version: NotRequired[str]


class _BaseScope(TypedDict):
    asgi: NotRequired[ASGIVersions]
    path: str
    raw_path: NotRequired[bytes | None]
    root_path: NotRequired[str]
    headers: Iterable[tuple[bytes, bytes]]
    client: NotRequired[tuple[str, int] | None]
    server: NotRequired[tuple[str, int | None] | None]
    state: NotRequired[dict[str, Any]]
    extensions: NotRequired[dict[str, dict[object, object]] | None]


class HTTPScope(_BaseScope):
    """The scope of one HTTP request."""

    type: Literal["http"]
    http_version: NotRequired[str]
    method: str
    scheme: NotRequired[str]
    query_string: NotRequired[bytes]


class WebSocketScope(_BaseScope):
    """The scope of one WebSocket connection."""

    type: Literal["websocket"]
    http_version: NotRequired[str]
    scheme: NotRequired[str]
    query_string: NotRequired[bytes | None]
    subprotocols: NotRequired[Iterable[str]]


class LifespanScope(TypedDict):
    """The scope of the lifespan of an application (ASGI Lifespan Protocol, version 2.0)."""

    type: Literal["lifespan"]
    asgi: NotRequired[ASGIVersions]
    state: NotRequired[dict[str, Any]]


class HTTPRequestEvent(TypedDict):
    """``http.request``: a chunk of the request body."""

    type: Literal["http.request"]
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


class HTTPDisconnectEvent(TypedDict):
    """``http.disconnect``: the client disconnected, or the response is complete."""

    type: Literal["http.disconnect"]


class HTTPResponseStartEvent(TypedDict):
    """``http.response.start``: status and headers of the response."""

    type: Literal["http.response.start"]
    status: int
    headers: NotRequired[Iterable[tuple[bytes, bytes]]]
    trailers: NotRequired[bool]


class HTTPResponseBodyEvent(TypedDict):
    """``http.response.body``: a chunk of the response body."""

    type: Literal["http.response.body"]
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


class HTTPResponseTrailersEvent(TypedDict):
    """``http.response.trailers`` (extension): headers after the body."""

    type: Literal["http.response.trailers"]
    headers: Iterable[tuple[bytes, bytes]]
    more_trailers: NotRequired[bool]


class HTTPServerPushEvent(TypedDict):
    """``http.response.push`` (extension): a push promise of HTTP/2."""

    type: Literal["http.response.push"]
    path: str
    headers: Iterable[tuple[bytes, bytes]]


class HTTPEarlyHintEvent(TypedDict):
    """``http.response.early_hint`` (extension): ``Link`` headers of a 103 response."""

    type: Literal["http.response.early_hint"]
    links: Iterable[bytes]


class HTTPResponsePathsendEvent(TypedDict):
    """``http.response.pathsend`` (extension): the server sends the file at a path as the body."""

    type: Literal["http.response.pathsend"]
    path: str


class HTTPZeroCopySendEvent(TypedDict):
    """``http.response.zerocopysend`` (extension): the server sends a chunk of an open file."""

    type: Literal["http.response.zerocopysend"]
    file: int
    offset: NotRequired[int]
    count: NotRequired[int]
    more_body: NotRequired[bool]


class HTTPResponseDebugEvent(TypedDict):
    """``http.response.debug`` (extension): information about the response for test clients."""

    type: Literal["http.response.debug"]
    info: dict[str, Any]


class WebSocketConnectEvent(TypedDict):
    """``websocket.connect``: the client requests the handshake."""

    type: Literal["websocket.connect"]


class WebSocketAcceptEvent(TypedDict):
    """``websocket.accept``: the application accepts the handshake."""

    type: Literal["websocket.accept"]
    subprotocol: NotRequired[str | None]
    headers: NotRequired[Iterable[tuple[bytes, bytes]]]


class WebSocketReceiveEvent(TypedDict):
    """``websocket.receive``: one message; exactly one of the two keys is not ``None``."""

    type: Literal["websocket.receive"]
    bytes: NotRequired[bytes | None]
    text: NotRequired[str | None]


class WebSocketSendEvent(TypedDict):
    """``websocket.send``: one message; exactly one of the two keys is not ``None``."""

    type: Literal["websocket.send"]
    bytes: NotRequired[bytes | None]
    text: NotRequired[str | None]


class WebSocketDisconnectEvent(TypedDict):
    """``websocket.disconnect``; ``code`` is 1005 if the client sent none."""

    type: Literal["websocket.disconnect"]
    code: NotRequired[int | None]
    reason: NotRequired[str | None]


class WebSocketCloseEvent(TypedDict):
    """``websocket.close``; before the handshake is accepted, the server responds with 403."""

    type: Literal["websocket.close"]
    code: NotRequired[int]
    reason: NotRequired[str | None]


class WebSocketResponseStartEvent(TypedDict):
    """``websocket.http.response.start`` (extension): the denial response begins."""

    type: Literal["websocket.http.response.start"]
    status: int
    headers: Iterable[tuple[bytes, bytes]]


class WebSocketResponseBodyEvent(TypedDict):
    """``websocket.http.response.body`` (extension): a chunk of the denial response."""

    type: Literal["websocket.http.response.body"]
    body: bytes
    more_body: NotRequired[bool]


class LifespanStartupEvent(TypedDict):
    """``lifespan.startup``: the server is ready to start."""

    type: Literal["lifespan.startup"]


class LifespanShutdownEvent(TypedDict):
    """``lifespan.shutdown``: the server has stopped."""

    type: Literal["lifespan.shutdown"]


class LifespanStartupCompleteEvent(TypedDict):
    """``lifespan.startup.complete``: requests can be handled."""

    type: Literal["lifespan.startup.complete"]


class LifespanStartupFailedEvent(TypedDict):
    """``lifespan.startup.failed``: the server has to exit."""

    type: Literal["lifespan.startup.failed"]
    message: NotRequired[str]


class LifespanShutdownCompleteEvent(TypedDict):
    """``lifespan.shutdown.complete``: the application has stopped."""

    type: Literal["lifespan.shutdown.complete"]


class LifespanShutdownFailedEvent(TypedDict):
    """``lifespan.shutdown.failed``: the application could not stop properly."""

    type: Literal["lifespan.shutdown.failed"]
    message: NotRequired[str]


HTTPReceiveMessage: TypeAlias = HTTPRequestEvent | HTTPDisconnectEvent
"""Messages that ``receive`` returns for an HTTP request."""

HTTPSendMessage: TypeAlias = (
    HTTPResponseStartEvent
    | HTTPResponseBodyEvent
    | HTTPResponseTrailersEvent
    | HTTPServerPushEvent
    | HTTPEarlyHintEvent
    | HTTPResponsePathsendEvent
    | HTTPZeroCopySendEvent
    | HTTPResponseDebugEvent
)
"""Messages that ``send`` takes for an HTTP request."""

WebSocketReceiveMessage: TypeAlias = WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent
"""Messages that ``receive`` returns for a WebSocket."""

WebSocketSendMessage: TypeAlias = (
    WebSocketAcceptEvent
    | WebSocketSendEvent
    | WebSocketCloseEvent
    | WebSocketResponseStartEvent
    | WebSocketResponseBodyEvent
)
"""Messages that ``send`` takes for a WebSocket."""

LifespanReceiveMessage: TypeAlias = LifespanStartupEvent | LifespanShutdownEvent
"""Messages that ``receive`` returns for a lifespan."""

LifespanSendMessage: TypeAlias = (
    LifespanStartupCompleteEvent
    | LifespanStartupFailedEvent
    | LifespanShutdownCompleteEvent
    | LifespanShutdownFailedEvent
)
"""Messages that ``send`` takes for a lifespan."""
