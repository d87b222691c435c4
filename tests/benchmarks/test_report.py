"""The report shows every part of a run, and marks the targets that a run missed."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks import report, targets
from benchmarks.rows import ROWS

RUN: dict[str, Any] = {
    "date": "2026-01-02",
    "cpu": "A processor",
    "cores": 2,
    "python": "CPython 3.11.7",
    "platform": "linux x86_64",
    "versions": {"msgspec": "0.21"},
    "note": "This is an example.",
    "rows": {
        "typical": {
            "title": "typical read",
            "contestants": {
                "raw": {"median": 2.0, "minimum": 2.0, "rounds": [2.0, 2.0, 2.0]},
                "asgiwire": {"median": 2.8, "minimum": 2.6, "rounds": [2.6, 2.8, 3.2]},
                "falcon": {"median": 4.0, "minimum": 4.0, "rounds": [4.0, 4.0, 4.0]},
                "starlette": {"median": 9.0, "minimum": 9.0, "rounds": [9.0, 9.0, 9.0]},
            },
            "excluded": {"litestar": "not supported"},
        }
    },
    "growth": {"cookies": {"microseconds": {"10": 1.0, "100": 10.0}, "exponent": 1.0}},
    "footprint": {
        "asgiwire": {"request": 100, "modules": 90, "import ms": 20},
        "starlette": {"request": 140, "modules": 180, "import ms": 80},
    },
    "upload": {
        "size": 1000,
        "probed": 200,
        "readers": {"form()": {"growth": 1e6, "seconds": 2.0, "stall": 0.004, "usual stall": 0.001}},
    },
    "server": {
        "seconds": 1,
        "connections": 32,
        "rounds": {"uvicorn": {"raw": [100.0, 110.0], "asgiwire": [98.0, 108.0]}},
        "cpu": {"uvicorn": {"raw": [10.0, 10.0], "asgiwire": [10.1, 10.3]}},
    },
}


def slower(factor: float) -> dict[str, Any]:
    run = deepcopy(RUN)
    ours = run["rows"]["typical"]["contestants"]["asgiwire"]
    ours["rounds"] = [figure * factor for figure in ours["rounds"]]
    return run


def cells(text: str) -> list[list[str]]:
    """Return the cells of every table line."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_and_its_chart_are_up_to_date() -> None:
    """Run ``python -m benchmarks.report`` after a change to the runs, the page or the report."""
    runs = report.stored_runs()
    page = report.PAGE.read_text()

    assert len(runs) >= 2
    assert report.update_page(page, runs) == page
    assert report.draw_chart(runs) == report.CHART.read_text()


def test_stored_runs_do_not_identify_the_machine() -> None:
    for path in report.RUNS.glob("*.json"):
        assert all(part not in path.read_text() for part in ("/tmp", "/home", "localhost"))


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="must contain the lines"):
        report.update_page("# Speed\n", [RUN])


def test_the_report_contains_every_part() -> None:
    text = report.render([RUN, RUN])
    lines = cells(text)

    assert "A processor, 2 cores, linux x86_64, CPython 3.11.7; msgspec 0.21. This is an example.\n" in text
    assert ["typical read", "2.80", "4.00 (falcon)", "2.00"] in [line[:4] for line in lines]
    assert ["typical read", "2.00", "2.80", "9.00", "4.00"] in lines
    assert ["cookies", "1.00", "10.0", "1.00; 1.00"] in lines
    assert ["modules loaded", "90", "180"] in lines
    assert ["`form()`", "1.0; 1.0", "500", "1.0"] in lines
    assert ["uvicorn", "asgiwire", "103", "0.98; 0.98", "10.2", "1.02; 1.02"] in lines
    assert "7 of 7 targets were met in every run." in text


def test_a_target_is_met_if_every_run_met_it() -> None:
    text = report.render([RUN, slower(1.2)])

    assert "0.70 (0.65–0.80); 0.84 (0.78–0.96) ✓" in text
    assert "1.40 (1.30–1.60); 1.68 (1.56–1.92) ✗" in text
    assert "6 of 7 targets were met in every run." in text
    assert ["typical read", "raw", "≤ 1.5", "1.40 (1.30–1.60)", "1.68 (1.56–1.92)"] in cells(text)


def test_parts_that_were_not_measured_are_omitted() -> None:
    run = {name: value for name, value in RUN.items() if name not in report.SECTIONS}
    text = report.render([run])

    assert "typical" not in text
    assert "0 of 0 targets" in text


def test_every_kind_of_target_is_checked() -> None:
    results = {(one.subject, one.reference): one for one in report.check_targets(RUN)}

    assert results["typical read", "best peer"].measured == report.Ratio(0.7, 0.65, 0.8)
    assert results["bytes per request", "best peer"].measured == 100 / 140
    assert results["import asgiwire", "modules loaded"].measured == 90
    assert results["cookies", "exponent"].measured == 1
    assert results["upload through form()", "MB of growth"].measured == 1
    assert results["requests/s on uvicorn", "raw"].at_least
    assert all(one.is_met for one in results.values())
    assert sum(one.is_met for one in report.check_targets(slower(2))) == 5


def test_targets_name_existing_rows() -> None:
    rows = {row.name for row in ROWS}

    assert all(maxima.keys() <= rows for maxima in targets.AGAINST.values())


def test_minima_and_exclusions() -> None:
    assert ["typical read", "2.00", "2.60", "9.00", "4.00"] in cells(
        report.contestants_section([RUN], "minimum")
    )
    assert report.excluded_section(RUN) == "Excluded:\n- typical read: litestar: not supported"


def test_the_chart_is_svg_with_a_mark_for_each_contestant() -> None:
    svg = ET.fromstring(report.draw_chart([RUN]))
    name = "{http://www.w3.org/2000/svg}"

    assert [title.text for title in svg.iter(f"{name}title")] == ["starlette", "falcon"]
    assert len(svg.findall(f"{name}circle")) == len(svg.findall(f"{name}rect")) == 2
    assert "typical read" in [text.text for text in svg.iter(f"{name}text")]


def test_the_machine_is_described_as_json() -> None:
    machine = report.describe_machine({})

    assert json.loads(json.dumps(machine)) == machine
    assert machine["cpu"]
    assert {"msgspec", "multidict", "python-multipart"} <= machine["versions"].keys()
