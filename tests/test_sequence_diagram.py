"""The sequence diagrams of the documentation show what the recorded code did."""

from __future__ import annotations

import asyncio
from typing import Any
from xml.etree import ElementTree

import pytest

from docs import sequence_diagram

SVG = "{http://www.w3.org/2000/svg}"
RECORDINGS = {name: asyncio.run(record()) for name, record in sequence_diagram.DIAGRAMS.items()}


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> Any:
    return RECORDINGS[request.param]


def labels(name: str, *kinds: str) -> list[str]:
    return [step.label for step in RECORDINGS[name].steps if step.kind in kinds]


def test_every_step_is_an_arrow_between_two_lanes(recording: Any) -> None:
    groups = list(ElementTree.fromstring(recording.svg()).iter(f"{SVG}g"))
    lanes, rows = groups[: len(recording.lanes)], groups[len(recording.lanes) :]
    assert [lane.find(f"{SVG}text").text for lane in lanes] == list(recording.lanes)
    assert sum(len(row.findall(f"{SVG}path")) for row in rows) == len(recording.steps)
    for step in recording.steps:
        assert {step.source, step.target} <= {*recording.lanes}
        assert step.source != step.target


def test_every_label_is_inside_the_diagram(recording: Any) -> None:
    svg = ElementTree.fromstring(recording.svg()).find(f"{SVG}svg")
    assert svg is not None
    _, _, width, height = map(float, svg.get("viewBox", "").split())
    for text in svg.iter(f"{SVG}text"):
        x, y = float(text.get("x", "")), float(text.get("y", ""))
        half = 7.3 * len(text.text or "") / 2
        assert half <= x <= width - half, text.text
        assert 0 < y < height


def test_a_request_receives_nothing_before_the_first_read() -> None:
    steps = labels("request-life", "call", "received")
    assert steps.index('request.headers["content-type"]') < steps.index("await request.json()")
    assert [step.partition(" ")[0] for step in steps[4:6]] == ["http.request", "http.request"]


def test_a_buffered_body_is_received_once() -> None:
    owner = [step for step in RECORDINGS["body-buffer"].steps if step.source == "server"]
    assert len(owner) == 2
    assert labels("body-buffer", "received")[-1] == "http.request body=b'[1, 2]'"


def test_the_middleware_sees_a_chunk_before_the_application() -> None:
    steps = labels("body-tee", "result", "received")
    assert steps[:3] == [
        "http.request body=b'tea' more_body",
        "digest.update(b'tea')",
        "http.request body=b'tea' more_body",
    ]


def test_an_exception_is_a_result() -> None:
    assert "raises WebSocketDisconnect" in labels("websocket-life", "result")


def test_a_response_passes_every_middleware_from_the_inside() -> None:
    starts = [step for step in RECORDINGS["middleware-order"].steps if "response.start" in step.label]
    assert [step.source for step in starts] == [*reversed(RECORDINGS["middleware-order"].lanes[1:])]
