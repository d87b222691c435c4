"""A finished request leaves no reference cycle: no unreachable object, no chunk, no server object.

The tests count with the garbage collector off. A failed body is the hard case: a stored exception refers to
its traceback, the traceback to the frames of the read, and these to the body.
"""

from __future__ import annotations

import functools
import gc
import sys
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, form_body, part, receive_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

SIZE = 100
FIRST = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nhello'


class Server:
    """One request of a server: it owns the scope, and its bound method is ``receive``."""

    def __init__(
        self, *messages: dict[str, Any], limit: int | None = None, headers: dict[str, str] | None = None
    ) -> None:
        self.scope = http_scope(headers={"content-type": "multipart/form-data; boundary=B"} | (headers or {}))
        self.scope["limit"] = limit
        self.messages = list(messages)

    async def receive(self) -> dict[str, Any]:
        if not self.messages:
            raise OSError("connection reset")
        return self.messages.pop(0)


class Limited(Request):
    @property
    def limits(self) -> Limits:
        return Limits(max_body_size=self.scope["limit"])


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never waits; an event loop would leave objects of its own."""
    try:
        coroutine.send(None)
    except StopIteration as result:
        return result.value
    pytest.fail("the coroutine waited")


@contextmanager
def no_garbage() -> Iterator[None]:
    """Fail if the block leaves an object that only the garbage collector can free."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield
        gc.collect()
        assert [type(unreachable).__name__ for unreachable in gc.garbage] == []
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


# --- readers ------------------------------------------------------------------------------------------


async def read_stream(request: Request) -> None:
    async for _ in request.stream():
        pass


async def read_form(request: Request) -> None:
    async with await request.form():
        pass


async def read_multipart(request: Request) -> None:
    async for one in request.multipart():
        await one.read()


async def read_replay(request: Request) -> None:
    _, disconnected = await receive_body(request.replay)
    if disconnected:
        raise ClientDisconnect


async def read_tee(request: Request) -> None:
    _, disconnected = await receive_body(request.tee(len))
    if disconnected:
        raise ClientDisconnect


async def read_json_downstream(request: Request) -> None:
    await Limited({**request.scope}, request.replay).json()


async def read_form_downstream(request: Request) -> None:
    await read_form(Limited({**request.scope}, request.replay))


READERS: dict[str, Callable[[Request], Awaitable[Any]]] = {
    "body": lambda request: request.body(),
    "stream": read_stream,
    "text": lambda request: request.text(),
    "json": lambda request: request.json(),
    "msgpack": lambda request: request.msgpack(),
    "form": read_form,
    "multipart": read_multipart,
    "replay": read_replay,
    "tee": read_tee,
    "json over replay": read_json_downstream,
    "form over replay": read_form_downstream,
}


# --- failures -----------------------------------------------------------------------------------------


def declared_length(last: bytes) -> Server:
    headers = {"content-length": f"{len(FIRST) + SIZE}"}
    return Server(part(FIRST), part(last, more_body=False), limit=SIZE, headers=headers)


def counted_length(last: bytes) -> Server:
    return Server(part(FIRST), part(last), part(b"x", more_body=False), limit=SIZE)


def client_disconnect(last: bytes) -> Server:
    return Server(part(FIRST), part(last), DISCONNECT)


def error_of_receive(last: bytes) -> Server:
    return Server(part(FIRST), part(last))


def unknown_message(last: bytes) -> Server:
    return Server(part(FIRST), part(last), {"type": "http.requst"})


def malformed_multipart(last: bytes) -> Server:
    return Server(part(b"--B\r\nbroken\r\n\r\n"), part(last, more_body=False))


def malformed_json(last: bytes) -> Server:
    return Server(part(b'{"a": '), part(last, more_body=False))


