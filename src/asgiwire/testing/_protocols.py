"""The states of the three ASGI protocols, as tables of the messages that each state allows."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeVar

from asgiwire._websocket import states as websocket

# The tables contain the allowed messages; a missing entry is an error of the side that sends the message. The
# tables of the WebSocket are those of `asgiwire.WebSocket`. If a state depends on more than the message type,
# such as `more_body`, the methods `sent` and `received` compute it.


class HTTPState(StrEnum):
    """The state of the response."""

    REQUEST = "request"
    """No response was started."""

    STARTED = "started"
    """``http.response.start`` was sent."""

    STREAMING = "streaming"
    """A part of the body was sent."""

    TRAILERS = "trailers"
    """The body is complete, and the start message announced trailers."""

    COMPLETE = "complete"
    """The response is complete."""


class RequestState(StrEnum):
    """The state of the request body."""

    BODY = "body"
    """The body is not complete."""

    RECEIVED = "received"
    """The body is complete."""

    DISCONNECTED = "disconnected"
    """``http.disconnect`` was sent."""


class LifespanState(StrEnum):
    """The state of the lifespan of an application."""

    INITIAL = "initial"
    """The application was called."""

    STARTING = "starting"
    """``lifespan.startup`` was received."""

    RUNNING = "running"
    """The startup is complete."""

    STOPPING = "stopping"
    """``lifespan.shutdown`` was received."""

    ENDED = "ended"
    """The startup failed, or the shutdown is complete or failed."""


HTTP_SENT: Final[Mapping[HTTPState, Mapping[str, HTTPState]]] = {
    HTTPState.REQUEST: {
        "http.response.start": HTTPState.STARTED,
        # The page on extensions says "after", which no server accepts; asgiref pull request 579 corrects it.
        "http.response.early_hint": HTTPState.REQUEST,
        "http.response.debug": HTTPState.REQUEST,
    },
    HTTPState.STARTED: {
        "http.response.body": HTTPState.COMPLETE,
        "http.response.pathsend": HTTPState.COMPLETE,
        "http.response.zerocopysend": HTTPState.COMPLETE,
        "http.response.push": HTTPState.STARTED,
    },
    HTTPState.STREAMING: {
        "http.response.body": HTTPState.COMPLETE,
        "http.response.zerocopysend": HTTPState.COMPLETE,
        "http.response.push": HTTPState.STREAMING,
    },
    HTTPState.TRAILERS: {"http.response.trailers": HTTPState.COMPLETE},
    HTTPState.COMPLETE: {},
}
"""``HTTP_SENT[state][message type]`` is the state after the application's last message of this type."""

HTTP_RECEIVED: Final[Mapping[RequestState, Mapping[str, RequestState]]] = {
    RequestState.BODY: {"http.request": RequestState.RECEIVED, "http.disconnect": RequestState.DISCONNECTED},
    RequestState.RECEIVED: {"http.disconnect": RequestState.DISCONNECTED},
    RequestState.DISCONNECTED: {"http.disconnect": RequestState.DISCONNECTED},
}
"""``HTTP_RECEIVED[state][message type]`` is the state after the server's last message of this type."""

LIFESPAN_SENT: Final[Mapping[LifespanState, Mapping[str, LifespanState]]] = {
    LifespanState.INITIAL: {},
    LifespanState.STARTING: {
        "lifespan.startup.complete": LifespanState.RUNNING,
        "lifespan.startup.failed": LifespanState.ENDED,
    },
    LifespanState.RUNNING: {},
    LifespanState.STOPPING: {
        "lifespan.shutdown.complete": LifespanState.ENDED,
        "lifespan.shutdown.failed": LifespanState.ENDED,
    },
    LifespanState.ENDED: {},
}
"""``LIFESPAN_SENT[state][message type]`` is the state after the application sent the message."""

LIFESPAN_RECEIVED: Final[Mapping[LifespanState, Mapping[str, LifespanState]]] = {
    LifespanState.INITIAL: {"lifespan.startup": LifespanState.STARTING},
    LifespanState.STARTING: {},
    LifespanState.RUNNING: {"lifespan.shutdown": LifespanState.STOPPING},
    LifespanState.STOPPING: {},
    LifespanState.ENDED: {},
}
"""``LIFESPAN_RECEIVED[state][message type]`` is the state after the application received the message."""

LAST_PARTS: Final = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend")
"""Messages that end the body, unless they have ``more_body``."""


