"""``WebSocket``, a WebSocket of a Starlette or FastAPI application."""

# mypy and pyright report members whose types differ in the two bases. Starlette's type is the right one here.
# mypy: disable-error-code="misc, override"
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any, Final, Generic, TypeVar, overload

import starlette.websockets as theirs
from starlette.responses import Response
from starlette.websockets import WebSocketState

import asgiwire.connection
import asgiwire.datastructures
from asgiwire._websocket import states
from asgiwire._websocket.channel import WebSocketChannel
from asgiwire._websocket.events import accept_event, receive_event
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.exceptions import SerializationException, WebSocketDisconnect
from asgiwire.serialization import default_serializer
from asgiwire.types import Empty, HeaderPairs, Message, Serializer, WebSocketMode

from ._connection import HTTPConnection
from ._exceptions import DECODING_TRANSLATION, DISCONNECTED, SOCKET_TRANSLATION, TRANSLATION, cut_reason
from ._json import load_json

__all__ = ("WebSocket",)

T = TypeVar("T")

CLIENT_STATES: Final = {
    states.INITIAL: WebSocketState.CONNECTING,
    states.HANDSHAKE: WebSocketState.CONNECTED,
    states.OPEN: WebSocketState.CONNECTED,
    states.DENYING: WebSocketState.CONNECTED,
    states.CLOSING: WebSocketState.CONNECTED,  # no disconnect was received yet
    states.CLOSED: WebSocketState.DISCONNECTED,
}

APPLICATION_STATES: Final = {
    states.INITIAL: WebSocketState.CONNECTING,
    states.HANDSHAKE: WebSocketState.CONNECTING,
    states.OPEN: WebSocketState.CONNECTED,
    states.DENYING: WebSocketState.RESPONSE,
    states.CLOSING: WebSocketState.DISCONNECTED,
    states.CLOSED: WebSocketState.DISCONNECTED,
}


class _Channel(WebSocketChannel):
    """A channel that raises exceptions of both libraries."""

    __slots__ = ()

    def set_received(self, message: Message) -> None:
        """Change the state after a message was received."""
        with TRANSLATION:
            super().set_received(message)

    def disconnection(self) -> WebSocketDisconnect:
        """Create the exception for the disconnect event."""
        error = super().disconnect_error()
        TRANSLATION.apply(error)
        return error

    def disconnect_error(self) -> WebSocketDisconnect:
        """Create the exception that receiving and sending raise after the end."""
        error = super().disconnect_error()
        error.__class__ = DISCONNECTED
        return error


