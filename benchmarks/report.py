"""The report of one run or several: ratios, targets, Markdown tables and the chart.

``python -m benchmarks`` prints it for its own run. ``python -m benchmarks.report [RUN ...]`` writes it into
``docs/explanation/speed.md`` and draws ``speed.svg``, from the runs in ``benchmarks/runs`` by default.

A run is a dictionary that can be stored as JSON, with the parts of ``SECTIONS`` that were measured. It
contains nothing that identifies the machine beyond processor and platform.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from math import log10
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from . import targets
from .contestants import NAMES, OURS, PEERS, RAW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from .timing import RowResult

Run: TypeAlias = dict[str, Any]
Row: TypeAlias = dict[str, Any]

ROOT: Final = Path(__file__).parent.parent
RUNS: Final = Path(__file__).parent / "runs"
PAGE: Final = ROOT / "docs" / "explanation" / "speed.md"
CHART: Final = PAGE.with_suffix(".svg")
BEGIN: Final = "<!-- begin: written by python -m benchmarks.report -->\n"
END: Final = "<!-- end -->\n"
NONE: Final = "-"


# --- A run as JSON ---


def describe_machine(contestants: dict[str, ModuleType]) -> Run:
    """Return what the figures depend on: date, processor, Python and versions."""
    distributions = {module.DISTRIBUTION for module in contestants.values()}
    distributions |= {"msgspec", "multidict", "python-multipart"}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{sys.platform} {platform.machine()}",
        "versions": {name: found for name in sorted(distributions) if (found := _version(name))},
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:  # asgiwire, imported from a checkout
        return None


def store_rows(results: Iterable[RowResult]) -> dict[str, Row]:
    """Convert the measured rows, in microseconds, to what a run stores."""
    return {
        result.row.name: {
            "title": result.row.title,
            "contestants": {
                name: _summary([round(figure, 4) for figure in rounds])
                for name, rounds in result.rounds.items()
            },
            "excluded": result.excluded,
        }
        for result in results
    }


def _summary(rounds: list[float]) -> dict[str, Any]:
    return {"median": round(median(rounds), 4), "minimum": min(rounds), "rounds": rounds}


def merge_rows(runs: Sequence[Run]) -> dict[str, Row]:
    """Return the rows of the last run, with the rounds of all runs."""
    merged = {}
    for name, last in runs[-1].get("rows", {}).items():
        rows = [run["rows"][name] for run in runs if name in run.get("rows", {})]
        merged[name] = {
            **last,
            "contestants": {
                contestant: _summary(
                    [one for row in rows for one in row["contestants"][contestant]["rounds"]]
                )
                for contestant in last["contestants"]
            },
        }
    return merged


# --- Ratios and targets ---


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median, minimum and maximum of the ratios of all rounds."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lowest:.2f}–{self.highest:.2f})"


def ratio_by_round(ours: Iterable[float], theirs: Iterable[float]) -> Ratio | None:
    """Divide round by round, except where the divisor is 0."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True) if other]
    return Ratio(median(ratios), min(ratios), max(ratios)) if ratios else None


def row_ratio(row: Row, other: str | None) -> Ratio | None:
    """Return the time of asgiwire relative to another contestant, or ``None`` if one of them is missing."""
    contestants = row["contestants"]
    if other is None or not {OURS, other} <= contestants.keys():
        return None
    return ratio_by_round(contestants[OURS]["rounds"], contestants[other]["rounds"])


def best_peer(row: Row) -> str | None:
    """Return the peer with the smallest median."""
    names = [name for name in PEERS if name in row["contestants"]]
    return min(names, key=lambda name: row["contestants"][name]["median"], default=None)


@dataclass(frozen=True, slots=True)
class TargetResult:
    """A target and what one run measured.

    Attributes:
        subject: The row, or what else was measured.
        reference: The contestant whose figure is 1, or the unit.
        target: The maximum, or the minimum if ``at_least``.
        measured: The figure, or the ratio of the rounds.
        at_least: Whether more is better.
    """

    subject: str
    reference: str
    target: float
    measured: float | Ratio
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        value = self.measured.median if isinstance(self.measured, Ratio) else self.measured
        return value >= self.target if self.at_least else value <= self.target


