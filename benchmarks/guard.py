"""The guard against slipping back: counts that noise cannot upset, beside those that were accepted.

``python -m benchmarks.guard`` does the hot rows of the table once each and counts, in asgiwire alone:

- ``bytecodes``: the instructions that the interpreter executes;
- ``calls``: of whatever is called from there, be it written in Python or in C;
- ``blocks``: memory blocks that the row leaves behind for as long as its result and its scope are kept.

Code of the standard library and of the dependencies is not counted, because other releases of it must not be
taken for a change of ours; that it is called is. Instructions differ from one Python to the next, so each
has a baseline of its own, and one that has none is not compared.

``python -m benchmarks.guard --write [PYTHON ...]`` accepts what is counted now: by this Python, and by each
other whose command is given.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import asgiwire

from .contestants import asgiwire as ours
from .rows import ROWS, Row

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

BASELINE: Final = Path(__file__).with_name("baseline.json")
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
OURS: Final = str(Path(asgiwire.__file__).parent)
COLD: Final = {"multipart_file", "multipart_many"}
"""Rows that wait for threads, or count what another one does."""

WARMING: Final = 3
KEPT: Final = 5
SEED: Final = 10**12

MARGIN: Final = {"bytecodes": 0.02, "calls": 0.02, "blocks": 0.02}
"""By what part a count may grow before it is called slipping back."""

SLACK: Final = {"bytecodes": 4, "calls": 1, "blocks": 4}
"""What it may grow by in any case; another release of multidict takes three blocks more or less."""

Counts = dict[str, dict[str, int]]


class Calls:
    """Counts what asgiwire calls, while it is the profile function."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        sys.setprofile(self._profile)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.setprofile(None)

    def _profile(self, frame: FrameType, event: str, _argument: object) -> None:
        caller = frame if event == "c_call" else frame.f_back if event == "call" else None
        if caller is not None and caller.f_code.co_filename.startswith(OURS):
            self.count += 1


class TracedBytecodes:
    """Counts the instructions of asgiwire, while it is the trace function."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        sys.settrace(self._trace)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Callable[..., Any] | None:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        self.count += event == "opcode"
        return self._trace


class MonitoredBytecodes:
    """The same where there is ``sys.monitoring``: there the trace function misses the first of each frame."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.PROFILER_ID, "benchmarks.guard")
        instruction = monitoring.events.INSTRUCTION
        monitoring.register_callback(monitoring.PROFILER_ID, instruction, self._instruction)
        monitoring.set_events(monitoring.PROFILER_ID, instruction)
        return self

    def __exit__(self, *_error: object) -> None:
        sys.monitoring.set_events(sys.monitoring.PROFILER_ID, 0)
        sys.monitoring.free_tool_id(sys.monitoring.PROFILER_ID)

    def _instruction(self, code: CodeType, _offset: int) -> object:
        if not code.co_filename.startswith(OURS):
            return sys.monitoring.DISABLE
        self.count += 1
        return None


Bytecodes = MonitoredBytecodes if sys.version_info >= (3, 12) else TracedBytecodes


async def done(row: Row, seed: int) -> tuple[object, object]:
    """Do a row once; what is kept alive is what a server and an application would keep."""
    arguments = row.make(seed).arguments
    returned = getattr(ours, row.name)(*arguments)
    return arguments, await returned if inspect.isawaitable(returned) else returned


async def counted(row: Row) -> dict[str, int]:
    """The counts of one row, once the interpreter has seen it."""
    for _ in range(WARMING):
        await done(row, SEED)
    with Calls() as calls:
        await done(row, SEED)
    with Bytecodes() as bytecodes:
        await done(row, SEED)
    return {"bytecodes": bytecodes.count, "calls": calls.count, "blocks": await blocks(row)}


async def blocks(row: Row) -> int:
    """The blocks that are left when the input is not counted; the least of several times."""
    counts = []
    for _ in range(KEPT):
        case = row.make(SEED)
        gc.collect()
        gc.disable()
        before = sys.getallocatedblocks()
        returned = getattr(ours, row.name)(*case.arguments)
        kept = await returned if inspect.isawaitable(returned) else returned
        counts.append(sys.getallocatedblocks() - before)
        gc.enable()
        del kept, returned, case
    return min(counts)


def count() -> Counts:
    """The counts of all hot rows."""
    return {row.name: asyncio.run(counted(row)) for row in ROWS if row.name not in COLD}


def accepted() -> dict[str, Counts]:
    """The baseline: the counts of each row by version of Python."""
    found: dict[str, Counts] = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    return found


def grown(counts: Counts, baseline: Counts) -> list[str]:
    """What exceeds the baseline by more than the margin, one sentence each."""
    sentences = []
    for row, figures in counts.items():
        for kind, figure in figures.items():
            before = baseline.get(row, {}).get(kind)
            if before is None:
                sentences.append(f"{row}: {kind}: there is no baseline")
            elif figure > before + max(SLACK[kind], before * MARGIN[kind]):
                sentences.append(f"{row}: {kind}: {figure:,}, the baseline is {before:,}")
    return sentences


def write(pythons: list[str]) -> None:
    """Accept the counts of this Python and of others."""
    written = accepted() | {PYTHON: count()}
    for python in pythons:
        command = [python, "-m", "benchmarks.guard", "--json"]
        written |= json.loads(subprocess.check_output(command, text=True))
    BASELINE.write_text(json.dumps(dict(sorted(written.items())), indent=1) + "\n")


def table(counts: Counts, baseline: Counts) -> str:
    lines = [f"{'Python ' + PYTHON:20}" + "".join(f"{kind:>20}" for kind in MARGIN)]
    for row, figures in counts.items():
        cells = [f"{figures[kind]:,} ({baseline.get(row, {}).get(kind, 0):,})" for kind in MARGIN]
        lines.append(f"{row:20}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.guard",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="accept the counts")
    parser.add_argument("--json", action="store_true", help="print them as JSON, and compare nothing")
    parser.add_argument("pythons", nargs="*", metavar="PYTHON", help="others whose counts are to be accepted")
    options = parser.parse_args()
    if options.json:
        print(json.dumps({PYTHON: count()}))
    elif options.write:
        write(options.pythons)
    else:
        counts, baseline = count(), accepted().get(PYTHON, {})
        print(table(counts, baseline))
        if sentences := grown(counts, baseline):
            sys.exit("\n".join(["grown:", *sentences, "to accept it: python -m benchmarks.guard --write"]))


if __name__ == "__main__":
    main()