class WebSocket(
    HTTPConnection[UserT, AuthT, StateT],
    asgiwire.connection.WebSocket[UserT, AuthT, StateT],
    theirs.WebSocket,
    Generic[UserT, AuthT, StateT],
):
    """A WebSocket that is an instance of asgiwire's class and of Starlette's.

    Reading or sending accepts the handshake if :meth:`accept` was not called. A second :meth:`accept` or
    :meth:`close` does nothing.
    """

    _channel_class = _Channel
    _query_translation = DECODING_TRANSLATION

    @property
    def client_state(self) -> WebSocketState:
        """The state of the client, from the messages received so far."""
        return CLIENT_STATES[self._channel.state]

    @property
    def application_state(self) -> WebSocketState:
        """The state of the application; ``DISCONNECTED`` if no message can be sent."""
        return APPLICATION_STATES[self._channel.state]

    async def accept(
        self,
        subprotocol: str | None = None,
        headers: asgiwire.datastructures.Headers | HeaderPairs | None = None,
        *,
        subprotocols: str | None = None,
    ) -> None:
        """Accept the handshake. Does nothing if it is accepted already.

        Args:
            subprotocol: The chosen subprotocol; as in Starlette, also one that the client does not offer.
            headers: Headers of the response.
            subprotocols: The name of the first argument in asgiwire.

        Raises:
            ValueError: A header is invalid; nothing was sent.
            WebSocketDisconnect: The client disconnected, or the WebSocket was closed before.
        """
        channel = self._channel
        if channel.state is states.OPEN:
            return
        chosen = subprotocols if subprotocol is None else subprotocol
        offered = self.subprotocols if chosen is None else (chosen,)
        event = accept_event(chosen, offered, headers)
        event.setdefault("headers", [])  # middleware of applications appends to it
        async with channel.handshake:
            if channel.state is states.INITIAL:
                await self.receive()
            if channel.state is not states.OPEN:
                await self.send(event)

    async def close(self, code: int = 1000, reason: Any = None) -> None:
        """Close the WebSocket. Does nothing if it is closed already.

        Args:
            code: The close code.
            reason: The reason, truncated to 123 bytes, the maximum of a close frame. FastAPI passes a list
                of validation errors, which is sent unchanged.

        Raises:
            ValueError: The code is invalid; nothing was sent.
        """
        channel = self._channel
        if channel.state is states.INITIAL and getattr(channel.source, "connected", False):
            channel.set_state(states.HANDSHAKE)  # another object has received the connect event
        if reason is None or isinstance(reason, str):
            await super().close(code, None if reason is None else cut_reason(reason))
        elif not self.disconnected:
            await self._receive_connect()
            await self.send({"type": "websocket.close", "code": code, "reason": reason})

    @overload
    async def receive_json(self, mode: WebSocketMode | None = ...) -> Any: ...
    @overload
    async def receive_json(self, mode: WebSocketMode | None = ..., *, type: type[T]) -> T: ...
    @overload
    async def receive_json(self, mode: WebSocketMode | None = ..., *, type: Any) -> Any: ...
    async def receive_json(self, mode: WebSocketMode | None = "text", *, type: Any = Empty) -> Any:
        """Receive a message and decode it as JSON.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.
            type: The type to decode to. Without it, every document of :func:`json.loads` is accepted.

        Raises:
            RuntimeError: The mode is invalid.
            SerializationException: The message is not JSON. Without ``type``, also ``json.JSONDecodeError``.
            ValidationException: The message does not match ``type``, or has the wrong mode.
            WebSocketDisconnect: The WebSocket is closed.
        """
        _check_mode(mode)
        if type is not Empty:
            with DECODING_TRANSLATION:
                return await super().receive_json(mode, type=type)
        data = await self.receive_data(mode)
        try:
            with DECODING_TRANSLATION:
                return load_json(data)
        except SerializationException as error:
            error.message = receive_event(data)
            raise

    async def send_json(
        self,
        data: Any,
        mode: WebSocketMode = "text",
        encoding: str = "utf-8",
        serializer: Serializer = default_serializer,
    ) -> None:
        """Send a value as JSON.

        Args:
            data: Any value that msgspec or the serializer supports.
            mode: Whether to send a text or a binary message.
            encoding: Ignored: JSON is UTF-8.
            serializer: Called with each value that msgspec does not support.

        Raises:
            RuntimeError: The mode is invalid.
            TypeError: A value is of an unsupported type.
            WebSocketDisconnect: The WebSocket is closed.
        """
        _check_mode(mode)
        await super().send_json(data, mode, encoding, serializer)

    async def send_denial_response(
        self,
        status: int | Response,
        headers: asgiwire.datastructures.Headers | HeaderPairs | None = None,
        body: bytes | AsyncIterable[bytes] = b"",
    ) -> None:
        """Reject the handshake with an HTTP response.

        Args:
            status: A response of Starlette, or a status code.
            headers: Headers of the response, with a status code.
            body: The body or its chunks, with a status code.

        Raises:
            ImproperlyConfiguredException: The server does not support it; also a ``RuntimeError``.
        """
        with SOCKET_TRANSLATION:
            if isinstance(status, int):
                await super().send_denial_response(status, headers, body)
            else:
                await self._receive_connect()
                await theirs.WebSocket.send_denial_response(self, status)

    @overload
    async def receive_msgpack(self) -> Any: ...
    @overload
    async def receive_msgpack(self, *, type: type[T]) -> T: ...
    @overload
    async def receive_msgpack(self, *, type: Any) -> Any: ...
    async def receive_msgpack(self, *, type: Any = Empty) -> Any:
        """Receive a binary message and decode it as MessagePack; raises exceptions of both libraries."""
        with DECODING_TRANSLATION:
            return await super().receive_msgpack(type=type)

    def _data(self, message: Message, mode: WebSocketMode | None) -> str | bytes:
        if message["type"] == "websocket.disconnect":
            raise self._channel.disconnection()  # type: ignore[attr-defined]  # it is a _Channel
        with SOCKET_TRANSLATION:
            return super()._data(message, mode)

    async def _check_size(self, data: str | bytes, maximum: int | None) -> None:
        with SOCKET_TRANSLATION:
            await super()._check_size(data, maximum)


def _check_mode(mode: object) -> None:
    if mode not in {"text", "binary", None}:
        msg = 'The "mode" argument should be "text" or "binary".'
        raise RuntimeError(msg)
