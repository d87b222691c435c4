"""What is there before anything is done: bytes per idle object, modules and time per import.

Bytes are what tracemalloc sees allocated between before and after: the object, and what it puts into the
scope that it is given. A scope itself, which the server makes, is not in it. Of a WebSocket that waits for a
message, the task and all coroutines are: nobody keeps one without them.
"""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any, Final

from . import inputs
from .report import NONE, aligned
from .timing import prepare

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .inputs import Arguments, Case

REQUESTS: Final = 2000
SOCKETS: Final = 10_000
IMPORTS: Final = 5

# In an interpreter of its own, which has loaded sys and time already.
IMPORT: Final = """
import sys, time
before, start = set(sys.modules), time.perf_counter()
{statement}
print(len(set(sys.modules) - before), (time.perf_counter() - start) * 1000)
"""


def measure(contestants: dict[str, ModuleType], quickness: int = 1) -> dict[str, dict[str, float]]:
    """Figures by contestant and kind, from a ``quickness``-th of the usual number of objects."""
    return {
        name: _footprint(module, quickness)
        for name, module in contestants.items()
        if hasattr(module, "construct")
    }


def _footprint(module: ModuleType, quickness: int) -> dict[str, float]:
    requests, sockets = REQUESTS // quickness, SOCKETS // quickness
    figures = {"request": asyncio.run(_bytes(module, module.construct, inputs.http_case, requests))}
    if hasattr(module, "websocket"):
        figures["websocket"] = asyncio.run(_bytes(module, module.websocket, _socket_case, requests))
        figures["accepted websocket"] = asyncio.run(_bytes(module, module.accepted, _socket_case, sockets))
        # The second time, for the first contestant makes room for the tasks of all.
        figures["waiting websocket"] = min(asyncio.run(_waiting_bytes(module, sockets)) for _ in range(2))
    if hasattr(module, "IMPORT"):
        figures["modules"], figures["import ms"] = _import(module.IMPORT)
    if hasattr(module, "PACKAGE"):  # before a class of it is asked for
        figures["package"], _ = _import(f"import {module.PACKAGE}")
    return figures


def _socket_case(seed: int) -> Case:
    return inputs.websocket_case(seed, [], None)


async def _forget(_message: inputs.Message) -> None:
    """A send that keeps nothing, so that what was sent does not count."""


async def _bytes(
    module: ModuleType, make: Callable[..., Any], case: Callable[[int], Case], count: int
) -> float:
    """Bytes per object, of many that live at the same time."""
    calls = []
    for seed in range(count + 1):
        scope, receive, _ = case(seed).arguments
        calls.append((scope, receive, _forget))
        prepare(module, calls[-1])
    await _made(make, calls.pop())  # what is made once for all of them
    kept: list[object] = [None] * count
    gc.collect()
    tracemalloc.start()
    for number, arguments in enumerate(calls):
        kept[number] = await _made(make, arguments)
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / count


async def _waiting_bytes(module: ModuleType, count: int) -> float:
    """Bytes per WebSocket whose client says nothing, of many at the same time."""
    silence: asyncio.Future[inputs.Message] = asyncio.get_running_loop().create_future()

    def connecting() -> inputs.Receive:
        messages: list[inputs.Message] = [{"type": "websocket.connect"}]

        async def receive() -> inputs.Message:
            return messages.pop() if messages else await silence

        return receive

    calls = []
    for seed in range(count + 1):
        calls.append((_socket_case(seed).arguments[0], connecting(), _forget))
        prepare(module, calls[-1])
    tasks = [asyncio.create_task(_echo(module, calls.pop()))]  # what is made once for all of them
    await _settle()
    gc.collect()
    tracemalloc.start()
    tasks += [asyncio.create_task(_echo(module, arguments)) for arguments in calls]
    await _settle()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return size / count


async def _echo(module: ModuleType, arguments: Arguments) -> None:
    await module.websocket_texts(*arguments)


async def _settle() -> None:
    """Let every task go on until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def _made(make: Callable[..., Any], arguments: Arguments) -> object:
    made = make(*arguments)
    return await made if asyncio.iscoroutine(made) else made


def _import(statement: str) -> tuple[int, float]:
    command = [sys.executable, "-c", IMPORT.format(statement=statement)]
    runs = [subprocess.check_output(command, text=True).split() for _ in range(IMPORTS)]
    return int(runs[0][0]), min(float(milliseconds) for _, milliseconds in runs)


def table(measured: dict[str, dict[str, float]]) -> str:
    kinds = dict.fromkeys(("request", "websocket", "accepted websocket", "waiting websocket"), "bytes")
    kinds["modules"] = "loaded"
    lines = [["footprint", *measured]]
    for kind, unit in (*kinds.items(), ("import ms", "")):
        figures = [f"{values[kind]:,.0f}" if kind in values else NONE for values in measured.values()]
        lines.append([f"{kind} {unit}".strip(), *figures])
    return aligned(lines)
