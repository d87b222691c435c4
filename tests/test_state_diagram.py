"""The state diagrams of the documentation have every transition of their tables, and nothing else."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from docs import state_diagram

SVG = "{http://www.w3.org/2000/svg}"


DIAGRAMS = {name: create() for name, create in state_diagram.DIAGRAMS.items()}


@pytest.fixture(params=DIAGRAMS)
def diagram(request: pytest.FixtureRequest) -> Any:
    return DIAGRAMS[request.param]


@pytest.fixture
def drawn(diagram: Any) -> Any:
    return ElementTree.fromstring(diagram.svg())[0]


def test_every_transition_is_drawn_once(diagram: Any, drawn: Any) -> None:
    transitions = [
        f"{before.value}: {event} {kind}".rstrip() + f", {after.value}"
        for kind, table in diagram.tables.items()
        for before, row in table.items()
        for event, after in row.items()
    ]
    titles = "; ".join(title.text for title in drawn.iter(f"{SVG}title")).split("; ")
    assert sorted(titles) == sorted(transitions)


def test_every_arrow_has_the_labels_of_its_events(diagram: Any, drawn: Any) -> None:
    arrows = list(drawn.iter(f"{SVG}g"))
    for arrow, group in zip(diagram.arrows(), arrows, strict=True):
        labels = [text.text for text in group.iter(f"{SVG}text")]
        assert labels == [event.removeprefix(diagram.prefix) for event in arrow.events]
        assert group.find(f"{SVG}path").get("d")


def test_every_state_has_a_box(diagram: Any, drawn: Any) -> None:
    names = [text.text for text in drawn.findall(f"{SVG}text")]
    states = dict.fromkeys(state for table in diagram.tables.values() for state in table)
    assert sorted(names) == sorted(state.value for state in states)
    assert len(drawn.findall(f"{SVG}rect")) == len(names)


def test_everything_is_inside_the_diagram(diagram: Any) -> None:
    for x, y, half_width in diagram.boxes.values():
        assert half_width <= x <= diagram.width - half_width
        assert 0 < y < diagram.height


@pytest.mark.parametrize("target", ["below", "above", "left", "right"])
def test_arrows_in_every_direction(target: str) -> None:
    """Also in the directions that no diagram uses yet."""
    from enum import Enum

    class State(Enum):
        HERE = "here"
        THERE = "there"

    x, y = {"below": (200, 300), "above": (220, 100), "left": (50, 200), "right": (350, 200)}[target]
    boxes = {State.HERE: state_diagram.Box(200, 200, 40), State.THERE: state_diagram.Box(x, y, 10)}
    table = {State.HERE: {"go": State.THERE, "stay": State.HERE}, State.THERE: {}}
    diagram = state_diagram.StateDiagram("two states", 400, 400, boxes, {"": table})
    paths = [path.get("d") for path in ElementTree.fromstring(diagram.svg()).iter(f"{SVG}path")]
    expected = {
        "below": "M200 220L200 280",
        "above": "M220 180L220 120",
        "left": "M160 200L60 200",
        "right": "M240 200L340 200",
    }
    assert expected[target] in paths
