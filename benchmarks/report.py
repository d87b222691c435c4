"""The report of one run or several: one table, the missed targets and the chart.

``python -m benchmarks`` prints it for its own run. ``python -m benchmarks.report [RUN ...]`` writes it into
``docs/explanation/speed.md`` and draws ``speed.svg``, from the runs in ``benchmarks/runs`` by default.

A run is a dictionary that can be stored as JSON, with the parts that were measured. It contains nothing that
identifies the machine beyond processor and platform.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from importlib.metadata import PackageNotFoundError, version
from math import log10
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asgiwire

from . import targets
from .contestants import NAMES, OURS, PEERS, RAW

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import ModuleType

    from .timing import RowResult

Run: TypeAlias = dict[str, Any]

ROOT: Final = Path(__file__).parent.parent
RUNS: Final = Path(__file__).parent / "runs"
PAGE: Final = ROOT / "docs" / "explanation" / "speed.md"
CHART: Final = PAGE.with_suffix(".svg")
BEGIN: Final = "<!-- begin: written by python -m benchmarks.report -->\n"
END: Final = "<!-- end -->\n"
NONE: Final = "-"
BEST: Final = "best peer"
HAND_WRITTEN: Final = "hand-written"

PREPARED: Final = ", prepared"
"""End of the title of a row whose inputs were all made before the first call."""

DIFFERENT: Final = 1.15
"""Factor by which a ratio must differ with prepared inputs to be in the table."""


LEGEND: Final = (
    "Times are medians of all rounds in microseconds. A ratio is the median of the ratios of all rounds: ✓"
    " means that it meets its target, ✗ that it does not. A row *prepared* is shown if its ratio to the best"
    f" peer differs by more than {DIFFERENT - 1:.0%} in every run when all inputs are made before the first"
    " call. *No extension* means without the compiled module."
)


# --- A run as JSON ---


def describe_machine(contestants: dict[str, ModuleType]) -> Run:
    """Return what the figures depend on: date, processor, Python, compiled module and versions."""
    distributions = {module.DISTRIBUTION for module in contestants.values()} - {OURS}
    distributions |= {"msgspec", "multidict", "python-multipart"}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        # `against` also measures versions without the attribute.
        "compiled": getattr(asgiwire, "__speedups__", False),
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
    except PackageNotFoundError:
        return None


def store_rows(results: Iterable[RowResult]) -> dict[str, Any]:
    """Convert the measured rows, in microseconds, to what a run stores."""
    return {
        result.row.name: {
            "title": result.row.title,
            "rounds": {
                name: [round(duration, 4) for duration in durations]
                for name, durations in result.rounds.items()
            },
            "unequal": result.row.unequal,
            "excluded": result.excluded,
        }
        for result in results
    }


# --- Ratios and targets ---


@dataclass(frozen=True, slots=True)
class Ratio:
    """Median, minimum and maximum of the ratios of all rounds."""

    median: float
    lowest: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.lowest:.2f}–{self.highest:.2f})"


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured of each contestant: microseconds or bytes.

    Attributes:
        name: The name under which it may have targets.
        title: The first cell of its line.
        rounds: The figure of each round, by contestant.
        unequal: Why a contestant is not compared as a peer, by contestant.
    """

    name: str
    title: str
    rounds: dict[str, list[float]]
    unequal: dict[str, str] = field(default_factory=dict)

    def medians(self) -> dict[str, float]:
        return {name: median(self.rounds[name]) for name in NAMES if name in self.rounds}

    def best_peer(self) -> str | None:
        """Return the peer with the smallest median."""
        medians = self.medians()
        names = [name for name in PEERS if name in medians and name not in self.unequal]
        return min(names, key=medians.__getitem__, default=None)

    def ratio(self, reference: str) -> Ratio | None:
        """Return the figure of asgiwire relative to the best peer, hand-written code or one contestant.

        It is divided round by round, except where the divisor is 0, and ``None`` if one of them is missing.
        """
        other = {BEST: self.best_peer(), HAND_WRITTEN: RAW}.get(reference, reference)
        ours, theirs = self.rounds.get(OURS, []), self.rounds.get(other or "", [])
        ratios = [one / another for one, another in zip(ours, theirs, strict=False) if another]
        return Ratio(median(ratios), min(ratios), max(ratios)) if ratios else None


