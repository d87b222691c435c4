"""Closing a WebSocket: ``close()``, ``async with``, and reads and sends after the end."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asgiwire.connection import WebSocket
from asgiwire.exceptions import WebSocketDisconnect, WebSocketException
from tests.websocket_server import ACCEPTED, CONNECT, Server, connected, disconnect, scope, text

pytestmark = pytest.mark.anyio


class TestClose:
    async def test_before_accept_rejects_the_handshake(self) -> None:
        """ASGI: the server answers a close before an accept with HTTP 403."""
        server = Server()
        await connected(server).close()
        assert server.sent == [{"type": "websocket.close", "code": 1000, "reason": ""}]

    async def test_code_and_reason(self) -> None:
        server = Server()
        socket = connected(server)
        await socket.accept()
        await socket.close(code=4001, reason="café")
        assert server.sent[1:] == [{"type": "websocket.close", "code": 4001, "reason": "café"}]

    async def test_second_call_does_nothing(self) -> None:
        server = Server()
        socket = connected(server)
        await socket.accept()
        await socket.close(4001)
        await socket.close(1005)
        assert server.sent_types == ["accept", "close"]
        assert socket.close_code == 4001

    async def test_concurrent_calls_close_once(self) -> None:
        server = Server()
        socket = connected(server)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(socket.close)
                group.start_soon(socket.close)
        assert server.sent_types == ["close"]

    async def test_after_the_client_disconnected_sends_nothing(self) -> None:
        server = Server(disconnect(code=1001))
        socket = connected(server)
        with pytest.raises(WebSocketDisconnect):
            await socket.receive_text()
        await socket.close(4000)
        assert server.sent_types == ["accept"]
        assert socket.close_code == 1001

    async def test_after_the_client_disconnected_before_the_handshake(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        await connected(server).close()
        assert server.sent == []

    async def test_connection_lost(self) -> None:
        server = Server()
        socket = connected(server)
        await socket.accept()
        server.error = lambda _event: ConnectionResetError()
        await socket.close()
        assert (socket.disconnected, socket.close_code) == (True, 1006)

    @pytest.mark.parametrize("code", [1005, 999])
    async def test_invalid_code_sends_nothing(self, code: int) -> None:
        server = Server()
        socket = connected(server)
        with pytest.raises(ValueError, match=r"^expected a close code"):
            await socket.close(code)
        assert (server.calls, server.sent) == (0, [])
        await socket.close()

    async def test_server_that_does_not_support_the_code(self) -> None:
        """One supports 1000 and 3000 to 4999 only, and leaves the connection open after any other."""
        server = Server()
        server.error = lambda event: ValueError("invalid close code") if event.get("code") == 1011 else None
        socket = connected(server)
        await socket.accept()
        await socket.close(1011, "broken")
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1000, "reason": "broken"}]
        assert socket.close_code == 1000

    @pytest.mark.parametrize(("code", "tried"), [(1000, [1000]), (1001, [1001, 1000]), (3000, [3000])])
    async def test_server_that_cannot_close(self, code: int, tried: list[int]) -> None:
        server, codes = Server(), list[int]()
        socket = connected(server)
        await socket.accept()

        def fail(event: Any) -> Exception:
            codes.append(event["code"])
            return ValueError("no")

        server.error = fail
        with pytest.raises(ValueError, match=r"^no$"):
            await socket.close(code)
        assert codes == tried
        assert not socket.disconnected

    async def test_cancelled_close_can_be_repeated(self) -> None:
        server = Server()
        socket = connected(server)
        await socket.accept()
        with anyio.CancelScope() as scope_:
            scope_.cancel()
            await socket.close()
        assert not socket.disconnected
        await socket.close()
        assert server.sent_types == ["accept", "close"]

    async def test_while_another_task_accepts(self) -> None:
        server = Server()
        socket = connected(server)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as group:
                group.start_soon(socket.accept)
                await checkpoint()
                group.start_soon(socket.close)
        assert server.sent_types in (["accept", "close"], ["close"])


class TestContextManager:
    async def test_accepts_on_entry_and_closes_on_exit(self) -> None:
        server = Server(text("a"))
        async with connected(server) as socket:
            assert server.sent == [ACCEPTED]
            assert await socket.receive_text() == "a"
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1000, "reason": ""}]

    async def test_accepted_before(self) -> None:
        server = Server()
        socket = connected(server, subprotocols=["chat"])
        await socket.accept("chat")
        async with socket as entered:
            assert entered is socket
        assert server.sent_types == ["accept", "close"]

    async def test_closed_in_the_block(self) -> None:
        server = Server()
        async with connected(server) as socket:
            await socket.close(4001, "bye")
        assert server.sent_types == ["accept", "close"]
        assert socket.close_code == 4001

    async def test_exception_closes_with_1011_and_propagates(self) -> None:
        server = Server()
        error = ValueError("secret")
        with pytest.raises(ValueError, match="secret") as caught:
            async with connected(server):
                raise error
        assert caught.value is error
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]

    async def test_websocket_exception_gives_code_and_reason(self) -> None:
        server = Server()
        with pytest.raises(WebSocketException):
            async with connected(server):
                raise WebSocketException("log in first", code=4401)
        assert server.sent[1:] == [{"type": "websocket.close", "code": 4401, "reason": "log in first"}]

    async def test_disconnect_of_the_client_is_suppressed(self) -> None:
        server = Server(disconnect(code=1001, reason="away"))
        async with connected(server) as socket:
            await socket.receive_text()
            pytest.fail("the client disconnected")
        assert server.sent_types == ["accept"]
        assert (socket.close_code, socket.close_reason) == (1001, "away")

    async def test_lost_connection_is_suppressed(self) -> None:
        server = Server()
        async with connected(server) as socket:
            server.error = lambda _event: OSError()
            await socket.send_text("a")
        assert socket.close_code == 1006

    async def test_disconnect_of_another_websocket_propagates(self) -> None:
        other, server = connected(Server(disconnect(code=1001))), Server()
        with pytest.raises(WebSocketDisconnect):
            async with connected(server):
                await other.receive_text()
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]

    async def test_exception_after_the_disconnect_propagates(self) -> None:
        server = Server(disconnect())

        async def application() -> None:
            async with connected(server) as socket:
                async for _ in socket:
                    pass
                raise ValueError("cleaning up")

        with pytest.raises(ValueError, match="cleaning up"):
            await application()
        assert server.sent_types == ["accept"]

    async def test_client_disconnected_before_the_handshake(self) -> None:
        server = Server(disconnect(code=1006), connect=False)
        with pytest.raises(WebSocketDisconnect):
            async with connected(server):
                pytest.fail("the client disconnected")
        assert server.sent == []

    async def test_cancelled_block_closes_with_1011(self) -> None:
        """The close is sent if the server's ``send`` does not wait; the cancellation propagates."""
        server = Server()

        async def send(event: Any) -> None:
            server.sent.append(event)

        with anyio.move_on_after(0.01) as scope_:
            async with WebSocket(scope(), server.receive, send):
                await anyio.sleep_forever()
        assert scope_.cancelled_caught
        assert server.sent[1:] == [{"type": "websocket.close", "code": 1011, "reason": ""}]

    def test_closed_coroutine_does_not_await(self) -> None:
        sent = list[Any]()

        class Suspend:
            def __await__(self) -> Any:
                yield

        async def receive() -> Any:
            return CONNECT

        async def send(event: Any) -> None:
            sent.append(event["type"])
            if event["type"] == "websocket.close":
                await Suspend()

        async def application() -> None:
            async with WebSocket(scope(), receive, send):
                await Suspend()

        coroutine = application()
        coroutine.send(None)
        coroutine.close()
        assert sent == ["websocket.accept"]


