"""After a send that failed, the client's messages, its close code and its reason are still readable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire.exceptions import WebSocketDisconnect
from tests.websocket_server import Server, connected, disconnect, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from asgiwire.connection import WebSocket

pytestmark = pytest.mark.anyio

WRITERS: dict[str, Callable[[WebSocket], Any]] = {
    "text": lambda socket: socket.send_text("a"),
    "binary": lambda socket: socket.send_bytes(b"a"),
    "JSON": lambda socket: socket.send_json([1]),
    "MessagePack": lambda socket: socket.send_msgpack([1]),
    "event": lambda socket: socket.send({"type": "websocket.send", "text": "a"}),
}


@pytest.fixture(params=WRITERS)
def write(request: pytest.FixtureRequest) -> Callable[[WebSocket], Any]:
    return WRITERS[request.param]


ERRORS = {"OSError": ConnectionResetError("peer"), "RuntimeError": RuntimeError("closed")}


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
async def test_messages_before_the_disconnect_are_readable(
    error: Exception, write: Callable[[WebSocket], Any]
) -> None:
    server = Server()
    socket = connected(server)
    await socket.accept()
    server.script += [text("one"), text("two"), disconnect(code=4000, reason="bye")]
    server.error = lambda _event: error
    with pytest.raises(WebSocketDisconnect):
        await write(socket)
    assert socket.disconnected
    with anyio.fail_after(5):
        assert await socket.receive_text() == "one"
        assert await socket.receive_text() == "two"
        with pytest.raises(WebSocketDisconnect) as caught:
            await socket.receive_text()
    assert (caught.value.code, caught.value.reason) == (4000, "bye")
    assert (socket.close_code, socket.close_reason) == (4000, "bye")


async def test_iteration_after_a_failed_send() -> None:
    server = Server()
    socket = connected(server)
    await socket.accept()
    server.script += [text("one"), text("two")]
    server.error = lambda _event: BrokenPipeError()
    with pytest.raises(WebSocketDisconnect):
        await socket.send_text("a")
    with anyio.fail_after(5):
        assert [message async for message in socket] == ["one", "two"]
    assert socket.close_code == 1006


async def test_server_whose_receive_fails_after_a_failed_send() -> None:
    server = Server()
    socket = connected(server)
    await socket.accept()
    server.error = lambda _event: BrokenPipeError()
    with pytest.raises(WebSocketDisconnect):
        await socket.send_text("a")

    async def fail() -> Any:
        raise OSError("closed")

    socket.receive = socket.receive_wrapper(fail)
    with pytest.raises(WebSocketDisconnect) as caught:
        await socket.receive_text()
    assert isinstance(caught.value.__cause__, OSError)


async def test_runtime_error_with_a_waiting_disconnect_has_the_code_of_the_client(
    write: Callable[[WebSocket], Any],
) -> None:
    server = Server()
    socket = connected(server)
    await socket.accept()
    server.script += [disconnect(code=4000, reason="bye")]
    server.error = lambda _event: RuntimeError("closed")
    with pytest.raises(WebSocketDisconnect) as caught:
        await write(socket)
    assert (caught.value.code, caught.value.reason) == (4000, "bye")
    assert isinstance(caught.value.__cause__, RuntimeError)


async def test_error_after_the_disconnect_was_received(write: Callable[[WebSocket], Any]) -> None:
    server = Server(disconnect(code=4000))
    socket = connected(server)
    await socket.accept()

    async def send(_event: Any) -> None:
        await socket.receive()
        raise BrokenPipeError

    socket.send = socket.send_wrapper(send)
    with pytest.raises(WebSocketDisconnect) as caught:
        await write(socket)
    assert caught.value.code == 4000


async def test_runtime_error_at_the_end_of_the_block_with_a_waiting_disconnect() -> None:
    server = Server()
    async with connected(server) as socket:
        server.script += [disconnect(code=4000)]
        server.error = lambda _event: RuntimeError("closed")
    assert socket.close_code == 4000


async def test_runtime_error_from_accept_with_a_waiting_disconnect() -> None:
    server = Server(disconnect(code=1006))
    server.error = lambda _event: RuntimeError("closed")
    with pytest.raises(WebSocketDisconnect):
        await connected(server).accept()


async def test_runtime_error_while_the_client_is_connected(write: Callable[[WebSocket], Any]) -> None:
    server = Server()
    socket = connected(server)
    await socket.accept()
    server.script += [text("one")]
    server.error = lambda _event: RuntimeError("server")
    with pytest.raises(RuntimeError, match="server"):
        await write(socket)
    assert not socket.disconnected
    assert await socket.receive_text() == "one"


async def test_runtime_error_while_another_task_reads_the_disconnect(
    write: Callable[[WebSocket], Any],
) -> None:
    server, codes = Server(), list[int]()
    socket = connected(server)
    await socket.accept()
    disconnected = anyio.Event()

    async def receive() -> Any:
        await disconnected.wait()
        return disconnect(code=4000)

    async def send(_event: Any) -> None:
        disconnected.set()
        raise RuntimeError("closed")

    socket.receive = socket.receive_wrapper(receive)
    socket.send = socket.send_wrapper(send)

    async def read() -> None:
        try:
            await socket.receive_text()
        except WebSocketDisconnect as error:
            codes.append(error.code)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(read)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(WebSocketDisconnect) as caught:
                await write(socket)
    assert [caught.value.code, *codes] == [4000, 4000]


async def test_runtime_error_before_a_receive_that_fails() -> None:
    server = Server()
    socket = connected(server)
    await socket.accept()

    async def fail() -> Any:
        raise ValueError("receive")

    socket.receive = socket.receive_wrapper(fail)
    server.error = lambda _event: RuntimeError("send")
    with pytest.raises(RuntimeError, match="send"):
        await socket.send_text("a")
