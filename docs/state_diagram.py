"""Transition tables as SVG.

The arrows and their labels come from the tables. Only the positions of the boxes are written here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from .drawing import LINE_HEIGHT, arrow, box, figure, group, text

if TYPE_CHECKING:
    from enum import Enum

Table: TypeAlias = Mapping[Any, Mapping[str, Any]]
"""``table[state][event]`` is the next state; the states are members of an enumeration."""

HALF_HEIGHT: Final = 20


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
        name: What the diagram shows.
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

    name: str
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
        return figure(self.name, (self.width, self.height), "".join(parts))

    def _box(self, state: Enum) -> str:
        x, y, half = self.boxes[state]
        rectangle = box(x - half, y - HALF_HEIGHT, 2 * half, 2 * HALF_HEIGHT)
        return rectangle + text(x, y + 4, state.value, "label name")

    def _arrow(self, events: Arrow) -> str:
        """An arrow with its labels, and a title for each transition, for screen readers and on hovering."""
        path, x, y = self._loop(events) if events.before is events.after else self._line(events)
        labels = "".join(
            text(x, y + LINE_HEIGHT * number, event.removeprefix(self.prefix), "label")
            for number, event in enumerate(events.events)
        )
        titles = "; ".join(
            f"{events.before.value}: {event} {events.kind}".rstrip() + f", {events.after.value}"
            for event in events.events
        )
        return group(events.kind, titles, arrow(path) + labels)

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
        name="states of a WebSocket",
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
        name="states of a request body",
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


def diagram(name: str) -> str:
    """Return a diagram as HTML."""
    return DIAGRAMS[name]().svg()
