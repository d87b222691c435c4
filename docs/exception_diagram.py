"""The tree of exceptions as SVG, generated from the classes."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Final

from asgiwire import exceptions
from asgiwire.exceptions import AsgiwireException

from .drawing import figure, group, line, text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW, INDENT, DETAILS, WIDTH = 26, 26, 350, 760
ATTRIBUTE: Final = re.compile(r"^ {4}(\w+): ", re.MULTILINE)


def children(cls: type[AsgiwireException]) -> list[type[AsgiwireException]]:
    """The public subclasses, by name. Subclasses in other modules, such as the integrations, are left out."""
    classes = [getattr(exceptions, name) for name in exceptions.__all__]
    return [child for child in classes if cls in child.__bases__]


def rows(
    cls: type[AsgiwireException] = AsgiwireException, depth: int = 0
) -> Iterator[tuple[int, type[AsgiwireException]]]:
    """Yield each class after its parent, with its depth. A class with two parents occurs twice."""
    yield depth, cls
    for child in children(cls):
        yield from rows(child, depth + 1)


def details(cls: type[AsgiwireException]) -> str:
    """The status code, the attributes that the class adds, and its built-in base class."""
    status = str(cls.__dict__.get("status_code", ""))
    _, _, section = inspect.cleandoc(cls.__doc__ or "").partition("Attributes:\n")
    attributes = [f".{name}" for name in ATTRIBUTE.findall(section) if name != "status_code"]
    builtin = [f"also {base.__name__}" for base in cls.__bases__[1:] if base.__module__ == "builtins"]
    return " · ".join(filter(None, (status, " ".join(attributes), *builtin)))


def diagram() -> str:
    """Return the diagram as HTML."""
    parts: list[str] = []
    tops: dict[int, float] = {}  # of the last class of each depth
    for number, (depth, cls) in enumerate(rows()):
        x, y = 12 + INDENT * depth, 20 + ROW * number
        tops[depth] = y
        branch = line(f"M{x - 18} {tops[depth - 1] + 8}V{y - 4}H{x - 4}") if depth else ""
        summary = (cls.__doc__ or "").partition("\n")[0]
        parts.append(
            group(
                "exception",
                f"{cls.__name__}: {summary}",
                branch + text(x, y, cls.__name__, "name") + text(DETAILS, y, details(cls), "code"),
            )
        )
    return figure("exception tree", (WIDTH, ROW * len(parts) + 8), "".join(parts))
