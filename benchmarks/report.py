"""What was measured, as text to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .contestants import FLOOR, RAW
from .results import Ratio, best_peer, minima_ratio, ratio
from .targets import Verdict, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NONE: Final = "-"


def tables(document: dict[str, Any], names: Iterable[str]) -> str:
    """The medians with the ratios, the minima, and who is not there and why."""
    names, rows = list(names), document["rows"].values()
    refusals = [
        f"{row['title']}: {name}: {reason}"
        for row in rows
        for name, reason in row["refused"].items()
        if name != FLOOR
    ]
    texts = [aligned(figures(rows, names, kind)) for kind in ("median", "minimum")]
    return "\n\n".join([*texts, "\n".join(["not there:", *refusals])])


def figures(rows: Iterable[dict[str, Any]], names: Sequence[str], kind: str) -> list[list[str]]:
    lines = [[f"{kind}, µs", *names, "best peer", "/ best peer", "/ raw"]]
    for row in rows:
        contestants, best = row["contestants"], best_peer(row, kind)
        if kind == "median":
            ratios = [spread(ratio(row, other)) for other in (best, RAW)]
        else:
            ratios = [plain(minima_ratio(row, other)) for other in (best, RAW)]
        cells = [figure(contestants[name][kind]) if name in contestants else NONE for name in names]
        lines.append([row["title"], *cells, best or NONE, *ratios])
    return lines


def targets(document: dict[str, Any]) -> str:
    """Every target, what was measured, and whether that is enough."""
    found = verdicts(document)
    if not found:
        return "no target belongs to what was measured"
    lines = [["target", "against", "wanted", "measured", "spread", ""]]
    lines += [
        [verdict.subject, against(verdict), wanted(verdict), figure(verdict.measured), span(verdict), mark]
        for verdict in found
        for mark in ["met" if verdict.is_met else "MISSED"]
    ]
    met = sum(verdict.is_met for verdict in found)
    return f"{aligned(lines)}\n\n{met} of {len(found)} targets are met"


def against(verdict: Verdict) -> str:
    return f"{verdict.against} ({verdict.peer})" if verdict.peer else verdict.against


def wanted(verdict: Verdict) -> str:
    return f"{'≥' if verdict.at_least else '≤'} {verdict.wanted:,.4g}"


def span(verdict: Verdict) -> str:
    return f"{verdict.spread[0]:.2f}-{verdict.spread[1]:.2f}" if verdict.spread else NONE


def figure(value: float) -> str:
    """A number with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def plain(value: float | None) -> str:
    return NONE if value is None else f"{value:.2f}"


def spread(measured: Ratio | None) -> str:
    if measured is None:
        return NONE
    return f"{measured.median:.2f} ({measured.lowest:.2f}-{measured.highest:.2f})"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines
    )
