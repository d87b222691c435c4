"""The measured part of the speed page, made of two separate runs or more.

``python -m benchmarks.page`` reads ``benchmarks/runs/*.json``, which ``python -m benchmarks --json`` has
written, rewrites what stands between the two marks in ``docs/explanation/speed.md``, and draws the chart
beside it. A target counts as met where every run has met it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from . import chart
from .contestants import NAMES, OURS, RAW
from .report import NONE, figure, plain, span, wanted
from .results import best_peer, divided, ratio
from .targets import AGAINST, BEST_PEER, CONTROL, Verdict, verdicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT: Final = Path(__file__).parent.parent
RUNS: Final = Path(__file__).parent / "runs"
PAGE: Final = ROOT / "docs" / "explanation" / "speed.md"
CHART: Final = PAGE.with_suffix(".svg")
BEGIN: Final = "<!-- measured: what follows is written by python -m benchmarks.page -->\n"
END: Final = "<!-- measured: end -->\n"

GROWTH: Final = (
    "An exponent of 1 is linear, 2 is quadratic. What does not fit into the processor's caches costs more"
    f" apiece: *{CONTROL}*, where it is there, is made without asgiwire, and shows how much on this machine."
)

Document = dict[str, Any]


def stored() -> list[Document]:
    """The runs that the page stands on."""
    return [json.loads(path.read_text()) for path in sorted(RUNS.glob("*.json"))]


def written(page: str, documents: Sequence[Document]) -> str:
    """A page with its measured part made anew."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no marks {BEGIN.strip()!r} and {END.strip()!r}")
    return f"{before}{begin}\n{measured(documents)}\n{end}{after}"


def measured(documents: Sequence[Document]) -> str:
    whole = merged(documents)
    sections = [machine(documents)]
    if whole["rows"]:
        sections += ["![Time by row, the best peer being 1](speed.svg)", rows(documents, whole["rows"])]
        sections += ["### Everybody's medians, in µs", medians(whole["rows"])]
    sections += ["### Targets", targets(documents)]
    for title, section in (
        ("Growth", growth(documents)),
        ("Footprint", footprint(documents[-1])),
        ("Large uploads", upload(documents)),
        ("On a server", server(documents)),
    ):
        if section:
            sections += [f"### {title}", section]
    return "\n\n".join(sections) + "\n"


def merged(documents: Sequence[Document]) -> Document:
    """The last run, with the rounds of all of them."""
    document = {**documents[-1], "rows": {}}
    for name in documents[-1].get("rows", {}):
        every = [run["rows"][name] for run in documents if name in run.get("rows", {})]
        contestants = {}
        for contestant in every[-1]["contestants"]:
            rounds = [figure for row in every for figure in row["contestants"][contestant]["rounds"]]
            contestants[contestant] = {"median": median(rounds), "minimum": min(rounds), "rounds": rounds}
        document["rows"][name] = {**every[-1], "contestants": contestants}
    return document


def machine(documents: Sequence[Document]) -> str:
    last = documents[-1]
    dates = ", ".join(sorted({run["date"] for run in documents}))
    versions = ", ".join(f"{name} {version}" for name, version in last["versions"].items())
    return (
        f"Measured in {len(documents)} separate runs on {dates}: {last['cpu']}, {last['cores']} cores,"
        f" {last['platform']}, {last['python']}; {versions}."
    )


def rows(documents: Sequence[Document], whole: dict[str, Any]) -> str:
    head = ["row", "asgiwire", "best peer", "hand-written", "asgiwire / best peer", "asgiwire / hand-written"]
    lines = []
    for name, row in whole.items():
        contestants, best = row["contestants"], best_peer(row)
        lines.append(
            [
                row["title"],
                microseconds(contestants, OURS),
                f"{microseconds(contestants, best)} ({best})" if best else NONE,
                microseconds(contestants, RAW),
                ratios(documents, name, None, BEST_PEER),
                ratios(documents, name, RAW, AGAINST[RAW].get(name)),
            ]
        )
    return (
        "Microseconds are medians of all rounds. A ratio stands there once for each run, as the median of its"
        " rounds and, in brackets, the lowest and the highest; ✓ and ✗ say whether every run met the target,"
        " where there is one.\n\n" + table(head, lines)
    )


def microseconds(contestants: dict[str, Any], name: str | None) -> str:
    return figure(contestants[name]["median"]) if name in contestants else NONE


def ratios(documents: Sequence[Document], name: str, other: str | None, target: float | None) -> str:
    """Of each run the ratio to another, or to the best peer of that run."""
    found = [
        measured
        for run in documents
        if (row := run.get("rows", {}).get(name)) and (measured := ratio(row, other or best_peer(row)))
    ]
    if not found:
        return NONE
    text = "; ".join(f"{one.median:.2f} ({one.lowest:.2f}–{one.highest:.2f})" for one in found)
    return text if target is None else f"{text} {mark(one.median <= target for one in found)}"