def subjects(run: Run) -> Iterator[Subject]:
    """Return everything that was measured of several contestants."""
    rows, prepared = run.get("rows", {}), run.get("prepared", {})
    for name in {**rows, **prepared}:
        if name in rows:
            yield from _row_subjects(name, rows[name])
        if name in prepared:
            row = prepared[name]
            yield Subject("", f"{row['title']}{PREPARED}", row["rounds"], row["unequal"])
    footprint = run.get("footprint", {})
    for kind in targets.IDLE if footprint else ():
        sizes = {name: [figures[kind]] for name, figures in footprint.items() if kind in figures}
        yield Subject(kind, f"{kind}, bytes", sizes)
    if server := run.get("server"):
        times = {name: [1e6 / rate for rate in rates] for name, rates in server.items()}
        yield Subject(targets.SERVER, "request on uvicorn", times)


def _row_subjects(name: str, row: dict[str, Any]) -> Iterator[Subject]:
    subject = Subject(name, row["title"], row["rounds"], row["unequal"])
    yield subject
    for peer in [one for one in subject.unequal if one in subject.rounds]:
        rounds = {one: subject.rounds[one] for one in (OURS, peer) if one in subject.rounds}
        yield Subject("", f"{subject.title}: {peer}, {subject.unequal[peer]}", rounds)


def target(run: Run, name: str, reference: str) -> float | None:
    """Return the maximum ratio of asgiwire to a reference, or ``None``."""
    if not run["compiled"]:
        return targets.WITHOUT_EXTENSION.get(name) if reference == BEST else None
    if reference == HAND_WRITTEN:
        return targets.HAND_WRITTEN.get(name)
    if name == "stream" and run["python"].startswith("CPython 3.11."):
        return targets.STREAM_ON_3_11
    return targets.BEST_PEER.get(name)


def single_figures(run: Run) -> Iterator[tuple[str, float, float]]:
    """Return name, figure and maximum of what is measured of asgiwire alone."""
    if growth := run.get("growth"):
        memory = growth[targets.CONTROL]["exponent"] - 1
        exponents = {kind: figures["exponent"] - memory for kind, figures in growth.items()}
        kind = max(exponents.keys() - {targets.CONTROL}, key=exponents.__getitem__)
        yield f"largest exponent of growth ({kind})", exponents[kind], targets.EXPONENT
    if upload := run.get("upload"):
        grown = max(figures["growth"] for figures in upload["readers"].values()) / 1e6
        yield f"MB that an upload of {upload['size']:,} MB adds to the process", grown, targets.UPLOAD_GROWTH
    if ours := run.get("footprint", {}).get(OURS):
        yield "modules that `import asgiwire` loads", ours["package"], targets.MODULES


# --- Markdown ---


def label(run: Run) -> str:
    """Return the name of a run in the tables: the version of Python, and whether the extension is missing."""
    minor = ".".join(run["python"].split()[-1].split(".")[:2])
    return minor if run["compiled"] else f"{minor}, no extension"


def results_section(runs: Sequence[Run]) -> str:
    """Return the table of the ratios of all runs, with the figures of the first."""
    measured = [{subject.title: subject for subject in subjects(run)} for run in runs]
    columns = [(BEST, number) for number in range(len(runs))]
    columns += [(HAND_WRITTEN, number) for number, run in enumerate(runs) if run["compiled"]]
    head = [
        f"µs on {label(runs[0])}",
        OURS,
        BEST,
        HAND_WRITTEN,
        *(f"/ {reference}, {label(runs[number])}" for reference, number in columns),
    ]
    lines = []
    for title, first in measured[0].items():
        if title.endswith(PREPARED) and not _is_different(title, measured):
            continue
        medians, best = first.medians(), first.best_peer()
        line = [title, *(figure(medians[name]) if name in medians else NONE for name in (OURS, best, RAW))]
        line[2] += f" ({best})" if best else ""
        for reference, number in columns:
            subject = measured[number].get(title)
            line.append(_ratio_cell(runs[number], subject, reference) if subject else NONE)
        lines.append(line)
    return table(head, lines)


def _is_different(title: str, measured: Sequence[dict[str, Subject]]) -> bool:
    """Return whether prepared inputs change the ratio to the best peer in all runs, in one direction."""
    factors = []
    for run in measured:
        pair = [run[one].ratio(BEST) for one in (title.removesuffix(PREPARED), title) if one in run]
        ratios = [ratio.median for ratio in pair if ratio]
        if len(ratios) == 2:
            factors.append(ratios[1] / ratios[0])
    return not factors or min(factors) > DIFFERENT or max(factors) < 1 / DIFFERENT


def _ratio_cell(run: Run, subject: Subject, reference: str) -> str:
    ratio, maximum = subject.ratio(reference), target(run, subject.name, reference)
    if ratio is None:
        return NONE
    return f"{ratio.median:.2f}{_mark(ratio.median, maximum)}"


