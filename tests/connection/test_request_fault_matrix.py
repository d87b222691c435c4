"""Every coroutine of ``Request`` under each fault: no chunk is lost or doubled, and nothing is left.

The faults are a cancellation at each await (once, or by a cancelled scope), timeouts while a message is in
flight, a disconnect before, during and after a call, and errors from the server's ``receive`` and ``send``.
The server's ``receive`` returns a coroutine, a future or another awaitable.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from types import coroutine
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import anyio
import pytest
from anyio.lowlevel import checkpoint

from asgiwire import Limits, Request
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import ClientDisconnect, StreamConsumed
from asgiwire.serialization import encode_msgpack
from asgiwire.testing import http_scope
from tests.receives import (
    DISCONNECT,
    form_body,
    parts,
    patch_everywhere,
    record_temporary_files,
    run_other_tasks,
    running_tasks,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator
    from pathlib import Path

pytestmark = pytest.mark.anyio

SIZE = 70
FORM = form_body(("a", None, b"1"), ("f", "x", b"0123456789" * 12))
JSON = b'{"key": "' + b"x" * 150 + b'"}'
MSGPACK = encode_msgpack({"key": "x" * 150})
URLENCODED = b"a=1&b=" + b"x" * 150
TYPES = {
    FORM: "multipart/form-data; boundary=B",
    JSON: "application/json",
    MSGPACK: "application/msgpack",
    URLENCODED: "application/x-www-form-urlencoded",
}
EXTENSIONS = ("http.response.push", "http.response.early_hint", "http.response.trailers")

SERVERS: WeakSet[Server] = WeakSet()


class Spooling(Request):
    limits = Limits(spool_size=30)


class Server:
    """A server that calls ``fault`` at the point ``at``; each await of a call is a point.

    Attributes:
        sent: The events that the server took, each at the end of its ``send``.
        error: Raised by ``send``.
    """

    def __init__(self, kind: str, messages: list[Any], at: int = -1) -> None:
        self.kind = kind
        self.messages = list(messages)
        self.at = at
        self.points = 0
        self.fault: Callable[[], object] = lambda: None
        self.sent: list[Any] = []
        self.error: Exception | None = None
        SERVERS.add(self)

    def request(self, body: bytes) -> Request:
        extensions: Any = {name: {} for name in EXTENSIONS}
        scope = http_scope(headers={"content-type": TYPES[body]}, extensions=extensions)
        return Spooling(scope, self.receive, self.send)

    def point(self) -> None:
        self.points += 1
        if self.points == self.at:
            self.fault()

    async def next_message(self) -> Any:
        await checkpoint()
        while not self.messages:
            await anyio.sleep(0.0001)
        await checkpoint()
        message = self.messages.pop(0)
        if isinstance(message, Exception):
            raise type(message)(*message.args)
        return message

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
        self.point()
        if ticks:
            asyncio.get_running_loop().call_soon(self.deliver, future, ticks - 1)
        elif self.messages:
            message = self.messages.pop(0)
            if future.cancelled():
                return
            if isinstance(message, Exception):
                future.set_exception(type(message)(*message.args))
            else:
                future.set_result(message)

    async def send(self, event: Any) -> None:
        await checkpoint()
        if self.error is not None:
            raise type(self.error)(*self.error.args)
        await checkpoint()
        self.sent.append(event)


class Awaitable:
    def __init__(self, server: Server) -> None:
        self.server = server

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self.server.next_message().__await__())


# --- readers ------------------------------------------------------------------------------------------
#
# A reader is started once for a request. What it returns is called again after each cancellation.


def repeat(read: Callable[[Request], Any]) -> Callable[[Request, Path], Callable[[], Any]]:
    return lambda request, _: partial(read, request)


async def read_form(request: Request) -> Any:
    async with await request.form() as form:
        return [
            (name, await value.read() if isinstance(value, UploadFile) else value)
            for name, value in form.multi_items()
        ]


async def read_stream(request: Request) -> bytes:
    return b"".join([chunk async for chunk in request.stream()])


async def read_buffer(request: Request) -> bytes:
    await request.buffer()
    return await read_stream(request)


async def read_watched(request: Request) -> bytes:
    async with request.cancel_on_disconnect() as watch:
        return await request.body()
    assert watch.cancelled_caught
    raise ClientDisconnect


def start_parts(
    read_part: Callable[[Any, Path, list[bytes]], Any],
) -> Callable[[Request, Path], Callable[[], Any]]:
    def start(request: Request, path: Path) -> Callable[[], Any]:
        iterator = request.multipart()
        found: list[tuple[Any, list[bytes]]] = []
        state = {"reading": False}

        async def read() -> list[tuple[str, bytes]]:
            while True:
                if not state["reading"]:
                    part = await anext(iterator, None)
                    if part is None:
                        return [(part.name, b"".join(chunks)) for part, chunks in found]
                    found.append((part, []))
                    state["reading"] = True
                await read_part(found[-1][0], path, found[-1][1])
                state["reading"] = False

        return read

    return start


async def read_whole_part(part: Any, _path: Path, chunks: list[bytes]) -> None:
    chunks.append(await part.read())


async def iterate_part(part: Any, _path: Path, chunks: list[bytes]) -> None:
    async for chunk in part:
        chunks.append(chunk)  # noqa: PERF401 - a comprehension would drop the chunks before a cancellation


async def save_part(part: Any, path: Path, chunks: list[bytes]) -> None:
    await part.save(path)
    chunks.append(path.read_bytes())


def start_downstream(receive_of: Callable[[Request, list[bytes]], Any]) -> Any:
    def start(request: Request, _path: Path) -> Callable[[], Any]:
        seen: list[bytes] = []
        receive, chunks = receive_of(request, seen), []

        async def read() -> bytes:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunks.append(message["body"])
                if not message["more_body"]:
                    assert not seen or b"".join(seen) == b"".join(chunks)
                    return b"".join(chunks)

        return read

    return start


def tee(request: Request, seen: list[bytes]) -> Any:
    async def sink(chunk: bytes) -> None:
        seen.append(chunk)
        await checkpoint()

    return request.tee(sink)


def start_json_over_replay(request: Request, _path: Path) -> Callable[[], Any]:
    return Spooling({**request.scope}, request.replay).json


PARTS = [("a", b"1"), ("f", b"0123456789" * 12)]
BUFFERING: dict[str, tuple[Any, bytes, Any]] = {
    "body": (repeat(Request.body), FORM, FORM),
    "buffer": (repeat(read_buffer), FORM, FORM),
    "text": (repeat(Request.text), FORM, FORM.decode()),
    "json": (repeat(lambda request: request.json()), JSON, {"key": "x" * 150}),
    "msgpack": (repeat(lambda request: request.msgpack()), MSGPACK, {"key": "x" * 150}),
    "urlencoded form": (repeat(read_form), URLENCODED, [("a", "1"), ("b", "x" * 150)]),
    "replay": (start_downstream(lambda request, _: request.replay), FORM, FORM),
    "json over replay": (start_json_over_replay, JSON, {"key": "x" * 150}),
    "cancel_on_disconnect": (repeat(read_watched), FORM, FORM),
}
RESUMABLE: dict[str, tuple[Any, bytes, Any]] = {
    **BUFFERING,
    "tee": (start_downstream(tee), FORM, FORM),
    "multipart read": (start_parts(read_whole_part), FORM, PARTS),
    "multipart chunks": (start_parts(iterate_part), FORM, PARTS),
}
READERS: dict[str, tuple[Any, bytes, Any]] = {
    **RESUMABLE,
    "stream": (repeat(read_stream), FORM, FORM),
    "form": (repeat(read_form), FORM, [("a", "1"), PARTS[1]]),
    "multipart save": (start_parts(save_part), FORM, PARTS),
}
SENDERS: dict[str, tuple[Callable[[Request], Any], str]] = {
    "push": (lambda request: request.send_push_promise("/style.css"), "http.response.push"),
    "early hints": (lambda request: request.send_early_hints("</a>"), "http.response.early_hint"),
    "trailers": (lambda request: request.send_trailers({"x-checksum": "1"}), "http.response.trailers"),
}

# --- faults -------------------------------------------------------------------------------------------

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


@pytest.fixture(params=["edge", "level"])
def level(request: pytest.FixtureRequest, anyio_backend: str) -> bool:
    if request.param == "edge" and anyio_backend == "trio":
        pytest.skip("trio cancels scopes, not tasks")
    return bool(request.param == "level")


@pytest.fixture(autouse=True)
async def _nothing_is_left(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Fail a test that leaves a task, an open file, or a reference cycle that holds the server."""
    files = record_temporary_files(monkeypatch)
    patch_everywhere(monkeypatch, "BLOCK_SIZE", 50)
    before = running_tasks()
    gc.disable()
    try:
        with anyio.fail_after(20):
            yield
        await run_other_tasks()
        assert running_tasks() == before
        assert list(SERVERS) == []
        assert [file for file in files if not file.closed] == []
    finally:
        SERVERS.clear()
        gc.enable()


