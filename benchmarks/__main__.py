"""The command line: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from . import chart, contestants, footprint, growth, report, timing
from .rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARTS = ("table", "growth", "footprint")


def main() -> None:
    """Measure what is asked for, print it, and write it where that is asked for."""
    options = parser().parse_args()
    modules = {name: module for name in options.contestants if (module := contestants.load(name))}
    if missing := [name for name in options.contestants if name not in modules]:
        print("not installed:", ", ".join(missing), "\n")
    quickness = 10 if options.quick else 1
    written = report.facts(modules)
    if "table" in options.parts:
        rows = [row for row in ROWS if row.name in options.rows]
        table = timing.measure(rows, modules, options.rounds or (3 if options.quick else 9), quickness)
        written |= report.document(table, written)
        print(report.tables(table, modules), "\n")
    if "growth" in options.parts:
        written["growth"] = growth.measure(100_000 if options.large else 10_000)
        print(growth.table(written["growth"]), "\n")
    if "footprint" in options.parts:
        written["footprint"] = footprint.measure(modules, quickness)
        print(footprint.table(written["footprint"]))
    if options.json:
        options.json.write_text(json.dumps(written, indent=1) + "\n")
    if options.svg:
        chart.draw(written, options.svg)


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
    parser.add_argument("--rounds", type=int, help="how many; 9, or 3 if it is to be quick")
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls and of the objects")
    parser.add_argument("--large", action="store_true", help="growth up to 100,000, not 10,000")
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
