"""How the rows are timed.

- Before the measurement, each contestant must return the expected result for two inputs. Otherwise it is
  excluded from the row, and the report gives the reason.
- All contestants run in one process and alternate: each round has every row, and each row every contestant.
  The order rotates from round to round, so that a slow phase of the machine affects all of them.
- Inputs are made outside the measured time, new for every call and shortly before it. A server also makes
  them shortly before, so they are in the processor's cache. For a plain function, the time includes the
  release of the returned object. For a coroutine, neither the result nor the scope is released within the
  measured time, because some contestants store in the scope what others only return.
- One task of one asyncio loop awaits the coroutines, so a coroutine that never suspends does not reach the
  loop.
- The garbage collector runs before each measurement and is disabled during it. Logging is disabled.
- The time of an empty function that is called in the same way is subtracted. It is the minimum of all
  rounds, because a single measurement is noisy compared with the shortest rows.
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
"""The number of each input. An input made of many parts uses the numbers up to the next one."""

BATCH = 16
"""Inputs that are made at once, because the calls of plain functions are too short to be timed singly."""

WARMUP = 10
"""Calls that are not measured, in which the interpreter specializes the bytecode."""


@dataclass(slots=True)
class RowResult:
    """The measurements of one row.

    Attributes:
        row: The row.
        rounds: Microseconds per call in each round, by contestant.
        overheads: Microseconds per call of an empty function in each round.
        excluded: Why a contestant is not in the row, by contestant.
    """

    row: Row
    rounds: dict[str, list[float]] = field(default_factory=dict)
    overheads: list[float] = field(default_factory=list)
    excluded: dict[str, str] = field(default_factory=dict)


def measure(
    rows: Sequence[Row], contestants: dict[str, ModuleType], rounds: int, divisor: int = 1
) -> list[RowResult]:
    """Measure all rows; ``divisor`` divides the calls of each row in a round."""
    logging.disable()
    return asyncio.run(_measure(rows, contestants, rounds, divisor))


async def _measure(
    rows: Sequence[Row], contestants: dict[str, ModuleType], rounds: int, divisor: int
) -> list[RowResult]:
    results = [RowResult(row) for row in rows]
    for result in results:
        for name, module in contestants.items():
            if reason := await reason_to_exclude(result.row, module):
                result.excluded[name] = reason
            else:
                result.rounds[name] = []
                await _time_row(result.row, module, min(WARMUP, result.row.count))
    gc.collect()
    gc.freeze()  # imported modules need not be traversed before every measurement
    for number in range(rounds):
        for result in results:
            await _run_round(result, contestants, number, divisor)
    gc.unfreeze()
    for result in results:
        overhead = min(result.overheads, default=0)
        result.rounds = {
            name: [max(0.0, duration - overhead) for duration in durations]
            for name, durations in result.rounds.items()
        }
    return results


async def _run_round(
    result: RowResult, contestants: dict[str, ModuleType], number: int, divisor: int
) -> None:
    names = [*result.rounds]
    if not names:
        return
    row = result.row
    count = max(1, row.count // divisor)
    is_coroutine = inspect.iscoroutinefunction(getattr(contestants[names[0]], row.name))
    empty = empty_coroutine if is_coroutine else empty_function
    result.overheads.append(await _time_function(row, contestants[names[0]], empty, count))
    first = number % len(names)
    for name in names[first:] + names[:first]:
        result.rounds[name].append(await _time_row(row, contestants[name], count))


async def reason_to_exclude(row: Row, module: ModuleType) -> str:
    """Return why a contestant cannot be in a row, or ``""`` if it can."""
    function = getattr(module, row.name, None)
    if function is None:
        return "not supported"
    for seed in itertools.islice(SEEDS, 2):
        case = row.make(seed)
        prepare(module, case.arguments)
        try:
            returned = function(*case.arguments)
            if inspect.isawaitable(returned):
                returned = await returned
            result = row.result(module, case, returned)
        except Exception as error:  # any error of a contestant excludes it
            return f"{type(error).__name__}: {error}"[:200]
        if result != case.expected:
            return "unexpected result"
    return ""


def prepare(module: ModuleType, arguments: Arguments) -> None:
    """Let a contestant add to the scope what its framework's router sets."""
    if hasattr(module, "prepare"):
        module.prepare(arguments[0])


async def _time_row(row: Row, module: ModuleType, count: int) -> float:
    return await _time_function(row, module, getattr(module, row.name), count)


async def _time_function(row: Row, module: ModuleType, function: Callable[..., Any], count: int) -> float:
    """Return the microseconds per call."""
    gc.collect()
    gc.disable()
    try:
        if inspect.iscoroutinefunction(function):
            duration = await _await_all(row, module, function, count)
        else:
            duration = _call_all(row, module, function, count)
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


def _call_all(row: Row, module: ModuleType, function: Callable[..., Any], count: int) -> int:
    duration = 0
    for calls in _batches(row, module, count):
        start = perf_counter_ns()
        for scope, receive, send in calls:
            function(scope, receive, send)
        duration += perf_counter_ns() - start
    return duration


async def _await_all(
    row: Row, module: ModuleType, function: Callable[..., Awaitable[Any]], count: int
) -> int:
    # Each call's scope and result are released before the next call and outside the measured time. A body
    # stored in the scope would otherwise make the next call allocate fresh memory.
    duration = 0
    for calls in _batches(row, module, count):
        while calls:
            scope, receive, send = calls.pop()
            start = perf_counter_ns()
            returned = await function(scope, receive, send)
            duration += perf_counter_ns() - start
            del returned
    return duration


def empty_function(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing; its time is subtracted from that of plain functions."""


async def empty_coroutine(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing; its time is subtracted from that of coroutine functions."""
