"""A ``receive`` callable that follows a script and a ``send`` callable that records every message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from asgiwire import datastructures
from asgiwire._concurrency import new_event
from asgiwire.exceptions import AsgiwireException
from asgiwire.types import Message


class ScriptError(AsgiwireException, AssertionError):
    """The code under test violates the ASGI specification, or sent no response to examine."""


class ScriptedReceive:
    """A ``receive`` callable that returns its messages in order, without waiting.

    After the last message it blocks forever, as a server does when nothing happens.

    Args:
        *messages: ASGI messages; an exception is raised instead of returned.
        at_end: The exception to raise after the last message, instead of blocking.

    Attributes:
        calls: The number of calls.
    """

    def __init__(
        self, *messages: Mapping[str, Any] | BaseException, at_end: BaseException | None = None
    ) -> None:
        self.calls: int = 0
        self._script = iter(messages)
        self._at_end = at_end
        self._blocked = False
        self._disconnect: str | None = None

    @classmethod
    def body(cls, *chunks: bytes, disconnect: bool = False) -> Self:
        """Send a request body, one message per chunk.

        Args:
            *chunks: The chunks; without any, the body is empty.
            disconnect: Whether the client disconnects after these chunks, before the body is complete.
        """
        chunks = chunks if chunks or disconnect else (b"",)
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
        ]
        if disconnect:
            messages.append({"type": "http.disconnect"})
        else:
            messages[-1]["more_body"] = False
        return cls(*messages)

    @classmethod
    def websocket(cls, *messages: str | bytes | Mapping[str, Any], disconnect: int | None = None) -> Self:
        """Connect, send messages, and optionally disconnect.

        Args:
            *messages: Text, binary data, or whole ASGI messages.
            disconnect: The close code that the client sends after the messages.
        """
        script: list[Mapping[str, Any]] = [{"type": "websocket.connect"}]
        for message in messages:
            if isinstance(message, str | bytes):
                key = "text" if isinstance(message, str) else "bytes"
                script.append({"type": "websocket.receive", key: message})
            else:
                script.append(message)
        if disconnect is not None:
            script.append({"type": "websocket.disconnect", "code": disconnect, "reason": ""})
        return cls(*script)

    async def __call__(self) -> Any:
        """Return the next message.

        Raises:
            ScriptError: Another call is waiting, or a disconnect was returned before.
        """
        self.calls += 1
        if self._disconnect is not None:
            msg = f"expected no call of receive after {self._disconnect!r}"
            raise ScriptError(msg)
        if self._blocked:
            msg = "expected one call of receive at a time, got another one while the first is waiting"
            raise ScriptError(msg)
        message = next(self._script, self._at_end)
        if isinstance(message, BaseException):
            raise message
        if message is None:
            await self._block()
        elif message["type"] in {"http.disconnect", "websocket.disconnect"}:
            self._disconnect = message["type"]
        return message

    async def _block(self) -> None:
        self._blocked = True
        try:
            await new_event().wait()
        finally:
            self._blocked = False


class RecordedSend:
    """A ``send`` callable that records every message.

    Attributes:
        messages: The messages, in the order they were sent.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._error: BaseException | None = None
        self._calls_before_error = 0

    async def __call__(self, message: Message) -> None:
        """Record a message, or raise the error of :meth:`fail_with`."""
        if self._error is not None:
            if self._calls_before_error == 0:
                raise self._error
            self._calls_before_error -= 1
        self.messages.append(message)

    def fail_with(self, error: BaseException, after: int = 0) -> None:
        """Raise an error from now on, as servers do after the client disconnected.

        Args:
            error: The exception to raise in every call.
            after: The number of calls that succeed first.
        """
        self._error = error
        self._calls_before_error = after

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
        """The body of the response, as far as it was sent."""
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
