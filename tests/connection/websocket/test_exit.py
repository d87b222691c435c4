"""The close at the end of ``async with websocket``: its code, its timeout, and cancelled blocks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire import Limits
from asgiwire.connection import WebSocket
from asgiwire.exceptions import ClientException, WebSocketDisconnect, WebSocketException
from tests.websocket_server import Server, binary, connected, disconnect, text

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


class Impatient(WebSocket):
    close_timeout = 0.02


class Small(WebSocket):
    limits = Limits(max_message_size=1)


async def fail_with(error: BaseException) -> None:
    raise error


BLOCKS: dict[str, tuple[Callable[[WebSocket], Any], int]] = {
    "wrong kind": (WebSocket.receive_bytes, 1003),
    "malformed": (WebSocket.receive_json, 1007),
    "invalid": (lambda socket: socket.receive_json(type=int), 1007),
    "client": (lambda _socket: fail_with(ClientException("no")), 1008),
    "own code": (lambda _socket: fail_with(WebSocketException("no", 4001)), 4001),
    "other": (lambda _socket: fail_with(ValueError("secret")), 1011),
    "group": (lambda _socket: fail_with(ExceptionGroup("", [WebSocketException("no", 4001)])), 4001),
}


@pytest.mark.parametrize("name", BLOCKS)
async def test_close_code_of_an_exception(name: str) -> None:
    block, code = BLOCKS[name]
    server = Server(text('{"secret"'))
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of each kind
        async with connected(server) as socket:
            await block(socket)
    closed = server.sent[-1]
    assert closed["code"] == code
    assert "secret" not in closed["reason"]
    if isinstance(caught.value, ClientException):
        assert closed["reason"] == caught.value.detail


async def test_close_code_of_a_message_that_is_too_large() -> None:
    server = Server(text("long"))
    with pytest.raises(ClientException):
        async with connected(server, Small) as socket:
            await socket.receive_text()
    assert server.sent[-1]["code"] == 1009
    assert server.sent_types == ["accept", "close"]


async def read_in_a_group(socket: WebSocket, *others: Callable[[], Any]) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(socket.receive_text)
        for other in others:
            group.start_soon(other)


async def test_disconnect_in_a_task_group_ends_quietly() -> None:
    server = Server(disconnect(code=1001))
    async with connected(server) as socket:
        await read_in_a_group(socket)
    assert server.sent_types == ["accept"]
    assert socket.close_code == 1001


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_disconnect_in_an_asyncio_task_group_ends_quietly(anyio_backend: str) -> None:
    async with connected(Server(disconnect(code=1001))) as socket, asyncio.TaskGroup() as group:
        group.create_task(socket.receive_text())
        group.create_task(socket.wait_disconnected())


async def test_other_exceptions_of_a_group_propagate_without_the_disconnect() -> None:
    server = Server(disconnect(code=1001))

    async def fail() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("other")

    with pytest.raises(ExceptionGroup) as caught:
        async with connected(server) as socket:
            await read_in_a_group(socket, fail)
    (error,) = caught.value.exceptions
    assert isinstance(error, ValueError)
    assert not isinstance(caught.value.__context__, BaseExceptionGroup)


async def test_disconnect_of_another_websocket_in_a_group_propagates() -> None:
    server, other = Server(), connected(Server(disconnect(code=1001)))
    with pytest.raises(ExceptionGroup) as caught:
        async with connected(server):
            await read_in_a_group(other)
    (error,) = caught.value.exceptions
    assert isinstance(error, WebSocketDisconnect)
    assert server.sent[-1]["code"] == 1011


@pytest.mark.parametrize("sends", [False, True], ids=["reads", "sends"])
async def test_cancelled_block_closes(sends: bool) -> None:
    """The cancellation of trio and anyio reaches each await, the close is shielded from it."""
    server = Server()
    with anyio.move_on_after(0.01) as scope:
        async with connected(server) as socket:
            while sends:
                await socket.send_text("a")
            await socket.receive_text()
    assert scope.cancelled_caught
    assert server.sent[-1]["code"] == 1011


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("outer", ["asyncio.timeout", "task.cancel"])
async def test_cancelled_block_closes_on_asyncio(outer: str, anyio_backend: str) -> None:
    server = Server()

    async def application() -> None:
        async with connected(server) as socket:
            await socket.receive_text()

    if outer == "asyncio.timeout":
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await application()
    else:
        task = asyncio.ensure_future(application())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert server.sent[-1]["code"] == 1011


class Stalled(Server):
    """A server whose ``send`` blocks after the accept, because the client reads nothing."""

    async def send(self, event: Any) -> None:
        if event["type"] != "websocket.accept":
            await anyio.sleep_forever()
        await super().send(event)


@pytest.mark.parametrize("cancelled", [False, True], ids=["end", "cancelled"])
async def test_client_that_reads_nothing_cannot_hold_the_block(cancelled: bool) -> None:
    with anyio.fail_after(5):
        with anyio.move_on_after(0.01 if cancelled else 5) as scope:
            async with connected(Stalled(), Impatient) as socket:
                if cancelled:
                    await socket.send_bytes(b"a")
        assert scope.cancelled_caught is cancelled
    assert (socket.disconnected, socket.close_code) == (True, 1006)
    with pytest.raises(WebSocketDisconnect):
        await socket.send_text("a")


async def test_other_task_that_is_blocked_in_a_send_cannot_hold_the_block() -> None:
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            async with connected(Stalled(), Impatient) as socket:
                group.start_soon(socket.send_text, "a")
                await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_cancellation_during_the_close_is_delivered_after_it(anyio_backend: str) -> None:
    server, closing, go_on = Server(), asyncio.Event(), asyncio.Event()
    ordinary = server.send

    async def send(event: Any) -> None:
        if event["type"] == "websocket.close":
            closing.set()
            await go_on.wait()
        await ordinary(event)

    server.send = send  # type: ignore[method-assign]  # blocks in the close

    async def application() -> None:
        async with connected(server):
            pass

    task = asyncio.ensure_future(application())
    await closing.wait()
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert server.sent_types == ["accept", "close"]


async def test_error_of_the_close_propagates() -> None:
    server = Server()
    with pytest.raises(RuntimeError, match="server"):
        async with connected(server):
            server.error = lambda _event: RuntimeError("server")


async def test_message_of_the_wrong_kind_has_its_code_for_other_readers_too() -> None:
    socket = connected(Server(binary(b"a")))
    with pytest.raises(ClientException) as caught:
        await socket.receive_text()
    assert caught.value.close_code == 1003
    assert ClientException.close_code == 1008