@coroutine
def counted(server: Server, running: Any) -> Generator[Any, Any, Any]:
    """Run a coroutine; each of its awaits is a point of the server."""
    resume = partial(running.send, None)
    try:
        while True:
            try:
                awaited = resume()
            except StopIteration as stop:
                return stop.value
            server.point()
            try:
                resume = partial(running.send, (yield awaited))
            except BaseException as error:
                resume = partial(running.throw, error)
    finally:
        del resume  # it may hold an exception that holds this frame


async def run_cancelled(server: Server, level: bool, function: Callable[[], Any]) -> Any:
    """Return the result of a function in a tuple; ``None`` if it was cancelled at the server's point."""

    async def run() -> Any:
        return (await counted(server, function()),)

    result: Any = None
    if level:
        with anyio.CancelScope() as cancel_scope:
            server.fault = cancel_scope.cancel
            result = await run()
    else:
        task = asyncio.ensure_future(run())
        server.fault = task.cancel
        await asyncio.wait([task])
        result = None if task.cancelled() else task.result()
    server.fault = lambda: None
    return result


async def at_each_point(run: Callable[[int], Any]) -> None:
    """Call ``run`` for each point until there is none; it returns whether the point was reached."""
    for at in itertools.count(1):
        if not await run(at):
            break
    assert at > 1