class HTTPProtocol:
    """The state of one HTTP request.

    Attributes:
        state: The state of the response.
        request: The state of the request body.
    """

    section: Final = "HTTP, Response Start and Response Body - send event"

    def __init__(self) -> None:
        self.state = HTTPState.REQUEST
        self.request = RequestState.BODY
        self._trailers = False

    @property
    def sendable(self) -> tuple[str, ...]:
        """The types of the messages that the application may send."""
        return tuple(HTTP_SENT[self.state])

    @property
    def receivable(self) -> tuple[str, ...]:
        """The types of the messages that the server may send."""
        return tuple(HTTP_RECEIVED[self.request])

    def sent(self, message: Mapping[str, Any]) -> None:
        """Change the state after a message of the application that the state allows."""
        kind = message["type"]
        if kind == "http.response.start":
            self._trailers = bool(message.get("trailers"))
        elif kind in LAST_PARTS and message.get("more_body"):
            self.state = HTTPState.STREAMING
            return
        elif kind in LAST_PARTS and self._trailers:
            self.state = HTTPState.TRAILERS
            return
        elif kind == "http.response.trailers" and message.get("more_trailers"):
            return
        self.state = HTTP_SENT[self.state][kind]

    def received(self, message: Mapping[str, Any]) -> None:
        """Change the state after a message of the server that the state allows."""
        if not message.get("more_body"):
            self.request = HTTP_RECEIVED[self.request][message["type"]]

    @property
    def missing(self) -> str:
        """The message that the application must send before it returns, or ``""``."""
        if self.state is HTTPState.COMPLETE or self.request is RequestState.DISCONNECTED:
            return ""
        if self.state is HTTPState.REQUEST:
            return "'http.response.start'"
        if self.state is HTTPState.TRAILERS:
            return "'http.response.trailers' without 'more_trailers'"
        return "'http.response.body' without 'more_body'"


class WebSocketProtocol:
    """The state of one WebSocket, in the tables of :class:`asgiwire.WebSocket`.

    Attributes:
        state: The state.
        disconnected: Whether ``websocket.disconnect`` was received.
    """

    section: Final = "WebSocket, Connect - receive event"

    def __init__(self) -> None:
        self.state = websocket.INITIAL
        self.disconnected = False
        self._connect_is_late = False

    def assume_connect(self) -> None:
        """Continue as if ``websocket.connect`` was received, if the application sends a message before it.

        Most servers accept such a message, and frameworks send it.
        """
        if self.state is websocket.INITIAL:
            self.state = websocket.HANDSHAKE
            self._connect_is_late = True

    @property
    def sendable(self) -> tuple[str, ...]:
        """The types of the messages that the application may send."""
        return tuple(websocket.SENT[self.state])

    @property
    def receivable(self) -> tuple[str, ...]:
        """The types of the messages that the server may send."""
        if self._connect_is_late:
            return ("websocket.connect",)
        # The specification does not say how often a disconnect may be received; servers repeat it.
        return ("websocket.disconnect",) if self.disconnected else tuple(websocket.RECEIVED[self.state])

    def sent(self, message: Mapping[str, Any]) -> None:
        """Change the state after a message of the application that the state allows."""
        if not (self.state is websocket.DENYING and message.get("more_body")):
            self.state = websocket.SENT[self.state][message["type"]]

    def received(self, message: Mapping[str, Any]) -> None:
        """Change the state after a message of the server that the state allows."""
        if self._connect_is_late:
            self._connect_is_late = False
            return
        self.disconnected = message["type"] == "websocket.disconnect"
        self.state = websocket.RECEIVED[self.state][message["type"]]

    @property
    def missing(self) -> str:
        """The message that the application must send before it returns, or ``""``."""
        if self.state in {websocket.INITIAL, websocket.HANDSHAKE}:
            return "'websocket.accept' or 'websocket.close'"
        return "'websocket.http.response.body' without 'more_body'" if self.state is websocket.DENYING else ""


class LifespanProtocol:
    """The state of the lifespan of an application.

    Attributes:
        state: The state.
    """

    section: Final = "Lifespan Protocol, Startup and Shutdown - receive event"

    def __init__(self) -> None:
        self.state = LifespanState.INITIAL

    @property
    def sendable(self) -> tuple[str, ...]:
        """The types of the messages that the application may send."""
        return tuple(LIFESPAN_SENT[self.state])

    @property
    def receivable(self) -> tuple[str, ...]:
        """The types of the messages that the server may send."""
        return tuple(LIFESPAN_RECEIVED[self.state])

    def sent(self, message: Mapping[str, Any]) -> None:
        """Change the state after a message of the application that the state allows."""
        self.state = LIFESPAN_SENT[self.state][message["type"]]

    def received(self, message: Mapping[str, Any]) -> None:
        """Change the state after a message of the server that the state allows."""
        self.state = LIFESPAN_RECEIVED[self.state][message["type"]]

    @property
    def missing(self) -> str:
        """The message that the application must send before it returns, or ``""``."""
        if self.state is LifespanState.INITIAL:
            return "an exception, or an answer to 'lifespan.startup'"
        return " or ".join(map(repr, self.sendable))


ConnectionProtocol: TypeAlias = HTTPProtocol | WebSocketProtocol | LifespanProtocol
"""The state of a connection of any protocol."""

ProtocolT = TypeVar("ProtocolT", HTTPProtocol, WebSocketProtocol, LifespanProtocol)

PROTOCOLS: Final[Mapping[str, type[ConnectionProtocol]]] = {
    "http": HTTPProtocol,
    "websocket": WebSocketProtocol,
    "lifespan": LifespanProtocol,
}
"""By the type of the scope."""
