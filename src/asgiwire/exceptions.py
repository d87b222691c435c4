"""All exceptions of asgiwire, split by cause.

::

    AsgiwireException
    ├─ InternalServerException      status_code = 500
    │  ├─ UsageError                the application made an invalid call
    │  │  ├─ ImproperlyConfiguredException  (also ValueError)    a value is missing from the scope
    │  │  │  └─ MissingCallableError        (also RuntimeError)  receive or send was not given
    │  │  ├─ NoRouteMatchFoundException     (also LookupError)   .name
    │  │  ├─ StreamConsumed                 (also RuntimeError)  .consumer
    │  │  └─ WebSocketStateError            (also RuntimeError)  .event .state .expected
    │  └─ ProtocolError             the server violated the specification  .message_type .expected
    ├─ ClientException              the client sent something invalid  status_code = 400  .headers
    │  ├─ ValidationException       (also ValueError)  well-formed data of the wrong type or value
    │  ├─ SerializationException    (also ValueError)  malformed data
    │  ├─ RequestEntityTooLarge     status_code = 413  .limit .maximum
    │  └─ InsufficientStorage       status_code = 507  the server cannot store the body
    ├─ WebSocketException           the WebSocket has to be closed  .code
    │  └─ WebSocketDisconnect       (also Disconnected)  .reason
    └─ Disconnected                 the client disconnected
       ├─ ClientDisconnect
       └─ WebSocketDisconnect

    AsgiwireWarning                 (a UserWarning)

Exceptions hold values, and ``__str__`` writes the message. No message contains a body, a cookie or a
credential. A framework builds the response to a :class:`ClientException` from ``status_code``, ``detail``
and ``headers``. It sends no response after a :class:`Disconnected`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, cast

__all__ = (
    "AsgiwireException",
    "AsgiwireWarning",
    "ClientDisconnect",
    "ClientException",
    "Disconnected",
    "ImproperlyConfiguredException",
    "InsufficientStorage",
    "InternalServerException",
    "MissingCallableError",
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


MAX_DETAIL: Final = 200
"""The maximum length of the ``detail`` of a :class:`ClientException`."""

CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


class AsgiwireWarning(UserWarning):
    """The server does not support what was requested, and the call did nothing."""


class AsgiwireException(Exception):
    """Base class of all exceptions that asgiwire defines.

    Attributes:
        detail: The message. That of a ``ClientException`` is safe to send to the client: it has at most 200
            characters, none of which are control characters.
    """

    default_detail: ClassVar[str] = ""

    detail: str

    def __init__(self, detail: str = "") -> None:
        self.detail = detail or self.default_detail
        super().__init__(self.detail)

    def __str__(self) -> str:
        return self.detail

    def __reduce__(self) -> tuple[Any, ...]:
        # The constructors of subclasses take values, so the default `cls(*args)` would not restore them.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[AsgiwireException], args: tuple[Any, ...], values: dict[str, Any]
) -> AsgiwireException:
    exception = cls.__new__(cls)
    exception.args = args
    exception.__dict__.update(values)
    return exception


class InternalServerException(AsgiwireException):
    """An error of the application or of the server, not of the client."""

    status_code: int = 500


class UsageError(InternalServerException):
    """The application called asgiwire in a way that it does not support."""


class ImproperlyConfiguredException(UsageError, ValueError):
    """A value is missing from the scope, or the scope has the wrong type for the class."""


class MissingCallableError(ImproperlyConfiguredException, RuntimeError):
    """The connection was created without the ``receive`` or ``send`` callable that it needs."""


class NoRouteMatchFoundException(UsageError, LookupError):
    """No route has this name, or the route does not accept these path parameters.

    Attributes:
        name: The name of the route.
    """

    def __init__(self, detail: str = "", *, name: str = "") -> None:
        self.name = name
        super().__init__(detail or f"no route matches {name!r}")


class StreamConsumed(UsageError, RuntimeError):
    """The body was already consumed as a stream.

    Attributes:
        consumer: The method that consumed it, such as ``"stream()"`` or ``"form()"``.
    """

    def __init__(self, detail: str = "", *, consumer: str = "stream()") -> None:
        self.consumer = consumer
        super().__init__(detail or f"the request body was consumed by {consumer}")


class WebSocketStateError(UsageError, RuntimeError):
    """The state of the WebSocket does not allow the event.

    Attributes:
        event: The ASGI message type of the event.
        state: The state of the connection.
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
        message_type: The ``type`` of the message, or the value in its place.
        expected: The message types that are allowed here.
    """

    def __init__(self, detail: str = "", *, message_type: object, expected: tuple[str, ...]) -> None:
        self.message_type = message_type
        self.expected = expected
        super().__init__(detail or f"unexpected ASGI message type {message_type!r}, {_one_of(expected)}")


class ClientException(AsgiwireException):
    """The client sent something invalid.

    Args:
        detail: The message. Control characters become spaces. It is truncated to 200 characters.
        status_code: Replaces the status code of the class.
        headers: A mapping or an iterable of pairs, for example ``{"WWW-Authenticate": "Bearer"}``.

    Attributes:
        status_code: The status code of the response.
        headers: Headers that the response needs, as pairs of name and value.
        close_code: The code with which ``async with websocket`` closes (RFC 6455 section 7.4.1).
        message: The WebSocket message that a reader rejected, so that the application can still read it;
            ``None`` for every other error. ``str()`` never contains it.
    """

    status_code: int = 400
    headers: tuple[tuple[str, str], ...] = ()
    close_code: int = 1008
    message: Mapping[str, Any] | None = None
    default_detail = "Bad Request"

    def __init__(
        self,
        detail: str = "",
        *,
        status_code: int | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        detail = CONTROLS.sub(" ", detail[: MAX_DETAIL + 1])
        super().__init__(f"{detail[: MAX_DETAIL - 3]}..." if len(detail) > MAX_DETAIL else detail)
        if status_code is not None:
            self.status_code = status_code
        if headers:
            pairs = cast("Mapping[str, str]", headers).items() if isinstance(headers, Mapping) else headers
            self.headers = tuple((name, value) for name, value in pairs)


class ValidationException(ClientException, ValueError):
    """The data is well-formed, but has the wrong type or value."""

    close_code = 1007


class SerializationException(ClientException, ValueError):
    """The data is malformed and cannot be decoded."""

    close_code = 1007


class RequestEntityTooLarge(ClientException):
    """The client sent more than a limit allows (RFC 9110 section 15.5.14).

    Attributes:
        limit: The field of :class:`~asgiwire.limits.Limits` that was exceeded.
        maximum: The value of the limit, in its unit (bytes or a count).
    """

    status_code = 413
    close_code = 1009
    default_detail = "Request Entity Too Large"

    def __init__(
        self,
        detail: str = "",
        *,
        limit: str = "",
        maximum: int | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    ) -> None:
        self.limit = limit
        self.maximum = maximum
        if not detail and limit:
            detail = f"the request exceeds {limit}={maximum}; raise it with Limits({limit}=...) on the class"
        super().__init__(detail, headers=headers)


class InsufficientStorage(ClientException):
    """The server cannot store a body or an uploaded file on disk (RFC 4918 section 11.5).

    The disk is full, or the process has no file descriptor left; ``__cause__`` is the ``OSError``. It is not
    the client's fault. It is a :class:`ClientException` so that every framework answers it from
    ``status_code`` and ``detail``.
    """

    status_code = 507
    default_detail = "the server cannot store the request body; try again later"


class Disconnected(AsgiwireException):
    """The client disconnected, so no response can be sent."""


class ClientDisconnect(Disconnected):
    """The client disconnected before the request was read to its end (ASGI ``http.disconnect``)."""

    default_detail = "the client disconnected before the request body was complete"


class WebSocketException(AsgiwireException):
    """The WebSocket has to be closed; raise it to choose the close code.

    Attributes:
        code: The close code (RFC 6455 section 7.4).
    """

    default_code: ClassVar[int] = 4500

    def __init__(self, detail: str = "", code: int | None = None) -> None:
        super().__init__(detail)
        self.code: int = self.default_code if code is None else code


class WebSocketDisconnect(WebSocketException, Disconnected):
    """The WebSocket is closed, by either side.

    Attributes:
        code: The close code from the server: 1005 if the client sent none, 1006 if the connection was lost.
        reason: The close reason, or ``""``.
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
        return "no further event is allowed"
    return "expected " + " or ".join(repr(name) for name in expected)
