"""``Conversation``, a WebSocket client for tests."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any, Final, TypeVar, overload

from asgiwire._websocket import states
from asgiwire.datastructures import Headers
from asgiwire.exceptions import WebSocketDisconnect
from asgiwire.serialization import decode_json, encode_json
from asgiwire.types import ASGIApp, Empty, EmptyType, WebSocketMode

from ._connection import RunningConnection
from ._errors import ScriptError
from ._protocols import WebSocketProtocol

T = TypeVar("T")

MAX_UNREAD: Final = 64
"""The number of messages that the application can send before the test reads one."""


class Conversation(RunningConnection[WebSocketProtocol]):
    """A WebSocket client, created by :meth:`Client.websocket`.

    ``async with`` starts the application in a task, and waits until it accepts or rejects the handshake. At
    the end of the block, the client closes the WebSocket with 1000 if it is open. Then the application must
    return.

    Attributes:
        accepted: Whether the application accepted the handshake.
        subprotocol: The subprotocol that it selected.
        close_code: The close code of the side that closed first, or ``None`` while the WebSocket is open.
        close_reason: The close reason, or ``None`` while the WebSocket is open.
    """

    def __init__(
        self,
        application: ASGIApp,
        scope: dict[str, Any],
        *,
        timeout: float | None,
        raise_exceptions: bool,
        on_start: Callable[[Headers], None],
    ) -> None:
        super().__init__(application, scope, WebSocketProtocol(), timeout, raise_exceptions)
        self.accepted: bool = False
        self.subprotocol: str | None = None
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._on_start = on_start
        self._start: Mapping[str, Any] = {}
        self._denied_with: int | None = None
        self._denial: list[bytes] = []
        self._unread: deque[Mapping[str, Any]] = deque()
        self._incoming.append({"type": "websocket.connect"})

    @property
    def status(self) -> int:
        """The status of the handshake: 101 if accepted, 403 if closed, else that of the denial response."""
        return 101 if self.accepted else self._denied_with or 500

    @property
    def headers(self) -> Headers:
        """The headers of the handshake response."""
        return Headers.from_scope({"headers": self._start.get("headers", ())})

    @property
    def body(self) -> bytes:
        """The body of a denial response."""
        return b"".join(self._denial)

    async def send_text(self, text: str) -> None:
        """Send a text message. It does not wait for the application to receive it.

        Raises:
            WebSocketDisconnect: The WebSocket is closed.
            ScriptError: The application denied the handshake.
        """
        self._require_open("a WebSocket that is open for sending")
        self._queue({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary message. It does not wait for the application to receive it.

        Raises:
            WebSocketDisconnect: The WebSocket is closed.
            ScriptError: The application denied the handshake.
        """
        self._require_open("a WebSocket that is open for sending")
        self._queue({"type": "websocket.receive", "bytes": data})

    async def send_json(self, value: Any, *, mode: WebSocketMode = "text") -> None:
        """Send a value as JSON, in a text or binary message.

        Raises:
            WebSocketDisconnect: The WebSocket is closed.
            ScriptError: The application denied the handshake.
        """
        data = encode_json(value)
        await (self.send_text(data.decode()) if mode == "text" else self.send_bytes(data))

    async def receive(self, *, timeout: float | EmptyType | None = Empty) -> str | bytes:
        """Return the next message: ``str`` for a text message, ``bytes`` for a binary one.

        Raises:
            WaitTimeout: The application sent no message in time.
            WebSocketDisconnect: The application closed the WebSocket.
            ScriptError: The application denied the handshake or returned.
        """
        return await self._next("a message", timeout)

    async def receive_text(self, *, timeout: float | EmptyType | None = Empty) -> str:
        """Return the next message, which must be a text message.

        Raises:
            ScriptError: The message is binary, or as for :meth:`receive`.
            WaitTimeout: As for :meth:`receive`.
            WebSocketDisconnect: As for :meth:`receive`.
        """
        message = await self._next("a text message", timeout)
        if isinstance(message, str):
            return message
        msg = (
            f"expected a text message, got a binary one of {len(message)} bytes; read it with receive_bytes()"
        )
        raise ScriptError(msg)

    async def receive_bytes(self, *, timeout: float | EmptyType | None = Empty) -> bytes:
        """Return the next message, which must be a binary message.

        Raises:
            ScriptError: The message is text, or as for :meth:`receive`.
            WaitTimeout: As for :meth:`receive`.
            WebSocketDisconnect: As for :meth:`receive`.
        """
        message = await self._next("a binary message", timeout)
        if isinstance(message, bytes):
            return message
        size = len(message)
        msg = f"expected a binary message, got a text one of {size} characters; read it with receive_text()"
        raise ScriptError(msg)

    @overload
    async def receive_json(self, *, timeout: float | EmptyType | None = ...) -> Any: ...
    @overload
    async def receive_json(self, *, type: type[T], timeout: float | EmptyType | None = ...) -> T: ...
    @overload
    async def receive_json(self, *, type: Any, timeout: float | EmptyType | None = ...) -> Any: ...
    async def receive_json(self, *, type: Any = Empty, timeout: float | EmptyType | None = Empty) -> Any:
        """Return the next message, text or binary, decoded as JSON.

        Args:
            type: The type to decode to: any that msgspec supports.
            timeout: How long to wait, in seconds.

        Raises:
            SerializationException: The message is not JSON.
            ValidationException: The message does not match ``type``.
            ScriptError: As for :meth:`receive`.
            WaitTimeout: As for :meth:`receive`.
            WebSocketDisconnect: As for :meth:`receive`.
        """
        return decode_json(await self._next("a JSON message", timeout), type)

    async def __aiter__(self) -> AsyncGenerator[str | bytes, None]:
        while True:
            try:
                message = await self.receive()
            except WebSocketDisconnect:
                return
            yield message

    async def close(
        self, code: int = 1000, reason: str = "", *, timeout: float | EmptyType | None = Empty
    ) -> None:
        """Close the WebSocket, and wait until the application has returned.

        Args:
            code: The close code that the application receives: 1005 if the client sends no code, 1006 for a
                lost connection.
            reason: The close reason.
            timeout: How long to wait, in seconds.

        Raises:
            WaitTimeout: The application did not return in time.
        """
        if self.close_code is None and self._denied_with is None:
            self._left = True
            self.close_code, self.close_reason = code, reason
            self._queue({"type": "websocket.disconnect", "code": code, "reason": reason})
        await self._wait(lambda: self._task.done, "the end of the application after a close", timeout)
        self._raise_error()

    async def wait_closed(self, *, timeout: float | EmptyType | None = Empty) -> int:
        """Wait until the application closes the WebSocket, and return the close code.

        Raises:
            WaitTimeout: The application did not close in time.
            ScriptError: The application returned without closing.
        """
        await self._wait(lambda: self.close_code is not None, "the close of the WebSocket", timeout)
        assert self.close_code is not None
        return self.close_code

    async def _next(self, expected: str, timeout: float | EmptyType | None) -> str | bytes:
        if not self.accepted:
            self._require_open(expected)
        await self._wait(lambda: bool(self._unread) or self.close_code is not None, expected, timeout)
        if not self._unread:
            self._require_open(expected)
        message = self._unread.popleft()
        self._changed.notify()
        text: str | None = message.get("text")
        return message["bytes"] if text is None else text

    def _require_open(self, expected: str) -> None:
        if self.close_code is not None:
            detail = f"expected {expected}, the WebSocket is closed"
            raise WebSocketDisconnect(detail, self.close_code, self.close_reason or "")
        if not self.accepted:
            msg = f"expected {expected}, the application denied the handshake with status {self.status}"
            raise ScriptError(msg)

    async def _enter(self) -> None:
        await self._wait(lambda: self.accepted or self._answered, "an answer to the handshake")

    @property
    def _answered(self) -> bool:
        failed = self._task.error is not None and not self._raise_exceptions
        return failed or (self._denied_with is not None and self._protocol.state is not states.DENYING)

    async def _leave(self) -> None:
        if not self._task.done:
            await self.close()

    def _handle(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "websocket.send":
            self._unread.append(message)
        elif kind == "websocket.close":
            self._handle_close(message)
        elif kind == "websocket.http.response.body":
            self._denial.append(message.get("body", b""))
            if self._protocol.state is not states.DENYING:
                self._incoming.append({"type": "websocket.disconnect", "code": 1006, "reason": ""})
        else:
            self._start = message
            self.accepted = kind == "websocket.accept"
            self.subprotocol = message.get("subprotocol")
            self._denied_with = message.get("status")
            self._on_start(self.headers)

    def _handle_close(self, message: Mapping[str, Any]) -> None:
        code, reason = message.get("code", 1000), message.get("reason") or ""
        if self.accepted:
            self.close_code, self.close_reason = code, reason
        else:
            self._denied_with, code, reason = 403, 1006, ""
        # In the specification, a disconnect follows the close by the application too.
        self._incoming.append({"type": "websocket.disconnect", "code": code, "reason": reason})

    async def _send(self, message: Any) -> None:
        self._protocol.assume_connect()
        await super()._send(message)

    def _may_continue(self) -> bool:
        return len(self._unread) < MAX_UNREAD or self._left

    async def _next_message(self) -> Mapping[str, Any]:
        if self._protocol.disconnected:
            msg = "expected no call of receive after 'websocket.disconnect'"
            raise ScriptError(msg)
        return await super()._next_message()
