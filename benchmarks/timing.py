"""How the rows are timed, so that a figure means something.

- Before anything is timed, each contestant has to give the row's result for two inputs; who does not is left
  out of the row, and the reason is printed.
- All are in one process and take turns: each round has every row, each row every contestant, and who begins
  moves on from round to round. So what slows the machine down for a while slows all of them down.
- Inputs are made off the clock, new for every call, no two alike, and a few calls before they are needed: a
  server makes them just before, so that the processor still has them at hand. What is timed of a plain
  function is the call and the death of what it returned. Where bodies are read, that and the scope die off
  the clock, for some keep in the scope what others only return.
- Coroutines are awaited by one task of one asyncio loop, to which nobody returns who does not really wait.
- The garbage collector runs before each measurement and is off during it. Logging is off.
- What an empty function costs, called in the same way in the same round, is subtracted.
"""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import logging
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from types import ModuleType

    from .inputs import Arguments, Receive, Scope, Send
    from .rows import Row

SEEDS = itertools.count(10**12, 1000)
"""The number of each input; the distance leaves room for inputs that are made of many."""

BATCH = 16
"""Inputs that are made at once; the calls of a plain function are too short to be timed one by one."""

WARMING = 10
"""Calls that do not count: the interpreter specialises code that it has seen a few times."""


@dataclass(slots=True)
class Measured:
    """What has come of one row.

    Attributes:
        row: The row.
        rounds: Microseconds per call by contestant, one figure a round.
        refused: Why a contestant is not there, by contestant.
    """

    row: Row
    rounds: dict[str, list[float]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def measure(
    rows: Sequence[Row], contestants: dict[str, ModuleType], rounds: int, quickness: int = 1
) -> list[Measured]:
    """Measure all rows, each done a ``quickness``-th of its usual times a round."""
    logging.disable()
    return asyncio.run(_measure(rows, contestants, rounds, quickness))


async def _measure(
    rows: Sequence[Row], contestants: dict[str, ModuleType], rounds: int, quickness: int
) -> list[Measured]:
    table = [Measured(row) for row in rows]
    for measured in table:
        for name, module in contestants.items():
            refusal = await disagreement(measured.row, module)
            if refusal:
                measured.refused[name] = refusal
            else:
                measured.rounds[name] = []
                await timed(measured.row, module, min(WARMING, measured.row.count))
    gc.collect()
    gc.freeze()  # what is imported by now is not looked through before every measurement
    for number in range(rounds):
        for measured in table:
            await _round(measured, contestants, number, quickness)
    gc.unfreeze()
    return table


async def _round(measured: Measured, contestants: dict[str, ModuleType], number: int, quickness: int) -> None:
    names = [*measured.rounds]
    count = max(1, measured.row.count // quickness)
    idle = await _idle(measured.row, count, contestants[names[0]]) if names else 0.0
    begin = number % max(1, len(names))
    for name in names[begin:] + names[:begin]:
        duration = await timed(measured.row, contestants[name], count)
        measured.rounds[name].append(max(0.0, duration - idle))


async def disagreement(row: Row, module: ModuleType) -> str:
    """Why a contestant cannot be in a row: ``""`` if it can."""
    function = getattr(module, row.name, None)
    if function is None:
        return "cannot do it"
    for seed in itertools.islice(SEEDS, 2):
        case = row.make(seed)
        prepare(module, case.arguments)
        try:
            returned = function(*case.arguments)
            if inspect.isawaitable(returned):
                returned = await returned
            if hasattr(module, "READS_NOTHING"):
                continue
            result = row.result(module, case, returned)
        except Exception as error:  # whatever it is that it cannot do
            return f"{type(error).__name__}: {error}"[:200]
        if result != case.expected:
            return "has another result"
    return ""


def prepare(module: ModuleType, arguments: Arguments) -> None:
    if hasattr(module, "prepare"):
        module.prepare(arguments[0])


async def timed(row: Row, module: ModuleType, count: int) -> float:
    """Microseconds per call."""
    return await _clocked(row, module, getattr(module, row.name), count)


async def _clocked(row: Row, module: ModuleType, function: Callable[..., Any], count: int) -> float:
    gc.collect()
    gc.disable()
    try:
        if inspect.iscoroutinefunction(function):
            duration = await _all_awaited(row, module, function, count)
        else:
            duration = _all_called(row, module, function, count)
    finally:
        gc.enable()
    return duration / count / 1000


def _batches(row: Row, module: ModuleType, count: int) -> Iterator[list[Arguments]]:
    for done in range(0, count, BATCH):
        seeds = itertools.islice(SEEDS, min(BATCH, count - done))
        calls = [row.make(seed).arguments for seed in seeds]
        for arguments in calls:
            prepare(module, arguments)
        yield calls


def _all_called(row: Row, module: ModuleType, function: Callable[..., Any], count: int) -> int:
    duration = 0
    for calls in _batches(row, module, count):
        start = perf_counter_ns()
        for scope, receive, send in calls:
            function(scope, receive, send)
        duration += perf_counter_ns() - start
    return duration


async def _all_awaited(
    row: Row, module: ModuleType, function: Callable[..., Awaitable[Any]], count: int
) -> int:
    # A body that a contestant keeps in the scope would otherwise make the next call pay for fresh memory, and
    # a document that is kept there would be the only one whose death is not paid for.
    duration = 0
    for calls in _batches(row, module, count):
        while calls:
            scope, receive, send = calls.pop()
            start = perf_counter_ns()
            returned = await function(scope, receive, send)
            duration += perf_counter_ns() - start
            del returned
    return duration


async def _idle(row: Row, count: int, module: ModuleType) -> float:
    """What the loop and the call cost alone."""
    is_coroutine = inspect.iscoroutinefunction(getattr(module, row.name))
    return await _clocked(row, module, nothing_awaited if is_coroutine else nothing, count)


def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Do what is subtracted of a plain function."""


async def nothing_awaited(scope: Scope, receive: Receive, send: Send) -> None:
    """Do what is subtracted of a coroutine function."""
