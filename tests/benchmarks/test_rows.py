"""The rows of the benchmark: every contestant returns the expected results. Nothing is timed here."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import contestants, timing
from benchmarks.inputs import Case, http_case
from benchmarks.rows import BLOCKS, IN_MEMORY, MEGABYTE, ROWS, Row

RAW, OURS = contestants.RAW, contestants.OURS
IO = Path("/proc/self/io")


def load(name: str) -> ModuleType:
    module = contestants.load(name)
    if module is None:
        pytest.skip(f"{name} is not installed")
    return module


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("name", contestants.NAMES)
def test_every_contestant_returns_the_expected_result(row: Row, name: str) -> None:
    module = load(name)
    if name not in {RAW, OURS} and not hasattr(module, row.name):
        pytest.skip(f"{name} does not support this row")
    assert asyncio.run(timing.reason_to_exclude(row, module)) == ""


@pytest.mark.skipif(not IO.exists(), reason="the system does not count the bytes that a process writes")
@pytest.mark.parametrize("name", contestants.NAMES)
def test_a_large_file_is_written_to_disk_outside_the_event_loop(name: str) -> None:
    """A contestant that does not is marked, because it does less work than the others."""
    module = load(name)
    if not hasattr(module, "multipart_file"):
        pytest.skip(f"{name} is not measured with files")
    (row,) = (row for row in ROWS if row.name == "multipart_file")
    thread = Path(f"/proc/self/task/{threading.get_native_id()}/io")
    before, before_here = written_bytes(IO), written_bytes(thread)
    assert asyncio.run(timing.reason_to_exclude(row, module)) == ""  # makes two calls
    written, written_here = written_bytes(IO) - before, written_bytes(thread) - before_here

    half = 10 * MEGABYTE  # Litestar writes the first megabyte of a file from the event loop
    reason = IN_MEMORY if written < half else BLOCKS if written_here > half else None
    assert row.unequal.get(name) == reason


def written_bytes(counters: Path) -> int:
    """Return the bytes that a process or a thread has written to files, pipes and sockets."""
    return int(counters.read_text().partition("wchar: ")[2].split()[0])


@pytest.mark.parametrize("name", contestants.NAMES)
def test_all_functions_of_a_row_are_of_the_same_kind(name: str) -> None:
    """Plain functions and coroutine functions are timed by different loops."""
    module, raw = load(name), load(RAW)
    different = [
        row.name
        for row in ROWS
        if hasattr(module, row.name)
        and inspect.iscoroutinefunction(getattr(module, row.name))
        is not inspect.iscoroutinefunction(getattr(raw, row.name))
    ]
    assert different == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_wrong_result_excludes_a_contestant(row: Row) -> None:
    contestant = ModuleType("contestant")
    function = getattr(load(RAW), row.name)

    async def wrong_coroutine(*_arguments: object) -> None: ...

    def wrong_function(*_arguments: object) -> None: ...

    is_coroutine = inspect.iscoroutinefunction(function)
    setattr(contestant, row.name, wrong_coroutine if is_coroutine else wrong_function)
    assert asyncio.run(timing.reason_to_exclude(row, contestant)) != ""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_two_inputs_are_equal(row: Row) -> None:
    """With equal inputs, a cache that outlives a request would be measured."""
    first, second = (parsed_input(row, seed) for seed in (10**12, 10**12 + 1000))
    assert first != second


def parsed_input(row: Row, seed: int) -> object:
    """Return what a row parses: the messages with content, or the scope if there are none."""
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


def test_row_names_are_unique() -> None:
    names = [row.name for row in ROWS]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("prepared", [1, 3])
def test_prepared_inputs_are_made_before_the_first_call(prepared: int) -> None:
    events: list[str] = []
    contestant = ModuleType("contestant")

    def make(seed: int) -> Case:
        events.append("make")
        return http_case(seed, True)

    def function(*_arguments: object) -> bool:
        events.append("call")
        return True

    contestant.function = function  # type: ignore[attr-defined]
    row = Row("function", "function", make, 6)
    timing.measure([row], {"contestant": contestant}, 1, prepared=prepared)

    one_batch = ["make"] * prepared + ["call"] * prepared
    assert events[-12:] == one_batch * (6 // prepared)
    assert logging.root.manager.disable == logging.NOTSET, "logging is disabled only during the measurement"
