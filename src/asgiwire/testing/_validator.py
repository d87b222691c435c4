"""``validate``, which checks an application and its server against the ASGI specification."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final, cast

from asgiwire.types import ASGIApp, Receive, Scope, Send

from ._errors import Side, SpecificationError
from ._protocols import PROTOCOLS, HTTPProtocol, WebSocketProtocol
from ._rules import RECEIVED, SCOPES, SENT, Kind, is_dict, problems, unsupported_value

EVENTS: Final = "ASGI Specification, Events"
APPLICATIONS: Final = "ASGI Specification, Applications"


def validate(application: ASGIApp, *, collect: bool = False) -> Validator:
    """Wrap an application to check it and its server against the ASGI specification.

    It checks the scope, every message in both directions, their order, and calls after the end, for HTTP,
    WebSocket and lifespan. Valid messages are passed on unchanged.

    Args:
        application: The application to check. The server that calls the result is checked too.
        collect: Whether to pass on invalid messages and only collect errors. By default, the call that caused
            the first error raises it. It is raised again when the application returns, because the
            application may have caught it.
    """
    return Validator(application, collect=collect)


class Validator:
    """An application that checks another application, created by :func:`validate`.

    Attributes:
        application: The application that is checked.
        collect: Whether errors are collected and not raised.
        errors: The errors of all connections, in the order in which they were found.
    """

    def __init__(self, application: ASGIApp, *, collect: bool = False) -> None:
        self.application = application
        self.collect = collect
        self.errors: list[SpecificationError] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with a checked scope, ``receive`` and ``send``.

        Raises:
            SpecificationError: The application or the server violates the specification.
        """
        kind: object = scope.get("type") if is_dict(scope) else None
        if not isinstance(kind, str):
            self.report(
                SpecificationError(
                    "expected a dict with a 'type' of type str",
                    side="server",
                    event="scope",
                    section=APPLICATIONS,
                )
            )
        if isinstance(kind, str) and kind in PROTOCOLS:
            await Connection(self, kind, scope, receive, send).run()
        else:
            # The specification allows other protocols. Their messages are not checked.
            await self.application(scope, receive, send)

    def report(self, error: SpecificationError) -> None:
        """Collect an error, and raise it unless errors are only collected.

        Raises:
            SpecificationError: The error.
        """
        self.errors.append(error)
        if not self.collect:
            raise error


