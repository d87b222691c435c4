"""The exception tree of the documentation has every exception below each of its base classes."""

from __future__ import annotations

from xml.etree import ElementTree

from asgiwire import exceptions
from asgiwire.exceptions import AsgiwireException
from docs import exception_diagram

SVG = "{http://www.w3.org/2000/svg}"
CLASSES = {name: getattr(exceptions, name) for name in exceptions.__all__ if name != "AsgiwireWarning"}


def drawn() -> list[list[str]]:
    """The texts of each row."""
    groups = ElementTree.fromstring(exception_diagram.diagram()).iter(f"{SVG}g")
    return [[text.text or "" for text in group.iter(f"{SVG}text")] for group in groups]


def test_every_exception_is_drawn_once_below_each_base() -> None:
    names = [name for name, _ in drawn()]
    expected = [
        name
        for name, cls in CLASSES.items()
        for _ in range(max(1, sum(issubclass(base, AsgiwireException) for base in cls.__bases__)))
    ]
    assert sorted(names) == sorted(expected)


def test_a_class_is_indented_below_its_base() -> None:
    path: list[type[AsgiwireException]] = []
    for depth, cls in exception_diagram.rows():
        path[depth:] = [cls]
        assert depth == 0 or path[depth - 1] in cls.__bases__


def test_status_attributes_and_builtin_bases_are_shown() -> None:
    details = dict(drawn())
    assert details["RequestEntityTooLarge"] == "413 · .limit .maximum"
    assert details["StreamConsumed"] == ".consumer · also RuntimeError"
    assert details["AsgiwireException"] == ".detail"
    assert details["ClientException"].startswith("400 · .headers .close_code .message")