async def outcome(awaitable: Any) -> Any:
    """Return the result, or the type and the text of the exception."""
    try:
        return await awaitable
    except Exception as error:
        return type(error), str(error)


async def assert_state(request: Request, body: bytes, *, may_be_consumed: bool) -> None:
    """Check that later reads return the whole body; or that all raise, if it may be consumed."""
    for _ in range(2):
        results = [await outcome(request.body()), await outcome(read_stream(request))]
        if may_be_consumed and results[0] != body:
            assert {result[0] for result in results} == {StreamConsumed}
        else:
            assert results == [body, body]


async def wait_disconnected(request: Request) -> None:
    for _ in range(20):
        if await request.is_disconnected():
            return
    pytest.fail("is_disconnected() does not report the disconnect")


# --- tests --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", READERS)
async def test_reader_cancelled_at_each_await(reader: str, level: bool, kind: str, tmp_path: Path) -> None:
    start, body, expected = READERS[reader]

    async def run(at: int) -> bool:
        server = Server(kind, parts(body, SIZE), at)
        request = server.request(body)
        read = start(request, tmp_path / "saved")
        result = await run_cancelled(server, level, read)
        if result is None:
            result = (await outcome(read()),)
        if reader in RESUMABLE or result[0][0] is not StreamConsumed:
            assert result[0] == expected, at
        await assert_state(request, body, may_be_consumed=reader not in BUFFERING)
        return server.points >= at

    await at_each_point(run)


@pytest.mark.parametrize("beside", ["is_disconnected", "cancel_on_disconnect"])
@pytest.mark.parametrize("reader", READERS)
async def test_reader_beside_a_watcher_that_is_cancelled_at_each_await(
    reader: str, beside: str, kind: str, tmp_path: Path
) -> None:
    start, body, expected = READERS[reader]

    async def run(at: int) -> None:
        server = Server(kind, parts(body, SIZE), at)
        request = server.request(body)

        async def watch() -> None:
            if beside == "cancel_on_disconnect":
                async with request.cancel_on_disconnect():
                    await anyio.sleep_forever()
            while True:
                await request.is_disconnected()
                await checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(run_cancelled, server, True, watch)
            await checkpoint()
            assert await start(request, tmp_path / "saved")() == expected, at
            server.fault()
        await assert_state(request, body, may_be_consumed=reader not in BUFFERING)

    for at in range(1, 12):
        await run(at)


@pytest.mark.parametrize("reader", BUFFERING)
async def test_second_reader_of_a_body_whose_first_is_cancelled_at_each_await(
    reader: str, kind: str, tmp_path: Path
) -> None:
    start, body, expected = BUFFERING[reader]

    async def run(at: int) -> bool:
        server = Server(kind, parts(body, SIZE), at)
        request = server.request(body)
        async with anyio.create_task_group() as group:
            group.start_soon(run_cancelled, server, True, start(request, tmp_path))
            await checkpoint()
            assert await start(request, tmp_path)() == expected, at
        return server.points >= at

    await at_each_point(run)


