"""Cancelled and failed reads leave no descriptor, no chunk and no task, without the garbage collector."""

from __future__ import annotations

import asyncio
import gc
import os
import tracemalloc
from typing import TYPE_CHECKING, Any
from weakref import ref

import anyio
import anyio.lowlevel
import pytest

from asgiwire import Limits, Request
from asgiwire.exceptions import ClientDisconnect
from asgiwire.testing import http_scope
from tests.receives import DISCONNECT, Live, form_body, part

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio

DESCRIPTORS = "/proc/self/fd"
CHUNK = 64 * 1024
READERS = ["replay", "body", "form", "multipart", "stream", "tee"]


class Spooling(Request):
    limits = Limits(spool_size=1000)


@pytest.fixture(autouse=True)
def _no_garbage_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def read(request: Request, reader: str) -> None:
    if reader in {"replay", "tee"}:
        receive: Any = request.replay if reader == "replay" else request.tee(len)
        while True:
            if (await receive())["type"] == "http.disconnect":
                raise ClientDisconnect
    if reader == "multipart":
        async for one in request.multipart():
            await one.read()
    elif reader == "stream":
        async for _ in request.stream():
            pass
    else:
        await getattr(request, reader)()


def unfinished(size: int, *messages: Any) -> Request:
    """A request whose client has sent the beginning of a form with a file."""
    headers = {"content-type": "multipart/form-data; boundary=B"}
    beginning = form_body(("f", "f", b"x" * size))[:-10]
    return Spooling(http_scope("POST", headers=headers), Live(part(beginning), *messages))


@pytest.mark.skipif(not os.path.isdir(DESCRIPTORS), reason="needs the list of open files")
@pytest.mark.parametrize("reader", READERS)
async def test_cancelled_reads_leave_no_descriptor(reader: str) -> None:
    async def cancelled() -> None:
        with anyio.move_on_after(0.02) as scope:
            await read(unfinished(5000), reader)
        assert scope.cancelled_caught

    await cancelled()  # starts the worker threads
    before = len(os.listdir(DESCRIPTORS))
    for _ in range(10):
        await cancelled()
    assert len(os.listdir(DESCRIPTORS)) == before


@pytest.mark.parametrize("reader", READERS)
async def test_disconnects_leave_no_chunk(reader: str) -> None:
    async def disconnected() -> None:
        with pytest.raises(ClientDisconnect):
            await read(unfinished(CHUNK, DISCONNECT), reader)

    for _ in range(3):
        await disconnected()
    tracemalloc.start()
    try:
        for _ in range(10):
            await disconnected()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size < 3 * CHUNK  # not ten chunks; coverage needs some memory too


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_busy_worker_threads_do_not_delay_a_time_out(anyio_backend: str) -> None:
    """The default executor is full, so that the form's file cannot be written yet."""
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    release, loop = Event(), asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    busy = loop.run_in_executor(None, release.wait, 10)
    try:
        with anyio.fail_after(5), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await unfinished(3_000_000).form()
    finally:
        release.set()
        await busy


class Failing:
    """Returns a future that fails, as a server's thread may let it."""

    def receive(self) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_exception, OSError("lost"))
        return future


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_disconnect_check_of_a_failing_future_leaves_no_cycle(anyio_backend: str) -> None:
    server = Failing()
    await Request(http_scope(), server.receive).is_disconnected()
    reference = ref(server)
    del server
    await anyio.lowlevel.checkpoint()
    assert reference() is None


async def test_cancelled_disconnect_check_leaves_no_cycle() -> None:
    live = Live()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await Request(http_scope(), live).is_disconnected()
    reference = ref(live)
    del live
    await anyio.lowlevel.checkpoint()
    assert reference() is None


async def test_cancelled_close_of_a_form_leaves_no_cycle() -> None:
    async def handle(body: bytes) -> tuple[Any, Any]:
        live = Live(part(body, more_body=False))
        request = Spooling(http_scope(headers={"content-type": "multipart/form-data; boundary=B"}), live)
        form = await request.form()
        upload = form["f"]
        with anyio.CancelScope() as scope:
            scope.cancel()
            await form.close()
        assert scope.cancelled_caught
        return ref(live), ref(upload)

    references = await handle(form_body(("f", "f", b"x" * 5000)))
    await anyio.lowlevel.checkpoint()
    assert [reference() for reference in references] == [None, None]