FAILURES: dict[str, tuple[Callable[[bytes], Server], str, set[str]]] = {
    "413 by declared length": (declared_length, "RequestEntityTooLarge", set(READERS)),
    "413 by counting": (counted_length, "RequestEntityTooLarge", set(READERS)),
    "disconnect": (client_disconnect, "ClientDisconnect", set(READERS)),
    "error of receive": (error_of_receive, "OSError", set(READERS)),
    "unknown message": (unknown_message, "ProtocolError", set(READERS)),
    "malformed multipart": (
        malformed_multipart,
        "ValidationException",
        {"form", "multipart", "form over replay"},
    ),
    "malformed JSON": (malformed_json, "SerializationException", {"json", "json over replay"}),
}
each_failure = pytest.mark.parametrize(
    ("failure", "reader"),
    [
        (failure, reader)
        for failure, (_, _, readers) in FAILURES.items()
        for reader in READERS
        if reader in readers
    ],
)


async def handle(server: Server, reader: str, reads: int) -> list[str]:
    """An application that catches the error of each read; return their types."""
    request = Limited(server.scope, server.receive)
    errors: list[str] = []
    for _ in range(reads):
        try:
            await READERS[reader](request)
        except Exception as error:
            errors.append(type(error).__name__)
    return errors


async def fail(server: Server, reader: str) -> None:
    """An application that does not catch the error."""
    await READERS[reader](Limited(server.scope, server.receive))


@each_failure
@pytest.mark.parametrize("reads", [1, 2])
def test_failed_body_leaves_no_garbage(failure: str, reader: str, reads: int) -> None:
    make, expected, _ = FAILURES[failure]
    run(handle(make(bytes(SIZE)), reader, reads))  # lazy imports and caches
    with no_garbage():
        last = bytes(SIZE)
        references = sys.getrefcount(last)
        server = make(last)
        reference = weakref.ref(server)
        errors = run(handle(server, reader, reads))
        del server
        assert errors[0] == expected
        assert len(errors) == reads
        assert reference() is None
        assert sys.getrefcount(last) == references


@each_failure
def test_uncaught_error_leaves_no_garbage(failure: str, reader: str) -> None:
    make, expected, _ = FAILURES[failure]
    run(handle(make(bytes(SIZE)), reader, 1))  # lazy imports and caches
    with no_garbage():
        last = bytes(SIZE)
        references = sys.getrefcount(last)
        server = make(last)
        reference = weakref.ref(server)
        raised = ""
        try:
            run(fail(server, reader))
        except Exception as error:
            raised = type(error).__name__
        del server
        assert raised == expected
        assert reference() is None
        assert sys.getrefcount(last) == references


# --- successful and unfinished reads ------------------------------------------------------------------

COMPLETE = form_body(("f", "x", b"hello"))


@pytest.mark.parametrize("reader", ["body", "stream", "text", "form", "multipart", "replay", "tee"])
def test_read_body_leaves_no_garbage(reader: str) -> None:
    def make(chunk: bytes) -> Server:
        return Server(part(chunk), part(b"", more_body=False))

    run(handle(make(COMPLETE), reader, 1))  # lazy imports and caches
    with no_garbage():
        chunk = bytes(bytearray(COMPLETE))
        references = sys.getrefcount(chunk)
        server = make(chunk)
        reference = weakref.ref(server)
        assert run(handle(server, reader, 1)) == []
        del server
        assert reference() is None
        assert sys.getrefcount(chunk) == references


def test_unfinished_stream_leaves_no_garbage() -> None:
    async def read_one_chunk(server: Server) -> bytes:
        stream = Request(server.scope, server.receive).stream()
        chunk = await anext(stream)
        await stream.aclose()
        return chunk

    with no_garbage():
        server = Server(part(b"one"), part(b"two"))
        reference = weakref.ref(server)
        assert run(read_one_chunk(server)) == b"one"
        del server
        assert reference() is None


@pytest.mark.parametrize("read_content", [True, False])
def test_unfinished_multipart_leaves_no_garbage(read_content: bool) -> None:
    async def read_one_part(server: Server) -> str:
        parts = Request(server.scope, server.receive).multipart()
        first = await anext(aiter(parts))
        if read_content:
            await anext(aiter(first))
        return first.name

    def make() -> Server:
        return Server(part(COMPLETE[:-20]), part(COMPLETE[-20:], more_body=False))

    run(read_one_part(make()))  # lazy imports and caches
    with no_garbage():
        server = make()
        reference = weakref.ref(server)
        assert run(read_one_part(server)) == "f"
        del server
        assert reference() is None


