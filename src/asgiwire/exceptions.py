"""Every exception of asgiwire, split by who is to blame.

::

    AsgiwireException
    ├─ InternalServerException      status_code = 500: this side of the wire is at fault
    │  ├─ UsageError                the calling code
    │  │  ├─ ImproperlyConfiguredException  (also ValueError)    scope lacks what was asked for
    │  │  ├─ NoRouteMatchFoundException     (also LookupError)   .name
    │  │  ├─ StreamConsumed                 (also RuntimeError)  .consumer
    │  │  └─ WebSocketStateError            (also RuntimeError)  .event .state .expected
    │  └─ ProtocolError             the server broke the ASGI specification  .message_type .expected
    ├─ ClientException              status_code = 400: the peer sent something bad
    │  ├─ ValidationException       (also ValueError)  well formed, but not what was wanted
    │  ├─ SerializationException    (also ValueError)  does not decode
    │  └─ RequestEntityTooLarge     status_code = 413  .limit .maximum
    ├─ WebSocketException           .code .detail: a conversation that has to end
    │  └─ WebSocketDisconnect       (also Disconnected)  .reason
    └─ Disconnected                 the peer went away: nobody is there to answer
       ├─ ClientDisconnect
       └─ WebSocketDisconnect

    AsgiwireWarning                 (a UserWarning)

An exception holds values; ``__str__`` writes the sentence (what was wanted, what came, where). No
sentence holds a body, a cookie or a credential. A framework answers every
:class:`ClientException` from ``status_code`` and ``detail`` alone, and never answers a
:class:`Disconnected`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = (
    "AsgiwireException",
    "AsgiwireWarning",
    "ClientDisconnect",
    "ClientException",
    "Disconnected",
    "ImproperlyConfiguredException",
    "InternalServerException",
    "NoRouteMatchFoundException",
    "ProtocolError",
    "RequestEntityTooLarge",
    "SerializationException",
    "StreamConsumed",
    "UsageError",
    "ValidationException",
    "WebSocketDisconnect",
    "WebSocketException",
    "WebSocketStateError",
)


class AsgiwireWarning(UserWarning):
    """Something was asked for that this server cannot do, and was left out."""


class AsgiwireException(Exception):
    """The base of every exception that asgiwire defines.

    Attributes:
        detail: The sentence for whoever reads it; safe to send to the peer for a ``ClientException``.
    """

    default_detail: ClassVar[str] = ""

    detail: str

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.default_detail
        super().__init__(self.detail)

    def __str__(self) -> str:
        return self.detail

    def __reduce__(self) -> tuple[Any, ...]:
        # Subclasses take values, not one sentence, so the default (class, args) would not rebuild them.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[AsgiwireException], args: tuple[Any, ...], values: dict[str, Any]
) -> AsgiwireException:
    exception = cls.__new__(cls)
    exception.args = args
    exception.__dict__.update(values)
    return exception


class InternalServerException(AsgiwireException):
    """This side of the wire is at fault: the calling code or the server."""

    status_code: int = 500


class UsageError(InternalServerException):
    """The calling code asked for something that cannot be."""


class ImproperlyConfiguredException(UsageError, ValueError):
    """The scope lacks what was asked for, or is of the wrong type for the class."""


class NoRouteMatchFoundException(UsageError, LookupError):
    """No route has this name, or it does not take these path parameters.

    Attributes:
        name: The route that was asked for.
    """

    def __init__(self, detail: str = "", *, name: str = "") -> None:
        self.name = name
        super().__init__(detail or f"no route matches {name!r}")


class StreamConsumed(UsageError, RuntimeError):
    """The body was asked for a second time after it had been handed out piece by piece.

    Attributes:
        consumer: Who took it: ``"stream()"``, ``"form()"``.
    """

    def __init__(self, detail: str = "", *, consumer: str = "stream()") -> None:
        self.consumer = consumer
        super().__init__(detail or f"the request body was consumed by {consumer}")


class WebSocketStateError(UsageError, RuntimeError):
    """An event that the state of the WebSocket does not allow.

    Attributes:
        event: The ASGI message type that was attempted.
        state: The state that the connection was in.
        expected: The message types that the state allows.
    """

    def __init__(self, detail: str = "", *, event: str, state: str, expected: tuple[str, ...] = ()) -> None:
        self.event = event
        self.state = state
        self.expected = expected
        super().__init__(detail or f"{event!r} is not allowed in state {state!r}, {_one_of(expected)}")


class ProtocolError(InternalServerException):
    """The server sent a message that the ASGI specification does not allow here.

    Attributes:
        message_type: The ``type`` of the message that came, or what stood in its place.
        expected: The message types that are allowed here.
    """

    def __init__(self, detail: str = "", *, message_type: object, expected: tuple[str, ...]) -> None:
        self.message_type = message_type
        self.expected = expected
        super().__init__(detail or f"unexpected ASGI message type {message_type!r}, {_one_of(expected)}")


class ClientException(AsgiwireException):
    """The peer sent something bad.

    Attributes:
        status_code: The HTTP status to answer with.
        message: The WebSocket message that a reader rejected, so that the application can still read it;
            ``None`` for every other error. It is never part of ``str()``.
    """

    status_code: int = 400
    message: Mapping[str, Any] | None = None
    default_detail = "Bad Request"

    def __init__(self, detail: str = "", *, status_code: int | None = None) -> None:
        super().__init__(detail)
        if status_code is not None:
            self.status_code = status_code


class ValidationException(ClientException, ValueError):
    """The peer's data is well formed, but not what was wanted."""


