"""Every coroutine of ``WebSocket`` under each fault: no message is lost or doubled, and nothing is left.

The faults are a cancellation at each await (once, or by a cancelled scope), a disconnect before, during and
after a call, and an error from the server's ``send``. The server's ``receive`` returns a coroutine, a future
or another awaitable.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
from contextlib import aclosing
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from weakref import ref

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asgiwire.connection import WebSocket
from asgiwire.exceptions import WebSocketDisconnect
from tests.receives import run_other_tasks, running_tasks
from tests.websocket_server import CONNECT, binary, disconnect, scope, text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator

pytestmark = pytest.mark.anyio

COUNT = 4


class Server:
    """A server with numbered points, at each of which a fault can occur; it takes an event after the last.

    Attributes:
        fault: Called at the point ``at``.
        sent: The events that the server took.
        error: Raised by a send after the accept.
    """

    def __init__(self, kind: str, messages: list[Any], at: int = -1) -> None:
        self.kind = kind
        self.messages = [CONNECT, *messages]
        self.at = at
        self.points = 0
        self.fault: Callable[[], object] = lambda: None
        self.sent: list[Any] = []
        self.error: Exception | None = None

    async def point(self) -> None:
        self.points += 1
        if self.points == self.at:
            self.fault()
        await checkpoint()

    async def next_message(self) -> Any:
        await self.point()
        while not self.messages:
            await anyio.sleep(0.0001)
        await self.point()
        return self.messages.pop(0)

    def receive(self) -> Any:
        if self.kind == "coroutine":
            return self.next_message()
        if self.kind == "awaitable":
            return Awaitable(self)
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(self.deliver, future, 3)
        return future

    def deliver(self, future: asyncio.Future[Any], ticks: int) -> None:
        """Hand over a message in the way of another thread: at any moment, and lost if nobody waits."""
        self.points += 1
        if self.points == self.at:
            self.fault()
        if future.cancelled():
            self.messages.pop(0)
        elif ticks or not self.messages:
            asyncio.get_running_loop().call_soon(self.deliver, future, max(ticks - 1, 0))
        else:
            future.set_result(self.messages.pop(0))

    async def send(self, event: Any) -> None:
        await self.point()
        if self.error is not None and event["type"] != "websocket.accept":
            raise self.error
        await self.point()
        self.sent.append(event)

    @property
    def sent_types(self) -> list[str]:
        return [event["type"].removeprefix("websocket.") for event in self.sent]


class Awaitable:
    def __init__(self, server: Server) -> None:
        self.server = server

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self.server.next_message().__await__())


async def first(values: AsyncGenerator[Any, None]) -> Any:
    async with aclosing(values):
        return await anext(values)


def as_text(number: int) -> Any:
    return text(str(number))


def as_binary(number: int) -> Any:
    return binary(str(number).encode())


def as_msgpack(number: int) -> Any:
    return binary(bytes([number]))


READERS: dict[str, tuple[Callable[[WebSocket], Any], Callable[[int], Any]]] = {
    "receive": (lambda socket: socket.receive(), as_text),
    "receive_data": (lambda socket: socket.receive_data(), as_text),
    "receive_text": (WebSocket.receive_text, as_text),
    "receive_bytes": (WebSocket.receive_bytes, as_binary),
    "receive_json": (WebSocket.receive_json, as_text),
    "receive_json binary": (lambda socket: socket.receive_json("binary"), as_binary),
    "receive_msgpack": (WebSocket.receive_msgpack, as_msgpack),
    "async for": (WebSocket.__anext__, as_text),
    "iter_data": (lambda socket: first(socket.iter_data()), as_text),
    "iter_json": (lambda socket: first(socket.iter_json()), as_text),
    "iter_msgpack": (lambda socket: first(socket.iter_msgpack()), as_msgpack),
}
WRITERS: dict[str, Callable[[WebSocket, int], Any]] = {
    "send": lambda socket, number: socket.send({"type": "websocket.send", "text": str(number)}),
    "send_data": lambda socket, number: socket.send_data(str(number)),
    "send_text": lambda socket, number: socket.send_text(str(number)),
    "send_bytes": lambda socket, number: socket.send_bytes(str(number)),
    "send_json": lambda socket, number: socket.send_json(number),
    "send_msgpack": lambda socket, number: socket.send_msgpack(number),
}
BESIDE = ("is_disconnected", "wait_disconnected", "cancel_on_disconnect")


def number_of(value: Any) -> int:
    if isinstance(value, dict):
        value = value["text"]
    if isinstance(value, bytes) and len(value) == 1 and value[0] < COUNT:
        return value[0]
    return int(value)


BACKENDS: list[Any] = ["asyncio", "trio"]
if find_spec("uvloop"):  # not installed on every platform
    BACKENDS.append(pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"))


@pytest.fixture(params=BACKENDS)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Run each test on uvloop too."""
    return request.param


