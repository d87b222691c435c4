"""The comparison of two source trees measures both of them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import against

if TYPE_CHECKING:
    from pathlib import Path


def test_two_trees_are_compared(tmp_path: Path) -> None:
    shutil.copytree(against.HERE / "asgiwire", tmp_path / "asgiwire")
    lines = against.compare(tmp_path, ["construct"], 1, 100).splitlines()

    assert lines[0] == f"{against.HERE} relative to {tmp_path}"
    name, *figures = (cell.strip() for cell in lines[-1].strip("|").split("|"))
    assert name == "construct"
    assert len(figures) == 6
    assert float(figures[2]) > 0


def test_a_tree_that_is_not_imported_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="expected to import asgiwire from"):
        against.main(str(tmp_path), "1", "construct")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nonsense"], "unknown row: nonsense"), (["--against", "docs"], "no package asgiwire in")],
)
def test_wrong_arguments_are_reported(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    result = subprocess.run(command, cwd=against.ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert message in result.stderr
