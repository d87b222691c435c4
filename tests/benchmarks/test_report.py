"""The report shows every part of a run, and marks the targets that a run missed."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import asgiwire
from benchmarks import report, targets
from benchmarks.__main__ import PARTS
from benchmarks.rows import ROWS

RUN: dict[str, Any] = {
    "date": "2026-01-02",
    "cpu": "A processor",
    "cores": 2,
    "python": "CPython 3.11.7",
    "compiled": True,
    "platform": "linux x86_64",
    "versions": {"msgspec": "0.21"},
    "note": "This is an example.",
    "rows": {
        "typical": {
            "title": "typical read",
            "rounds": {
                "raw": [2.0, 2.0, 2.0],
                "asgiwire": [2.6, 2.8, 3.2],
                "falcon": [4.0, 4.0, 4.0],
                "starlette": [9.0, 9.0, 9.0],
                "blacksheep": [1.4, 1.4, 1.4],
            },
            "unequal": {"blacksheep": "in memory"},
            "excluded": {"litestar": "not supported"},
        }
    },
    "growth": {
        targets.CONTROL: {"microseconds": {"10": 1.0, "100": 11.0}, "exponent": 1.05},
        "cookies": {"microseconds": {"10": 1.0, "100": 12.0}, "exponent": 1.1},
        "headers": {"microseconds": {"10": 1.0, "100": 10.0}, "exponent": 1.0},
    },
    "footprint": {
        "asgiwire": {"request": 100, "websocket": 90, "package": 90},
        "starlette": {"request": 125, "websocket": 100},
        "falcon": {"request": 400, "websocket": 100},
    },
    "upload": {"size": 1000, "readers": {"form()": {"growth": 1e6}, "replay": {"growth": 2e6}}},
    "server": {"raw": [100.0, 110.0], "asgiwire": [98.0, 108.0]},
}


def slower(factor: float) -> dict[str, Any]:
    run = deepcopy(RUN)
    rounds = run["rows"]["typical"]["rounds"]
    rounds["asgiwire"] = [duration * factor for duration in rounds["asgiwire"]]
    return run


def with_prepared(factor: float) -> dict[str, Any]:
    return {**RUN, "prepared": slower(factor)["rows"]}


def cells(text: str) -> list[list[str]]:
    """Return the cells of every table line."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_page_and_its_chart_are_up_to_date() -> None:
    """Run ``python -m benchmarks.report`` after a change to the runs, the page or the report."""
    runs = report.stored_runs()
    page = report.PAGE.read_text()

    assert report.update_page(page, runs) == page
    assert report.draw_chart(runs[0]) == report.CHART.read_text()


def test_the_stored_runs_are_of_two_pythons_and_of_one_without_the_extension() -> None:
    first, second, third = report.stored_runs()

    assert [run["compiled"] for run in (first, second, third)] == [True, True, False]
    assert first["python"] == third["python"] != second["python"]


def test_the_page_explains_every_missed_target() -> None:
    """Write the reason, with the title of the row in bold, below the part that the report writes."""
    _, _, explanation = report.PAGE.read_text().partition(report.END)
    missed = {check.title for run in report.stored_runs() for check in report.checks(run) if not check.is_met}

    assert {title for title in missed if f"**{title}**" not in explanation} == set()


def test_stored_runs_do_not_identify_the_machine() -> None:
    for path in report.RUNS.glob("*.json"):
        assert all(part not in path.read_text() for part in ("/tmp", "/home", "localhost"))


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="must contain the lines"):
        report.update_page("# Speed\n", [RUN])


def test_the_report_contains_every_part() -> None:
    text = report.render([RUN, {**RUN, "python": "CPython 3.13.0"}])
    lines = cells(text)

    assert "on A processor, 2 cores, linux x86_64:\n" in text
    assert (
        "**3.13**: CPython 3.13.0, asgiwire with the compiled module, 2026-01-02; msgspec 0.21. This is"
        in text
    )
    assert ["typical read", "2.80", "4.00 (falcon)", "2.00", "0.70 ✓", "0.70 ✓", "1.40 ✓", "1.40 ✓"] in lines
    assert ["request, bytes", "100", "125 (starlette)", "-", "0.80 ✓", "0.80 ✓", "-", "-"] in lines
    assert ["request on uvicorn", "9,732", "-", "9,545", "-", "-", "1.02 ✓", "1.02 ✓"] in lines
    assert "- 3.13: largest exponent of growth (cookies): 1.05, at most 1.1 ✓" in text
    assert "- 3.11: MB that an upload of 1,000 MB adds to the process: 2.00, at most 20 ✓" in text
    assert "- 3.11: modules that `import asgiwire` loads: 90.0, at most 102 ✓" in text
    assert "16 of 16 targets were met." in text


