"""Sphinx directive ``diagram``, which inserts a diagram by its name. Builders other than HTML omit it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from docutils import nodes
from docutils.parsers.rst import Directive

from docs import exception_diagram, layers_diagram, sequence_diagram, state_diagram

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sphinx.application import Sphinx

DIAGRAMS: Final[Mapping[str, Callable[[], str]]] = {
    "exceptions": exception_diagram.diagram,
    "layers": layers_diagram.diagram,
    **{name: partial(state_diagram.diagram, name) for name in state_diagram.DIAGRAMS},
    **{name: partial(sequence_diagram.diagram, name) for name in sequence_diagram.DIAGRAMS},
}


class Diagram(Directive):
    """``{diagram} NAME``."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Draw the diagram."""
        return [nodes.raw("", DIAGRAMS[self.arguments[0]](), format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("diagram", Diagram)
    return {"parallel_read_safe": True}