class Connection:
    """One checked connection."""

    def __init__(self, validator: Validator, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        self._validator = validator
        self._protocol = PROTOCOLS[kind]()
        self._kind = kind
        self._scope: Scope = _with_lists(scope)
        self._receive = receive
        self._send = send
        self._error: SpecificationError | None = None
        self._returned = False
        self._debugged = False
        self._length = ContentLength()

    async def run(self) -> None:
        """Check the scope, run the application, and check that the response is complete when it returns."""
        description = SCOPES[self._kind]
        for problem in problems(self._scope, description):
            event, section = f"{self._kind} scope", description.section
            self._record(SpecificationError(problem, side="server", event=event, section=section))
        try:
            await self._call()
        except Exception as error:
            # The application may have caught the first error, and raised another one.
            if self._error is not None and error is not self._error:
                raise self._error from error
            raise
        finally:
            self._returned = True
        if self._error is not None:
            raise self._error
        if missing := self._protocol.missing:
            problem = f"expected {missing} before the application returns"
            self._report("application", "return", problem, self._protocol.section, self._protocol.sendable)

    async def _call(self) -> None:
        awaitable: Any = self._validator.application(self._scope, self.receive, self.send)
        if isinstance(awaitable, Awaitable):
            await awaitable
        else:
            problem = f"expected a coroutine callable, got a call that returns {type(awaitable).__name__}"
            self._report("application", "application", problem, APPLICATIONS)

    async def receive(self) -> Any:
        """Receive a message from the server, and check it."""
        if self._returned:
            problem = "expected no call of receive after the application has returned"
            self._report("application", "receive", problem, APPLICATIONS)
        message = await self._receive()
        self._check(message, "server", RECEIVED, self._protocol.receivable)
        return message

    async def send(self, message: Any) -> None:
        """Check a message of the application, and send it to the server."""
        if self._returned:
            problem = "expected no call of send after the application has returned"
            self._report("application", "send", problem, APPLICATIONS)
        message = _with_lists(message)
        self._check(message, "application", SENT, self._protocol.sendable)
        await self._send(message)

    def _check(self, message: Any, side: Side, kinds: Mapping[str, Kind], allowed: tuple[str, ...]) -> None:
        if not is_dict(message):
            problem = f"expected a dict, got {type(message).__name__}"
            self._report(side, "message", problem, EVENTS)
            return
        values: Mapping[str, Any] = message
        name = values.get("type")
        if not isinstance(name, str):
            self._report(side, "message", "expected the key 'type', of type str", EVENTS, allowed)
            return
        if name not in kinds:
            self._report(side, name, "expected a message type of the specification", EVENTS, allowed)
            return
        kind = kinds[name]
        if kind.extension and kind.extension not in (self._scope.get("extensions") or {}):
            problem = (
                f"expected no message of an extension that the server does not offer ({kind.extension!r})"
            )
            self._report(side, name, problem, kind.section, allowed)
        known = {"type", *(key.name for key in kind.keys)}
        for key, value in values.items():
            if key not in known and (unsupported := unsupported_value(value)):
                self._report(
                    side, name, f"{key!r}: {unsupported} is not allowed in an event", EVENTS, allowed
                )
        for problem in problems(values, kind):
            self._report(side, name, problem, kind.section, allowed)
        self._check_order(values, side, kind, allowed)

    def _check_order(
        self, message: Mapping[str, Any], side: Side, kind: Kind, allowed: tuple[str, ...]
    ) -> None:
        name = message["type"]
        if name not in allowed:
            if not self._is_late(side):
                self._report(side, name, "expected another message", kind.section, allowed)
            if side == "server" or not isinstance(self._protocol, WebSocketProtocol):
                return
            self._protocol.assume_connect()
            if name not in self._protocol.sendable:
                return
        if side == "server":
            self._protocol.received(message)
            return
        for problem, section in self._problems_in_context(message):
            self._report(side, name, problem, section or kind.section, allowed)
        self._protocol.sent(message)

    def _is_late(self, side: Side) -> bool:
        # The application may send before it receives the disconnect. Servers ignore this or raise OSError.
        protocol = self._protocol
        return side == "application" and isinstance(protocol, WebSocketProtocol) and protocol.disconnected

    def _problems_in_context(self, message: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Yield the problems that depend on the scope or on previous messages, each with its section."""
        offered: dict[str, Any] = self._scope.get("extensions") or {}
        if message["type"] == "http.response.start":
            if message.get("trailers") and "http.response.trailers" not in offered:
                yield (
                    "expected no 'trailers' from a server that does not offer them",
                    "Extensions, HTTP Trailers",
                )
            yield from self._length.start(self._scope.get("method", ""), message)
        elif message["type"] == "http.response.body":
            yield from self._length.body(message)
        elif message["type"] in {"http.response.pathsend", "http.response.zerocopysend"}:
            self._length.expected = None  # the server reads the file
        elif message["type"] == "http.response.debug":
            if self._debugged:
                yield "expected the message once", ""
            self._debugged = True
        elif message["type"] == "websocket.accept":
            subprotocol = message.get("subprotocol")
            if subprotocol is not None and subprotocol not in list(self._scope.get("subprotocols") or ()):
                yield "'subprotocol': expected one that the client offers (RFC 6455 section 4.2.2)", ""

    def _report(
        self, side: Side, event: str, problem: str, section: str, expected: tuple[str, ...] = ()
    ) -> None:
        protocol = self._protocol
        state = str(protocol.state)
        if side == "server" and isinstance(protocol, HTTPProtocol):
            state = str(protocol.request)
        error = SpecificationError(
            problem, side=side, event=event, state=state, expected=expected, section=section
        )
        self._record(error)

    def _record(self, error: SpecificationError) -> None:
        if not self._validator.collect:
            self._error = self._error or error
        self._validator.report(error)


class ContentLength:
    """The declared and the actual length of a response body (RFC 9110 section 8.6)."""

    def __init__(self) -> None:
        self.expected: int | None = None
        self._length = 0
        self._no_content = False

    def start(self, method: str, message: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Yield the problems of a start message."""
        status = message.get("status")
        self._no_content = status == 204
        values = {value for name, value in _pairs(message) if name.lower() == b"content-length"}
        if not values:
            return
        section = "RFC 9110 section 8.6"
        if len(values) > 1:
            yield "expected one Content-Length, got several different ones", section
        elif not (value := values.pop()).isdigit():
            yield "expected a Content-Length of digits", section
        elif status == 204:
            yield "expected no Content-Length in a 204 response", section
        elif method != "HEAD" and status != 304:
            self.expected = int(value)

    def body(self, message: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Yield the problems of a body message."""
        body = message.get("body", b"")
        self._length += len(body) if isinstance(body, bytes) else 0
        if self._no_content and body:
            yield "expected no body in a 204 response", "RFC 9110 section 15.3.5"
        if self.expected is None:
            return
        too_long = self._length > self.expected
        if too_long or (self._length < self.expected and not message.get("more_body")):
            problem = f"expected a body of {self.expected} bytes, as in Content-Length, got {self._length}"
            yield f"{problem}{' so far' if too_long else ''}", "RFC 9110 section 8.6"
            self.expected = None


def _pairs(message: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return the valid header pairs; another rule reports the invalid ones."""
    try:
        pairs = [tuple(pair) for pair in message.get("headers") or ()]
    except TypeError:
        return []
    return [
        cast("tuple[bytes, bytes]", pair)
        for pair in pairs
        if len(pair) == 2 and all(isinstance(item, bytes) for item in pair)
    ]


def _with_lists(message: Any) -> Any:
    """Replace one-shot iterators of a scope or message, so that they can be checked and passed on."""
    if not isinstance(message, dict):
        return message
    values = cast("dict[str, Any]", message)
    iterators = {
        key: list(cast("Iterable[Any]", values[key]))
        for key in ("headers", "links", "subprotocols")
        if isinstance(values.get(key), Iterable)
        and not isinstance(values[key], list | tuple | str | bytes | dict)
    }
    return {**values, **iterators} if iterators else values
