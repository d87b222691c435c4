"""Sphinx directives that draw transition tables as SVG: ``body-states`` and ``websocket-states``.

The arrows and their labels come from the tables. Only the positions of the boxes are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from enum import Enum

    from sphinx.application import Sphinx

Table: TypeAlias = Mapping[Any, Mapping[str, Any]]
"""``table[state][event]`` is the next state; the states are members of an enumeration."""

HALF_HEIGHT: Final = 20
LINE_HEIGHT: Final = 15

STYLE = """
.state-diagram { overflow-x: auto }
.state-diagram svg { display: block; width: 100%; min-width: 720px; height: auto; font: 13px sans-serif;
  color: var(--color-foreground-primary, black) }
.state-diagram :is(rect, path) { fill: none; stroke: currentColor; stroke-width: 1.5 }
.state-diagram text { fill: currentColor; text-anchor: middle; paint-order: stroke; stroke-width: 5;
  stroke: var(--color-background-primary, white) }
.state-diagram .state { font-weight: bold }
.state-diagram .received path { stroke-dasharray: 5 4 }
.state-diagram marker path { fill: currentColor; stroke: none }
"""


class Box(NamedTuple):
    """The centre of a state's box, and half its width, in pixels."""

    x: float
    y: float
    half_width: float


class Arrow(NamedTuple):
    """All events of one table that lead from one state to another."""

    kind: str
    before: Enum
    after: Enum
    events: tuple[str, ...]


@dataclass(frozen=True)
class StateDiagram:
    """A diagram of one or more tables over the same states.

    Attributes:
        width: Pixels.
        height: Pixels.
        boxes: Where each state is.
        tables: The tables, by the kind of their events: ``received``, ``sent``, or ``""``. Arrows have the
            kind as their CSS class.
        prefix: Removed from the names of events in labels.
        shifts: Pixels by which an arrow ``(kind, before, after)`` is moved to the right, so that it does not
            cover another one.
        loops: The side on which an arrow ``(kind, state)`` from a state to itself is drawn: ``top``, ``left``
            or ``right``.
    """

    width: int
    height: int
    boxes: Mapping[Any, Box]
    tables: Mapping[str, Table]
    prefix: str = ""
    shifts: Mapping[tuple[str, Any, Any], float] = field(default_factory=dict)
    loops: Mapping[tuple[str, Any], str] = field(default_factory=dict)

    def arrows(self) -> Iterator[Arrow]:
        """Return one arrow for each pair of states that a table connects."""
        for kind, table in self.tables.items():
            for before, row in table.items():
                for after in dict.fromkeys(row.values()):
                    yield Arrow(kind, before, after, tuple(e for e, state in row.items() if state is after))

    def svg(self) -> str:
        """Draw the diagram."""
        parts = [self._box(state) for state in self.boxes] + [self._arrow(arrow) for arrow in self.arrows()]
        return (
            '<div class="state-diagram"><svg xmlns="http://www.w3.org/2000/svg"'
            f' viewBox="0 0 {self.width} {self.height}" role="img"><style>{STYLE}</style>'
            '<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5"'
            ' markerWidth="9" markerHeight="9" orient="auto"><path d="M0 0L10 5L0 10z"/></marker></defs>'
            f"{''.join(parts)}</svg></div>"
        )

    def _box(self, state: Enum) -> str:
        x, y, half = self.boxes[state]
        left, top, width, height = x - half, y - HALF_HEIGHT, 2 * half, 2 * HALF_HEIGHT
        return (
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="8"/>'
            f'<text class="state" x="{x}" y="{y + 4}">{state.value}</text>'
        )

    def _arrow(self, arrow: Arrow) -> str:
        """An arrow with its labels, and a title for each transition, for screen readers and on hovering."""
        path, x, y = self._loop(arrow) if arrow.before is arrow.after else self._line(arrow)
        labels = "".join(
            f'<text x="{x}" y="{y + LINE_HEIGHT * number}">{event.removeprefix(self.prefix)}</text>'
            for number, event in enumerate(arrow.events)
        )
        titles = "; ".join(
            f"{arrow.before.value}: {event} {arrow.kind}".rstrip() + f", {arrow.after.value}"
            for event in arrow.events
        )
        return (
            f'<g class="{arrow.kind}"><title>{titles}</title>'
            f'<path marker-end="url(#arrow)" d="{path}"/>{labels}</g>'
        )

    def _line(self, arrow: Arrow) -> tuple[str, float, float]:
        """A straight arrow, and the position of its first label."""
        (x1, y1, half1), (x2, y2, half2) = self.boxes[arrow.before], self.boxes[arrow.after]
        shift = self.shifts.get((arrow.kind, arrow.before, arrow.after), 0)
        if y1 == y2:
            right = 1 if x2 > x1 else -1
            x1, x2, y1 = x1 + right * half1, x2 - right * half2, y1 + shift
            return f"M{x1} {y1}L{x2} {y1}", (x1 + x2) / 2, y1 - 8
        # Vertical if one box is above the other.
        if abs(x1 - x2) <= half2:
            x2 = x1
        elif abs(x1 - x2) <= half1:
            x1 = x2
        down = 1 if y2 > y1 else -1
        x1, x2, y1, y2 = x1 + shift, x2 + shift, y1 + down * HALF_HEIGHT, y2 - down * HALF_HEIGHT
        return f"M{x1} {y1}L{x2} {y2}", (x1 + x2) / 2, (y1 + y2) / 2 + 4

    def _loop(self, arrow: Arrow) -> tuple[str, float, float]:
        """An arrow from a state to itself, and the position of its first label."""
        x, y, half = self.boxes[arrow.before]
        x += self.shifts.get((arrow.kind, arrow.before, arrow.before), 0)
        side = self.loops.get((arrow.kind, arrow.before), "top")
        if side == "left":
            left = x - half
            path = f"M{left} {y + 8}C{left - 45} {y + 50} {left - 10} {y + 60} {left + 15} {y + 20}"
            return path, left - 30, y + 60
        if side == "right":
            right = x + half
            path = f"M{right} {y - 10}C{right + 45} {y - 20} {right + 45} {y + 20} {right} {y + 10}"
            return path, right + 55, y + 32
        top = y - HALF_HEIGHT
        path = f"M{x - 20} {top}C{x - 30} {top - 45} {x + 30} {top - 45} {x + 20} {top}"
        return path, x, top - 40 - LINE_HEIGHT * (len(arrow.events) - 1)


