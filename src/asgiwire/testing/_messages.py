"""The two callables of an ASGI application: a ``receive`` that follows a script, a ``send`` that remembers.

Left out: a server's queues. A message is there at once, unless the script is at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiwire._concurrency import new_event
from asgiwire.datastructures import Headers
from asgiwire.exceptions import AsgiwireException

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from asgiwire.types import Message


class ScriptError(AsgiwireException, AssertionError):
    """The code under test did what the ASGI specification forbids, or not what the test asks about."""


class ScriptedReceive:
    """A ``receive`` that returns its messages one after another.

    After the last it blocks for ever, as servers do while nothing happens.

    Args:
        *messages: ASGI messages; an exception among them is raised in its turn.
        at_end: What to raise after the last message, instead of blocking.

    Attributes:
        calls: How often it was called.
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
        """Send a request body, in one message for each chunk.

        Args:
            *chunks: Without any, the body is empty.
            disconnect: Whether the client leaves after these chunks, before the body is complete.
        """
        pieces = chunks if chunks or disconnect else (b"",)
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": piece, "more_body": True} for piece in pieces
        ]
        if disconnect:
            messages.append({"type": "http.disconnect"})
        else:
            messages[-1]["more_body"] = False
        return cls(*messages)

    @classmethod
    def websocket(cls, *messages: str | bytes | Mapping[str, Any], disconnect: int | None = None) -> Self:
        """Connect, send messages, and perhaps leave.

        Args:
            *messages: Text, binary data, or whole ASGI messages.
            disconnect: The close code with which the client leaves at the end.
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
            ScriptError: Another call is waiting, or a disconnect has been returned before.
        """
        self.calls += 1
        if self._disconnect is not None:
            msg = f"receive was called again after it had returned {self._disconnect!r}"
            raise ScriptError(msg)
        if self._blocked:
            msg = "receive was called while another call of it was waiting"
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
    """A ``send`` that keeps what it is given.

    Attributes:
        messages: The messages, in the order they were sent.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._failure: BaseException | None = None
        self._remaining = 0

    async def __call__(self, message: Message) -> None:
        """Keep a message, or fail as :meth:`fail_with` was told."""
        if self._failure is not None:
            if self._remaining == 0:
                raise self._failure
            self._remaining -= 1
        self.messages.append(message)

    def fail_with(self, error: BaseException, after: int = 0) -> None:
        """Raise an error from now on, as servers do whose client has left.

        Args:
            error: What to raise, at each call.
            after: How many more calls succeed before.
        """
        self._failure = error
        self._remaining = after

    @property
    def status(self) -> int:
        """The status of the response.

        Raises:
            ScriptError: None was begun.
        """
        return int(self._start["status"])

    @property
    def headers(self) -> Headers:
        """The headers of the response.

        Raises:
            ScriptError: None was begun.
        """
        return Headers.from_scope(self._start)

    @property
    def body(self) -> bytes:
        """The body of the response, as far as it was sent."""
        return b"".join(
            message.get("body", b"") for message in self.messages if message["type"].endswith("response.body")
        )

    @property
    def _start(self) -> Message:
        for message in self.messages:
            # A WebSocket's denial response is one too.
            if message["type"].endswith("response.start"):
                return message
        msg = f"no response was begun; sent was {[message['type'] for message in self.messages]}"
        raise ScriptError(msg)