def check_targets(run: Run) -> Iterator[TargetResult]:
    """Compare every measured part of a run with its targets."""
    for name, row in run.get("rows", {}).items():
        if ratio := row_ratio(row, best_peer(row)):
            yield TargetResult(row["title"], "best peer", targets.BEST_PEER, ratio)
        for other, maxima in targets.AGAINST.items():
            if name in maxima and (ratio := row_ratio(row, other)):
                yield TargetResult(row["title"], other, maxima[name], ratio)
    for kind, values in run.get("growth", {}).items():
        if kind != targets.CONTROL:
            yield TargetResult(kind, "exponent", targets.EXPONENT, values["exponent"])
    yield from _check_footprint(run.get("footprint", {}))
    for name, figures in run.get("upload", {}).get("readers", {}).items():
        maximum, grown = targets.UPLOAD_GROWTH / 1e6, figures["growth"] / 1e6
        yield TargetResult(f"upload through {name}", "MB of growth", maximum, grown)
    for setup, rounds in run.get("server", {}).get("rounds", {}).items():
        if {OURS, RAW} <= rounds.keys() and (ratio := ratio_by_round(rounds[OURS], rounds[RAW])):
            yield TargetResult(f"requests/s on {setup}", RAW, targets.SERVER, ratio, at_least=True)


def _check_footprint(footprint: dict[str, dict[str, float]]) -> Iterator[TargetResult]:
    ours = footprint.get(OURS, {})
    for kind in targets.IDLE:
        theirs = [footprint[name][kind] for name in PEERS if kind in footprint.get(name, {})]
        if theirs and kind in ours:
            yield TargetResult(f"bytes per {kind}", "best peer", 1, ours[kind] / min(theirs))
    if "modules" in ours:
        modules = ours.get("package", ours["modules"])
        yield TargetResult("import asgiwire", "modules loaded", targets.MODULES, modules)


# --- Markdown ---


def rows_section(runs: Sequence[Run]) -> str:
    head = ["row", "asgiwire", "best peer", "hand-written", "asgiwire / best peer", "asgiwire / hand-written"]
    lines = []
    for name, row in merge_rows(runs).items():
        contestants, best = row["contestants"], best_peer(row)
        lines.append(
            [
                row["title"],
                _cell(contestants, OURS),
                f"{_cell(contestants, best)} ({best})" if best else NONE,
                _cell(contestants, RAW),
                _ratio_cell(runs, name, None, targets.BEST_PEER),
                _ratio_cell(runs, name, RAW, targets.AGAINST[RAW].get(name)),
            ]
        )
    return (
        "Times are medians of all rounds, in microseconds. There is one ratio for each run: the median of its"
        " rounds, with the lowest and the highest in parentheses. ✓ means that every run met the target, ✗"
        f" that one did not; other ratios have no target.\n\n{table(head, lines)}"
    )


def contestants_section(runs: Sequence[Run], kind: str = "median") -> str:
    """Return a table of every contestant's median or minimum."""
    rows = merge_rows(runs).values()
    names = [name for name in NAMES if any(name in row["contestants"] for row in rows)]
    lines = [[row["title"], *(_cell(row["contestants"], name, kind) for name in names)] for row in rows]
    return table([f"{kind}, µs", *names], lines)


def excluded_section(run: Run) -> str:
    """Return a list of the contestants that are not in a row, with the reasons."""
    lines = [
        f"- {row['title']}: {name}: {reason}"
        for row in run.get("rows", {}).values()
        for name, reason in row["excluded"].items()
    ]
    return "\n".join(["Excluded:", *lines]) if lines else "No contestant was excluded."


def _cell(contestants: dict[str, Any], name: str | None, kind: str = "median") -> str:
    return figure(contestants[name][kind]) if name in contestants else NONE


def _ratio_cell(runs: Sequence[Run], name: str, other: str | None, target: float | None) -> str:
    """Return the ratio of each run to another contestant, or to the best peer of that run."""
    rows = [run["rows"][name] for run in runs if name in run.get("rows", {})]
    ratios = [ratio for row in rows if (ratio := row_ratio(row, other or best_peer(row)))]
    text = "; ".join(map(str, ratios)) or NONE
    if target is None or not ratios:
        return text
    return f"{text} {'✓' if all(ratio.median <= target for ratio in ratios) else '✗'}"


def targets_section(runs: Sequence[Run]) -> str:
    """Return how many targets were met in every run, and a table of the others."""
    results: dict[tuple[str, str], list[TargetResult]] = defaultdict(list)
    for run in runs:
        for result in check_targets(run):
            results[result.subject, result.reference].append(result)
    missed = [checks for checks in results.values() if not all(check.is_met for check in checks)]
    summary = f"{len(results) - len(missed)} of {len(results)} targets were met in every run."
    if not missed:
        return summary
    head = ["missed", "relative to", "target", *(f"run {number + 1}" for number in range(len(runs)))]
    lines = []
    for checks in missed:
        first = checks[0]
        measured = [
            str(one.measured) if isinstance(one.measured, Ratio) else figure(one.measured) for one in checks
        ]
        measured += [NONE] * (len(runs) - len(checks))
        lines.append(
            [
                first.subject,
                first.reference,
                f"{'≥' if first.at_least else '≤'} {first.target:,.4g}",
                *measured,
            ]
        )
    return f"{summary}\n\n{table(head, lines)}"


