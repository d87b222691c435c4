"""The rows of the benchmark mean what they say: every contestant reads the same. Nothing is timed here."""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import contestants, timing
from benchmarks.rows import MEGABYTE, ROWS, Row

RAW, OURS = contestants.RAW, contestants.OURS
IO = Path("/proc/self/io")


def loaded(name: str) -> ModuleType:
    module = contestants.load(name)
    if module is None:
        pytest.skip(f"{name} is not installed")
    return module


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("name", contestants.NAMES)
def test_results_are_the_expected_ones(row: Row, name: str) -> None:
    module = loaded(name)
    if name not in {RAW, OURS} and not hasattr(module, row.name):
        pytest.skip(f"{name} cannot do it")
    assert asyncio.run(timing.disagreement(row, module)) == ""


@pytest.mark.skipif(not IO.exists(), reason="the system does not say what a process writes")
@pytest.mark.parametrize("name", [name for name in contestants.NAMES if name != contestants.FLOOR])
def test_a_large_file_is_written_to_disk(name: str) -> None:
    """Whoever keeps it in memory has less to do, and cannot take many at once."""
    module = loaded(name)
    (row,) = (row for row in ROWS if row.name == "multipart_file")
    before = written()
    assert asyncio.run(timing.disagreement(row, module)) == ""  # looks at two
    assert written() - before >= 2 * 10 * MEGABYTE


def written() -> int:
    """Bytes that this process has written to anything."""
    return int(IO.read_text().partition("wchar: ")[2].split()[0])


@pytest.mark.parametrize("name", contestants.NAMES)
def test_contestants_are_called_alike(name: str) -> None:
    """A row of coroutine functions and plain ones would be timed by two loops."""
    module, raw = loaded(name), loaded(RAW)
    different = [
        row.name
        for row in ROWS
        if hasattr(module, row.name)
        and inspect.iscoroutinefunction(getattr(module, row.name))
        is not inspect.iscoroutinefunction(getattr(raw, row.name))
    ]
    assert different == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_another_result_is_refused(row: Row) -> None:
    contestant = ModuleType("contestant")
    function = getattr(loaded(RAW), row.name)

    async def wrong_and_awaited(*_arguments: object) -> None: ...

    def wrong(*_arguments: object) -> None: ...

    setattr(contestant, row.name, wrong_and_awaited if inspect.iscoroutinefunction(function) else wrong)
    assert asyncio.run(timing.disagreement(row, contestant)) != ""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_two_inputs_are_alike(row: Row) -> None:
    """A cache that outlives a request would be measured otherwise."""
    first, second = (parsed_bytes(row, seed) for seed in (10**12, 10**12 + 1000))
    assert first != second


def parsed_bytes(row: Row, seed: int) -> object:
    """What is parsed in a row: the messages where there is anything in them, else the scope."""
    scope, receive, _ = row.make(seed).arguments

    async def messages() -> list[object]:
        received: list[object] = []
        while True:
            try:
                message = await receive()
            except RuntimeError:
                return received
            if message.get("body") or message.get("text"):
                received.append(message)

    return asyncio.run(messages()) or scope


def test_a_row_is_named_once() -> None:
    names = [row.name for row in ROWS]
    assert sorted(set(names)) == sorted(names)
