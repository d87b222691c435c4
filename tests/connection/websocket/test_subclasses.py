"""Subclasses of ``WebSocket``, and replaced ``receive`` and ``send``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import pytest

from asgiwire.connection import ASGIConnection, WebSocket
from tests.websocket_server import Server, binary, connected, disconnect, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.types import Receive, Send, WebSocketMode

pytestmark = pytest.mark.anyio


class Logged(WebSocket):
    """Wraps the results of the inherited wrappers."""

    log: list[str]

    def __init__(self, *args: Any) -> None:
        self.log = []
        super().__init__(*args)

    def receive_wrapper(self, receive: Receive) -> Receive:
        inherited, log = super().receive_wrapper(receive), self.log

        async def logged() -> Any:
            message = await inherited()
            log.append(f"{self.scope['path']} < {message['type']}")
            return message

        return logged

    def send_wrapper(self, send: Send) -> Send:
        inherited, log = super().send_wrapper(send), self.log

        async def logged(event: Any) -> None:
            await inherited(event)
            log.append(f"{self.scope['path']} > {event['type']}")

        return logged


class Numbered(WebSocket):
    """Wraps the arguments of the inherited wrappers."""

    def receive_wrapper(self, receive: Receive) -> Receive:
        count = 0

        async def numbered() -> Any:
            nonlocal count
            message = await receive()
            if message["type"] == "websocket.receive":
                count += 1
                message = {**message, "text": f"{count} {message['text']}"}
            return message

        return super().receive_wrapper(numbered)

    def send_wrapper(self, send: Send) -> Send:
        async def numbered(event: Any) -> None:
            await send({**event, "number": 1})

        return super().send_wrapper(numbered)


class TestWrappers:
    async def test_override_that_wraps_the_result(self) -> None:
        server = Server(text("a"))
        socket: Any = connected(server, Logged)
        await socket.send_text(await socket.receive_text())
        assert socket.log == [
            "/chat < websocket.connect",
            "/chat > websocket.accept",
            "/chat < websocket.receive",
            "/chat > websocket.send",
        ]
        assert server.sent_types == ["accept", "send"]

    async def test_override_that_wraps_the_argument(self) -> None:
        """Peeks call it too."""
        server = Server(text("a"), text("b"))
        socket = connected(server, Numbered)
        await socket.accept()
        assert await socket.receive_text() == "1 a"
        await socket.is_disconnected()
        assert await socket.receive_text() == "2 b"
        assert server.sent[0]["number"] == 1

    async def test_wrappers_are_called_once(self) -> None:
        called = list[str]()

        class Watched(WebSocket):
            def receive_wrapper(self, receive: Receive) -> Receive:
                called.append("receive")
                return super().receive_wrapper(receive)

            def send_wrapper(self, send: Send) -> Send:
                called.append("send")
                return super().send_wrapper(send)

        socket = connected(Server(text("a")), Watched)
        receive, send = socket.receive, socket.send
        await socket.send_text(await socket.receive_text())
        assert called == ["receive", "send"]
        assert (socket.receive, socket.send) == (receive, send)

    async def test_mixin_is_initialized(self) -> None:
        class Tenant(ASGIConnection):
            tenant: str

            def __init__(self, *args: Any) -> None:
                super().__init__(*args)
                self.tenant = "a"

        class TenantWebSocket(WebSocket, Tenant):
            pass

        server = Server(text("a"))
        socket: Any = connected(server, TenantWebSocket)
        assert socket.tenant == "a"
        assert await socket.receive_text() == "a"


class TestReplacedCallables:
    async def test_replaced_send_is_called(self) -> None:
        server, sent = Server(), list[Any]()
        socket = connected(server)
        inherited = socket.send

        async def send(event: Any) -> None:
            sent.append(event)
            await inherited(event)

        await socket.send_text("not replaced")
        socket.send = send
        await socket.send_text("a")
        await socket.send_json(1)
        assert sent == server.sent[2:] == [{"type": "websocket.send", "text": data} for data in "a1"]

    async def test_replaced_receive_is_called(self) -> None:
        socket = connected(Server(text("a"), text("b"), text("c")))
        assert await socket.receive_text() == "a"
        inherited = socket.receive

        async def receive() -> Any:
            return {**await inherited(), "text": "[]"}

        socket.receive = receive
        assert await socket.receive_text() == "[]"
        assert await socket.receive_json() == []

    async def test_wrapped_callables_of_another_websocket(self) -> None:
        """A middleware passes its own wrapped callables on."""
        server = Server(text("a"))
        outer = connected(server)
        inner = WebSocket(outer.scope, outer.receive, outer.send)
        assert await inner.receive_text() == "a"
        await inner.close(4001)
        assert server.sent_types == ["accept", "close"]
        assert outer.close_code == 4001

    async def test_receive_of_another_server(self) -> None:
        socket, other = connected(Server(text("a"))), Server(disconnect(code=1001), connect=False)
        await socket.accept()
        socket.receive = socket.receive_wrapper(other.receive)
        with anyio.fail_after(5):
            while not await socket.is_disconnected():
                pass
        assert socket.close_code == 1001


class TestOverriddenMethods:
    async def test_readers_call_receive_data(self) -> None:
        modes = list[Any]()

        class Upper(WebSocket):
            async def receive_data(self, mode: WebSocketMode | None = None) -> Any:
                modes.append(mode)
                return (await super().receive_data(mode)).upper()

        socket = connected(
            Server(
                text("a"), binary(b"b"), text('"c"'), binary(b"\xa1d"), text("e"), text("f"), disconnect()
            ),
            Upper,
        )
        assert await socket.receive_text() == "A"
        assert await socket.receive_bytes() == b"B"
        assert await socket.receive_json() == "C"
        assert await socket.receive_msgpack() == "D"
        assert await anext(socket) == "E"
        assert [data async for data in socket.iter_data()] == ["F"]
        assert modes == ["text", "binary", "text", "binary", None, "text", "text"]

    async def test_rejected_message_has_the_data_of_the_override(self) -> None:
        class Reversed(WebSocket):
            async def receive_data(self, mode: WebSocketMode | None = None) -> Any:
                return (await super().receive_data(mode))[::-1]

        socket = connected(Server(text("]1[")), Reversed)
        with pytest.raises(ValueError, match="Expected `str`, got `array`") as caught:
            await socket.receive_json(type=str)
        error: Any = caught.value
        assert error.message == text("[1]")

    async def test_override_of_receive_text_does_not_change_json(self) -> None:
        class Upper(WebSocket):
            async def receive_text(self) -> str:
                return (await super().receive_text()).upper()

        socket = connected(Server(text("a"), text('"a"')), Upper)
        assert await socket.receive_text() == "A"
        assert await socket.receive_json() == "a"

    async def test_override_of_send_text_does_not_change_json(self) -> None:
        class Upper(WebSocket):
            async def send_text(self, data: Any, encoding: str = "utf-8") -> None:
                await super().send_text(data.upper(), encoding)

        server = Server()
        socket = connected(server, Upper)
        await socket.send_text("a")
        await socket.send_json("a")
        assert [event["text"] for event in server.sent[1:]] == ["A", '"a"']

    async def test_writers_call_send_data(self) -> None:
        class Upper(WebSocket):
            async def send_data(
                self, data: Any, mode: WebSocketMode = "text", encoding: str = "utf-8"
            ) -> None:
                await super().send_data(data.upper(), mode, encoding)

        server = Server()
        socket = connected(server, Upper)
        await socket.send_text("a")
        await socket.send_bytes(b"b")
        await socket.send_json("c")
        await socket.send_msgpack("d")
        assert [event.get("text", event.get("bytes")) for event in server.sent[1:]] == [
            "A",
            b"B",
            '"C"',
            b"\xa1D",
        ]


WRITERS: dict[str, Callable[[WebSocket], Any]] = {
    "text": lambda socket: socket.send_text("a"),
    "binary": lambda socket: socket.send_bytes(b"a"),
    "json": lambda socket: socket.send_json([1]),
    "msgpack": lambda socket: socket.send_msgpack([1]),
}


@pytest.mark.parametrize("name", WRITERS)
async def test_every_writer_calls_the_wrapped_send(name: str) -> None:
    server = Server()
    socket: Any = connected(server, Logged)
    await WRITERS[name](socket)
    assert socket.log[-1] == "/chat > websocket.send"


async def test_wrappers_are_called_with_the_first_event_and_again_after_an_error() -> None:
    class Failing(WebSocket):
        calls: ClassVar[list[str]] = []

        def receive_wrapper(self, receive: Receive) -> Receive:
            self.calls.append("receive")
            return super().receive_wrapper(receive)

        def send_wrapper(self, send: Send) -> Send:
            self.calls.append("send")
            if len(self.calls) == 2:
                raise KeyError("first call")
            return super().send_wrapper(send)

    server = Server(text("a"))
    socket = connected(server, Failing)
    assert Failing.calls == []
    with pytest.raises(KeyError, match="first call"):
        await socket.receive_text()
    assert await socket.receive_text() == "a"
    assert Failing.calls == ["receive", "send"] * 2