@pytest.fixture(params=["coroutine", "future", "awaitable"])
def kind(request: pytest.FixtureRequest, anyio_backend: str) -> str:
    if request.param == "future" and anyio_backend == "trio":
        pytest.skip("no server returns futures on trio")
    return str(request.param)


@pytest.fixture(autouse=True)
async def _nothing_is_left(anyio_backend: str) -> AsyncIterator[None]:
    before = running_tasks()
    with anyio.fail_after(20):
        yield
    await run_other_tasks()
    assert running_tasks() == before


async def run_cancelled(server: Server, level: bool, function: Callable[[], Any]) -> bool:
    """Call a function, cancelled at the server's point; return whether it was cancelled."""
    if level:
        with anyio.CancelScope() as cancel_scope:
            server.fault = cancel_scope.cancel
            await function()
        server.fault = lambda: None
        return cancel_scope.cancelled_caught
    task = asyncio.ensure_future(function())
    server.fault = task.cancel
    await asyncio.wait([task])
    server.fault = lambda: None
    if task.cancelled():
        return True
    task.result()
    return False


LEVELS = pytest.mark.parametrize("level", [False, True], ids=["edge", "level"])


def skip_edge_on_trio(level: bool, anyio_backend: str) -> None:
    if not level and anyio_backend == "trio":
        pytest.skip("trio cancels scopes, not tasks")


async def at_each_point(run: Callable[[int], Any]) -> None:
    """Call ``run`` for each point until there is none; it returns whether the point was reached."""
    for at in itertools.count(1):
        if not await run(at):
            break
    assert at > 1


@LEVELS
@pytest.mark.parametrize("reader", READERS)
async def test_reader_cancelled_at_each_await(
    reader: str, level: bool, kind: str, anyio_backend: str
) -> None:
    skip_edge_on_trio(level, anyio_backend)
    read, message = READERS[reader]

    async def run(at: int) -> bool:
        server = Server(kind, [message(number) for number in range(COUNT)], at)
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        received: list[int] = []

        async def read_all() -> None:
            while len(received) < COUNT:
                received.append(number_of(await read(socket)))

        while len(received) < COUNT:
            await run_cancelled(server, level, read_all)
        assert received == list(range(COUNT)), at
        return server.points >= at

    await at_each_point(run)


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("reader", ["receive_text", "receive_data", "async for"])
async def test_reader_beside_a_watcher_that_is_cancelled_at_each_await(
    reader: str, beside: str, kind: str
) -> None:
    read, message = READERS[reader]

    async def run(at: int) -> None:
        server = Server(kind, [message(number) for number in range(COUNT)], at)
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        received: list[int] = []

        async def watch() -> None:
            if beside == "cancel_on_disconnect":
                async with socket.cancel_on_disconnect():
                    await anyio.sleep_forever()
            while True:
                await getattr(socket, beside)()
                await checkpoint()

        async with anyio.create_task_group() as group:
            server.fault = group.cancel_scope.cancel
            group.start_soon(watch)
            while len(received) < COUNT - 1:
                received.append(number_of(await read(socket)))
            group.cancel_scope.cancel()
        while len(received) < COUNT:
            received.append(number_of(await read(socket)))
        assert received == list(range(COUNT)), at

    for at in range(1, 40):
        await run(at)


@LEVELS
@pytest.mark.parametrize("writer", WRITERS)
async def test_writer_cancelled_at_each_await(writer: str, level: bool, anyio_backend: str) -> None:
    skip_edge_on_trio(level, anyio_backend)

    async def run(at: int) -> bool:
        server = Server("coroutine", [], at)
        socket = WebSocket(scope(), server.receive, server.send)
        await socket.accept()
        pending = list(range(COUNT))

        async def write_all() -> None:
            while pending:
                await WRITERS[writer](socket, pending.pop(0))

        cancelled = await run_cancelled(server, level, write_all)
        await write_all()
        await socket.close()
        sent = [number_of(event.get("text", event.get("bytes"))) for event in server.sent[1:-1]]
        assert sorted(set(sent)) == sent
        assert len(sent) == COUNT - cancelled
        assert (server.sent_types[-1], socket.close_code) == ("close", 1000)
        return server.points >= at

    await at_each_point(run)


@LEVELS
async def test_handshake_and_close_cancelled_at_each_await(
    level: bool, kind: str, anyio_backend: str
) -> None:
    skip_edge_on_trio(level, anyio_backend)

    async def run(at: int) -> bool:
        server = Server(kind, [as_text(1)], at)
        socket = WebSocket(scope(), server.receive, server.send)

        async def application() -> None:
            await socket.accept()
            await socket.close(4000)

        await run_cancelled(server, level, application)
        await socket.close(4000)
        assert (server.sent_types[-1], server.sent_types.count("close")) == ("close", 1)
        assert (socket.disconnected, socket.close_code) == (True, 4000)
        return server.points >= at

    await at_each_point(run)


