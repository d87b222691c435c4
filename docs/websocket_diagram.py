"""Draws the transition tables of a WebSocket: a Sphinx directive, ``websocket-states``, that makes an SVG.

What is drawn comes from the tables; only where a state stands is said here. The colours are the page's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asgiwire._websocket.states import RECEIVED, SENT, SocketState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

WIDTH, HEIGHT = 960, 470

# The middle of each box, and half its width; the last state is a bar below the others, so that the way to it
# is a straight line down from each of them.
BOXES = {
    SocketState.INITIAL: (90, 90, 60),
    SocketState.HANDSHAKE: (310, 90, 70),
    SocketState.OPEN: (860, 90, 50),
    SocketState.DENYING: (470, 250, 80),
    SocketState.CLOSING: (700, 250, 60),
    SocketState.CLOSED: (480, 410, 440),
}
HALF_HEIGHT = 20

STYLE = """
.websocket-states { display: block; width: 100%; min-width: 720px; height: auto; font: 13px sans-serif;
  color: var(--color-foreground-primary, black) }
.wide { overflow-x: auto }
.websocket-states :is(rect, path) { fill: none; stroke: currentColor; stroke-width: 1.5 }
.websocket-states text { fill: currentColor; text-anchor: middle; paint-order: stroke; stroke-width: 5;
  stroke: var(--color-background-primary, white) }
.websocket-states .state { font-weight: bold }
.websocket-states .received path { stroke-dasharray: 5 4 }
.websocket-states marker path { fill: currentColor; stroke: none }
"""


class Arrow(NamedTuple):
    """All events of one direction that lead from one state to another."""

    before: SocketState
    after: SocketState
    direction: str
    events: tuple[str, ...]


def arrows() -> Iterator[Arrow]:
    """Everything that is in the tables."""
    for direction, table in (("received", RECEIVED), ("sent", SENT)):
        for before, row in table.items():
            for after in dict.fromkeys(row.values()):
                events = tuple(event for event, state in row.items() if state is after)
                yield Arrow(before, after, direction, events)


def diagram() -> str:
    """The tables as SVG."""
    parts = [box(state) for state in SocketState] + [line(arrow) for arrow in arrows()]
    return (
        '<div class="wide"><svg xmlns="http://www.w3.org/2000/svg" class="websocket-states"'
        f' viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><style>{STYLE}</style>'
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="10" refY="5"'
        ' markerWidth="9" markerHeight="9" orient="auto"><path d="M0 0L10 5L0 10z"/></marker></defs>'
        f"{''.join(parts)}</svg></div>"
    )


def box(state: SocketState) -> str:
    """A state."""
    x, y, half = BOXES[state]
    return (
        f'<rect x="{x - half}" y="{y - HALF_HEIGHT}" width="{2 * half}" height="{2 * HALF_HEIGHT}" rx="8"/>'
        f'<text class="state" x="{x}" y="{y + 4}">{state.value}</text>'
    )


def line(arrow: Arrow) -> str:
    """An arrow with its words, and for each transition a title, which is shown on hovering and read aloud."""
    path, x, y = loop(arrow) if arrow.before is arrow.after else straight(arrow)
    names = [event.removeprefix("websocket.") for event in arrow.events]
    lines = "".join(f'<text x="{x}" y="{y + 15 * number}">{name}</text>' for number, name in enumerate(names))
    titles = "; ".join(
        f"{arrow.before.value}: {event} {arrow.direction}, {arrow.after.value}" for event in arrow.events
    )
    return (
        f'<g class="{arrow.direction}"><title>{titles}</title>'
        f'<path marker-end="url(#arrow)" d="{path}"/>{lines}</g>'
    )


def straight(arrow: Arrow) -> tuple[str, float, float]:
    """A line between two boxes, and the place of its words."""
    (x1, y1, half1), (x2, y2, half2) = BOXES[arrow.before], BOXES[arrow.after]
    if arrow.after is SocketState.CLOSED:
        if arrow.before is SocketState.DENYING:
            # Two lead there: the application's last body, and the disconnect.
            x1 += -60 if arrow.direction == "sent" else 60
        x2 = x1
    if y1 == y2:
        x1, x2 = x1 + half1, x2 - half2
        return f"M{x1} {y1}L{x2} {y2}", (x1 + x2) / 2, y1 - 8
    y1, y2 = y1 + HALF_HEIGHT, y2 - HALF_HEIGHT
    return f"M{x1} {y1}L{x2} {y2}", (x1 + x2) / 2, (y1 + y2) / 2 + 4


def loop(arrow: Arrow) -> tuple[str, float, float]:
    """An arrow from a state to itself, on a side of its box where nothing else is."""
    x, y, half = BOXES[arrow.before]
    if arrow.direction == "sent":
        top = y - HALF_HEIGHT
        return f"M{x - 20} {top}C{x - 30} {top - 45} {x + 30} {top - 45} {x + 20} {top}", x, top - 40
    if arrow.before is SocketState.CLOSED:
        top = y - HALF_HEIGHT
        left, right = x + 110, x + 150
        return (
            f"M{left} {top}C{left - 10} {top - 45} {right + 10} {top - 45} {right} {top}",
            x + 130,
            top - 55,
        )
    left = x - half
    if arrow.before is SocketState.OPEN:
        return (
            f"M{left} {y + 8}C{left - 45} {y + 50} {left - 10} {y + 60} {left + 15} {y + 20}",
            left - 30,
            y + 60,
        )
    right = x + half
    return (
        f"M{right} {y - 10}C{right + 45} {y - 20} {right + 45} {y + 20} {right} {y + 10}",
        right + 55,
        y + 32,
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Be an extension of Sphinx."""
    # The tests draw without Sphinx.
    from docutils import nodes  # noqa: PLC0415
    from docutils.parsers.rst import Directive  # noqa: PLC0415

    class WebSocketStates(Directive):
        """Puts the diagram where it is written; what is not HTML does without."""

        def run(self) -> list[nodes.Node]:
            return [nodes.raw("", diagram(), format="html")]

    app.add_directive("websocket-states", WebSocketStates)
    return {"parallel_read_safe": True}
