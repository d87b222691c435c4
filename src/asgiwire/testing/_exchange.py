"""``Exchange``, one HTTP request and its response, sent and received chunk by chunk."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import Any, cast

from asgiwire.datastructures import Headers
from asgiwire.types import ASGIApp, Empty, EmptyType

from ._connection import RunningConnection
from ._errors import ScriptError
from ._protocols import HTTPProtocol, HTTPState
from ._response import Response


class Exchange(RunningConnection[HTTPProtocol]):
    """One HTTP request and its response, created by :meth:`Client.stream`.

    The application runs in a task. It sends at most one chunk that the test has not read. At the end of the
    ``async with`` block, the client disconnects if the response is not complete. Then the application must
    return.
    """

    def __init__(
        self,
        application: ASGIApp,
        scope: dict[str, Any],
        chunks: Iterable[bytes],
        *,
        more_body: bool,
        timeout: float | None,
        raise_exceptions: bool,
        url: str,
        on_start: Callable[[Headers], None],
    ) -> None:
        super().__init__(application, scope, HTTPProtocol(), timeout, raise_exceptions)
        messages: list[dict[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
        ]
        if not messages and not more_body:
            messages.append({"type": "http.request", "body": b""})
        if not more_body:
            messages[-1]["more_body"] = False
        self._incoming.extend(messages)
        self._more_body = more_body
        self._url = url
        self._on_start = on_start
        self._start: Mapping[str, Any] | None = None
        self._chunks: deque[bytes] = deque()
        self._unlimited = False
        self._trailers: list[tuple[bytes, bytes]] = []
        self._early_hints: list[bytes] = []

    @property
    def status(self) -> int:
        """The status code.

        Raises:
            ScriptError: The response has not started; :meth:`wait_started` waits for it.
        """
        return int(self._started["status"])

    @property
    def headers(self) -> Headers:
        """The headers of the response.

        Raises:
            ScriptError: The response has not started; :meth:`wait_started` waits for it.
        """
        return Headers.from_scope({"headers": self._started.get("headers", ())})

    @property
    def complete(self) -> bool:
        """Whether the application has sent the whole response."""
        return self._protocol.state is HTTPState.COMPLETE

    async def wait_started(self, *, timeout: float | EmptyType | None = Empty) -> None:
        """Wait until the application has started the response.

        Raises:
            WaitTimeout: The application did not start the response in time.
            ScriptError: The application returned without a response.
        """
        await self._wait(lambda: self._start is not None or self._failed, "the start of a response", timeout)

    async def send(self, chunk: bytes, *, more_body: bool = True) -> None:
        """Send a chunk of the request body. It does not wait for the application to receive it.

        Raises:
            ScriptError: The request is complete, or the client disconnected.
        """
        if not self._more_body or self._left:
            msg = "expected an open request body; pass more_body=True to stream(), and send before the end"
            raise ScriptError(msg)
        self._more_body = more_body
        self._queue({"type": "http.request", "body": chunk, "more_body": more_body})

    async def receive(self, *, timeout: float | EmptyType | None = Empty) -> bytes:
        """Return the next chunk of the response body that is not empty, or ``b""`` at the end.

        Raises:
            WaitTimeout: The application sent no chunk in time.
            ScriptError: The application returned before the response was complete.
        """
        await self._wait(
            lambda: bool(self._chunks) or self.complete or self._failed, "a chunk of the response", timeout
        )
        if not self._chunks:
            return b""
        chunk = self._chunks.popleft()
        self._changed.notify()
        return chunk

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        while chunk := await self.receive():
            yield chunk

    async def response(self, *, timeout: float | EmptyType | None = Empty) -> Response:
        """Read the rest of the response, wait until the application has returned, and return the response.

        Raises:
            WaitTimeout: The application did not return in time.
            ScriptError: The application returned before the response was complete.
        """
        self._unlimited = True
        self._changed.notify()
        await self._wait(
            lambda: self._task.done, "a complete response and the end of the application", timeout
        )
        self._raise_error()
        if self._failed:
            headers = Headers({"content-type": "text/plain; charset=utf-8"})
            return Response(500, headers, b"Internal Server Error", url=self._url, messages=tuple(self.sent))
        if not self.complete:
            msg = f"expected a complete response; {self._account()}"
            raise ScriptError(msg)
        body = b"".join(self._chunks)
        self._chunks.clear()
        return Response(
            self.status,
            self.headers,
            body,
            trailers=Headers.from_scope({"headers": self._trailers}),
            early_hints=tuple(self._early_hints),
            messages=tuple(self.sent),
            url=self._url,
        )

    async def disconnect(self, *, timeout: float | EmptyType | None = Empty) -> None:
        """Disconnect, and wait until the application has returned.

        The application receives the chunks that were sent before, then ``http.disconnect``. After that,
        ``send`` raises ``OSError``.

        Raises:
            WaitTimeout: The application did not return in time.
        """
        self._left = True
        self._changed.notify()
        await self._wait(lambda: self._task.done, "the end of the application after a disconnect", timeout)
        self._raise_error()

    @property
    def _started(self) -> Mapping[str, Any]:
        if self._start is None:
            msg = f"expected a started response; {self._account()}"
            raise ScriptError(msg)
        return self._start

    @property
    def _failed(self) -> bool:
        """Whether a server answers 500, because the application raised before it started a response."""
        return self._task.error is not None and self._start is None and not self._raise_exceptions

    async def _leave(self) -> None:
        if self.complete:
            expected = "the end of the application after a complete response"
            await self._wait(lambda: self._task.done, expected)
        elif not self._task.done:
            await self.disconnect()

    async def _next_message(self) -> Mapping[str, Any]:
        # The specification requires a disconnect after the response, even if the body was not read.
        await self._changed.wait_until(lambda: bool(self._incoming) or self._left or self.complete)
        return (
            self._incoming.popleft() if self._incoming and not self.complete else {"type": "http.disconnect"}
        )

    async def _send(self, message: Any) -> None:
        if not self.complete:  # later messages are ignored (Response Body - send event)
            await super()._send(message)

    def _handle(self, message: Mapping[str, Any]) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            self._start = message
            self._on_start(self.headers)
        elif kind == "http.response.trailers":
            self._trailers.extend(message["headers"])
        elif kind == "http.response.early_hint":
            self._early_hints.extend(message["links"])
        elif self.scope["method"] != "HEAD" and (chunk := _content(message)):
            self._chunks.append(chunk)

    def _may_continue(self) -> bool:
        return self._unlimited or len(self._chunks) <= 1 or self.complete or self._left


def _content(message: Mapping[str, Any]) -> bytes:
    """Return the part of the body in a message; files are read as a server does."""
    if message["type"] == "http.response.pathsend":
        with open(message["path"], "rb") as file:
            return file.read()
    if message["type"] == "http.response.zerocopysend":
        return _read_descriptor(message)
    return cast("bytes", message.get("body", b""))


def _read_descriptor(message: Mapping[str, Any]) -> bytes:
    file: Any = message["file"]
    with open(os.dup(file if isinstance(file, int) else file.fileno()), "rb") as copy:
        if "offset" in message:
            copy.seek(message["offset"])
        return copy.read(message.get("count", -1))