@pytest.mark.anyio
@pytest.mark.parametrize("reader", ["is_disconnected", "cancel_on_disconnect"])
async def test_watched_request_is_freed_without_the_garbage_collector(reader: str) -> None:
    class WaitingServer(Server):
        async def receive(self) -> dict[str, Any]:
            await anyio.lowlevel.checkpoint()
            return await super().receive()

    server = WaitingServer(part(b"a=1"), part(b"", more_body=False), DISCONNECT)
    request = Request(server.scope, server.receive)
    if reader == "is_disconnected":
        assert not await request.is_disconnected()
    else:
        async with request.cancel_on_disconnect():
            await anyio.sleep_forever()
        await anyio.lowlevel.checkpoint()
    assert await request.body() == b"a=1"
    reference = weakref.ref(server)
    gc.disable()
    try:
        del server, request
        assert reference() is None
    finally:
        gc.enable()


class WaitingServer(Server):
    """Waits for the event loop before each message, and for ever after the last one."""

    async def receive(self) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        if not self.messages:
            await anyio.sleep_forever()
        return await super().receive()


async def end_at_once(request: Request) -> None:
    async with request.cancel_on_disconnect():
        pass


async def end_while_watching(request: Request) -> None:
    async with request.cancel_on_disconnect():
        await anyio.wait_all_tasks_blocked()


async def raise_while_watching(request: Request) -> None:
    with suppress(KeyError):
        async with request.cancel_on_disconnect():
            await anyio.wait_all_tasks_blocked()
            raise KeyError


async def be_cancelled_while_watching(request: Request) -> None:
    with anyio.CancelScope() as scope:
        async with request.cancel_on_disconnect():
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.lowlevel.checkpoint()


async def poll_twice(request: Request) -> None:
    await request.is_disconnected()
    await request.is_disconnected()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "watch",
    [end_at_once, end_while_watching, raise_while_watching, be_cancelled_while_watching, poll_twice],
)
async def test_watcher_leaves_the_server_to_reference_counting(watch: Any) -> None:
    server = WaitingServer(part(b"a=1"), part(b"", more_body=False))
    reference = weakref.ref(server)
    gc.collect()
    gc.disable()
    try:
        request = Request(server.scope, server.receive)
        await watch(request)
        del server, request
        await anyio.lowlevel.checkpoint()
        assert reference() is None
    finally:
        gc.enable()


class CallableReceive:
    """A receive callable that is an object, as a middleware may have."""

    def __init__(self, receive: Any) -> None:
        self.receive = receive

    async def __call__(self) -> Any:
        return await self.receive()


def closure(receive: Any) -> Any:
    async def receive_closure() -> Any:
        return await receive()

    return receive_closure


@pytest.mark.parametrize(
    "wrap", [CallableReceive, functools.partial, closure], ids=["object", "partial", "closure"]
)
def test_wrapped_receive_leaves_no_garbage(wrap: Any) -> None:
    async def read(server: Server) -> bytes:
        return await Request(server.scope, wrap(server.receive)).body()

    run(read(Server(part(b"one", more_body=False))))
    with no_garbage():
        server = Server(part(b"one", more_body=False))
        reference = weakref.ref(server)
        assert run(read(server)) == b"one"
        del server
        assert reference() is None


def test_tee_over_a_tee_leaves_no_garbage() -> None:
    async def read(server: Server) -> bytes:
        request = Request(server.scope, server.receive)
        return await Request(server.scope, request.tee(bytes)).body()

    run(read(Server(part(b"one", more_body=False))))
    with no_garbage():
        server = Server(part(b"one", more_body=False))
        reference = weakref.ref(server)
        assert run(read(server)) == b"one"
        del server
        assert reference() is None


