"""The layers diagram of the architecture page agrees with the source."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from docs import layers_diagram

from .test_architecture import MAY_AWAIT, MODULES, imported

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def boxes() -> dict[str, Any]:
    """The SVG group of each package, by the package's name."""
    groups = ElementTree.fromstring(layers_diagram.diagram()).iter(f"{SVG}g")
    return {group.find(f"{SVG}text").text: group for group in groups}


def package(module: str) -> str:
    return ".".join(module.split(".")[:2])


def height(box: Any) -> float:
    return -float(box.find(f"{SVG}rect").get("y"))


def test_every_package_has_a_box(boxes: dict[str, Any]) -> None:
    assert boxes.keys() == {package(module) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_a_package_is_above_its_imports(boxes: dict[str, Any], module: str) -> None:
    below = {package(other) for other in imported(module)} - {package(module), "asgiwire"}
    assert [other for other in below if height(boxes[other]) >= height(boxes[package(module)])] == []
    title = boxes[package(module)].find(f"{SVG}title").text
    assert all(other.removeprefix("asgiwire.") in title for other in below)


@pytest.mark.parametrize("module", MODULES)
def test_the_box_of_a_package_names_its_modules(boxes: dict[str, Any], module: str) -> None:
    words = " ".join(text.text for text in boxes[package(module)].iter(f"{SVG}text")).split()
    assert module in words or module.removeprefix(f"{package(module)}.") in words


def test_asynchronous_packages_are_marked(boxes: dict[str, Any]) -> None:
    marked = {name for name, box in boxes.items() if box.get("class") == "awaits"}
    assert marked == {"asgiwire." + file.partition("/")[0].removesuffix(".py") for file in MAY_AWAIT}
