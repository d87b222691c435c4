"""Many messages and many WebSockets on real servers."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from .servers import each
from .socket_servers import SOCKETS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .processes import Running

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

MESSAGES = 10_000
WEBSOCKETS = 1000


def open_websocket(server: Running, target: str) -> connect:
    return connect(
        f"ws://127.0.0.1:{server.port}{target}",
        open_timeout=60,
        close_timeout=60,
        ping_interval=None,
        compression=None,
        max_queue=None,
        proxy=None,
    )


@each(SOCKETS)
def test_ten_thousand_messages_arrive_in_order_in_both_directions(server: Running, key: str) -> None:
    async def exchange() -> list[int]:
        async with open_websocket(server, f"/both_ways?key={key}&count={MESSAGES}") as socket:

            async def send() -> None:
                for number in range(MESSAGES):
                    await socket.send(f"{number}")

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(send())
                received = [int(await socket.recv()) for _ in range(MESSAGES)]
            await asyncio.to_thread(server.record, key, "over")
            return received

    assert asyncio.run(exchange()) == list(range(MESSAGES))
    assert server.record(key, "over")["in_order"]


@pytest.fixture
def many_files() -> Iterator[None]:
    """Raise the limit of open files; the servers inherit it as child processes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    required = 4 * WEBSOCKETS
    if hard != resource.RLIM_INFINITY and hard < required:
        pytest.skip(f"a process may have at most {hard} open files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, required), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
@each({name: SOCKETS[name] for name in ("uvicorn-httptools-sansio", "hypercorn-trio")})
def test_a_thousand_concurrent_websockets(server: Running) -> None:
    async def exchange() -> list[Any]:
        async with contextlib.AsyncExitStack() as stack:
            slots = asyncio.Semaphore(50)

            async def open_one() -> ClientConnection:
                async with slots:
                    return await stack.enter_async_context(open_websocket(server, "/echo?mode=text"))

            sockets = await asyncio.gather(*(open_one() for _ in range(WEBSOCKETS)))
            for number, socket in enumerate(sockets):
                await socket.send(f"to {number}")
            received = await asyncio.gather(*(socket.recv() for socket in sockets))
            await asyncio.gather(*(socket.close() for socket in sockets))
            return received

    assert asyncio.run(exchange()) == [f"to {number}" for number in range(WEBSOCKETS)]
