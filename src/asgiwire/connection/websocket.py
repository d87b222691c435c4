"""A WebSocket connection: handshake, messages in both directions, and the close."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, Self, TypeVar, cast, overload

import asgiwire.datastructures
from asgiwire import _body
from asgiwire._concurrency import finish_within
from asgiwire._websocket.channel import WebSocketChannel
from asgiwire._websocket.events import (
    MESSAGE_TOO_BIG,
    MODES,
    accept_event,
    close_arguments,
    close_event,
    denial_body,
    denial_start,
    exceeds,
    invalid_mode,
    payload,
    receive_event,
    send_event,
    without_disconnects,
)
from asgiwire._websocket.states import ENDED, HANDSHAKE, INITIAL, OPEN, UNANSWERED
from asgiwire.exceptions import (
    ClientException,
    ImproperlyConfiguredException,
    RequestEntityTooLarge,
    WebSocketDisconnect,
    WebSocketStateError,
)
from asgiwire.serialization import (
    decode_json,
    decode_msgpack,
    decode_plain_json,
    default_serializer,
    encode_json,
    encode_msgpack,
    encode_plain_json,
)
from asgiwire.types import Empty, HeaderPairs, Message, Receive, Send, Serializer, WebSocketMode

from .base import ASGIConnection, AuthT, StateT, UserT, empty_receive, empty_send

if TYPE_CHECKING:
    import asgiwire.connection.outbox  # at runtime, an attribute that is imported on first use

__all__ = ("WebSocket",)

T = TypeVar("T")

DENIAL_EXTENSION: Final = "websocket.http.response"
"""The ASGI extension that answers a handshake with an HTTP response."""


class WebSocket(ASGIConnection[Any, UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """One WebSocket connection (RFC 6455).

    The first read or send accepts the handshake if :meth:`accept` was not called. Several tasks may send:
    each event is sent whole, in the order of the calls. Only one task may receive at a time.

    ``async for message in websocket`` reads text and binary messages until the client disconnects.
    ``async with websocket`` accepts on entry and closes on exit.

    A message with the wrong mode, or one that cannot be decoded, is the ``message`` attribute of the
    exception. It is consumed: the next read returns the next message.
    """

    __slots__ = ("_opened", "_other_receive", "_other_send")

    close_timeout: ClassVar[float] = 5.0
    """Maximum time of the close at the end of ``async with``, in seconds. A subclass can override it."""

    _scope_types: ClassVar[frozenset[str]] = frozenset({"websocket"})
    _channel_class: ClassVar[type[WebSocketChannel]] = WebSocketChannel

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive = empty_receive, send: Send = empty_send
    ) -> None:
        """Create a WebSocket from the arguments of an ASGI application. No event is received or sent.

        Raises:
            ImproperlyConfiguredException: The type of the scope is not ``websocket``.
        """
        if scope.get("type") == "http":
            raise self._wrong_scope_type(scope)
        # The channel: False in the constructor, then None until it is used.
        self._opened: Any = False
        # `receive` and `send`: the server's until the channel is used, then None if they are the channel's.
        self._other_receive: Any
        self._other_send: Any
        super().__init__(scope, receive, send)
        self._opened = None

    @property
    def _channel(self) -> WebSocketChannel:
        channel: WebSocketChannel = self._opened or self._open()
        return channel

    def _open(self) -> WebSocketChannel:
        receive, send = self._other_receive, self._other_send
        channel = self._opened = self._channel_class(receive, send)
        try:
            # Properties here, and attributes in the base class.
            self.receive = self.receive_wrapper(receive)  # pyright: ignore[reportIncompatibleMethodOverride]
            self.send = self.send_wrapper(send)  # pyright: ignore[reportIncompatibleMethodOverride]
        except BaseException:  # raised by an override
            self._opened, self._other_receive, self._other_send = None, receive, send
            raise
        return channel

    @property
    def _description(self) -> str:
        return self._channel.state.value

    def receive_wrapper(self, receive: Receive) -> Receive:
        """Return the ``receive`` of this object; an override may wrap the argument or the result.

        The returned callable tracks the state, and rejects a second task that receives at the same time. It
        does not call the server again after the disconnect event.

        Args:
            receive: The server's callable.
        """
        self._channel.source = receive
        return self._channel.receive

    def send_wrapper(self, send: Send) -> Send:
        """Return the ``send`` of this object; an override may wrap the argument or the result.

        The returned callable rejects events that the state does not allow, and sends one event at a time.
        The state changes after the server's callable has returned; a cancelled send does not change it.

        Args:
            send: The server's callable.
        """
        self._channel.sink = send
        return self._channel.send

    # The two bound methods of the channel are not stored, which saves a third of an idle WebSocket's memory.

    @property
    def receive(self) -> Receive:
        """The ASGI receive callable, as :meth:`receive_wrapper` returned it; may be replaced."""
        channel = self._channel
        receive: Receive = self._other_receive or channel.receive
        return receive

    @receive.setter
    def receive(self, receive: Receive) -> None:
        if self._opened is False:
            self._other_receive = receive
            return
        channel = self._channel
        self._other_receive = None if receive == channel.receive else receive
        is_plain = self._other_receive is None and type(self).receive_data is WebSocket.receive_data
        channel.reads_directly = False if is_plain else None
        channel.set_state(channel.state)

    @property
    def send(self) -> Send:
        """The ASGI send callable, as :meth:`send_wrapper` returned it; may be replaced."""
        channel = self._channel
        send: Send = self._other_send or channel.send
        return send

    @send.setter
    def send(self, send: Send) -> None:
        if self._opened is False:
            self._other_send = send
            return
        channel = self._channel
        self._other_send = None if send == channel.send else send
        is_plain = self._other_send is None and type(self).send_data is WebSocket.send_data
        channel.sends_directly = False if is_plain else None
        channel.set_state(channel.state)

    @property
    def connection_state(self) -> Literal["init", "connect", "receive", "disconnect"]:
        """The phase: ``receive`` from the first message of the client on, ``disconnect`` after the end."""
        state = self._channel.state
        if state is INITIAL:
            return "init"
        if state is HANDSHAKE or (state is OPEN and not self._channel.received_any):
            return "connect"
        return "receive" if state is OPEN else "disconnect"

    @property
    def disconnected(self) -> bool:
        """Whether the WebSocket is closed, by either side."""
        return self._channel.state in ENDED

    @property
    def accepted(self) -> bool:
        """Whether the handshake was accepted; stays true after the close."""
        return self._channel.accepted

    @property
    def close_code(self) -> int | None:
        """The code of the side that closed first; ``None`` while the WebSocket is not closed.

        1005 if the close had no code, 1006 if the connection was lost or the handshake was denied (RFC 6455
        section 7.4.1).
        """
        return self._channel.close_code

    @property
    def close_reason(self) -> str | None:
        """The reason that belongs to :attr:`close_code`, or ``""``; ``None`` while it is not closed."""
        return self._channel.close_reason

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """The subprotocols that the client offers, in its order of preference (RFC 6455 section 4.1).

        Leading and trailing spaces are removed, because some servers do not remove them.
        """
        offered: Iterable[str] = self.scope.get("subprotocols") or ()
        if not isinstance(offered, list | tuple):  # ASGI allows any iterable, including iterators
            offered = self.scope["subprotocols"] = list(offered)
        return tuple(name.strip(" \t") for name in offered)

    def select_subprotocol(self, supported: Iterable[str]) -> str | None:
        """Return the first supported subprotocol that the client offers, for :meth:`accept`.

        Args:
            supported: The subprotocols of the application, in its order of preference.
        """
        offered = frozenset(self.subprotocols)
        return next((name for name in supported if name in offered and name), None)

    def _snapshot_values(self) -> dict[str, Any]:
        return {
            "subprotocols": self.subprotocols,
            "connection_state": self.connection_state,
            "close_code": self.close_code,
            "close_reason": self.close_reason,
        }

    async def __aenter__(self) -> Self:
        """Accept the handshake if it is not accepted; raises the same exceptions as :meth:`accept`."""
        await self.accept()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        """Close the WebSocket. An exception of the block determines the code, and propagates.

        The code is 1000 without an exception, the ``code`` of a :class:`WebSocketException`, the
        ``close_code`` of a :class:`ClientException` (1003 for a message of the wrong mode, 1007 for one that
        cannot be decoded, 1009 for one that is too large, 1008 for any other), else 1011. The ``detail`` of
        these exceptions is the reason.

        The close is sent in a cancelled task too, and takes at most :attr:`close_timeout` seconds. If this
        WebSocket is closed, a :class:`WebSocketDisconnect` is suppressed. It is removed from an exception
        group, of which the rest propagates.
        """
        if isinstance(error, GeneratorExit):  # a coroutine that is being closed must not await
            return False
        if not self.disconnected:
            await self._close_within_timeout(*close_arguments(error))
            return False
        rest = without_disconnects(error)
        if rest is not None and rest is not error:
            context = rest.__context__
            try:
                raise rest
            finally:
                rest.__context__ = context  # not the whole group
        return rest is None and error is not None

    async def _close_within_timeout(self, code: int, reason: str) -> None:
        await finish_within(self.close_timeout, partial(self._close_or_give_up, code, reason))

    async def _close_or_give_up(self, code: int, reason: str) -> None:
        try:
            await self.close(code, reason)
        except Exception:
            raise
        except BaseException:  # the timeout has expired: the client reads nothing
            self._channel.set_lost()
            raise

    async def accept(
        self,
        subprotocols: str | None = None,
        headers: asgiwire.datastructures.Headers | HeaderPairs | None = None,
        *,
        subprotocol: str | None = None,
    ) -> None:
        """Accept the handshake. Does nothing if it is accepted already.

        Args:
            subprotocols: The chosen subprotocol, one of those that the client offers.
            headers: Headers of the response. Not every server sends them.
            subprotocol: Alias of ``subprotocols``.

        Raises:
            TypeError: The subprotocol was given by both names; nothing was sent.
            ValueError: The subprotocol was not offered or is not a token, or a header is invalid; nothing was
                sent.
            WebSocketDisconnect: The client disconnected, or the WebSocket was closed before.
        """
        channel = self._channel
        if channel.state is OPEN:
            return
        if subprotocol is not None:
            if subprotocols is not None:
                msg = "accept() got a subprotocol by two names; pass only 'subprotocol'"
                raise TypeError(msg)
            subprotocols = subprotocol
        event = accept_event(subprotocols, self.subprotocols, headers)
        # Two tasks that read or send first both accept; the second waits here, and then does nothing.
        async with channel.handshake:
            if channel.state is INITIAL:
                await self.receive()
            if channel.state is not OPEN:
                await self.send(event)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close the WebSocket. Before :meth:`accept`, the server answers with HTTP 403.

        Does nothing if the WebSocket is closed already.

        Args:
            code: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4).
            reason: Truncated to 123 bytes in UTF-8, at the end of a character (RFC 6455 section 5.5).

        Raises:
            ValueError: The code is invalid; nothing was sent.
        """
        channel = self._channel
        if channel.state in ENDED:
            return
        event = close_event(code, reason)
        await self._receive_connect()
        try:
            await self.send(event)
        except WebSocketDisconnect:
            return  # closed by the other side meanwhile
        except Exception:
            # One server supports only 1000 and 3000 to 4999, and leaves the connection open after an error.
            if channel.state is not OPEN or code == 1000 or code >= 3000:
                raise
            await self.close(1000, reason)

    async def send_denial_response(
        self,
        status: int,
        headers: asgiwire.datastructures.Headers | HeaderPairs | None = None,
        body: bytes | AsyncIterable[bytes] = b"",
    ) -> None:
        """Reject the handshake with an HTTP response (ASGI extension ``websocket.http.response``).

        Args:
            status: 300 to 599.
            headers: Headers of the response.
            body: The body, or its chunks, which are joined: not every server accepts more than one event.

        Raises:
            ImproperlyConfiguredException: The server does not support the extension. :meth:`deny` works on
                every server.
            ValueError: The status or a header is invalid; nothing was sent.
            TypeError: The body is neither bytes nor an asynchronous iterable; nothing was sent.
            WebSocketStateError: The handshake was accepted, or a response was started.
            WebSocketDisconnect: The client disconnected, or the WebSocket was closed before.
        """
        if DENIAL_EXTENSION not in (self.scope.get("extensions") or ()):
            msg = (
                f"the server does not support the extension {DENIAL_EXTENSION!r};"
                " close() answers with HTTP 403 on every server"
            )
            raise ImproperlyConfiguredException(msg)
        start = denial_start(status, headers)
        # One server loses all events after the start event, another accepts only one body event.
        whole = b"".join([chunk async for chunk in body]) if isinstance(body, AsyncIterable) else body
        end = denial_body(whole)
        await self._receive_connect()
        await self.send(start)
        await self.send(end)

    async def deny(
        self,
        status: int = 403,
        headers: asgiwire.datastructures.Headers | HeaderPairs | None = None,
        body: bytes | AsyncIterable[bytes] = b"",
    ) -> bool:
        """Reject the handshake, on every server.

        Args:
            status: 300 to 599.
            headers: Headers of the response.
            body: The body, or its chunks.

        Returns:
            Whether the client receives this response. ``False`` if the server does not support the extension
            of :meth:`send_denial_response`; it then responds with HTTP 403.

        Raises:
            ValueError: The status or a header is invalid; nothing was sent.
            WebSocketStateError: The handshake was accepted, or a response was started.
            WebSocketDisconnect: The client disconnected, or the WebSocket was closed before.
        """
        if DENIAL_EXTENSION in (self.scope.get("extensions") or ()):
            await self.send_denial_response(status, headers, body)
            return True
        denial_start(status, headers)  # the arguments are valid on every server, or on none
        await self._receive_connect()
        if self._channel.state is OPEN:
            raise WebSocketStateError(event="websocket.http.response.start", state=OPEN.value)
        await self.send(close_event(1000, ""))
        return False

    async def _receive_connect(self) -> None:
        """Receive the connect event if it was not received."""
        channel = self._channel
        if channel.state is INITIAL:
            async with channel.handshake:
                if channel.state is INITIAL:
                    await self.receive()

    @overload
    async def receive_data(self, mode: Literal["text"]) -> str: ...
    @overload
    async def receive_data(self, mode: Literal["binary"]) -> bytes: ...
    @overload
    async def receive_data(self, mode: None = ...) -> str | bytes: ...
    @overload
    async def receive_data(self, mode: WebSocketMode | None) -> str | bytes: ...
    async def receive_data(self, mode: WebSocketMode | None = None) -> str | bytes:
        """Receive a message. Every other reader calls this method.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.

        Raises:
            WebSocketDisconnect: The WebSocket is closed.
            ValidationException: The message has the wrong mode. ``error.message`` is the message; the next
                read returns the next one.
            RequestEntityTooLarge: The message has more than ``limits.max_message_size`` bytes; the WebSocket
                was closed with code 1009.
            WebSocketStateError: Another task is receiving.
        """
        if mode not in MODES:
            raise invalid_mode(mode)
        if self._channel.state in UNANSWERED:
            await self.accept()
        data = self._data(await self.receive(), mode)
        maximum = self.limits.max_message_size
        if maximum is not None and len(data) * 4 > maximum:
            await self._check_size(data, maximum)
        return data

    async def receive_text(self) -> str:
        """Receive a text message; raises the same exceptions as :meth:`receive_data`."""
        channel: WebSocketChannel | None = self._opened
        if channel is None or not channel.reads_directly or channel.receiving:
            return await self.receive_data("text")
        # What receive_data() and channel.receive() would do, without their coroutines: 35 % less time.
        receive = channel.source  # as a local variable, because CPython 3.11 specializes this access only
        channel.receiving = True
        try:
            message: Message = await receive()
        finally:
            channel.receiving = False
            if channel.read_ahead is not None:  # created meanwhile
                channel.read_ahead.notify()
        try:
            text: str | None = message["text"] if message["type"] == "websocket.receive" else None
        except KeyError:
            text = None
        maximum = self.limits.max_message_size
        if text is None or (maximum is not None and len(text) * 4 > maximum):
            return await self._unusual_text(message)
        channel.received_any = True
        return text

    async def _unusual_text(self, message: Message) -> str:
        """Return the text of any message that was received from the server, or raise its error."""
        self._channel.set_received(message)
        data = self._data(message, "text")
        await self._check_size(data, self.limits.max_message_size)
        return cast("str", data)

    async def receive_bytes(self) -> bytes:
        """Receive a binary message; raises the same exceptions as :meth:`receive_data`."""
        return await self.receive_data("binary")

    @overload
    async def receive_json(self, mode: WebSocketMode | None = ...) -> Any: ...
    @overload
    async def receive_json(self, mode: WebSocketMode | None = ..., *, type: type[T]) -> T: ...
    @overload
    async def receive_json(self, mode: WebSocketMode | None = ..., *, type: Any) -> Any: ...
    async def receive_json(self, mode: WebSocketMode | None = "text", *, type: Any = Empty) -> Any:
        """Receive a message and decode it as JSON.

        Raises the exceptions of :meth:`receive_data` too. ``error.message`` of a client exception is the
        message; the next read returns the next one.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.
            type: The type to decode to: any type that msgspec or one of ``type_decoders`` supports.

        Raises:
            SerializationException: The message is malformed, not UTF-8, or nested too deep.
            ValidationException: The message does not match ``type``; the message contains the path.
        """
        channel: WebSocketChannel | None = self._opened
        data: str | bytes | None
        if channel is None or mode != "text" or not channel.reads_directly or channel.receiving:
            data = await self.receive_data(mode)
        else:
            # As in receive_text(), whose coroutine would take 9 % more time for an echo of JSON.
            receive = channel.source
            channel.receiving = True
            try:
                message: Message = await receive()
            finally:
                channel.receiving = False
                if channel.read_ahead is not None:
                    channel.read_ahead.notify()
            try:
                data = message["text"] if message["type"] == "websocket.receive" else None
            except KeyError:
                data = None
            maximum = self.limits.max_message_size
            if data is None or (maximum is not None and len(data) * 4 > maximum):
                data = await self._unusual_text(message)
            channel.received_any = True
        maximum = self.limits.max_values
        if type is Empty and (maximum is None or len(data) <= maximum):  # each value has a character
            try:
                return decode_plain_json(data)
            except (ValueError, RecursionError):
                pass  # decode_json() raises the documented errors
        try:
            return decode_json(data, type, self.type_decoders, max_values=maximum)
        except ClientException as error:
            error.message = receive_event(data)
            raise

    @overload
    async def receive_msgpack(self) -> Any: ...
    @overload
    async def receive_msgpack(self, *, type: type[T]) -> T: ...
    @overload
    async def receive_msgpack(self, *, type: Any) -> Any: ...
    async def receive_msgpack(self, *, type: Any = Empty) -> Any:
        """Receive a binary message and decode it as MessagePack.

        Raises the exceptions of :meth:`receive_data` too. ``error.message`` of a client exception is the
        message; the next read returns the next one.

        Args:
            type: The type to decode to: any type that msgspec or one of ``type_decoders`` supports.

        Raises:
            SerializationException: The message is malformed, has text that is not UTF-8, or is nested too
                deep.
            ValidationException: The message does not match ``type``; the message contains the path.
        """
        data = await self.receive_data("binary")
        try:
            return decode_msgpack(data, type, self.type_decoders, max_values=self.limits.max_values)
        except ClientException as error:
            error.message = receive_event(data)
            raise

    @overload
    def iter_data(self, mode: Literal["text"] = ...) -> AsyncGenerator[str, None]: ...
    @overload
    def iter_data(self, mode: Literal["binary"]) -> AsyncGenerator[bytes, None]: ...
    @overload
    def iter_data(self, mode: WebSocketMode | None) -> AsyncGenerator[str | bytes, None]: ...
    async def iter_data(self, mode: WebSocketMode | None = "text") -> AsyncGenerator[str | bytes, None]:
        """Receive messages until the WebSocket is closed; see :attr:`close_code` for the code.

        Any exception but a disconnect ends the iterator. A new one continues with the next message.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.

        Raises:
            ValidationException: A message has the wrong mode; ``error.message`` is the message.
            RequestEntityTooLarge: A message has more than ``limits.max_message_size`` bytes.
            WebSocketStateError: Another task is receiving.
        """
        while True:
            try:
                data = await self.receive_data(mode)
            except WebSocketDisconnect:
                return
            yield data

    @overload
    def iter_json(self, mode: WebSocketMode | None = ...) -> AsyncGenerator[Any, None]: ...
    @overload
    def iter_json(self, mode: WebSocketMode | None = ..., *, type: type[T]) -> AsyncGenerator[T, None]: ...
    @overload
    def iter_json(self, mode: WebSocketMode | None = ..., *, type: Any) -> AsyncGenerator[Any, None]: ...
    async def iter_json(
        self, mode: WebSocketMode | None = "text", *, type: Any = Empty
    ) -> AsyncGenerator[Any, None]:
        """Receive and decode JSON until the WebSocket is closed.

        Raises the same exceptions as :meth:`receive_json`, except for the disconnect.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.
            type: The type to decode to, as in :meth:`receive_json`.
        """
        while True:
            try:
                value = await self.receive_json(mode=mode, type=type)
            except WebSocketDisconnect:
                return
            yield value

    @overload
    def iter_msgpack(self) -> AsyncGenerator[Any, None]: ...
    @overload
    def iter_msgpack(self, *, type: type[T]) -> AsyncGenerator[T, None]: ...
    @overload
    def iter_msgpack(self, *, type: Any) -> AsyncGenerator[Any, None]: ...
    async def iter_msgpack(self, *, type: Any = Empty) -> AsyncGenerator[Any, None]:
        """Receive and decode MessagePack until the WebSocket is closed.

        Raises the same exceptions as :meth:`receive_msgpack`, except for the disconnect.

        Args:
            type: The type to decode to, as in :meth:`receive_msgpack`.
        """
        while True:
            try:
                value = await self.receive_msgpack(type=type)
            except WebSocketDisconnect:
                return
            yield value

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.receive_data(None)
        except WebSocketDisconnect:
            raise StopAsyncIteration from None

    def _data(self, message: Message, mode: WebSocketMode | None) -> str | bytes:
        if message["type"] == "websocket.disconnect":
            raise self._channel.disconnect_error()
        return payload(message, mode)

    async def _check_size(self, data: str | bytes, maximum: int | None) -> None:
        if maximum is not None and exceeds(data, maximum):
            await self.close(MESSAGE_TOO_BIG)
            raise _too_large(maximum)

    async def is_disconnected(self) -> bool:
        """Return whether the WebSocket is closed, without waiting for a message.

        For tasks that only send: on some servers, a send after the client disconnected raises no exception.
        The call receives at most one message, which the next read returns. It receives no message while
        another task is receiving, or while 1 MiB of messages is pending.

        Raises:
            ProtocolError: The server sent a message that the state does not allow.
        """
        await self._channel.peek()
        return self.disconnected

    async def wait_disconnected(self) -> None:
        """Return when the WebSocket is closed.

        Messages that arrive before are buffered for later reads, up to 1 MiB. If the buffer is full, the
        disconnect is detected only after a read. :meth:`cancel_on_disconnect` cancels a block instead.

        Raises:
            ProtocolError: The server sent a message that the state does not allow.
        """
        await self._channel.wait_closed()

    def cancel_on_disconnect(self) -> _body.CancelOnDisconnect:
        """Return an ``async with`` context manager that cancels its block when the client disconnects.

        The code after the block is not cancelled; ``cancelled_caught`` is whether the block was. A close by
        the application does not cancel the block. Messages that arrive in the meantime are buffered, as in
        :meth:`wait_disconnected`.
        """
        return _body.CancelOnDisconnect(self._channel.wait_disconnected)

    def outbox(
        self, *, max_messages: int = 100, on_full: Literal["close", "drop_oldest", "wait"] = "close"
    ) -> asgiwire.connection.outbox.Outbox:
        """Return a bounded queue of outgoing messages, for ``async with``; its task sends them in order.

        Args:
            max_messages: The maximum number of messages in the queue.
            on_full: ``"close"`` closes the WebSocket of a slow client with code 1013 and cancels the block,
                ``"drop_oldest"`` drops the oldest message, ``"wait"`` lets ``put()`` wait.

        Raises:
            ValueError: An argument is invalid.
        """
        from .outbox import Outbox

        return Outbox(self.send_data, self._close_within_timeout, self.close_timeout, max_messages, on_full)

    async def send_data(
        self, data: str | bytes, mode: WebSocketMode = "text", encoding: str = "utf-8"
    ) -> None:
        """Send a message. Every other writer calls this method.

        Args:
            data: The message; ``bytearray`` and ``memoryview`` are accepted for bytes.
            mode: Whether to send a text or a binary message.
            encoding: Used if ``data`` is bytes and ``mode`` is text, or the reverse.

        Raises:
            WebSocketDisconnect: The WebSocket is closed, by either side; code 1006 if the server reports that
                the connection is lost.
            TypeError: ``data`` is neither text nor bytes.
            ValueError: The mode is invalid, or ``data`` cannot be encoded or decoded.
        """
        event = send_event(data, mode, encoding)
        if self._channel.state in UNANSWERED:
            await self.accept()
        await self.send(event)

    async def send_text(self, data: str | bytes, encoding: str = "utf-8") -> None:
        """Send a text message; bytes are decoded. Raises the same exceptions as :meth:`send_data`."""
        channel: WebSocketChannel | None = self._opened
        if channel is None or not channel.sends_directly or channel.sending or type(data) is not str:
            await self.send_data(data, "text", encoding)
            return
        # What send_data() and channel.send() would do, without their coroutines: 40 % less time.
        send = channel.sink  # as above
        channel.sending = True
        try:
            await send({"type": "websocket.send", "text": data})
        except (OSError, RuntimeError) as error:
            await channel.raise_if_lost(error)
            raise
        finally:
            if channel.send_lock is None:  # the usual case; a call would take 10 % more time
                channel.sending = False
            else:
                channel.release_send()

    async def send_bytes(self, data: str | bytes, encoding: str = "utf-8") -> None:
        """Send a binary message; text is encoded. Raises the same exceptions as :meth:`send_data`."""
        await self.send_data(data, "binary", encoding)

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
            encoding: Ignored: JSON is UTF-8 (RFC 8259 section 8.1).
            serializer: Called with each value that msgspec does not support; the default one calls
                ``type_encoders`` first.

        Raises:
            TypeError: A value is of an unsupported type.
            WebSocketDisconnect: As in :meth:`send_data`.
        """
        if serializer is default_serializer and not self.type_encoders:
            document = encode_plain_json(data)
        else:
            document = encode_json(data, self._serializer(serializer))
        channel: WebSocketChannel | None = self._opened
        if channel is None or mode != "text" or not channel.sends_directly or channel.sending:
            await self.send_data(document, mode, encoding)
            return
        # As in send_text(), whose coroutine would take 9 % more time for an echo of JSON.
        send = channel.sink
        channel.sending = True
        try:
            await send({"type": "websocket.send", "text": document.decode()})
        except (OSError, RuntimeError) as error:
            await channel.raise_if_lost(error)
            raise
        finally:
            if channel.send_lock is None:
                channel.sending = False
            else:
                channel.release_send()

    async def send_msgpack(
        self, data: Any, encoding: str = "utf-8", serializer: Serializer = default_serializer
    ) -> None:
        """Send a value as MessagePack, in a binary message.

        Args:
            data: Any value that msgspec or the serializer supports.
            encoding: Ignored.
            serializer: As in :meth:`send_json`.

        Raises:
            TypeError: A value is of an unsupported type.
            WebSocketDisconnect: As in :meth:`send_data`.
        """
        document = encode_msgpack(data, self._serializer(serializer))
        await self.send_data(document, "binary", encoding)

    def _serializer(self, serializer: Serializer) -> Serializer:
        encoders = self.type_encoders
        if serializer is default_serializer and encoders:
            return partial(default_serializer, type_encoders=encoders)
        return serializer


def _too_large(maximum: int) -> RequestEntityTooLarge:
    limit = "max_message_size"
    detail = f"the message exceeds {limit}={maximum}; raise it with Limits({limit}=...) on the class"
    return RequestEntityTooLarge(detail, limit=limit, maximum=maximum)