class TestAfterTheEnd:
    """Code and reason are those of the side that closed first."""

    @pytest.mark.parametrize(
        ("values", "code", "reason"),
        [
            ({"code": 1001, "reason": "away"}, 1001, "away"),
            ({"code": 4321}, 4321, ""),
            ({}, 1005, ""),
            ({"code": None, "reason": None}, 1005, ""),
        ],
        ids=["both", "no reason", "neither", "None"],
    )
    async def test_reads_after_a_disconnect(self, values: dict[str, Any], code: int, reason: str) -> None:
        server = Server(disconnect(**values), disconnect(code=1005))
        socket = connected(server)
        for action in (socket.receive_text, socket.receive_bytes, socket.receive, socket.accept):
            with pytest.raises(WebSocketDisconnect) as caught:
                await action()
            assert (caught.value.code, caught.value.reason) == (code, reason)
            assert type(caught.value.code) is int
        assert (socket.close_code, socket.close_reason) == (code, reason)
        assert server.calls == 2

    async def test_sends_after_a_disconnect(self) -> None:
        server = Server(disconnect(code=1001, reason="away"))
        socket = connected(server)
        with pytest.raises(WebSocketDisconnect):
            await socket.receive_text()
        for sending in (socket.send_text("a"), socket.send_json({}), socket.send_msgpack({})):
            with pytest.raises(
                WebSocketDisconnect, match=r"^the WebSocket is closed \(code 1001, reason 'away'\)$"
            ):
                await sending
        assert server.sent_types == ["accept"]

    async def test_sends_after_our_close(self) -> None:
        server = Server()
        socket = connected(server)
        await socket.accept()
        await socket.close(4001, "bye")
        with pytest.raises(WebSocketDisconnect) as caught:
            await socket.send_text("a")
        assert (caught.value.code, caught.value.reason) == (4001, "bye")
        assert server.sent_types == ["accept", "close"]

    async def test_reads_after_our_close(self) -> None:
        """Messages in flight are returned, then the disconnect with our code."""
        socket = connected(Server(text("late"), disconnect(code=1005)))
        await socket.accept()
        await socket.close(4001)
        assert await socket.receive_text() == "late"
        with pytest.raises(WebSocketDisconnect) as caught:
            await socket.receive_text()
        assert caught.value.code == socket.close_code == 4001

    @pytest.mark.parametrize(
        "send",
        [
            lambda socket: socket.send_text("a"),
            lambda socket: socket.send_bytes(b"a"),
            lambda socket: socket.send_json("a"),
        ],
        ids=["text", "bytes", "JSON"],
    )
    async def test_connection_lost_during_a_send(self, send: Any) -> None:
        """ASGI 2.4: the server's send raises an OSError."""
        server = Server()
        socket = connected(server)
        await socket.accept()
        server.error = lambda _event: ConnectionResetError("peer")
        for action in (send, send, WebSocket.receive_text, WebSocket.receive_json, WebSocket.receive_data):
            with anyio.fail_after(5), pytest.raises(WebSocketDisconnect) as caught:
                await action(socket)
            assert caught.value.code == socket.close_code == 1006
            server.error = lambda _event: None
        assert server.sent_types == ["accept"]
        assert socket.connection_state == "disconnect"

    @pytest.mark.parametrize("error", [RuntimeError("server"), ValueError("server")], ids=repr)
    @pytest.mark.parametrize("name", ["send_text", "send_bytes", "send_json"])
    async def test_other_errors_of_the_server_propagate(self, name: str, error: Exception) -> None:
        server = Server()
        socket = connected(server)
        await socket.accept()
        server.error = lambda _event: error
        with pytest.raises(type(error), match=r"^server$"):
            await getattr(socket, name)("a")
        server.error = lambda _event: None
        await getattr(socket, name)("b")
        assert server.sent_types == ["accept", "send"]
