"""What was measured, as tables to read and as JSON to keep.

Left out of the JSON: the machine's name and whatever else says whose it is.
"""

from __future__ import annotations

import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from .contestants import OURS, PEERS, RAW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from .timing import Measured

NONE: Final = "-"


def facts(contestants: dict[str, ModuleType]) -> dict[str, Any]:
    """What a figure depends on."""
    distributions = {module.DISTRIBUTION for module in contestants.values()}
    distributions |= {"msgspec", "multidict", "python-multipart"}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{sys.platform} {platform.machine()}",
        "versions": {name: version(name) for name in sorted(distributions)},
    }


def document(table: Sequence[Measured], about: dict[str, Any]) -> dict[str, Any]:
    """Everything, in microseconds."""
    rows = {}
    for measured in table:
        rows[measured.row.name] = {
            "title": measured.row.title,
            "contestants": {
                name: {
                    "median": median(rounds),
                    "minimum": min(rounds),
                    "rounds": [round(figure, 3) for figure in rounds],
                }
                for name, rounds in measured.rounds.items()
            },
            "refused": measured.refused,
            "best_peer": best_peer(measured),
            "against_best_peer": ratio(measured, best_peer(measured)),
            "against_raw": ratio(measured, RAW),
        }
    return {**about, "unit": "microseconds", "rows": rows}


def best_peer(measured: Measured, figure_of: Callable[[Iterable[float]], float] = median) -> str | None:
    """The peer with the smallest median, or whatever else is asked for."""
    there = [name for name in PEERS if name in measured.rounds]
    return min(there, key=lambda name: figure_of(measured.rounds[name]), default=None)


def ratio(measured: Measured, other: str | None) -> dict[str, float] | None:
    """Ours by another's, round by round: the median of that, and between what it was."""
    if other is None or not {OURS, other} <= measured.rounds.keys():
        return None
    pairs = zip(measured.rounds[OURS], measured.rounds[other], strict=True)
    ratios = [ours / theirs for ours, theirs in pairs if theirs]
    if not ratios:
        return None
    return {"median": median(ratios), "lowest": min(ratios), "highest": max(ratios)}


def tables(table: Sequence[Measured], names: Iterable[str]) -> str:
    """The medians with the ratios, the minima, and who is not there and why."""
    names = list(names)
    medians = [["median, µs", *names, "best peer", "/ best peer", "/ raw"]]
    minima = [["minimum, µs", *names, "best peer", "/ best peer", "/ raw"]]
    refusals = []
    for measured in table:
        title, rounds = measured.row.title, measured.rounds
        best = best_peer(measured)
        medians.append(
            [
                title,
                *(figure(median(rounds[name])) if name in rounds else NONE for name in names),
                best or NONE,
                spread(ratio(measured, best)),
                spread(ratio(measured, RAW)),
            ]
        )
        fastest = best_peer(measured, min)
        minima.append(
            [
                title,
                *(figure(min(rounds[name])) if name in rounds else NONE for name in names),
                fastest or NONE,
                ratio_of_minima(measured, fastest),
                ratio_of_minima(measured, RAW),
            ]
        )
        refusals += [f"{title}: {name}: {reason}" for name, reason in measured.refused.items()]
    return "\n\n".join([aligned(medians), aligned(minima), "\n".join(["not there:", *refusals])])


def ratio_of_minima(measured: Measured, other: str | None) -> str:
    """What says more than the medians where other programs use the machine too."""
    if other is None or not {OURS, other} <= measured.rounds.keys():
        return NONE
    theirs = min(measured.rounds[other])
    return f"{min(measured.rounds[OURS]) / theirs:.2f}" if theirs else NONE


def figure(value: float) -> str:
    """A number with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(ratios: dict[str, float] | None) -> str:
    if ratios is None:
        return NONE
    return f"{ratios['median']:.2f} ({ratios['lowest']:.2f}-{ratios['highest']:.2f})"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines
    )
