"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import chart, contestants, footprint, growth, memory, report, results, server, timing
from .rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PARTS = ("growth", "table", "footprint", "upload", "server")


def main() -> None:
    """Measure what is asked for, print it, and write it where that is asked for."""
    options = parser().parse_args()
    document: dict[str, Any] = {}
    for text in measured(options, document):
        print(text, "\n", flush=True)
    print(report.targets(document))
    if options.json:
        options.json.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    if options.svg:
        options.svg.write_text(chart.drawn(document))


def measured(options: argparse.Namespace, document: dict[str, Any]) -> Iterator[str]:
    """Measure one part after the other into a document; what comes is a text on each."""
    modules = {name: module for name in options.contestants if (module := contestants.load(name))}
    if missing := [name for name in options.contestants if name not in modules]:
        yield f"not installed: {', '.join(missing)}"
    document |= results.facts(modules)
    is_quick = options.quick
    quickness = 10 if is_quick else 1
    # First, for what the rows leave behind is memory in pieces, which large inputs are slower in.
    if "growth" in options.parts:
        document["growth"] = growth.measure(10_000 if is_quick else 100_000)
        yield growth.table(document["growth"])
    if "table" in options.parts:
        rows = [row for row in ROWS if row.name in options.rows]
        rounds = options.rounds or (3 if is_quick else 15)
        document["rows"] = results.rows(timing.measure(rows, modules, rounds, quickness))
        yield report.tables(document, modules)
    if "footprint" in options.parts:
        document["footprint"] = footprint.measure(modules, quickness)
        yield footprint.table(document["footprint"])
    if "upload" in options.parts:
        document["upload"] = memory.measured(1000 // quickness, 200 // quickness)
        yield memory.table(document["upload"])
    if "server" in options.parts:
        rounds, seconds = (3, 0.3) if is_quick else (options.rounds or 15, 1.0)
        document["server"] = server.measure(modules, rounds, seconds)
        yield server.table(document["server"])


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=report.__doc__)
    names = [row.name for row in ROWS]
    parser.add_argument("--parts", type=listed(PARTS), default=PARTS, help=shown(PARTS))
    parser.add_argument("--rows", type=listed(names), default=names, help=shown(names))
    parser.add_argument(
        "--contestants",
        type=listed(contestants.NAMES),
        default=contestants.NAMES,
        help=shown(contestants.NAMES),
    )
    parser.add_argument("--rounds", type=int, help="how many; 15, or 3 if it is to be quick")
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls, objects and sizes")
    parser.add_argument("--json", type=Path, help="the file to write everything to")
    parser.add_argument("--svg", type=Path, help="the file to draw the table in")
    return parser


def listed(known: Sequence[str]) -> Callable[[str], list[str]]:
    def split(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names

    return split


def shown(known: Sequence[str]) -> str:
    return f"separated by commas, of: {', '.join(known)}"


if __name__ == "__main__":
    main()
