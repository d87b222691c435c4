"""What was measured, as the JSON that is kept, and what is computed from it.

Left out of the JSON: the machine's name and whatever else says whose it is.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from .contestants import OURS, PEERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    from .timing import Measured


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ours by another's: of each round the two are divided, and this is what came of it."""

    median: float
    lowest: float
    highest: float


def facts(contestants: dict[str, ModuleType]) -> dict[str, Any]:
    """What a figure depends on."""
    distributions = {module.DISTRIBUTION for module in contestants.values()}
    distributions |= {"msgspec", "multidict", "python-multipart"}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{sys.platform} {platform.machine()}",
        "versions": {name: found for name in sorted(distributions) if (found := installed(name))},
    }


def cpu() -> str:
    """The model of the processor."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def installed(distribution: str) -> str | None:
    """The version of what is installed; what runs from a checkout has none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def rows(table: Sequence[Measured]) -> dict[str, Any]:
    """The rows, in microseconds."""
    return {
        measured.row.name: {
            "title": measured.row.title,
            "contestants": {
                name: {
                    "median": round(median(figures), 4),
                    "minimum": round(min(figures), 4),
                    "rounds": [round(figure, 4) for figure in figures],
                }
                for name, figures in measured.rounds.items()
            },
            "refused": measured.refused,
        }
        for measured in table
    }


def best_peer(row: dict[str, Any], kind: str = "median") -> str | None:
    """The peer with the smallest median, or the smallest minimum."""
    there = [name for name in PEERS if name in row["contestants"]]
    return min(there, key=lambda name: row["contestants"][name][kind], default=None)


def ratio(row: dict[str, Any], other: str | None) -> Ratio | None:
    """Ours by another's, or ``None`` where one of them is not there."""
    contestants = row["contestants"]
    if other is None or not {OURS, other} <= contestants.keys():
        return None
    return divided(contestants[OURS]["rounds"], contestants[other]["rounds"])


def divided(ours: Iterable[float], theirs: Iterable[float]) -> Ratio | None:
    """The ratios round by round, of rounds in which there is something to divide by."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True) if other]
    return Ratio(median(ratios), min(ratios), max(ratios)) if ratios else None


def minima_ratio(row: dict[str, Any], other: str | None) -> float | None:
    """What says more than the medians where other programs use the machine too."""
    contestants = row["contestants"]
    if other is None or not {OURS, other} <= contestants.keys() or not contestants[other]["minimum"]:
        return None
    result: float = contestants[OURS]["minimum"] / contestants[other]["minimum"]
    return result