def _mark(value: float, maximum: float | None) -> str:
    return "" if maximum is None else " ✓" if value <= maximum else " ✗"


def single_section(runs: Sequence[Run]) -> str:
    """Return a list of what is measured of asgiwire alone."""
    return "\n".join(
        f"- {label(run)}: {name}: {figure(value)}, at most {maximum:g}{_mark(value, maximum)}"
        for run in runs
        for name, value, maximum in single_figures(run)
    )


@dataclass(frozen=True, slots=True)
class Check:
    """A target and what one run measured."""

    title: str
    reference: str
    run: str
    maximum: float
    measured: Ratio | float

    @property
    def is_met(self) -> bool:
        return (self.measured.median if isinstance(self.measured, Ratio) else self.measured) <= self.maximum


def checks(run: Run) -> Iterator[Check]:
    """Compare everything that was measured in a run with its targets."""
    for subject in subjects(run):
        for reference in (BEST, HAND_WRITTEN):
            ratio, maximum = subject.ratio(reference), target(run, subject.name, reference)
            if ratio and maximum is not None:
                yield Check(subject.title, reference, label(run), maximum, ratio)
    for name, value, maximum in single_figures(run):
        yield Check(name, "", label(run), maximum, value)


def misses_section(runs: Sequence[Run]) -> str:
    """Return how many targets were met, and a table of the others."""
    checked = [check for run in runs for check in checks(run)]
    missed = [check for check in checked if not check.is_met]
    summary = f"{len(checked) - len(missed)} of {len(checked)} targets were met."
    if not missed:
        return summary
    head = ["missed", "relative to", "run", "target", "measured"]
    lines = [
        [one.title, one.reference or NONE, one.run, f"≤ {one.maximum:.4g}", _measured(one.measured)]
        for one in missed
    ]
    return f"{summary}\n\n{table(head, lines)}"


def _measured(measured: Ratio | float) -> str:
    return str(measured) if isinstance(measured, Ratio) else figure(measured)


def contestants_section(run: Run) -> str:
    """Return a table of every contestant's medians, and why a contestant is not in a row."""
    measured = [(subject.title, subject.medians()) for subject in subjects(run)]
    names = [name for name in NAMES if any(name in medians for _, medians in measured)]
    lines = [
        [title, *(figure(medians[name]) if name in medians else NONE for name in names)]
        for title, medians in measured
    ]
    excluded = [
        f"- {row['title']}: {name}: {reason}"
        for row in run.get("rows", {}).values()
        for name, reason in row["excluded"].items()
    ]
    return "\n".join([table(["median", *names], lines), "", *excluded]) if lines else ""


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
    sections = [_origin(runs)]
    if [*subjects(runs[0])]:
        sections += [
            "![Time by row relative to the best peer](speed.svg)",
            LEGEND,
            results_section(runs),
        ]
    sections += [single_section(runs), misses_section(runs)]
    return "\n\n".join(section for section in sections if section) + "\n"


def _origin(runs: Sequence[Run]) -> str:
    first = runs[0]
    lines = [f"Measured on {first['cpu']}, {first['cores']} cores, {first['platform']}:\n"]
    for run in runs:
        extension = "with the compiled module" if run["compiled"] else "without the compiled module"
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        note = f" {run['note']}" if "note" in run else ""
        about = f"{run['python']}, asgiwire {extension}, {run['date']}; {versions}"
        lines.append(f"- **{label(run)}**: {about}.{note}")
    return "\n".join(lines)


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


def draw_chart(run: Run) -> str:
    """Return an SVG with one line per row and one mark per contestant, for light and dark pages."""
    rows = [
        (subject.title, _relative_times(subject))
        for subject in subjects(run)
        if subject.name in run["rows"] and subject.best_peer()
    ]
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
    about = f"{run['cpu']}, {run['python']}, {run['date']}"
    parts.append(_text(RIGHT, bottom + 40, about, "end"))
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 50}" role="img"'
        f' aria-label="Time of asgiwire, of hand-written code and of each peer, by row" fill="{GREY}"'
        ' font-family="system-ui, sans-serif" font-size="12">'
    )
    return "\n".join([opening, *parts, "</svg>", ""])


def _relative_times(subject: Subject) -> dict[str, float]:
    """Return the medians relative to the best peer; times that round to 0 count as 1 ns."""
    medians = {name: max(value, 0.001) for name, value in subject.medians().items()}
    best = medians[subject.best_peer() or OURS]
    return {name: value / best for name, value in medians.items() if name not in subject.unequal}


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
    CHART.write_text(draw_chart(runs[0]))
    print(f"wrote {PAGE.relative_to(ROOT)} and {CHART.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
