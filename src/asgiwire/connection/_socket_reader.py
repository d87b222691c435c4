"""What a WebSocket can be asked to receive.

Left out: what it can be asked to send (``websocket.py``), and the keeping of messages that a read refused
(``_socket_channel.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, cast, overload

from asgiwire._websocket.channel import Decoding
from asgiwire._websocket.events import MESSAGE_TOO_BIG, MODES, exceeds, no_such_mode, payload
from asgiwire._websocket.states import UNANSWERED
from asgiwire.exceptions import (
    ClientException,
    RequestEntityTooLarge,
    ValidationException,
    WebSocketDisconnect,
)
from asgiwire.serialization import decode_json, decode_msgpack, decode_untyped_json
from asgiwire.types import Empty

from ._socket_connection import SocketConnection
from .base import AuthT, StateT, UserT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from asgiwire.types import Message, WebSocketMode

T = TypeVar("T")


class SocketReader(SocketConnection[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """A WebSocket as who receives from it sees it."""

    __slots__ = ()

    @property
    def _reads_plainly(self) -> bool:
        return super()._reads_plainly and type(self).receive_data is SocketReader.receive_data

    @overload
    async def receive_data(self, mode: Literal["text"]) -> str: ...
    @overload
    async def receive_data(self, mode: Literal["binary"]) -> bytes: ...
    @overload
    async def receive_data(self, mode: None = ...) -> str | bytes: ...
    @overload
    async def receive_data(self, mode: WebSocketMode | None) -> str | bytes: ...
    async def receive_data(self, mode: WebSocketMode | None = None) -> str | bytes:
        """Receive a message; every other reader goes through here.

        A message that a read refuses, because it is of the other mode or does not decode, is kept for one
        more try: the next read of its mode, unless it is the very same read, gets it. It is gone when that
        fails too, or when another message is refused. So a loop that goes on after the error meets with each
        such message once.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.

        Raises:
            WebSocketDisconnect: The WebSocket is closed.
            ValidationException: The message is of the other mode.
            RequestEntityTooLarge: The message has more than ``limits.max_message_size`` bytes; the WebSocket
                was closed with 1009.
            WebSocketStateError: Another task is receiving.
        """
        if mode not in MODES:
            raise no_such_mode(mode)
        channel = self._begun
        if channel is None or channel.receiving or not channel.reads_directly:
            message = await self._next_message(mode)
        else:
            # Nearly every message comes this way, so what the channel would do is written out.
            receive = channel.source
            channel.receiving = True
            try:
                message = await receive()
            finally:
                channel.receiving = False
            channel.move(message)
        data: str | bytes | None = message.get("text")
        if data is None or mode == "binary":
            data = self._payload(message, mode)
        maximum = self.limits.max_message_size
        if maximum is not None and len(data) * 4 > maximum:
            await self._close_if_exceeding(maximum, data)
        decoding = self._channel.decoding
        if decoding is not None:
            decoding.message = message
        return data

    async def _next_message(self, mode: WebSocketMode | None) -> Message:
        channel = self._channel
        if channel.state in UNANSWERED:
            await self.accept()
        message = channel.take_refused(mode)
        return await self._receive_event() if message is None else message

    def _payload(self, message: Message, mode: WebSocketMode | None) -> str | bytes:
        if message["type"] == "websocket.disconnect":
            raise self._channel.disconnect()
        try:
            return payload(message, mode)
        except ValidationException:
            self._channel.refuse(message)
            raise

    async def _close_if_exceeding(self, maximum: int | None, data: str | bytes) -> None:
        if maximum is not None and exceeds(data, maximum):
            await self.close(MESSAGE_TOO_BIG)
            raise _too_large(maximum)

    async def receive_text(self) -> str:
        """Receive a text message; raises what :meth:`receive_data` does."""
        channel = self._begun
        if channel is None or channel.receiving or not channel.reads_directly:
            return await self.receive_data("text")
        # As in receive_data(), which is not awaited here: a coroutine costs as much as all the rest. It has
        # as few variables as can be, for most of the memory of an idle WebSocket is this coroutine.
        channel.receiving = True
        try:
            message = await channel.source()
        finally:
            channel.receiving = False
        try:
            text: str | None = message["text"] if message["type"] == "websocket.receive" else None
        except KeyError:
            text = None
        maximum = self.limits.max_message_size
        if text is None or (maximum is not None and len(text) * 4 > maximum):
            return await self._read_text(message)
        channel.heard = True
        return text

    async def _read_text(self, message: Message) -> str:
        """What is in a message that was received and is to be a text, be it none, or a large one."""
        self._channel.move(message)
        data = self._payload(message, "text")
        await self._close_if_exceeding(self.limits.max_message_size, data)
        return cast("str", data)

    async def receive_bytes(self) -> bytes:
        """Receive a binary message; raises what :meth:`receive_data` does."""
        return await self.receive_data("binary")

    @overload
    async def receive_json(self, mode: WebSocketMode | None = ...) -> Any: ...
    @overload
    async def receive_json(self, mode: WebSocketMode | None = ..., *, type: type[T]) -> T: ...
    @overload
    async def receive_json(self, mode: WebSocketMode | None = ..., *, type: Any) -> Any: ...
    async def receive_json(self, mode: WebSocketMode | None = "text", *, type: Any = Empty) -> Any:
        """Receive a message and decode it as JSON; raises what :meth:`receive_data` does, and more.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.
            type: What to decode to: anything that msgspec or one of ``type_decoders`` decodes.

        Raises:
            SerializationException: It is malformed, not UTF-8, or nested too deep.
            ValidationException: It does not fit ``type``; the sentence names the place.
        """
        channel = self._begun
        if channel is None or channel.receiving or not channel.reads_directly or mode != "text":
            return await self._receive_decoded(decode_json, mode, type)
        # As in receive_text().
        receive = channel.source
        channel.receiving = True
        try:
            message = await receive()
        finally:
            channel.receiving = False
        text: str | None
        try:
            kind, text = message["type"], message["text"]
        except KeyError:
            kind = text = None
        maximum = self.limits.max_message_size
        if kind != "websocket.receive" or text is None or (maximum is not None and len(text) * 4 > maximum):
            text = await self._read_text(message)
        channel.heard = True
        if type is Empty:
            try:
                return decode_untyped_json(text)
            except (ValueError, RecursionError):
                pass  # decode_json() has the words for it, or does better
        try:
            return decode_json(text, type, self.type_decoders)
        except ClientException:
            channel.refuse(message, (decode_json, type))
            raise

    async def _receive_decoded(
        self, decode: Callable[..., Any], mode: WebSocketMode | None, type: Any
    ) -> Any:
        channel = self._channel
        outer, channel.decoding = channel.decoding, (decoding := Decoding((decode, type)))
        try:
            return decode(await self.receive_data(mode), type, self.type_decoders)
        except ClientException:
            if decoding.by is not None and decoding.message is not None:
                channel.refuse(decoding.message, decoding.by)
            raise
        finally:
            channel.decoding = outer

    @overload
    async def receive_msgpack(self) -> Any: ...
    @overload
    async def receive_msgpack(self, *, type: type[T]) -> T: ...
    @overload
    async def receive_msgpack(self, *, type: Any) -> Any: ...
    async def receive_msgpack(self, *, type: Any = Empty) -> Any:
        """Receive a binary message and decode it as MessagePack; raises what :meth:`receive_data` does.

        Args:
            type: What to decode to: anything that msgspec or one of ``type_decoders`` decodes.

        Raises:
            SerializationException: It is malformed, has text that is not UTF-8, or is nested too deep.
            ValidationException: It does not fit ``type``; the sentence names the place.
        """
        return await self._receive_decoded(decode_msgpack, "binary", type)

    @overload
    def iter_data(self, mode: Literal["text"] = ...) -> AsyncGenerator[str, None]: ...
    @overload
    def iter_data(self, mode: Literal["binary"]) -> AsyncGenerator[bytes, None]: ...
    @overload
    def iter_data(self, mode: WebSocketMode | None) -> AsyncGenerator[str | bytes, None]: ...
    async def iter_data(self, mode: WebSocketMode | None = "text") -> AsyncGenerator[str | bytes, None]:
        """Receive messages until the WebSocket is closed; :attr:`close_code` says how.

        Any other error ends the loop, as in every generator; a new one goes on where it stopped.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.

        Raises:
            ValidationException: A message is of the other mode; it is kept as in :meth:`receive_data`.
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
        """Receive JSON until the WebSocket is closed; raises what :meth:`receive_json` does.

        Args:
            mode: ``"text"``, ``"binary"``, or ``None`` for either.
            type: What to decode to, as in :meth:`receive_json`.
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
        """Receive MessagePack until the WebSocket is closed; raises what :meth:`receive_msgpack` does.

        Args:
            type: What to decode to, as in :meth:`receive_msgpack`.
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

    async def is_disconnected(self) -> bool:
        """Whether the WebSocket is closed, as far as can be told without waiting; for who only sends.

        Not every server refuses a send when the client has left, so this looks for the disconnect event. It
        takes one message at most, and keeps it for the next read; it looks no further while 1 MiB is kept.

        Raises:
            ProtocolError: The server has sent what the state does not allow.
        """
        await self._channel.look()
        return self.disconnected


def _too_large(maximum: int) -> RequestEntityTooLarge:
    limit = "max_message_size"
    detail = f"the message exceeds {limit}={maximum}; raise it with Limits({limit}=...) on the class"
    return RequestEntityTooLarge(detail, limit=limit, maximum=maximum)