def mark(are_met: Iterable[bool]) -> str:
    return "✓" if all(are_met) else "✗"


def medians(whole: dict[str, Any]) -> str:
    names = [name for name in NAMES if any(name in row["contestants"] for row in whole.values())]
    lines = [
        [row["title"], *(microseconds(row["contestants"], name) for name in names)] for row in whole.values()
    ]
    return table(["row", *names], lines)


def targets(documents: Sequence[Document]) -> str:
    """How many are met, and which are not."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for run in documents:
        for verdict in verdicts(run):
            found.setdefault((verdict.subject, verdict.against), []).append(verdict)
    missed = {key: runs for key, runs in found.items() if not all(run.is_met for run in runs)}
    sentence = f"{len(found) - len(missed)} of {len(found)} targets were met in every run."
    if not missed:
        return sentence
    lines = [
        [subject, against, wanted(runs[0]), *map(outcome, runs)]
        for (subject, against), runs in missed.items()
        if len(runs) == len(documents)
    ]
    head = ["missed", "against", "wanted", *(f"run {number + 1}" for number in range(len(documents)))]
    return f"{sentence}\n\n{table(head, lines)}"


def outcome(verdict: Verdict) -> str:
    measured = figure(verdict.measured)
    return f"{measured} ({span(verdict)})" if verdict.spread else measured


def growth(documents: Sequence[Document]) -> str:
    runs = [run["growth"] for run in documents if "growth" in run]
    if not runs:
        return ""
    sizes = [*next(iter(runs[-1].values()))["microseconds"]]
    head = ["µs by size", *(f"{int(size):,}" for size in sizes), "exponent"]
    lines = []
    for kind, values in runs[-1].items():
        exponents = "; ".join(f"{run[kind]['exponent']:.2f}" for run in runs)
        lines.append([kind, *(figure(values["microseconds"][size]) for size in sizes), exponents])
    return f"{GROWTH}\n\n{table(head, lines)}"


def footprint(document: Document) -> str:
    measured = document.get("footprint", {})
    if not measured:
        return ""
    units = {"request": "bytes of an idle request", "websocket": "bytes of an idle WebSocket"}
    units |= {"accepted websocket": "bytes of one that is accepted"}
    units |= {"waiting websocket": "bytes of one whose task waits for a message, with the task"}
    units |= {"modules": "modules loaded", "import ms": "milliseconds of import"}
    lines = []
    for kind, unit in units.items():
        cells = [f"{values[kind]:,.0f}" if kind in values else NONE for values in measured.values()]
        lines.append([unit, *cells])
    return table(["", *measured], lines)


def upload(documents: Sequence[Document]) -> str:
    runs = [run["upload"] for run in documents if "upload" in run]
    if not runs:
        return ""
    lines = []
    for name, last in runs[-1]["readers"].items():
        grown = "; ".join(f"{run['readers'][name]['growth'] / 1e6:.1f}" for run in runs)
        rate = f"{runs[-1]['size'] / last['seconds']:,.0f}"
        lines.append([f"`{name}`", grown, rate, f"{last['usual stall'] * 1000:.1f}"])
    head = [
        f"{runs[-1]['size']:,} MB read by",
        "growth of the process, MB",
        "MB/s",
        "stall of the loop, 99 %, ms",
    ]
    return table(head, lines)


def server(documents: Sequence[Document]) -> str:
    runs = [run["server"] for run in documents if "server" in run]
    if not runs:
        return ""
    head = ["echo on", "application", "requests/s", "/ hand-written", "CPU µs for each", "/ hand-written"]
    lines = []
    for setup, names in runs[-1]["rounds"].items():
        for name, figures in names.items():
            cpu = runs[-1]["cpu"][setup][name]
            against = [
                "; ".join(plain(middle(run[kind][setup], name)) for run in runs) for kind in ("rounds", "cpu")
            ]
            cells = [f"{median(figures):,.0f}", against[0], figure(median(cpu)), against[1]]
            lines.append([setup, name, *cells])
    return table(head, lines)


def middle(by_name: dict[str, list[float]], name: str) -> float | None:
    if RAW not in by_name or name not in by_name:
        return None
    measured = divided(by_name[name], by_name[RAW])
    return measured and measured.median


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    rules = [":--", *["--:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rules, *lines))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="other files than those in benchmarks/runs")
    options = parser.parse_args()
    documents = [json.loads(path.read_text()) for path in options.runs] or stored()
    PAGE.write_text(written(PAGE.read_text(), documents))
    CHART.write_text(chart.drawn(merged(documents)))
    print(PAGE.relative_to(ROOT), CHART.relative_to(ROOT))


if __name__ == "__main__":
    main()