def test_failing_sink_leaves_no_garbage() -> None:
    def sink(_chunk: bytes) -> None:
        raise KeyError("sink")

    async def read(server: Server) -> None:
        receive = Request(server.scope, server.receive).tee(sink)
        for _ in range(2):
            with suppress(KeyError):
                await receive()

    run(read(Server(part(b"one", more_body=False))))
    with no_garbage():
        server = Server(part(b"one", more_body=False))
        reference = weakref.ref(server)
        run(read(server))
        del server
        assert reference() is None


# --- the owner of receive -----------------------------------------------------------------------------


@pytest.mark.parametrize("reader", ["body", "stream", "multipart", "replay", "tee"])
def test_reader_refers_to_the_owner_of_receive(reader: str) -> None:
    """In ``Request(scope, Wrapper(receive).receive).body()`` only the reader refers to the wrapper."""
    scope = http_scope(headers={"content-type": "multipart/form-data; boundary=B"})
    request = Request(scope, Server(part(COMPLETE), part(b"", more_body=False)).receive)
    made: Any = getattr(request, reader)
    if reader == "tee":
        made = made(len)
    elif reader != "replay":
        made = made()
    del request
    gc.collect()

    async def read() -> None:
        if reader == "body":
            assert await made == COMPLETE
        elif reader == "stream":
            assert [chunk async for chunk in made] == [COMPLETE, b""]
        elif reader == "multipart":
            assert [await item.read() async for item in made] == [b"hello"]
        else:
            assert (await made())["body"] == COMPLETE

    run(read())


def test_reader_refers_to_the_owner_between_chunks() -> None:
    async def read() -> list[bytes]:
        server = Server(part(b"a"), part(b"b"), part(b"c", more_body=False))
        stream = Request(server.scope, server.receive).stream()
        del server
        chunks = []
        async for chunk in stream:
            gc.collect()
            chunks.append(chunk)
        return chunks

    assert run(read()) == [b"a", b"b", b"c", b""]


def test_multipart_part_refers_to_the_owner() -> None:
    async def read() -> bytes:
        server = Server(part(COMPLETE[:-20]), part(COMPLETE[-20:], more_body=False))
        first = await anext(aiter(Request(server.scope, server.receive).multipart()))
        del server
        gc.collect()
        return await first.read()

    assert run(read()) == b"hello"


def test_body_of_a_freed_owner_is_not_found_by_another_receive() -> None:
    """A middleware reads a body over a wrapper that is freed; the next request uses its own ``receive``."""

    async def read() -> tuple[bytes, bool, bytes]:
        scope = http_scope()
        first = await Request(scope, Server(part(b"one", more_body=False)).receive).body()
        gc.collect()
        second = Request(scope, Server(part(b"two", more_body=False)).receive)
        return first, second.is_connected, await second.body()

    assert run(read()) == (b"one", True, b"two")


class SlottedReceiver:
    """An owner of ``receive`` that cannot be weakly referenced."""

    __slots__ = ("messages",)

    def __init__(self, *messages: dict[str, Any]) -> None:
        self.messages = list(messages)

    async def receive(self) -> dict[str, Any]:
        return self.messages.pop(0)


def test_owner_without_weak_references_keeps_its_body() -> None:
    server, scope = SlottedReceiver(part(b"one", more_body=False)), http_scope()

    async def read_twice() -> list[bytes]:
        return [await Request(scope, server.receive).body() for _ in range(2)]

    assert run(read_twice()) == [b"one", b"one"]


def test_builtin_method_is_recognised_at_each_access() -> None:
    messages = [part(b"two", more_body=False)]

    async def give(message: dict[str, Any]) -> dict[str, Any]:
        return message

    class Receiver(list[Any]):
        """A class whose ``pop`` is a method written in C."""

    receiver, scope = Receiver(give(message) for message in messages), http_scope()

    async def read_twice() -> list[bytes]:
        return [await Request(scope, receiver.pop).body() for _ in range(2)]

    assert run(read_twice()) == [b"two", b"two"]
