"""``wait_disconnected()``, ``cancel_on_disconnect()``, and peeks beside other calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asgiwire._websocket.channel import MAX_PENDING
from asgiwire.connection import WebSocket
from asgiwire.exceptions import ProtocolError, WebSocketDisconnect, WebSocketStateError
from tests.receives import run_other_tasks, running_tasks
from tests.websocket_server import CONNECT, Server, connected, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.anyio


class Live(Server):
    """A server to which the client may send messages while ``receive`` waits."""

    def __init__(self, *messages: Any) -> None:
        super().__init__(*messages)
        self.changed = anyio.Event()
        self.receiving = False

    async def receive(self) -> Any:
        assert not self.receiving, "receive was called twice at the same time"
        self.receiving = True
        try:
            await checkpoint()
            while not self.script:
                await self.changed.wait()
        finally:
            self.receiving = False
        self.calls += 1
        return self.script.pop(0)

    def put(self, *messages: Any) -> None:
        self.script += messages
        self.changed.set()
        self.changed = anyio.Event()


@pytest.fixture(autouse=True)
async def _no_task_remains(anyio_backend: str) -> AsyncIterator[None]:
    before = running_tasks()
    with anyio.fail_after(5):
        yield
    await run_other_tasks()
    assert running_tasks() == before


async def live_socket(*messages: Any) -> tuple[WebSocket, Live]:
    server = Live()
    socket = connected(server)
    await socket.accept()
    server.put(*messages)
    return socket, server


class TestWaitDisconnected:
    async def test_messages_before_the_disconnect_stay_readable(self) -> None:
        socket, _ = await live_socket(text("one"), text("two"), disconnect(code=4000))
        await socket.wait_disconnected()
        assert socket.close_code == 4000
        assert [message async for message in socket] == ["one", "two"]

    async def test_reader_beside_the_watcher_gets_every_message(self) -> None:
        socket, server = await live_socket()
        received = list[Any]()

        async def read() -> None:
            received.extend([message async for message in socket])

        async with anyio.create_task_group() as group:
            group.start_soon(socket.wait_disconnected)
            group.start_soon(read)
            for number in range(5):
                await run_other_tasks()
                server.put(text(str(number)))
            server.put(text("5"), disconnect(code=1001))
        assert received == list("012345")

    async def test_watcher_beside_a_reader_that_began_first(self) -> None:
        socket, server = await live_socket()
        received = list[Any]()

        async def read() -> None:
            received.append(await socket.receive_text())

        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await run_other_tasks()
            group.start_soon(socket.wait_disconnected)
            await run_other_tasks()
            server.put(text("one"))
            await run_other_tasks()
            server.put(disconnect(code=1001))
        assert received == ["one"]

    async def test_second_reader_is_rejected_while_a_watcher_receives(self) -> None:
        socket, server = await live_socket()
        async with anyio.create_task_group() as group:
            group.start_soon(socket.wait_disconnected)
            await run_other_tasks()
            group.start_soon(socket.receive_text)
            await run_other_tasks()
            with pytest.raises(WebSocketStateError):
                await socket.receive_text()
            server.put(text("one"))
            await run_other_tasks()
            server.put(disconnect())

    async def test_cancelled_watcher_hands_over_to_the_reader(self) -> None:
        socket, server = await live_socket()
        received = list[Any]()

        async def read() -> None:
            received.append(await socket.receive_text())

        async with anyio.create_task_group() as group:
            async with anyio.create_task_group() as inner:
                inner.start_soon(socket.wait_disconnected)
                await run_other_tasks()
                group.start_soon(read)
                await run_other_tasks()
                inner.cancel_scope.cancel()
            await run_other_tasks()
            server.put(text("one"))
        assert received == ["one"]

    async def test_pending_messages_are_bounded(self) -> None:
        data = "a" * (MAX_PENDING // 2)
        socket, server = await live_socket(*[text(data)] * 5, disconnect())
        before = server.calls
        async with anyio.create_task_group() as group:
            group.start_soon(socket.wait_disconnected)
            await run_other_tasks()
            assert server.calls - before == 2
            assert len([message async for message in socket]) == 5

    async def test_before_the_handshake_it_leaves_the_connect_event_to_accept(self) -> None:
        server = Live()
        socket = connected(server)
        async with anyio.create_task_group() as group:
            group.start_soon(socket.wait_disconnected)
            await run_other_tasks()
            assert server.calls == 0
            await socket.accept()
            server.put(disconnect())

    @pytest.mark.parametrize("end", ["close", "failed send"])
    async def test_end_of_this_side_wakes_every_watcher(self, end: str) -> None:
        """Some servers never send the disconnect event after it."""
        socket, server = await live_socket()
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(socket.wait_disconnected)
            await run_other_tasks()
            if end == "close":
                await socket.close()
            else:
                server.error = lambda _event: OSError("lost")
                with pytest.raises(WebSocketDisconnect):
                    await socket.send_text("a")
        assert socket.disconnected

    async def test_after_our_close_it_returns(self) -> None:
        socket, _ = await live_socket()
        await socket.close()
        await socket.wait_disconnected()

    async def test_error_of_the_server_propagates(self) -> None:
        socket, _ = await live_socket({"type": "http.request"})
        with pytest.raises(ProtocolError):
            await socket.wait_disconnected()


class TestCancelOnDisconnect:
    async def test_disconnect_cancels_the_block(self) -> None:
        socket, server = await live_socket(text("one"))
        async with socket.cancel_on_disconnect() as watch:
            await run_other_tasks()
            server.put(disconnect(code=4000))
            await anyio.sleep_forever()
        assert watch.cancelled_caught
        assert await socket.receive_text() == "one"
        with pytest.raises(WebSocketDisconnect) as caught:
            await socket.receive_text()
        assert caught.value.code == 4000

    async def test_connected_client_cancels_nothing(self) -> None:
        socket, server = await live_socket()
        async with socket.cancel_on_disconnect() as watch:
            await run_other_tasks()
        assert not watch.cancelled_caught
        server.put(text("one"))
        assert await socket.receive_text() == "one"

    async def test_our_close_cancels_nothing(self) -> None:
        socket, server = await live_socket()
        async with socket.cancel_on_disconnect() as watch:
            await run_other_tasks()
            await socket.close()
            server.put(disconnect(code=1000))
            await run_other_tasks()
        assert not watch.cancelled_caught

    async def test_failed_send_cancels_the_block(self) -> None:
        socket, server = await live_socket()
        async with socket.cancel_on_disconnect() as watch:
            await run_other_tasks()
            server.error = lambda _event: OSError("lost")
            with pytest.raises(WebSocketDisconnect):
                await socket.send_text("a")
            await anyio.sleep_forever()
        assert watch.cancelled_caught

    async def test_denial_cancels_nothing(self) -> None:
        server = Live()
        socket = connected(server, extensions={"websocket.http.response": {}})
        async with socket.cancel_on_disconnect() as watch:
            await run_other_tasks()
            assert await socket.deny(401)
            await run_other_tasks()
        assert not watch.cancelled_caught

    @pytest.mark.parametrize("error", [OSError("lost"), WebSocketDisconnect(code=1001)], ids=repr)
    async def test_receive_that_raises_a_disconnect_cancels_the_block(self, error: Exception) -> None:
        socket, _ = await live_socket()

        async def fail() -> Any:
            await checkpoint()
            raise error

        socket.receive = socket.receive_wrapper(fail)
        async with socket.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()
        assert watch.cancelled_caught

    async def test_receive_that_raises_another_error_cancels_nothing(self) -> None:
        socket, _ = await live_socket({"type": "http.request"})
        async with socket.cancel_on_disconnect() as watch:
            await run_other_tasks()
        assert not watch.cancelled_caught

    async def test_echo_in_the_block(self) -> None:
        socket, server = await live_socket(text("one"), text("two"))
        async with socket.cancel_on_disconnect():
            for expected in ("one", "two"):
                assert await socket.receive_text() == expected
                await socket.send_text(expected)
            server.put(disconnect())
            await anyio.sleep_forever()
        assert server.sent_types == ["accept", "send", "send"]


class TestAcceptBesideAPeek:
    """The client's first message may arrive before the server's ``send`` of the accept has returned."""

    @pytest.mark.parametrize("beside", ["is_disconnected", "wait_disconnected"])
    async def test_first_message_is_kept(self, beside: str) -> None:
        server = Live()
        ordinary = server.send

        async def send(event: Any) -> None:
            await ordinary(event)
            if event["type"] == "websocket.accept":
                server.put(text("first"))
                await run_other_tasks()

        socket = WebSocket(scope(), server.receive, send)

        async def poll() -> None:
            while True:
                await getattr(socket, beside)()
                await checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(poll)
            await socket.accept()
            assert socket.accepted
            assert await socket.receive_text() == "first"
            await socket.send_text("a")
            group.cancel_scope.cancel()
        assert server.sent_types == ["accept", "send"]

    async def test_accept_that_was_cancelled_after_the_server_took_it(self) -> None:
        server = Live()
        ordinary = server.send

        async def send(event: Any) -> None:
            await ordinary(event)
            if event["type"] == "websocket.accept":
                await anyio.sleep_forever()

        socket = WebSocket(scope(), server.receive, send)
        with anyio.move_on_after(0.01):
            await socket.accept()
        assert not socket.accepted
        server.put(text("first"))
        assert not await socket.is_disconnected()
        assert socket.accepted
        assert await socket.receive_text() == "first"

    async def test_message_before_any_accept_is_a_protocol_error(self) -> None:
        server = Live(text("early"))
        socket = connected(server)
        assert await socket.receive() == CONNECT
        with pytest.raises(ProtocolError):
            await socket.is_disconnected()


async def test_accepted_and_deny() -> None:
    socket, _ = await live_socket()
    assert socket.accepted
    await socket.close()
    assert socket.accepted
    with pytest.raises(WebSocketDisconnect):
        await socket.deny()
    socket, server = await live_socket()
    with pytest.raises(WebSocketStateError):
        await socket.deny()
    assert server.sent_types == ["accept"]
    server = Live()
    socket = connected(server)
    assert not await socket.deny(401, {"www-authenticate": "Bearer"}, b"no")
    assert (server.sent_types, socket.accepted) == (["close"], False)
    with pytest.raises(ValueError, match="status"):
        await connected(Live()).deny(200)


async def test_accept_with_either_name_of_the_subprotocol() -> None:
    server = Live()
    socket = connected(server, subprotocols=[" chat ", "other"])
    assert socket.subprotocols == ("chat", "other")
    with pytest.raises(TypeError, match="two names"):
        await socket.accept("chat", subprotocol="chat")
    await socket.accept(subprotocol="chat")
    assert server.sent[0]["subprotocol"] == "chat"
