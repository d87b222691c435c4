"""The life of a WebSocket: its state, the handshake and the close.

Left out: the messages (``websocket.py``), which event may follow which (``_websocket_states``), and who may
receive or send at the same time (``_socket_channel.py``).
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, cast

from asgiwire._websocket.channel import SocketChannel
from asgiwire._websocket.events import accept_event, close_event, denial_body, denial_start
from asgiwire._websocket.states import ENDED, HANDSHAKE, INITIAL, OPEN
from asgiwire.exceptions import ImproperlyConfiguredException, WebSocketDisconnect

from .base import ASGIConnection, AuthT, StateT, UserT, empty_receive, empty_send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from asgiwire._websocket.states import SocketState
    from asgiwire.datastructures.headers import Headers
    from asgiwire.types import HeaderPairs, Message, Receive, Send

DENIAL: Final = "websocket.http.response"
"""The extension by which a handshake may be answered with any HTTP response."""


class SocketConnection(ASGIConnection[Any, UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]):
    """A WebSocket that has no messages yet."""

    if TYPE_CHECKING:
        _receive: Receive | None
        _send: Send | None
    else:
        __slots__ = ("_begun",)

        # The slots that every connection has for them, under other names, for theirs are properties here: the
        # server's callables until the channel is made, then nothing, and the wrapped ones once somebody asks
        # for these.
        _receive = ASGIConnection.receive
        _send = ASGIConnection.send

    _scope_types: ClassVar[frozenset[str]] = frozenset({"websocket"})

    def __init__(
        self, scope: Mapping[str, Any], receive: Receive = empty_receive, send: Send = empty_send
    ) -> None:
        """Wrap the three arguments of an ASGI application; nothing is received or sent yet.

        Raises:
            ImproperlyConfiguredException: The scope is not of type ``websocket``.
        """
        # Without super(), as in RequestHead.
        try:
            if scope["type"] != "websocket":
                raise KeyError
        except KeyError:
            raise self._wrong_scope_type(scope) from None
        self.scope = scope  # type: ignore[assignment]  # as in ASGIConnection
        self._receive = receive
        self._send = send
        self._begun: SocketChannel | None = None
        self._headers = None
        self._values = {}

    @property
    def _channel(self) -> SocketChannel:
        """The channel; it is made with the first event, so that what is only looked at is small."""
        if self._begun is None:
            source, sink = cast("Receive", self._receive), cast("Send", self._send)
            self._begun = SocketChannel(source, sink)
            self._receive = None
            self._send = None
            if not self._reads_plainly:
                self.receive = self.receive_wrapper(source)
            if not self._sends_plainly:
                self.send = self.send_wrapper(sink)
        return self._begun

    @property
    def _reads_plainly(self) -> bool:
        """Whether a reader may call the server's ``receive`` itself, there being no override before it."""
        return type(self).receive_wrapper is SocketConnection.receive_wrapper

    @property
    def _sends_plainly(self) -> bool:
        """Whether a writer may call the server's ``send`` itself, there being no override before it."""
        return type(self).send_wrapper is SocketConnection.send_wrapper

    if TYPE_CHECKING:  # for a type checker they are attributes, as in every connection
        receive: Receive
        send: Send
    else:

        @property
        def receive(self) -> Receive:
            """The ASGI receive callable, behind :meth:`receive_wrapper`."""
            channel = self._channel
            if self._receive is None:
                self._receive = self.receive_wrapper(channel.source)
            return self._receive

        @receive.setter
        def receive(self, receive: Receive) -> None:
            if self._begun is not None:
                self._begun.reads_directly = None
            self._receive = receive

        @property
        def send(self) -> Send:
            """The ASGI send callable, behind :meth:`send_wrapper`."""
            channel = self._channel
            if self._send is None:
                self._send = self.send_wrapper(channel.sink)
            return self._send

        @send.setter
        def send(self, send: Send) -> None:
            if self._begun is not None:
                self._begun.sends_directly = None
            self._send = send

    def _receive_event(self) -> Awaitable[Message]:
        """What ``self.receive()`` returns; where nobody asked for that callable, none is made."""
        channel, receive = self._channel, self._receive
        return channel.receive(channel.source) if receive is None else receive()

    def _send_event(self, event: Mapping[str, Any]) -> Awaitable[None]:
        """What ``self.send(event)`` returns; where nobody asked for that callable, none is made."""
        channel, send = self._channel, self._send
        return channel.send(channel.sink, event) if send is None else send(event)

    @property
    def _socket_state(self) -> SocketState:
        return INITIAL if self._begun is None else self._begun.state

    @property
    def _description(self) -> str:
        return self._socket_state.value

    def receive_wrapper(self, receive: Receive) -> Receive:
        """Make the ``receive`` of this object out of the server's; an override wraps what this returns.

        What it returns keeps the state, refuses a second task that receives at the same time, and never
        asks the server again after the disconnect event.
        """
        channel = self._channel
        if receive is not channel.source:  # who looks for a disconnect has to look where the readers read
            channel.source, channel.reads_directly = receive, None
        return partial(channel.receive, receive)

    def send_wrapper(self, send: Send) -> Send:
        """Make the ``send`` of this object out of the server's; an override wraps what this returns.

        What it returns refuses what the state does not allow and sends one event at a time. The state
        moves when the server's ``send`` has returned; one that was cancelled leaves it as it was.
        """
        return partial(self._channel.send, send)

    @property
    def connection_state(self) -> Literal["init", "connect", "receive", "disconnect"]:
        """How far it has come: ``receive`` from the first message received on, ``disconnect`` once closed."""
        state = self._socket_state
        if state is INITIAL:
            return "init"
        if state is HANDSHAKE or (state is OPEN and not self._channel.heard):
            return "connect"
        return "receive" if state is OPEN else "disconnect"

    @property
    def disconnected(self) -> bool:
        """Whether the WebSocket is closed, whoever closed it."""
        return self._socket_state in ENDED

    @property
    def close_code(self) -> int | None:
        """The code of whoever closed first, ``None`` while nobody has.

        1005 where it came with none, 1006 where the connection was lost or denied (RFC 6455 section 7.4.1).
        """
        return self._channel.code

    @property
    def close_reason(self) -> str | None:
        """The reason that came with :attr:`close_code`, or ``""``; ``None`` while nobody has closed."""
        return self._channel.reason

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """The subprotocols that the client offers, the most wanted first (RFC 6455 section 4.1)."""
        offered: Iterable[str] = self.scope.get("subprotocols") or ()
        if not isinstance(offered, list | tuple):  # ASGI allows any iterable, one that is read only once too
            offered = self.scope["subprotocols"] = list(offered)
        return tuple(offered)

    def select_subprotocol(self, supported: Iterable[str]) -> str | None:
        """The first of the supported subprotocols that the client offers, for :meth:`accept`.

        Args:
            supported: What this side speaks, the most wanted first.
        """
        offered = frozenset(self.subprotocols)
        return next((name for name in supported if name in offered and name), None)

    async def accept(
        self,
        subprotocols: str | None = None,
        headers: Headers | HeaderPairs | None = None,
    ) -> None:
        """Accept the handshake; once it is accepted, do nothing.

        Args:
            subprotocols: The one that is chosen of those the client offered.
            headers: Headers of the response. Not every server sends them.

        Raises:
            ValueError: The subprotocol was not offered, or the headers cannot be sent; nothing was sent.
            WebSocketDisconnect: The client left, or the WebSocket was closed before.
        """
        channel = self._channel
        if channel.state is OPEN:
            return
        event = accept_event(subprotocols, self.subprotocols, headers)
        async with channel.handshake:
            if channel.state is INITIAL:
                await self._receive_event()
            # Two tasks that read or send first both come here, and one of them is late.
            if channel.state is not OPEN:
                await self._send_event(event)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        """Close; before the handshake is accepted, answer it with HTTP 403. Once closed, do nothing.

        Args:
            code: 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4).
            reason: At most 123 bytes in UTF-8.

        Raises:
            ValueError: The code or the reason cannot be sent; nothing was sent.
        """
        channel = self._channel
        if channel.state in ENDED:
            return
        event = close_event(code, reason)
        await self._connect()
        try:
            await self._send_event(event)
        except WebSocketDisconnect:
            return  # whoever closed, it is closed
        except Exception:
            # One server takes no code but 1000 and those from 3000 on, and leaves the connection open.
            if channel.state is not OPEN or code == 1000 or code >= 3000:
                raise
            await self.close(1000, reason)

    async def send_denial_response(
        self,
        status: int,
        headers: Headers | HeaderPairs | None = None,
        body: bytes | AsyncIterable[bytes] = b"",
    ) -> None:
        """Answer the handshake with an HTTP response (ASGI extension ``websocket.http.response``).

        Args:
            status: 300 to 599.
            headers: Headers of the response.
            body: All of it, or its pieces, which are collected: not every server can take more than one.

        Raises:
            ImproperlyConfiguredException: The server does not offer the extension; :meth:`close` answers with
                HTTP 403 on every server.
            ValueError: The status or the headers cannot be sent; nothing was sent.
            TypeError: The body is neither bytes nor an asynchronous iterable; nothing was sent.
            WebSocketStateError: The handshake was accepted or a response begun.
            WebSocketDisconnect: The client left, or the WebSocket was closed before.
        """
        if DENIAL not in (self.scope.get("extensions") or ()):
            msg = f"the server does not offer {DENIAL}; close() answers with HTTP 403 on every server"
            raise ImproperlyConfiguredException(msg)
        start = denial_start(status, headers)
        # One server loses what comes later than the start, another takes no more than one event of body.
        whole = b"".join([piece async for piece in body]) if isinstance(body, AsyncIterable) else body
        end = denial_body(whole)
        await self._connect()
        await self._send_event(start)
        await self._send_event(end)

    async def _connect(self) -> None:
        """Receive the connect event, unless it was received."""
        channel = self._channel
        if channel.state is INITIAL:
            async with channel.handshake:
                if channel.state is INITIAL:
                    await self._receive_event()