@pytest.mark.parametrize("reader", RESUMABLE)
async def test_timeouts_while_messages_are_in_flight(
    reader: str, level: bool, kind: str, tmp_path: Path
) -> None:
    """A server's thread delivers at any moment, also in the iteration in which the timeout fires."""
    start, body, expected = RESUMABLE[reader]
    server = Server(kind, parts(body, 5))
    request = server.request(body)
    read = start(request, tmp_path)
    for delay in itertools.cycle([0, 0.00001, 0.0001, 0.0005, 0.002]):
        if level:
            with anyio.move_on_after(delay):  # fail_after() leaves a cycle of its own on Python 3.12
                assert await read() == expected
                break
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(delay):
                    assert await read() == expected
                    break
    await assert_state(request, body, may_be_consumed=reader not in BUFFERING)


@pytest.mark.parametrize("reader", READERS)
async def test_disconnect_after_each_message(reader: str, kind: str, tmp_path: Path) -> None:
    start, body, expected = READERS[reader]
    messages = parts(body, SIZE)
    for position, seen_before in itertools.product(range(len(messages) + 1), [False, True]):
        server = Server(kind, [*messages[:position], DISCONNECT])
        request = server.request(body)
        if seen_before:
            await wait_disconnected(request)
        result = await outcome(start(request, tmp_path / "saved")())
        await wait_disconnected(request)
        assert not request.is_connected
        if position < len(messages):
            later = [await outcome(request.body()), await outcome(read_stream(request))]
            assert [error[0] for error in (result, *later)] == [ClientDisconnect] * 3
        elif reader != "cancel_on_disconnect":  # its block may be cancelled here
            assert result == expected
            await assert_state(request, body, may_be_consumed=reader not in BUFFERING)
        async with request.cancel_on_disconnect() as watch:
            await anyio.sleep_forever()
        assert watch.cancelled_caught


@pytest.mark.parametrize("error", [OSError("lost"), RuntimeError("closed")], ids=["OSError", "RuntimeError"])
@pytest.mark.parametrize("reader", READERS)
async def test_error_from_receive_after_each_message(
    reader: str, error: Exception, kind: str, tmp_path: Path
) -> None:
    """Every read raises it; after the whole body it is a disconnect."""
    start, body, expected = READERS[reader]
    messages = parts(body, SIZE)
    for position, seen_before in itertools.product(range(len(messages) + 1), [False, True]):
        server = Server(kind, [*messages[:position], error])
        request = server.request(body)
        for _ in range(len(messages) + 2 if seen_before else 0):
            await request.is_disconnected()
        result = await outcome(start(request, tmp_path / "saved")())
        if position < len(messages):
            later = [await outcome(request.body()), await outcome(read_stream(request))]
            assert [result, *later] == [(type(error), str(error))] * 3
            assert not await request.is_disconnected()
            continue
        await wait_disconnected(request)
        if reader != "cancel_on_disconnect":  # its block may be cancelled here
            assert result == expected
            await assert_state(request, body, may_be_consumed=reader not in BUFFERING)


@pytest.mark.parametrize("watching", [False, True])
@pytest.mark.parametrize("sender", SENDERS)
async def test_sender_cancelled_at_each_await(sender: str, watching: bool, level: bool, kind: str) -> None:
    send, event_type = SENDERS[sender]

    async def run(at: int) -> bool:
        server = Server(kind, parts(FORM, SIZE), at)
        request = server.request(FORM)

        async def application() -> None:
            if not watching:
                await send(request)
                return
            async with request.cancel_on_disconnect():
                await send(request)

        sent = 0 if await run_cancelled(server, level, application) is None else 1
        # A cancellation at the end of the block comes after the event.
        assert len(server.sent) == sent or (watching and len(server.sent) == 1)
        assert request.send == server.send
        await send(request)
        assert {event["type"] for event in server.sent} == {event_type}
        await assert_state(request, FORM, may_be_consumed=False)
        return server.points >= at

    await at_each_point(run)


@pytest.mark.parametrize("error", [OSError("lost"), RuntimeError("closed")], ids=["OSError", "RuntimeError"])
@pytest.mark.parametrize("sender", SENDERS)
async def test_error_from_send(sender: str, error: Exception, kind: str) -> None:
    """It is raised as it is, ends no response, and leaves the body readable."""
    server = Server(kind, [*parts(FORM, SIZE), DISCONNECT])
    request = server.request(FORM)
    server.error = error
    for _ in range(2):
        assert await outcome(SENDERS[sender][0](request)) == (type(error), str(error))
    async with request.cancel_on_disconnect() as watch:
        await outcome(SENDERS[sender][0](request))
        await anyio.sleep_forever()
    assert watch.cancelled_caught
    assert request.send == server.send
    await assert_state(request, FORM, may_be_consumed=False)
