"""Bytes per idle object, and modules and milliseconds per import.

The bytes are those that tracemalloc sees allocated: the object and what it adds to its scope, but not the
scope, which the server makes. A WebSocket that waits for a message includes its task and coroutines,
because it cannot wait without them.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any, Final

from . import inputs
from .timing import prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .inputs import Arguments, Case

REQUESTS: Final = 2000
SOCKETS: Final = 10_000
IMPORTS: Final = 5

# Runs in a new interpreter, which has already imported sys and time.
IMPORT: Final = """
import sys, time
before, start = set(sys.modules), time.perf_counter()
{statement}
print(len(set(sys.modules) - before), (time.perf_counter() - start) * 1000)
"""


def measure(contestants: dict[str, ModuleType], divisor: int = 1) -> dict[str, dict[str, float]]:
    """Return the figures by contestant and kind; ``divisor`` divides the number of objects."""
    return {
        name: _measure_contestant(module, REQUESTS // divisor, SOCKETS // divisor)
        for name, module in contestants.items()
    }


def _measure_contestant(module: ModuleType, requests: int, sockets: int) -> dict[str, float]:
    figures = {"request": asyncio.run(_bytes(module, module.construct, inputs.http_case, requests))}
    if hasattr(module, "websocket"):
        figures["websocket"] = asyncio.run(_bytes(module, module.websocket, _socket_case, requests))
        figures["accepted websocket"] = asyncio.run(_bytes(module, module.accepted, _socket_case, sockets))
        # Twice, because the first contestant allocates memory for tasks that all of them reuse.
        figures["waiting websocket"] = min(asyncio.run(_waiting_bytes(module, sockets)) for _ in range(2))
    if hasattr(module, "IMPORT"):
        figures["modules"], figures["import ms"] = _import(module.IMPORT)
    if hasattr(module, "PACKAGE"):
        figures["package"], _ = _import(f"import {module.PACKAGE}")
    return figures


def _socket_case(seed: int) -> Case:
    return inputs.websocket_case(seed, [], None)


async def _discard(_message: inputs.Message) -> None:
    """``send`` that stores nothing, so that messages are not counted."""


async def _bytes(
    module: ModuleType, make: Callable[..., Any], case: Callable[[int], Case], count: int
) -> float:
    """Return the bytes per object, of many that exist at the same time."""
    calls = []
    for seed in range(count + 1):
        scope, receive, _ = case(seed).arguments
        calls.append((scope, receive, _discard))
        prepare(module, calls[-1])
    await _make(make, calls.pop())  # fills the caches that all objects share
    objects: list[object] = [None] * count
    gc.collect()
    tracemalloc.start()
    for number, arguments in enumerate(calls):
        objects[number] = await _make(make, arguments)
    return _traced_bytes() / count


async def _waiting_bytes(module: ModuleType, count: int) -> float:
    """Return the bytes per WebSocket that waits for a message, of many that exist at the same time."""
    never: asyncio.Future[inputs.Message] = asyncio.get_running_loop().create_future()

    def connecting_client() -> inputs.Receive:
        messages: list[inputs.Message] = [{"type": "websocket.connect"}]

        async def receive() -> inputs.Message:
            return messages.pop() if messages else await never

        return receive

    calls: list[Arguments] = []
    for seed in range(count + 1):
        calls.append((_socket_case(seed).arguments[0], connecting_client(), _discard))
        prepare(module, calls[-1])
    tasks = [asyncio.create_task(_echo(module, calls.pop()))]  # fills the shared caches
    await _run_tasks()
    gc.collect()
    tracemalloc.start()
    tasks += [asyncio.create_task(_echo(module, arguments)) for arguments in calls]
    await _run_tasks()
    size = _traced_bytes()
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return size / count


async def _echo(module: ModuleType, arguments: Arguments) -> None:
    await module.websocket_texts(*arguments)


def _traced_bytes() -> int:
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size


async def _run_tasks() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _make(make: Callable[..., Any], arguments: Arguments) -> object:
    made = make(*arguments)
    return await made if asyncio.iscoroutine(made) else made


def _import(statement: str) -> tuple[int, float]:
    command = [sys.executable, "-c", IMPORT.format(statement=statement)]
    runs = [subprocess.check_output(command, text=True).split() for _ in range(IMPORTS)]
    return int(runs[0][0]), min(float(milliseconds) for _, milliseconds in runs)
