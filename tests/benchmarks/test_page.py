"""The speed page shows the runs that are stored, and says of every target whether each of them met it."""

from __future__ import annotations

import json
from copy import deepcopy
from xml.etree import ElementTree as ET

import pytest

from benchmarks import chart, page, report, results, targets
from benchmarks.rows import ROWS

RUN = {
    "date": "2026-01-02",
    "cpu": "A processor",
    "cores": 2,
    "python": "CPython 3.11.7",
    "platform": "linux x86_64",
    "versions": {"msgspec": "0.21"},
    "rows": {
        "typical": {
            "title": "typical read",
            "contestants": {
                "raw": {"median": 2.0, "minimum": 2.0, "rounds": [2.0, 2.0, 2.0]},
                "asgiwire": {"median": 2.8, "minimum": 2.6, "rounds": [2.6, 2.8, 3.2]},
                "falcon": {"median": 4.0, "minimum": 4.0, "rounds": [4.0, 4.0, 4.0]},
                "starlette": {"median": 9.0, "minimum": 9.0, "rounds": [9.0, 9.0, 9.0]},
            },
            "refused": {"django": "cannot <do> it"},
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


def slower(factor: float) -> dict[str, object]:
    run = deepcopy(RUN)
    ours = run["rows"]["typical"]["contestants"]["asgiwire"]
    ours["rounds"] = [figure * factor for figure in ours["rounds"]]
    return run


def test_the_page_is_made_of_the_stored_runs() -> None:
    """Whoever changes the runs, the page or its generator makes the page anew: python -m benchmarks.page."""
    documents = page.stored()
    assert len(documents) >= 2
    text = page.PAGE.read_text()
    assert page.written(text, documents) == text
    assert chart.drawn(page.merged(documents)) == page.CHART.read_text()


def test_the_stored_runs_say_nothing_of_whose_machine_it_is() -> None:
    for path in page.RUNS.glob("*.json"):
        assert not {"/tmp", "/home", "localhost"} & set(path.read_text().split('"'))
        assert all(part not in path.read_text() for part in ("/tmp/", "/home/"))


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="has no marks"):
        page.written("# Speed\n", [RUN])


def test_every_part_is_on_the_page() -> None:
    text = page.measured([RUN, RUN])

    assert "A processor, 2 cores, linux x86_64, CPython 3.11.7; msgspec 0.21." in text
    assert "| typical read | 2.80 | 4.00 (falcon) | 2.00 |" in text
    assert "| cookies | 1.00 | 10.0 | 1.00; 1.00 |" in text
    assert "| modules loaded | 90 | 180 |" in text
    assert "| `form()` | 1.0; 1.0 | 500 | 1.0 |" in text
    assert "| uvicorn | asgiwire | 103 | 0.98; 0.98 | 10.2 | 1.02; 1.02 |" in text
    assert "7 of 7 targets were met in every run." in text


def test_a_target_is_met_where_every_run_has_met_it() -> None:
    text = page.measured([RUN, slower(1.2)])

    assert "0.70 (0.65–0.80); 0.84 (0.78–0.96) ✓" in text
    assert "1.40 (1.30–1.60); 1.68 (1.56–1.92) ✗" in text
    assert "6 of 7 targets were met in every run." in text
    assert "| typical read | raw | ≤ 1.5 | 1.40 (1.30-1.60) | 1.68 (1.56-1.92) |" in text


def test_parts_that_were_not_measured_are_not_there() -> None:
    run = {name: value for name, value in RUN.items() if name not in targets.PARTS}
    text = page.measured([run])

    assert "typical" not in text
    assert "0 of 0" in text


def test_a_verdict_of_each_kind() -> None:
    found = {(one.part, one.subject, one.against): one for one in targets.verdicts(RUN)}

    assert found["rows", "typical read", "best peer"].peer == "falcon"
    assert found["rows", "typical read", "best peer"].spread == (0.65, 0.8)
    assert found["footprint", "bytes of an idle request", "best peer"].measured == 100 / 140
    assert found["server", "requests/s on uvicorn", "raw"].at_least
    assert all(one.is_met for one in found.values())
    assert not any(one.is_met for one in targets.verdicts(slower(2)) if one.part == "rows")


def test_targets_are_of_rows_that_exist() -> None:
    rows = {row.name for row in ROWS}

    assert all(wanted.keys() <= rows for wanted in targets.AGAINST.values())


def test_the_text_marks_what_is_missed() -> None:
    lines = report.targets(slower(1.2)).splitlines()

    assert [line.split()[-1] for line in lines if line.startswith("typical read")] == ["met", "MISSED"]
    assert lines[-1] == "6 of 7 targets are met"


def test_the_tables_have_everybody() -> None:
    text = report.tables(RUN, ["raw", "asgiwire", "falcon", "quart"])

    assert "typical read  2.00      2.80    4.00      -     falcon  0.70 (0.65-0.80)" in text
    assert "typical read: django: cannot <do> it" in text


def test_the_chart_is_svg_with_a_mark_for_everybody() -> None:
    svg = ET.fromstring(chart.drawn(RUN))
    name = "{http://www.w3.org/2000/svg}"
    titles = [title.text for title in svg.iter(f"{name}title")]

    assert titles == ["starlette", "falcon"]
    assert len(svg.findall(f"{name}circle")) == len(svg.findall(f"{name}rect")) == 2
    assert "typical read" in [text.text for text in svg.iter(f"{name}text")]


def test_what_is_kept_is_json_and_enough_to_compare() -> None:
    facts = results.facts({})

    assert json.loads(json.dumps(facts)) == facts
    assert facts["cpu"]
    assert {"msgspec", "multidict", "python-multipart"} <= facts["versions"].keys()