def growth_section(runs: Sequence[Run]) -> str:
    growth = [run["growth"] for run in runs]
    sizes = [*next(iter(growth[-1].values()))["microseconds"]]
    lines = [
        [
            kind,
            *(figure(values["microseconds"][size]) for size in sizes),
            "; ".join(f"{one[kind]['exponent']:.2f}" for one in growth),
        ]
        for kind, values in growth[-1].items()
    ]
    return (
        "An exponent of 1 is linear, 2 is quadratic. Input that does not fit into the processor's caches"
        f" takes more time per item: *{targets.CONTROL}* shows this effect, without asgiwire."
        f"\n\n{table(['µs by size', *(f'{int(size):,}' for size in sizes), 'exponent'], lines)}"
    )


def footprint_section(runs: Sequence[Run]) -> str:
    footprint = runs[-1]["footprint"]
    titles = {
        "request": "bytes of an idle request",
        "websocket": "bytes of an idle WebSocket",
        "accepted websocket": "bytes of an accepted WebSocket",
        "waiting websocket": "bytes of a WebSocket that waits for a message, with its task",
        "modules": "modules loaded",
        "import ms": "milliseconds of import",
    }
    lines = [
        [title, *(f"{values[kind]:,.0f}" if kind in values else NONE for values in footprint.values())]
        for kind, title in titles.items()
    ]
    return table(["", *footprint], lines)


def upload_section(runs: Sequence[Run]) -> str:
    uploads = [run["upload"] for run in runs]
    last = uploads[-1]
    lines = [
        [
            f"`{name}`",
            "; ".join(f"{one['readers'][name]['growth'] / 1e6:.1f}" for one in uploads),
            f"{last['size'] / figures['seconds']:,.0f}",
            f"{figures['usual stall'] * 1000:.1f}",
        ]
        for name, figures in last["readers"].items()
    ]
    size = f"{last['size']:,} MB read by"
    return table([size, "growth of the process, MB", "MB/s", "stall of the event loop, 99 %, ms"], lines)


def server_section(runs: Sequence[Run]) -> str:
    servers = [run["server"] for run in runs]
    head = ["echo on", "application", "requests/s", "/ hand-written", "CPU µs per request", "/ hand-written"]
    lines = []
    for setup, applications in servers[-1]["rounds"].items():
        for name, rounds in applications.items():
            requests, cpu = (
                "; ".join(_median_ratio(one[kind][setup], name) for one in servers)
                for kind in ("rounds", "cpu")
            )
            spent = figure(median(servers[-1]["cpu"][setup][name]))
            lines.append([setup, name, f"{median(rounds):,.0f}", requests, spent, cpu])
    return table(head, lines)


def _median_ratio(rounds: dict[str, list[float]], name: str) -> str:
    ratio = ratio_by_round(rounds[name], rounds[RAW]) if RAW in rounds else None
    return f"{ratio.median:.2f}" if ratio else NONE


SECTIONS: Final = {
    "growth": growth_section,
    "rows": rows_section,
    "footprint": footprint_section,
    "upload": upload_section,
    "server": server_section,
}
"""The parts of a run, in the order in which they are measured."""


def figure(value: float) -> str:
    """Format a number with three significant digits."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table whose columns are aligned, so that it can be read in a terminal."""
    cells = [head, *lines]
    widths = [max(3, *map(len, column)) for column in zip(*cells, strict=True)]
    first, *others = widths
    rules = [":" + "-" * (first - 1), *("-" * (width - 1) + ":" for width in others)]
    cells.insert(1, rules)
    return "\n".join(
        f"| {' | '.join([line[0].ljust(first), *map(str.rjust, line[1:], others)])} |" for line in cells
    )


# --- The page ---


