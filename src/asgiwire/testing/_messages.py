"""Scripted connections: ``receive`` returns the messages of a script, and ``send`` records messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias, cast

from asgiwire import datastructures
from asgiwire.types import Message

from ._errors import ScriptError, WaitTimeout
from ._protocols import HTTPProtocol, HTTPState
from ._tasks import Signal, within

DEFAULT_TIMEOUT: Final = 5.0
"""Seconds."""


@dataclass(frozen=True)
class AfterSend:
    """A step of a script that waits until the application has sent messages.

    Attributes:
        type: The type of the messages, such as ``"http.response.start"``; ``None`` for messages of any type.
        count: The number of messages.
    """

    type: str | None = None
    count: int = 1

    def __str__(self) -> str:
        return f"{self.count} sent message(s) of {f'type {self.type!r}' if self.type else 'any type'}"


Step: TypeAlias = Mapping[str, Any] | BaseException | AfterSend
"""A step of a script: a message to return, an exception to raise, or a wait."""

Chunk: TypeAlias = bytes | AfterSend
"""A chunk of a scripted body, or a wait."""

SocketStep: TypeAlias = str | bytes | Mapping[str, Any] | AfterSend
"""A text or binary message of a scripted WebSocket, a whole ASGI message, or a wait."""


def copy_message(message: Any) -> Any:
    """Copy a message and its buffers, because the application may change them after the call of ``send``."""
    if not isinstance(message, Mapping):
        return message
    copied = dict(cast("Mapping[str, Any]", message))
    for key, value in copied.items():
        if type(value) in {bytearray, memoryview}:
            copied[key] = bytes(value)
        elif type(value) is list:
            copied[key] = [*value]
    return copied


def _type_of(message: Any) -> Any:
    return cast("Mapping[str, Any]", message).get("type") if isinstance(message, Mapping) else None


class RecordedSend:
    """A ``send`` callable that records every message.

    Attributes:
        messages: Copies of the messages, in the order in which they were sent.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = Signal()
        self._protocol = HTTPProtocol()
        self._error: BaseException | None = None
        self._calls_before_error = 0

    async def __call__(self, message: Message) -> None:
        """Record a message, or raise the error of :meth:`fail_with`."""
        if self._error is not None:
            if self._calls_before_error == 0:
                raise self._error
            self._calls_before_error -= 1
        copied = copy_message(message)
        self.messages.append(copied)
        if _type_of(copied) in self._protocol.sendable:
            self._protocol.sent(copied)
        self._changed.notify()

    def fail_with(self, error: BaseException, after: int = 0) -> None:
        """Raise an error in later calls, as servers do after the client disconnected.

        Args:
            error: The exception to raise in every call.
            after: The number of calls that succeed first.
        """
        self._error = error
        self._calls_before_error = after

    def count(self, type: str | None = None) -> int:
        """Return the number of messages sent, of one type or of any."""
        return len(self.messages) if type is None else list(map(_type_of, self.messages)).count(type)

    @property
    def complete(self) -> bool:
        """Whether an HTTP response was sent completely."""
        return self._protocol.state is HTTPState.COMPLETE

    @property
    def status(self) -> int:
        """The status code of the response.

        Raises:
            ScriptError: No response was started.
        """
        return int(self._start["status"])

    @property
    def headers(self) -> datastructures.Headers:
        """The headers of the response.

        Raises:
            ScriptError: No response was started.
        """
        return datastructures.Headers.from_scope(self._start)

    @property
    def body(self) -> bytes:
        """The body of the response that was sent so far."""
        return b"".join(
            message.get("body", b"") for message in self.messages if message["type"].endswith("response.body")
        )

    @property
    def _start(self) -> Message:
        for message in self.messages:
            # This includes "websocket.http.response.start", a denial response.
            if message["type"].endswith("response.start"):
                return message
        msg = f"expected a response, got the messages {[message['type'] for message in self.messages]}"
        raise ScriptError(msg)