@LEVELS
async def test_context_manager_cancelled_at_each_await_sends_one_close(
    level: bool, kind: str, anyio_backend: str
) -> None:
    skip_edge_on_trio(level, anyio_backend)

    async def run(at: int) -> bool:
        server = Server(kind, [as_text(0)], at)
        entered = False

        async def application() -> None:
            nonlocal entered
            async with WebSocket(scope(), server.receive, server.send) as socket:
                entered = True
                await socket.send_text(await socket.receive_text())

        await run_cancelled(server, level, application)
        assert server.sent_types.count("close") == entered
        return server.points >= at

    await at_each_point(run)


@pytest.mark.parametrize("position", range(COUNT + 1))
@pytest.mark.parametrize("reader", READERS)
async def test_disconnect_after_any_number_of_messages(reader: str, position: int, kind: str) -> None:
    read, message = READERS[reader]
    messages = [message(number) for number in range(position)]
    server = Server(kind, [*messages, disconnect(code=4000, reason="bye")])
    socket = WebSocket(scope(), server.receive, server.send)
    await socket.accept()
    for number in range(position):
        assert number_of(await read(socket)) == number
    if reader == "receive":
        assert (await read(socket))["type"] == "websocket.disconnect"
    for _ in range(2):
        with pytest.raises((WebSocketDisconnect, StopAsyncIteration)):
            await read(socket)
    for write in WRITERS.values():
        with pytest.raises(WebSocketDisconnect) as caught:
            await write(socket, 0)
        assert (caught.value.code, caught.value.reason) == (4000, "bye")
    assert server.sent_types == ["accept"]


@pytest.mark.parametrize("error", [OSError("lost"), RuntimeError("closed")], ids=["OSError", "RuntimeError"])
@pytest.mark.parametrize("connected", [False, True], ids=["disconnected", "connected"])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("reader", ["receive_text", "receive_data", "receive_json", "async for"])
async def test_error_from_send(
    reader: str, writer: str, connected: bool, error: Exception, kind: str
) -> None:
    """The messages before it are readable; a RuntimeError while the client is connected stays one."""
    read, message = READERS[reader]
    messages = [message(number) for number in range(COUNT)]
    server = Server(kind, messages if connected else [*messages, disconnect(code=4000)])
    socket = WebSocket(scope(), server.receive, server.send)
    await socket.accept()
    server.error = error
    stays = connected and isinstance(error, RuntimeError)
    with pytest.raises(RuntimeError if stays else WebSocketDisconnect):
        await WRITERS[writer](socket, 0)
    assert [number_of(await read(socket)) for _ in range(COUNT)] == list(range(COUNT))
    assert socket.disconnected is not stays
    if not stays:
        with pytest.raises((WebSocketDisconnect, StopAsyncIteration)):
            await read(socket)
        assert socket.close_code == (1006 if connected else 4000)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("reader", READERS)
async def test_timeouts_while_messages_are_in_flight(reader: str, anyio_backend: str) -> None:
    """A server's thread delivers at any moment, also in the iteration in which the timeout fires."""
    read, message = READERS[reader]
    server = Server("future", [message(number % COUNT) for number in range(200)])
    socket = WebSocket(scope(), server.receive, server.send)
    await socket.accept()
    received: list[int] = []
    for delay in itertools.cycle([0, 0.00001, 0.0001, 0.0005]):
        try:
            async with asyncio.timeout(delay):
                received.append(number_of(await read(socket)))
        except TimeoutError:
            pass
        if len(received) == 200:
            break
    assert received == [number % COUNT for number in range(200)]


async def test_nothing_is_left_without_the_garbage_collector() -> None:
    async def conversation() -> list[Any]:
        server = Server("coroutine", [as_text(0), as_text(1), disconnect()])
        async with WebSocket(scope(), server.receive, server.send) as socket:
            await socket.is_disconnected()
            async with socket.cancel_on_disconnect(), socket.outbox() as outbox:
                outbox.put_nowait("a")
                assert await socket.receive_text() == "0"
                with anyio.move_on_after(0.001):
                    await socket.wait_disconnected()
                assert await socket.receive_text() == "1"
                await anyio.sleep_forever()
        return [ref(server), ref(socket)]

    gc.disable()
    try:
        references = await conversation()
        with anyio.fail_after(5):  # a cancelled timer of uvloop stays until its time
            while any(reference() is not None for reference in references):
                await anyio.sleep(0.01)
    finally:
        gc.enable()