class SerializationException(ClientException, ValueError):
    """The peer's data does not decode."""


class RequestEntityTooLarge(ClientException):
    """The peer sent more than a limit allows (RFC 9110 section 15.5.14).

    Attributes:
        limit: The name of the field of :class:`~asgiwire.limits.Limits` that was exceeded.
        maximum: Its value, in the unit of the limit (bytes or a count).
    """

    status_code = 413
    default_detail = "Request Entity Too Large"

    def __init__(self, detail: str = "", *, limit: str = "", maximum: int | None = None) -> None:
        self.limit = limit
        self.maximum = maximum
        if not detail and limit:
            detail = f"the request exceeds {limit}={maximum}; raise it with Limits({limit}=...) on the class"
        super().__init__(detail)


class Disconnected(AsgiwireException):
    """The peer went away: nobody is there to answer."""


class ClientDisconnect(Disconnected):
    """The HTTP client left before its request was read to the end (ASGI ``http.disconnect``)."""

    default_detail = "the client disconnected before the request body was complete"


class WebSocketException(AsgiwireException):
    """A WebSocket conversation that has to end; raise it to say with which code.

    Attributes:
        code: The close code (RFC 6455 section 7.4).
    """

    default_code: ClassVar[int] = 4500

    def __init__(self, detail: str = "", code: int | None = None) -> None:
        super().__init__(detail)
        self.code: int = self.default_code if code is None else code


class WebSocketDisconnect(WebSocketException, Disconnected):
    """The WebSocket is closed, whoever closed it.

    Attributes:
        code: The close code that the server reported; 1005 when the peer sent none, 1006 when the
            connection was lost.
        reason: The reason that came with it, or ``""``.
    """

    default_code = 1000
    default_detail = "the WebSocket is closed"

    def __init__(self, detail: str = "", code: int | None = None, reason: str = "") -> None:
        super().__init__(detail, code)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.detail} (code {self.code}{f', reason {self.reason!r}' if self.reason else ''})"


def _one_of(expected: tuple[str, ...]) -> str:
    if not expected:
        return "nothing is allowed any more"
    return "expected " + " or ".join(repr(name) for name in expected)