def update_page(page: str, runs: Sequence[Run]) -> str:
    """Return the page with the part between its two marks replaced by the report.

    Raises:
        ValueError: The page has no marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page must contain the lines {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{before}{begin}\n{render(runs)}\n{end}{after}"


def render(runs: Sequence[Run]) -> str:
    """Return the whole report of the runs."""
    parts = {name: [run for run in runs if name in run] for name in SECTIONS}
    sections = [_origin(runs)]
    if parts["rows"]:
        sections += ["![Time by row relative to the best peer](speed.svg)", rows_section(runs)]
        sections += ["### All contestants", contestants_section(runs)]
    sections += ["### Targets", targets_section(runs)]
    for name, title in (
        ("growth", "Growth"),
        ("footprint", "Footprint"),
        ("upload", "Large uploads"),
        ("server", "On a server"),
    ):
        if parts[name]:
            sections += [f"### {title}", SECTIONS[name](parts[name])]
    return "\n\n".join(sections) + "\n"


def _origin(runs: Sequence[Run]) -> str:
    last = runs[-1]
    dates = ", ".join(sorted({run["date"] for run in runs}))
    versions = ", ".join(f"{name} {version}" for name, version in last["versions"].items())
    count = f"{len(runs)} separate runs" if len(runs) > 1 else "one run"
    machine = f"{last['cpu']}, {last['cores']} cores, {last['platform']}, {last['python']}"
    notes = dict.fromkeys(run["note"] for run in runs if "note" in run)
    return " ".join([f"Measured in {count} on {dates}: {machine}; {versions}.", *notes])


# --- The chart ---

GREY: Final = "#7b7b7b"
OURS_COLOUR: Final = "#e0457b"
RAW_COLOUR: Final = "#2f8fe0"
WIDTH: Final = 800
LEFT: Final = 250
RIGHT: Final = 780
TOP: Final = 48
LINE: Final = 22
TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def draw_chart(runs: Sequence[Run]) -> str:
    """Return an SVG with one line per row and one mark per contestant, for light and dark pages."""
    rows = [(row["title"], _relative_times(row)) for row in merge_rows(runs).values() if best_peer(row)]
    values = [value for _, times in rows for value in times.values()]
    first = min(log10(min(values)), log10(0.5)) - 0.03
    last = max(log10(max(values)), log10(2)) + 0.03

    def x(value: float) -> float:
        return round(LEFT + (log10(value) - first) / (last - first) * (RIGHT - LEFT), 1)

    bottom = TOP + LINE * len(rows)
    parts = [
        _circle(LEFT + 5, 14),
        _text(LEFT + 15, 18, OURS),
        _square(LEFT + 95, 14),
        _text(LEFT + 105, 18, "hand-written"),
        _stroke(LEFT + 205, 14),
        _text(LEFT + 213, 18, "a peer"),
        _text(RIGHT, 18, "time relative to the best peer; less is better", "end"),
    ]
    for tick in TICKS:
        if first <= log10(tick) <= last:
            width = 1.5 if tick == 1 else 0.4
            parts.append(f'<path d="M{x(tick)} {TOP}V{bottom}" stroke="{GREY}" stroke-width="{width}"/>')
            parts += [_text(x(tick), y, f"{tick:g}", "middle") for y in (TOP - 6, bottom + 15)]
    for number, (title, times) in enumerate(rows):
        y = TOP + LINE * number + LINE / 2
        parts.append(_text(LEFT - 12, y + 4, title, "end"))
        parts += [_stroke(x(value), y, name) for name, value in times.items() if name in PEERS]
        parts += [_square(x(times[RAW]), y)] if RAW in times else []
        parts += [_circle(x(times[OURS]), y)] if OURS in times else []
    about = f"{runs[-1]['cpu']}, {runs[-1]['python']}, {runs[-1]['date']}"
    parts.append(_text(RIGHT, bottom + 40, about, "end"))
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 50}" role="img"'
        f' aria-label="Time of asgiwire, of hand-written code and of each peer, by row" fill="{GREY}"'
        ' font-family="system-ui, sans-serif" font-size="12">'
    )
    return "\n".join([opening, *parts, "</svg>", ""])


def _relative_times(row: Row) -> dict[str, float]:
    """Return the medians relative to the best peer; times that round to 0 count as 1 ns."""
    contestants = row["contestants"]
    best = contestants[best_peer(row)]["median"] or 0.001
    return {name: max(contestants[name]["median"], 0.001) / best for name in NAMES if name in contestants}


def _text(x: float, y: float, content: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(content)}</text>'


def _circle(x: float, y: float) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="{OURS_COLOUR}"/>'


def _square(x: float, y: float) -> str:
    return f'<rect x="{x - 4:g}" y="{y - 4:g}" width="8" height="8" fill="{RAW_COLOUR}"/>'


def _stroke(x: float, y: float, name: str = "") -> str:
    title = f"<title>{escape(name)}</title>" if name else ""
    return f'<path d="M{x:g} {y - 6:g}v12" stroke="{GREY}" stroke-width="2">{title}</path>'


def stored_runs() -> list[Run]:
    """Return the runs in ``benchmarks/runs``."""
    return [json.loads(path.read_text()) for path in sorted(RUNS.glob("*.json"))]


def main(paths: Sequence[str]) -> None:
    """Write the page and its chart."""
    runs = [json.loads(Path(path).read_text()) for path in paths] or stored_runs()
    PAGE.write_text(update_page(PAGE.read_text(), runs))
    CHART.write_text(draw_chart(runs))
    print(f"wrote {PAGE.relative_to(ROOT)} and {CHART.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
