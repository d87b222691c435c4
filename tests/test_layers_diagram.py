"""The picture of the layers shows every room, above all that it imports, and says which of them await."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from .test_architecture import MAY_AWAIT, MODULES, imported

FILE = Path(__file__).parent.parent / "docs" / "layers_diagram.py"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def boxes() -> dict[str, Any]:
    """Each room's group of shapes by the room's name."""
    spec = importlib.util.spec_from_file_location("layers_diagram", FILE)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    groups = ElementTree.fromstring(module.diagram()).iter(f"{SVG}g")
    return {group.find(f"{SVG}text").text: group for group in groups}


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def height(box: Any) -> float:
    return -float(box.find(f"{SVG}rect").get("y"))


def test_every_room_has_a_box(boxes: dict[str, Any]) -> None:
    assert boxes.keys() == {room(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_a_room_stands_above_all_that_it_imports(boxes: dict[str, Any], module: str) -> None:
    below = {room(other) for other in imported(module)} - {room(module), "asgiwire"}
    assert [other for other in below if height(boxes[other]) >= height(boxes[room(module)])] == []
    assert all(
        other.removeprefix("asgiwire.") in boxes[room(module)].find(f"{SVG}title").text for other in below
    )


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_named_in_the_box_of_its_room(boxes: dict[str, Any], module: str) -> None:
    words = " ".join(text.text for text in boxes[room(module)].iter(f"{SVG}text")).split()
    assert module in words or module.removeprefix(f"{room(module)}.") in words


def test_rooms_that_await_are_marked(boxes: dict[str, Any]) -> None:
    marked = {name for name, box in boxes.items() if box.get("class") == "awaits"}
    assert marked == {"asgiwire." + file.partition("/")[0].removesuffix(".py") for file in MAY_AWAIT}
