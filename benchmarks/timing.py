"""How the rows are timed.

- Before the measurement, each contestant must return the expected result for two inputs. Otherwise it is
  excluded from the row, and the report gives the reason.
- All contestants run in one process and alternate: each round has every row, and each row every contestant.
  The order rotates from round to round, so that a slow phase of the machine affects all of them.
- As on a server, one input is made, the call is timed, its scope is released, and then the next input is
  made. Or many inputs are made first, and one measured time has all their calls. The processor's caches
  contain an input in the first case, and not in the second.
- Inputs are made and released outside the measured time, and are different for every call. The time includes
  the release of the request object; it does not include the scope, in which some contestants store what
  others only return.
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
    from collections.abc import Awaitable, Callable, Sequence
    from types import ModuleType

    from .inputs import Arguments, Receive, Scope, Send
    from .rows import Row

SEEDS = itertools.count(10**12, 1000)
"""The number of each input. An input made of many parts uses the numbers up to the next one."""

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
    rows: Sequence[Row],
    contestants: dict[str, ModuleType],
    rounds: int,
    divisor: int = 1,
    prepared: int = 1,
) -> list[RowResult]:
    """Measure all rows.

    Args:
        rows: The rows.
        contestants: The module of each contestant.
        rounds: Measurements of each contestant in each row.
        divisor: Divides the calls of each row in a round.
        prepared: Inputs that are made before the first of them is used.
    """
    logging.disable()
    try:
        return asyncio.run(_measure(rows, contestants, rounds, divisor, prepared))
    finally:
        logging.disable(logging.NOTSET)


async def _measure(
    rows: Sequence[Row], contestants: dict[str, ModuleType], rounds: int, divisor: int, prepared: int
) -> list[RowResult]:
    results = [RowResult(row) for row in rows]
    for result in results:
        for name, module in contestants.items():
            if reason := await reason_to_exclude(result.row, module):
                result.excluded[name] = reason
            else:
                result.rounds[name] = []
                function = getattr(module, result.row.name)
                await _time(result.row, module, function, min(WARMUP, result.row.count), prepared)
    gc.collect()
    gc.freeze()  # imported modules need not be traversed before every measurement
    for number in range(rounds):
        for result in results:
            await _run_round(result, contestants, number, divisor, prepared)
    gc.unfreeze()
    for result in results:
        overhead = min(result.overheads, default=0)
        result.rounds = {
            name: [max(0.0, duration - overhead) for duration in durations]
            for name, durations in result.rounds.items()
        }
    return results


async def _run_round(
    result: RowResult, contestants: dict[str, ModuleType], number: int, divisor: int, prepared: int
) -> None:
    names = [*result.rounds]
    if not names:
        return
    row = result.row
    count = max(1, row.count // divisor)
    functions = {name: getattr(contestants[name], row.name) for name in names}
    empty = empty_coroutine if inspect.iscoroutinefunction(functions[names[0]]) else empty_function
    result.overheads.append(await _time(row, contestants[names[0]], empty, count, prepared))
    first = number % len(names)
    for name in names[first:] + names[:first]:
        result.rounds[name].append(await _time(row, contestants[name], functions[name], count, prepared))


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


async def _time(
    row: Row, module: ModuleType, function: Callable[..., Any], count: int, prepared: int
) -> float:
    """Return the microseconds per call."""
    time_calls = _await_all if inspect.iscoroutinefunction(function) else _call_all
    gc.collect()
    gc.disable()
    duration = 0
    for done in range(0, count, prepared):
        seeds = itertools.islice(SEEDS, min(prepared, count - done))
        calls = [_prepared_input(row, module, seed) for seed in seeds]
        duration += await time_calls(function, calls)
        del calls  # releases the memory of a body before the next one is made
    gc.enable()
    return duration / count / 1000


def _prepared_input(row: Row, module: ModuleType, seed: int) -> Arguments:
    arguments = row.make(seed).arguments
    prepare(module, arguments)
    return arguments


async def _call_all(function: Callable[..., Any], calls: list[Arguments]) -> int:
    start = perf_counter_ns()
    for scope, receive, send in calls:
        function(scope, receive, send)
    return perf_counter_ns() - start


async def _await_all(function: Callable[..., Awaitable[Any]], calls: list[Arguments]) -> int:
    start = perf_counter_ns()
    for scope, receive, send in calls:
        _returned = await function(scope, receive, send)  # the last one is released after the measured time
    return perf_counter_ns() - start


def empty_function(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing; its time is subtracted from that of plain functions."""


async def empty_coroutine(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing; its time is subtracted from that of coroutine functions."""
