"""A client for synchronous tests."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, Unpack

from asgiwire.datastructures import Headers
from asgiwire.types import ASGIApp, Empty, EmptyType, WebSocketMode

from ._client import Client, ClientOptions, ClientSettings, ConversationOptions
from ._conversation import Conversation
from ._response import Response

Run = Callable[[Coroutine[Any, Any, Any]], Any]


class SyncClient:
    """A :class:`Client` for synchronous tests.

    Each call runs in a new asyncio event loop. ``with SyncClient(application) as client`` uses one event loop
    for the block, and runs the lifespan of the application. No thread is used. It cannot be used while an
    event loop is running.

    Args:
        application: The ASGI application.
        base_url: Scheme, host and port of the URLs.
        **settings: The keyword arguments of :class:`Client`.

    Attributes:
        client: The :class:`Client` that sends the requests.
    """

    def __init__(
        self,
        application: ASGIApp,
        base_url: str = "http://test.org",
        **settings: Unpack[ClientSettings],
    ) -> None:
        self.client: Client = Client(application, base_url, **settings)
        self._runner: Any = None

    def __enter__(self) -> Self:
        """Start the event loop, and run the startup of the application.

        Raises:
            RuntimeError: An event loop is running.
        """
        self._runner = _new_runner()
        try:
            self._runner.run(self.client.__aenter__())
        except BaseException:
            self._runner.close()
            raise
        return self

    def __exit__(
        self,
        type: builtins.type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Run the shutdown of the application, and close the event loop."""
        runner, self._runner = self._runner, None
        with runner:
            runner.run(self.client.__aexit__(type, error, traceback))

    def get(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a GET request, as :meth:`Client.request`."""
        return self.request("GET", url, **options)

    def head(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a HEAD request, as :meth:`Client.request`."""
        return self.request("HEAD", url, **options)

    def post(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a POST request, as :meth:`Client.request`."""
        return self.request("POST", url, **options)

    def put(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a PUT request, as :meth:`Client.request`."""
        return self.request("PUT", url, **options)

    def patch(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a PATCH request, as :meth:`Client.request`."""
        return self.request("PATCH", url, **options)

    def delete(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a DELETE request, as :meth:`Client.request`."""
        return self.request("DELETE", url, **options)

    def query(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a QUERY request, as :meth:`Client.request`."""
        return self.request("QUERY", url, **options)

    def options(self, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send an OPTIONS request, as :meth:`Client.request`."""
        return self.request("OPTIONS", url, **options)

    def request(self, method: str, url: str = "/", **options: Unpack[ClientOptions]) -> Response:
        """Send a request, as :meth:`Client.request`.

        Raises:
            RuntimeError: An event loop is running.
        """
        response: Response
        if self._runner is not None:
            response = self._runner.run(self.client.request(method, url, **options))
            return response
        with _new_runner() as runner:
            response = runner.run(self.client.request(method, url, **options))
        return response

    @contextmanager
    def websocket(
        self, url: str = "/", **options: Unpack[ConversationOptions]
    ) -> Generator[SyncConversation, None, None]:
        """Return a context manager for a WebSocket client, as :meth:`Client.websocket`."""
        conversation = self.client.websocket(url, **options)
        runner = self._runner or _new_runner()
        try:
            runner.run(conversation.__aenter__())
            try:
                yield SyncConversation(conversation, runner.run)
            except BaseException as error:
                runner.run(conversation.__aexit__(type(error), error, error.__traceback__))
                raise
            runner.run(conversation.__aexit__(None, None, None))
        finally:
            if runner is not self._runner:
                runner.close()


def _new_runner() -> Any:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.Runner()
    msg = "expected no running event loop; in an async test, use Client instead of SyncClient"
    raise RuntimeError(msg)


class SyncConversation:
    """A :class:`Conversation` for synchronous tests, created by :meth:`SyncClient.websocket`.

    Args:
        conversation: The WebSocket client; its attributes can be read at any time.
        run: Runs a coroutine on the event loop of the conversation.
    """

    def __init__(self, conversation: Conversation, run: Run) -> None:
        self.conversation = conversation
        self._run = run

    @property
    def accepted(self) -> bool:
        """Whether the application accepted the handshake."""
        return self.conversation.accepted

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the application selected."""
        return self.conversation.subprotocol

    @property
    def status(self) -> int:
        """The status of the handshake, as :attr:`Conversation.status`."""
        return self.conversation.status

    @property
    def headers(self) -> Headers:
        """The headers of the handshake response."""
        return self.conversation.headers

    @property
    def body(self) -> bytes:
        """The body of a denial response."""
        return self.conversation.body

    @property
    def close_code(self) -> int | None:
        """The close code, or ``None`` while the WebSocket is open."""
        return self.conversation.close_code

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self._run(self.conversation.send_text(text))

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._run(self.conversation.send_bytes(data))

    def send_json(self, value: Any, *, mode: WebSocketMode = "text") -> None:
        """Send a value as JSON."""
        self._run(self.conversation.send_json(value, mode=mode))

    def receive_text(self, *, timeout: float | EmptyType | None = Empty) -> str:
        """Return the next message, as :meth:`Conversation.receive_text`."""
        text: str = self._run(self.conversation.receive_text(timeout=timeout))
        return text

    def receive_bytes(self, *, timeout: float | EmptyType | None = Empty) -> bytes:
        """Return the next message, as :meth:`Conversation.receive_bytes`."""
        data: bytes = self._run(self.conversation.receive_bytes(timeout=timeout))
        return data

    def receive_json(self, *, type: Any = Empty, timeout: float | EmptyType | None = Empty) -> Any:
        """Return the next message, as :meth:`Conversation.receive_json`."""
        return self._run(self.conversation.receive_json(type=type, timeout=timeout))

    def close(self, code: int = 1000, reason: str = "", *, timeout: float | EmptyType | None = Empty) -> None:
        """Close the WebSocket, as :meth:`Conversation.close`."""
        self._run(self.conversation.close(code, reason, timeout=timeout))

    def wait_closed(self, *, timeout: float | EmptyType | None = Empty) -> int:
        """Wait until the application closes the WebSocket, and return the close code."""
        code: int = self._run(self.conversation.wait_closed(timeout=timeout))
        return code