def test_an_unequal_contestant_has_its_own_line_and_is_not_the_best_peer() -> None:
    lines = cells(report.results_section([RUN]))

    assert ["typical read: blacksheep, in memory", "2.80", "1.40 (blacksheep)", "-", "2.00", "-"] in lines


def test_a_missed_target_is_listed_with_all_its_rounds() -> None:
    text = report.render([RUN, slower(1.2)])

    assert ["typical read", "hand-written", "3.11", "≤ 1.5", "1.68 (1.56–1.92)"] in cells(text)
    assert "14 of 16 targets were met." in text


@pytest.mark.parametrize(
    ("factors", "shown"), [((1.2, 1.3), True), ((1.1, 1.3), False), ((0.8, 0.7), True), ((0.8, 1.3), False)]
)
def test_a_prepared_row_is_shown_if_it_differs_in_every_run(
    factors: tuple[float, float], shown: bool
) -> None:
    text = report.results_section([with_prepared(factor) for factor in factors])

    assert ("typical read, prepared" in text) == shown


def test_prepared_rows_are_shown_if_only_they_were_measured() -> None:
    run = {**with_prepared(1), "rows": {}}

    assert "typical read, prepared" in report.results_section([run])


def test_a_run_without_the_extension_has_its_own_column_and_targets() -> None:
    run = {**slower(1.2), "compiled": False}
    query = {**run, "rows": {"query": run["rows"]["typical"]}}
    text = report.results_section([RUN, run])

    assert "/ best peer, 3.11, no extension" in text
    assert "/ hand-written, 3.11, no extension" not in text
    assert ["0.70 ✓", "0.84", "1.40 ✓"] in [line[4:] for line in cells(text)]
    assert [check.maximum for check in report.checks(query) if check.reference == report.BEST] == [1.35]


@pytest.mark.parametrize(("python", "maximum"), [("CPython 3.11.7", 1.1), ("CPython 3.13.0", 1.0)])
def test_the_target_of_the_stream_depends_on_the_python(python: str, maximum: float) -> None:
    assert report.target({**RUN, "python": python}, "stream", report.BEST) == maximum


def test_parts_that_were_not_measured_are_omitted() -> None:
    run = {name: value for name, value in RUN.items() if name not in PARTS}
    text = report.render([run])

    assert "typical" not in text
    assert "0 of 0 targets" in text


def test_targets_name_existing_rows() -> None:
    names = {row.name for row in ROWS} | {*targets.IDLE, targets.SERVER}

    assert (targets.BEST_PEER | targets.HAND_WRITTEN | targets.WITHOUT_EXTENSION).keys() <= names


def test_medians_of_all_contestants_and_exclusions() -> None:
    text = report.contestants_section(RUN)

    assert ["typical read", "2.00", "2.80", "9.00", "1.40", "4.00"] in cells(text)
    assert "- typical read: litestar: not supported" in text


def test_the_chart_is_svg_with_a_mark_for_each_contestant() -> None:
    svg = ET.fromstring(report.draw_chart(RUN))
    name = "{http://www.w3.org/2000/svg}"

    assert [title.text for title in svg.iter(f"{name}title")] == ["starlette", "falcon"]
    assert len(svg.findall(f"{name}circle")) == len(svg.findall(f"{name}rect")) == 2
    assert "typical read" in [text.text for text in svg.iter(f"{name}text")]


def test_the_machine_is_described_as_json() -> None:
    machine = report.describe_machine({})

    assert json.loads(json.dumps(machine)) == machine
    assert machine["cpu"]
    assert machine["compiled"] is asgiwire.__speedups__
    assert {"msgspec", "multidict", "python-multipart"} <= machine["versions"].keys()
