"""The vocabulary of ASGI: the callables, the scopes, and one TypedDict per event.

The names follow the specification (HTTP & WebSocket ASGI Message Format, version 2.5). ``Scope``,
``Receive`` and ``Send`` are deliberately wide: frameworks type the same three objects in ways that do
not fit one another (a ``MutableMapping``, unions of TypedDicts), and each of them is accepted here and
can be handed on from here. The TypedDicts are for code that builds or reads one event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from enum import Enum
from typing import Any, Final, Literal, NotRequired, TypeAlias, TypedDict

__all__ = (
    "ASGIVersions",
    "Empty",
    "EmptyType",
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
"""No value at all, where ``None`` would be a value."""

# A message is untyped at the boundary on purpose: a receive callable that returns one framework's
# union of TypedDicts and a send callable that takes another's are both assignable to these two.
Receive: TypeAlias = Callable[[], Awaitable[Any]]
"""The ASGI ``receive`` callable."""

Send: TypeAlias = Callable[[Any], Awaitable[None]]
"""The ASGI ``send`` callable."""

Scope: TypeAlias = MutableMapping[str, Any]
"""The connection scope of one HTTP request or one WebSocket."""

Message: TypeAlias = MutableMapping[str, Any]
"""One event, as ``receive`` returns it and ``send`` takes it."""

Method: TypeAlias = Literal["GET", "POST", "DELETE", "PATCH", "PUT", "HEAD", "TRACE", "OPTIONS", "CONNECT"]
"""The methods of RFC 9110 and RFC 5789; a client can send any other token too."""

WebSocketMode: TypeAlias = Literal["text", "binary"]
"""Which of the two message types of RFC 6455 section 5.6."""

RawHeaders: TypeAlias = Iterable[tuple[bytes, bytes]]
"""Header pairs as ASGI has them."""

HeaderPairs: TypeAlias = Mapping[str, Any] | Iterable[tuple[str | bytes, str | bytes]]
"""What may be given where headers are to be sent."""

Serializer: TypeAlias = Callable[[Any], Any]
"""Turns a value that the encoder does not know into one that it does."""

TypeEncoders: TypeAlias = Mapping[Any, Callable[[Any], Any]]
"""By type, what turns its instances into something encodable."""

TypeDecoders: TypeAlias = Iterable[tuple[Callable[[Any], bool], Callable[[Any, Any], Any]]]
"""Pairs: does the target type match; and ``decode(type, value)``."""


class ASGIVersions(TypedDict):
    """``scope["asgi"]``."""

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


class HTTPRequestEvent(TypedDict):
    """``http.request``: a piece of the request body."""

    type: Literal["http.request"]
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


class HTTPDisconnectEvent(TypedDict):
    """``http.disconnect``: the client left, or the response is complete."""

    type: Literal["http.disconnect"]


class HTTPResponseStartEvent(TypedDict):
    """``http.response.start``."""

    type: Literal["http.response.start"]
    status: int
    headers: NotRequired[Iterable[tuple[bytes, bytes]]]
    trailers: NotRequired[bool]


class HTTPResponseBodyEvent(TypedDict):
    """``http.response.body``."""

    type: Literal["http.response.body"]
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


class HTTPResponseTrailersEvent(TypedDict):
    """``http.response.trailers`` (extension)."""

    type: Literal["http.response.trailers"]
    headers: Iterable[tuple[bytes, bytes]]
    more_trailers: NotRequired[bool]


class HTTPServerPushEvent(TypedDict):
    """``http.response.push`` (extension)."""

    type: Literal["http.response.push"]
    path: str
    headers: Iterable[tuple[bytes, bytes]]


class HTTPEarlyHintEvent(TypedDict):
    """``http.response.early_hint`` (extension)."""

    type: Literal["http.response.early_hint"]
    links: Iterable[bytes]


class HTTPResponsePathsendEvent(TypedDict):
    """``http.response.pathsend`` (extension)."""

    type: Literal["http.response.pathsend"]
    path: str


class HTTPZeroCopySendEvent(TypedDict):
    """``http.response.zerocopysend`` (extension)."""

    type: Literal["http.response.zerocopysend"]
    file: int
    offset: NotRequired[int]
    count: NotRequired[int]
    more_body: NotRequired[bool]


class HTTPResponseDebugEvent(TypedDict):
    """``http.response.debug`` (extension): what a test client may learn of a response."""

    type: Literal["http.response.debug"]
    info: dict[str, Any]


class WebSocketConnectEvent(TypedDict):
    """``websocket.connect``: the client asks for the handshake."""

    type: Literal["websocket.connect"]


class WebSocketAcceptEvent(TypedDict):
    """``websocket.accept``."""

    type: Literal["websocket.accept"]
    subprotocol: NotRequired[str | None]
    headers: NotRequired[Iterable[tuple[bytes, bytes]]]


class WebSocketReceiveEvent(TypedDict):
    """``websocket.receive``: one message, of which exactly one key is not ``None``."""

    type: Literal["websocket.receive"]
    bytes: NotRequired[bytes | None]
    text: NotRequired[str | None]


class WebSocketSendEvent(TypedDict):
    """``websocket.send``: one message, of which exactly one key is not ``None``."""

    type: Literal["websocket.send"]
    bytes: NotRequired[bytes | None]
    text: NotRequired[str | None]


class WebSocketDisconnectEvent(TypedDict):
    """``websocket.disconnect``; ``code`` is 1005 where the peer sent none."""

    type: Literal["websocket.disconnect"]
    code: NotRequired[int | None]
    reason: NotRequired[str | None]


class WebSocketCloseEvent(TypedDict):
    """``websocket.close``; before the handshake it is answered as HTTP 403."""

    type: Literal["websocket.close"]
    code: NotRequired[int]
    reason: NotRequired[str | None]


class WebSocketResponseStartEvent(TypedDict):
    """``websocket.http.response.start`` (extension): the denial response begins."""

    type: Literal["websocket.http.response.start"]
    status: int
    headers: Iterable[tuple[bytes, bytes]]


class WebSocketResponseBodyEvent(TypedDict):
    """``websocket.http.response.body`` (extension)."""

    type: Literal["websocket.http.response.body"]
    body: bytes
    more_body: NotRequired[bool]


HTTPReceiveMessage: TypeAlias = HTTPRequestEvent | HTTPDisconnectEvent
"""What ``receive`` gives of a request."""

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
"""What ``send`` takes in answer to a request."""

WebSocketReceiveMessage: TypeAlias = WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent
"""What ``receive`` gives of a WebSocket."""

WebSocketSendMessage: TypeAlias = (
    WebSocketAcceptEvent
    | WebSocketSendEvent
    | WebSocketCloseEvent
    | WebSocketResponseStartEvent
    | WebSocketResponseBodyEvent
)
"""What ``send`` takes for a WebSocket."""