class ScriptedReceive:
    """A ``receive`` callable that returns its messages in order, without waiting.

    After the last message, it blocks until the timeout, as a server blocks until the client sends data. If
    ``send`` is given, it returns ``http.disconnect`` after the response is complete, as the specification
    requires. After ``http.disconnect``, every later call returns it again.

    Args:
        *steps: ASGI messages; exceptions to raise instead of returning; and :class:`AfterSend` steps, which
            wait.
        at_end: The exception to raise after the last message, instead of blocking.
        send: The ``send`` of the same connection.
        timeout: The maximum time of one call, in seconds, 5 by default; ``None`` for no limit.

    Attributes:
        calls: The number of calls.
    """

    def __init__(
        self,
        *steps: Step,
        at_end: BaseException | None = None,
        send: RecordedSend | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> None:
        self.calls: int = 0
        self._script = iter(steps)
        self._at_end = at_end
        self._sent = send
        self._timeout = timeout
        self._waiting = False
        self._disconnect: Mapping[str, Any] | None = None

    @classmethod
    def body(
        cls,
        *chunks: Chunk,
        disconnect: bool = False,
        at_end: BaseException | None = None,
        send: RecordedSend | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> Self:
        """Send a request body, one message per chunk.

        Args:
            *chunks: The chunks, and :class:`AfterSend` steps between them. By default, the body is empty.
            disconnect: Whether the client disconnects after these chunks, before the body is complete.
            at_end: As for the class.
            send: As for the class.
            timeout: As for the class.
        """
        script: list[Any] = [
            chunk
            if isinstance(chunk, AfterSend)
            else {"type": "http.request", "body": chunk, "more_body": True}
            for chunk in chunks
        ]
        messages = [step for step in script if not isinstance(step, AfterSend)]
        if disconnect:
            script.append({"type": "http.disconnect"})
        elif messages:
            messages[-1]["more_body"] = False
        else:
            script.append({"type": "http.request", "body": b"", "more_body": False})
        return cls(*script, at_end=at_end, send=send, timeout=timeout)

    @classmethod
    def websocket(
        cls,
        *messages: SocketStep,
        disconnect: int | None = None,
        at_end: BaseException | None = None,
        send: RecordedSend | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> Self:
        """Connect, send messages, and optionally disconnect.

        Args:
            *messages: Text, binary data, whole ASGI messages, and :class:`AfterSend` steps.
            disconnect: The close code that the client sends after the messages.
            at_end: As for the class.
            send: As for the class.
            timeout: As for the class.
        """
        script: list[Step] = [{"type": "websocket.connect"}]
        for message in messages:
            if isinstance(message, str | bytes):
                key = "text" if isinstance(message, str) else "bytes"
                script.append({"type": "websocket.receive", key: message})
            else:
                script.append(message)
        if disconnect is not None:
            script.append({"type": "websocket.disconnect", "code": disconnect, "reason": ""})
        return cls(*script, at_end=at_end, send=send, timeout=timeout)

    async def __call__(self) -> Any:
        """Return the next message.

        Raises:
            ScriptError: Another call is waiting; ``websocket.disconnect`` was returned before; or an
                :class:`AfterSend` step needs the ``send`` of the connection.
            WaitTimeout: The application did not send the messages that an :class:`AfterSend` step waits for,
                or called ``receive`` after the last message.
        """
        self.calls += 1
        if self._disconnect is not None:
            if self._disconnect["type"] == "http.disconnect":
                return dict(self._disconnect)
            msg = "expected no call of receive after 'websocket.disconnect'"
            raise ScriptError(msg)
        if self._waiting:
            msg = "expected one call of receive at a time, got another one while the first is waiting"
            raise ScriptError(msg)
        step = next(self._script, None)
        while isinstance(step, AfterSend):
            await self._wait_for(step)
            step = next(self._script, None)
        if step is None:
            step = self._at_end or await self._wait_for_the_end()
        if isinstance(step, BaseException):
            raise step
        if step.get("type") in {"http.disconnect", "websocket.disconnect"}:
            self._disconnect = dict(step)
        return step

    async def _wait_for(self, step: AfterSend) -> None:
        sent = self._sent
        if sent is None:
            msg = "AfterSend needs the send of the connection; use ScriptedConnection, or pass send="
            raise ScriptError(msg)
        self._waiting = True
        try:
            happened = await within(
                self._timeout, lambda: sent._changed.wait_until(lambda: sent.count(step.type) >= step.count)
            )
        finally:
            self._waiting = False
        if not happened:
            expected = f"{step} within {self._timeout} s"
            msg = f"the script waits for {expected}; the application sent: {describe_all(sent.messages)}"
            raise WaitTimeout(msg, expected=str(step), timeout=self._timeout)

    async def _wait_for_the_end(self) -> Mapping[str, Any]:
        """Block until the response is complete, if there is one, or until the timeout."""
        sent = self._sent or RecordedSend()
        self._waiting = True
        try:
            complete = await within(self._timeout, lambda: sent._changed.wait_until(lambda: sent.complete))
        finally:
            self._waiting = False
        if complete:
            return {"type": "http.disconnect"}
        expected = "no call of receive after the last message of the script"
        known = "" if self._sent is None else f"; the application sent: {describe_all(sent.messages)}"
        msg = f"expected {expected}, call {self.calls} has waited for {self._timeout} s{known}"
        raise WaitTimeout(msg, expected=expected, timeout=self._timeout)


class ScriptedConnection:
    """A ``receive`` that returns the messages of a script, and a ``send`` that records messages.

    After the response is complete, every call of ``receive`` returns ``http.disconnect``. Steps of the script
    can wait for messages of the application::

        connection = ScriptedConnection.body(b"question", AfterSend("http.response.start"), disconnect=True)
        await application(http_scope("POST"), connection.receive, connection.send)

    Args:
        *steps: The steps of :class:`ScriptedReceive`.
        at_end: The exception that ``receive`` raises after the last message, instead of blocking.
        timeout: The maximum time of one call of ``receive``, in seconds, 5 by default; ``None`` for no limit.

    Attributes:
        receive: The ``receive`` callable.
        send: The ``send`` callable.
    """

    def __init__(
        self,
        *steps: Step,
        at_end: BaseException | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> None:
        self.send: RecordedSend = RecordedSend()
        self.receive: ScriptedReceive = ScriptedReceive(
            *steps, at_end=at_end, send=self.send, timeout=timeout
        )

    @classmethod
    def body(
        cls,
        *chunks: Chunk,
        disconnect: bool = False,
        at_end: BaseException | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> Self:
        """Send a request body, as :meth:`ScriptedReceive.body`."""
        return cls._owning(
            ScriptedReceive.body, *chunks, disconnect=disconnect, at_end=at_end, timeout=timeout
        )

    @classmethod
    def websocket(
        cls,
        *messages: SocketStep,
        disconnect: int | None = None,
        at_end: BaseException | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
    ) -> Self:
        """Connect, send messages, and optionally disconnect, as :meth:`ScriptedReceive.websocket`."""
        return cls._owning(
            ScriptedReceive.websocket, *messages, disconnect=disconnect, at_end=at_end, timeout=timeout
        )

    @classmethod
    def _owning(cls, make: Any, *steps: Any, **options: Any) -> Self:
        connection = cls()
        connection.receive = make(*steps, send=connection.send, **options)
        return connection


def describe(message: Any) -> str:
    """Return the type of a message and the sizes of its contents, for error messages; never the contents."""
    if not isinstance(message, Mapping):
        return f"a message of type {type(message).__name__}"
    values = cast("Mapping[str, Any]", message)
    details: list[str] = []
    for key, value in values.items():
        if type(value) is bytes:
            details.append(f"{key} of {len(value)} bytes")
        elif isinstance(value, str) and key != "type":
            details.append(f"{key} of {len(value)} characters")
        elif key in {"status", "code"} and value is not None:
            details.append(f"{key} {value}")
        elif value is True:
            details.append(key)
    sizes = f" ({', '.join(details)})" if details else ""
    return f"{values.get('type')}{sizes}"


def describe_all(messages: Iterable[Any]) -> str:
    """Describe messages. If there are more than six, describe the first one and the last five."""
    texts = [describe(message) for message in messages]
    if len(texts) > 6:
        texts[1:-5] = [f"{len(texts) - 6} more"]
    return ", ".join(texts) or "nothing"
