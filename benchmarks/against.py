"""Compare asgiwire in two source trees, row by row.

Figures of separate runs differ by more than a change to the code does, so the trees are measured in
alternating subprocesses and only the ratios count. Both trees run the benchmark code of this checkout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import asgiwire

from .report import figure, table
from .rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).parent.parent
HERE: Final = Path(asgiwire.__file__).parent.parent
"""The directory from which this process imports asgiwire."""


def compare(other: Path, rows: Sequence[str], rounds: int, divisor: int = 1) -> str:
    """Return a table with the time in this tree divided by the time in the other, for each row.

    Args:
        other: The directory that contains the other ``asgiwire`` package, such as ``../other/src``.
        rows: Names of rows.
        rounds: Pairs of subprocesses.
        divisor: Divides the calls of each row in a round.
    """
    times: dict[tuple[Path, str], list[float]] = defaultdict(list)
    for number in range(rounds):
        for source in (HERE, other) if number % 2 else (other, HERE):
            for name, figures in _measure(source, rows, divisor, seed=number).items():
                times[source, name] += figures
    lines = []
    for name in rows:
        ours, theirs = times[HERE, name], times[other, name]
        minima, medians = (min(ours), min(theirs)), (median(ours), median(theirs))
        ratios = [f"{one / another:.3f}" for one, another in (minima, medians)]
        lines.append([name, *map(figure, minima), ratios[0], *map(figure, medians), ratios[1]])
    head = ["row, µs", "minimum", "of the other", "ratio", "median", "of the other", "ratio"]
    return f"{HERE} relative to {other}\n\n{table(head, lines)}"


def _measure(source: Path, rows: Sequence[str], divisor: int, seed: int) -> dict[str, list[float]]:
    # The same hash seed for both trees of a pair, because it affects the speed of dictionaries.
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": str(seed)}
    command = [sys.executable, "-m", __name__, str(source), str(divisor), *rows]
    output = subprocess.check_output(command, cwd=ROOT, env=environment, text=True)
    figures: dict[str, list[float]] = json.loads(output)
    return figures


def main(source: str, divisor: str, *names: str) -> None:
    """Measure rows of the tree that this process imports, and print their rounds as JSON."""
    from . import contestants, timing  # noqa: PLC0415 - imports asgiwire's classes, only in the subprocess

    if Path(source) != HERE:
        sys.exit(f"expected to import asgiwire from {source}, got {HERE}")
    rows = [row for row in ROWS if row.name in names]
    module = contestants.load(contestants.OURS)
    assert module
    results = timing.measure(rows, {contestants.OURS: module}, 5, int(divisor))
    print(json.dumps({result.row.name: result.rounds[contestants.OURS] for result in results}))


if __name__ == "__main__":
    main(*sys.argv[1:])