def websocket_states() -> StateDiagram:
    """Return the diagram of a WebSocket."""
    from asgiwire._websocket.states import RECEIVED, SENT  # noqa: PLC0415  # only for this diagram
    from asgiwire._websocket.states import WebSocketState as State  # noqa: PLC0415  # as above

    return StateDiagram(
        width=960,
        height=470,
        boxes={
            State.INITIAL: Box(90, 90, 60),
            State.HANDSHAKE: Box(310, 90, 70),
            State.OPEN: Box(860, 90, 50),
            State.DENYING: Box(470, 250, 80),
            State.CLOSING: Box(700, 250, 60),
            State.LOST: Box(200, 250, 50),
            State.CLOSED: Box(480, 410, 440),  # below all others, so that the arrows to it are vertical
        },
        tables={"received": RECEIVED, "sent": SENT},
        prefix="websocket.",
        shifts={
            ("sent", State.DENYING, State.CLOSED): -60,
            ("received", State.DENYING, State.CLOSED): 60,
            ("received", State.CLOSED, State.CLOSED): 130,
        },
        loops={
            ("received", State.OPEN): "left",
            ("received", State.CLOSING): "right",
            ("received", State.LOST): "left",
        },
    )


def body_states() -> StateDiagram:
    """Return the diagram of a request body."""
    from asgiwire._body.channel import TRANSITIONS  # noqa: PLC0415  # only for this diagram
    from asgiwire._body.channel import BodyState as State  # noqa: PLC0415  # as above

    return StateDiagram(
        width=960,
        height=470,
        boxes={
            State.UNREAD: Box(90, 90, 60),
            State.READING: Box(400, 90, 70),
            State.BUFFERED: Box(800, 90, 60),
            State.STREAMING: Box(540, 250, 80),
            State.CONSUMED: Box(800, 250, 60),
            State.FAILED: Box(480, 410, 440),
        },
        tables={"": TRANSITIONS},
        shifts={
            ("", State.UNREAD, State.READING): -8,
            ("", State.READING, State.UNREAD): 12,
            ("", State.FAILED, State.FAILED): 180,
        },
    )


DIAGRAMS: Final[Mapping[str, Callable[[], StateDiagram]]] = {
    "body-states": body_states,
    "websocket-states": websocket_states,
}
"""The diagram of each directive."""


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    # The tests do not need docutils.
    from docutils import nodes  # noqa: PLC0415  # as above
    from docutils.parsers.rst import Directive  # noqa: PLC0415  # as above

    class StateDiagramDirective(Directive):
        """Inserts the diagram in HTML, and nothing in other formats."""

        def run(self) -> list[nodes.Node]:
            return [nodes.raw("", DIAGRAMS[self.name]().svg(), format="html")]

    for name in DIAGRAMS:
        app.add_directive(name, StateDiagramDirective)
    return {"parallel_read_safe": True}
