"""A WebSocket: what it can be asked to send, and that it can be a context manager.

Left out: the handshake and the close, which it has from ``_socket_connection.py``, and what it can be asked
to receive, from ``_socket_reader.py``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self

from asgiwire._websocket.events import closing_words, send_event
from asgiwire._websocket.states import UNANSWERED
from asgiwire.exceptions import WebSocketDisconnect
from asgiwire.serialization import default_serializer, encode_json, encode_msgpack, encode_plain_json

from ._socket_reader import SocketReader
from .base import AuthT, StateT, UserT

if TYPE_CHECKING:
    from types import TracebackType

    from asgiwire.types import Serializer, WebSocketMode, WebSocketSendEvent

__all__ = ("WebSocket",)


class WebSocket(SocketReader[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """One WebSocket (RFC 6455).

    Reading or sending accepts the handshake where :meth:`accept` has not. Many tasks may send, each event
    whole and in the order of asking; one may receive at a time. ``async for message in websocket`` reads
    text and binary messages until the client leaves, and ``async with websocket`` closes behind itself.
    """

    __slots__ = ()

    @property
    def _sends_plainly(self) -> bool:
        return super()._sends_plainly and type(self).send_data is WebSocket.send_data

    def _snapshot_values(self) -> dict[str, Any]:
        return {
            "subprotocols": self.subprotocols,
            "connection_state": self.connection_state,
            "close_code": self.close_code,
            "close_reason": self.close_reason,
        }

    async def __aenter__(self) -> Self:
        """Accept the handshake, unless it is accepted; raises what :meth:`accept` does."""
        await self.accept()
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> bool:
        """Close, unless it is closed: with 1000, and where the block raised with 1011 and the error goes on.

        A :class:`WebSocketException` has its own code, and its ``detail`` is the reason. A
        :class:`WebSocketDisconnect` stops here where this WebSocket is closed: that the client leaves is how
        conversations end.
        """
        if isinstance(error, WebSocketDisconnect) and self.disconnected:
            return True
        # Nothing may be awaited in a coroutine that is being thrown away.
        if not isinstance(error, GeneratorExit):
            await self.close(*closing_words(error))
        return False

    async def send_data(
        self, data: str | bytes, mode: WebSocketMode = "text", encoding: str = "utf-8"
    ) -> None:
        """Send a message; every other writer goes through here.

        Args:
            data: What to send; ``bytearray`` and ``memoryview`` will do for bytes.
            mode: What to send it as.
            encoding: How to come from one to the other where ``data`` is not what ``mode`` says.

        Raises:
            WebSocketDisconnect: The WebSocket is closed, whoever closed it; 1006 where the server finds the
                connection lost.
            TypeError: ``data`` is neither text nor bytes.
            ValueError: There is no such mode, or ``data`` does not encode or decode.
        """
        if type(data) is str and mode == "text":
            event: WebSocketSendEvent = {"type": "websocket.send", "text": data}
        else:
            event = send_event(data, mode, encoding)
        channel = self._begun
        if channel is None or channel.state in UNANSWERED:
            await self.accept()
            channel = self._channel
        if channel.taken or not channel.sends_directly:
            await self._send_event(event)
            return
        # What that would do, less a coroutine for each message.
        send = channel.sink
        channel.taken = True
        try:
            await send(event)
        except (OSError, RuntimeError) as error:
            channel.raise_if_lost(error)
            raise
        finally:
            if channel.waiting:
                channel.pass_on()
            else:
                channel.taken = False

    async def send_text(self, data: str | bytes, encoding: str = "utf-8") -> None:
        """Send a text message; bytes are decoded. Raises what :meth:`send_data` does."""
        channel = self._begun
        if channel is None or channel.taken or not channel.sends_directly or type(data) is not str:
            await self.send_data(data, "text", encoding)
            return
        # As in send_data(), which is not awaited here: a coroutine costs as much as all the rest.
        send = channel.sink
        channel.taken = True
        try:
            await send({"type": "websocket.send", "text": data})
        except (OSError, RuntimeError) as error:
            channel.raise_if_lost(error)
            raise
        finally:
            if channel.waiting:
                channel.pass_on()
            else:
                channel.taken = False

    async def send_bytes(self, data: str | bytes, encoding: str = "utf-8") -> None:
        """Send a binary message; text is encoded. Raises what :meth:`send_data` does."""
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
            data: Anything that msgspec encodes, or that the serializer turns into such.
            mode: What to send it as.
            encoding: Has no effect, as JSON is UTF-8 (RFC 8259 section 8.1).
            serializer: Called with each value that msgspec does not know; the default one asks
                ``type_encoders`` first.

        Raises:
            TypeError: A value is of a type that neither supports.
            WebSocketDisconnect: As in :meth:`send_data`.
        """
        if serializer is default_serializer and not self.type_encoders:
            document = encode_plain_json(data)
        else:
            document = encode_json(data, self._serializer(serializer))
        channel = self._begun
        if channel is None or channel.taken or not channel.sends_directly or mode != "text":
            await self.send_data(document if mode == "binary" else document.decode(), mode, encoding)
            return
        # As in send_text().
        send = channel.sink
        channel.taken = True
        try:
            await send({"type": "websocket.send", "text": document.decode()})
        except (OSError, RuntimeError) as error:
            channel.raise_if_lost(error)
            raise
        finally:
            if channel.waiting:
                channel.pass_on()
            else:
                channel.taken = False

    async def send_msgpack(
        self, data: Any, encoding: str = "utf-8", serializer: Serializer = default_serializer
    ) -> None:
        """Send a value as MessagePack, in a binary message.

        Args:
            data: Anything that msgspec encodes, or that the serializer turns into such.
            encoding: Has no effect.
            serializer: As in :meth:`send_json`.

        Raises:
            TypeError: A value is of a type that neither supports.
            WebSocketDisconnect: As in :meth:`send_data`.
        """
        document = encode_msgpack(data, self._serializer(serializer))
        await self.send_data(document, "binary", encoding)

    def _serializer(self, serializer: Serializer) -> Serializer:
        encoders = self.type_encoders
        if serializer is default_serializer and encoders:
            return partial(default_serializer, type_encoders=encoders)
        return serializer
