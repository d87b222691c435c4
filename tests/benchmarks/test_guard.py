"""asgiwire does no more for the hot rows than what was accepted, whatever the machine is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import guard

ROOT = Path(__file__).parent.parent.parent
ACCEPT = "if that is right, accept it: python -m benchmarks.guard --write [PYTHON ...]"


def test_nothing_has_slipped_back() -> None:
    baseline = guard.accepted().get(guard.PYTHON)
    if baseline is None:
        pytest.skip(f"Python {guard.PYTHON} has no baseline")
    # In a process of its own: coverage traces this one, and its caches are as warm as other tests left them.
    command = [sys.executable, "-m", "benchmarks.guard", "--json"]
    counts = json.loads(subprocess.check_output(command, cwd=ROOT, text=True))[guard.PYTHON]

    assert all(figures["bytecodes"] > 0 for figures in counts.values())
    grown = guard.grown(counts, baseline)
    assert not grown, "\n".join(["asgiwire does more than it did:", *grown, ACCEPT])


@pytest.mark.parametrize(("kind", "most"), [("bytecodes", 1020), ("calls", 1020), ("blocks", 1020)])
def test_a_count_may_grow_by_its_margin(kind: str, most: int) -> None:
    baseline = {"row": {kind: 1000}}

    assert guard.grown({"row": {kind: most}}, baseline) == []
    assert guard.grown({"row": {kind: most + 1}}, baseline) == [
        f"row: {kind}: 1,021, the baseline is 1,000",
    ]


@pytest.mark.parametrize("kind", guard.SLACK)
def test_a_small_count_may_grow_by_a_little(kind: str) -> None:
    baseline = {"row": {kind: 10}}

    assert guard.grown({"row": {kind: 10 + guard.SLACK[kind]}}, baseline) == []
    assert len(guard.grown({"row": {kind: 11 + guard.SLACK[kind]}}, baseline)) == 1


def test_a_new_row_needs_a_baseline() -> None:
    assert guard.grown({"row": {"calls": 1}}, {}) == ["row: calls: there is no baseline"]


def test_every_supported_python_of_the_suite_has_the_same_rows() -> None:
    rows = [sorted(counts) for counts in guard.accepted().values()]

    assert rows == rows[:1] * len(rows)


def test_the_table_shows_both() -> None:
    counts = {"typical": {"bytecodes": 1500, "calls": 20, "blocks": 7}}
    lines = guard.table(counts, {"typical": {"bytecodes": 1400, "calls": 21, "blocks": 7}}).splitlines()

    assert lines[1].split() == ["typical", "1,500", "(1,400)", "20", "(21)", "7", "(7)"]
