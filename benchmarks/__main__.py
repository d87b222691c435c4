"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import against, contestants, footprint, growth, memory, report, server, timing
from .rows import ROWS

if TYPE_CHECKING:
    from types import ModuleType

PARTS: Final = ("growth", "rows", "prepared", "footprint", "upload", "server")
"""The parts of a run, in the order in which they are measured."""

PREPARED: Final = 800
"""Inputs that the part "prepared" makes before the first call. It has a third of the rounds."""


def main() -> None:
    """Measure, print the report, and store the run if requested."""
    options = parse_options()
    divisor = 10 if options.quick else 1
    if options.against:
        print(
            against.compare(
                options.against, options.rows, options.rounds or (2 if options.quick else 10), divisor
            )
        )
        return
    modules = {name: module for name in options.contestant if (module := contestants.load(name))}
    if missing := [name for name in options.contestant if name not in modules]:
        print(f"not installed: {', '.join(missing)}\n")
    run = report.describe_machine(modules)
    if options.quick:
        run["note"] = "A quick run: its figures are approximate."
    for part in PARTS:
        if part in options.part:
            print(f"measuring {part}", file=sys.stderr)
            run[part] = measure(part, options, modules, divisor)
    print(report.render([run]))
    print(report.contestants_section(run))
    if options.json:
        options.json.write_text(json.dumps(run, separators=(",", ":")) + "\n")


def measure(part: str, options: argparse.Namespace, modules: dict[str, ModuleType], divisor: int) -> Any:
    rounds = options.rounds or (3 if options.quick else 15)
    match part:
        case "growth":
            return growth.measure(100_000 // divisor)
        case "rows":
            rows = [row for row in ROWS if row.name in options.rows]
            return report.store_rows(timing.measure(rows, modules, rounds, divisor))
        case "prepared":
            rows = [row for row in ROWS if row.name in options.rows]
            return report.store_rows(timing.measure(rows, modules, -(-rounds // 3), divisor, PREPARED))
        case "footprint":
            return footprint.measure(modules, divisor)
        case "upload":
            return memory.measure(1000 // divisor, 200 // divisor)
        case _:
            return server.measure(modules, rounds, 0.3 if options.quick else 1.0)


def parse_options() -> argparse.Namespace:
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Compare asgiwire with its peers and with hand-written ASGI code.",
        epilog=f"rows: {', '.join(names)}",
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="measure only these rows, and no other part")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure only this part (repeatable)")
    parser.add_argument(
        "--contestant", action="append", choices=contestants.NAMES, help="measure only this one (repeatable)"
    )
    parser.add_argument("--rounds", type=int, help="default: 15, with --quick 3, with --against 10")
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls, objects and sizes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the run in this file")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="SRC",
        help="compare asgiwire with the one in this directory, such as ../other/src",
    )
    options = parser.parse_args()
    if unknown := [name for name in options.rows if name not in names]:
        parser.error(f"unknown row: {', '.join(unknown)}; expected one of {', '.join(names)}")
    if options.against:
        options.against = options.against.resolve()
        if not (options.against / "asgiwire" / "__init__.py").is_file():
            parser.error(f"no package asgiwire in {options.against}; give the directory that contains it")
    options.part = options.part or (["rows"] if options.rows else [*PARTS])
    options.rows = options.rows or names
    options.contestant = options.contestant or contestants.NAMES
    return options


if __name__ == "__main__":
    main()
