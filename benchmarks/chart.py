"""The table as a picture: one line for each row, one mark for each contestant, the best peer being 1.

It is SVG, written by hand, in colours that can be read on white and on black alike.
"""

from __future__ import annotations

from html import escape
from math import log10
from typing import Any, Final

from .contestants import OURS, PEERS, RAW
from .results import best_peer

GREY: Final = "#7b7b7b"
OURS_COLOUR: Final = "#e0457b"
RAW_COLOUR: Final = "#2f8fe0"

WIDTH: Final = 800
LEFT: Final = 250
RIGHT: Final = 780
TOP: Final = 48
LINE: Final = 22
TICKS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def drawn(document: dict[str, Any]) -> str:
    """The chart of a run."""
    rows = [relative(row) for row in document.get("rows", {}).values() if best_peer(row)]
    if not rows:
        raise ValueError("there is no row that asgiwire and a peer are both in")
    scale = Scale([value for _, marks in rows for value in marks.values()])
    bottom = TOP + LINE * len(rows)
    parts = [*legend(), *axis(scale, bottom)]
    for number, (title, marks) in enumerate(rows):
        parts += line(title, marks, scale, TOP + LINE * number + LINE / 2)
    about = f"{document['cpu']}, {document['python']}, {document['date']}"
    parts.append(text(RIGHT, bottom + 40, about, "end"))
    return "\n".join([opening(bottom + 50), *parts, "</svg>", ""])


def relative(row: dict[str, Any]) -> tuple[str, dict[str, float]]:
    """The title of a row, and the medians of it by contestant, the best peer's being 1."""
    contestants = row["contestants"]
    best = contestants[best_peer(row)]["median"] or 0.001
    shown = [name for name in (*PEERS, RAW, OURS) if name in contestants]
    return row["title"], {name: max(contestants[name]["median"], 0.001) / best for name in shown}


class Scale:
    """A logarithmic axis that has room for these values."""

    def __init__(self, values: list[float]) -> None:
        self.first = min(log10(min(values)), log10(0.5)) - 0.03
        self.last = max(log10(max(values)), log10(2)) + 0.03

    def x(self, value: float) -> float:
        share = (log10(value) - self.first) / (self.last - self.first)
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def ticks(self) -> list[float]:
        return [tick for tick in TICKS if self.first <= log10(tick) <= self.last]


def opening(height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img"'
        f' aria-label="Time of asgiwire, of hand-written code and of each peer, by row" fill="{GREY}"'
        ' font-family="system-ui, sans-serif" font-size="12">'
    )


def legend() -> list[str]:
    return [
        circle(LEFT + 5, 14, OURS_COLOUR),
        text(LEFT + 15, 18, OURS),
        square(LEFT + 95, 14, RAW_COLOUR),
        text(LEFT + 105, 18, "hand-written"),
        stroke(LEFT + 205, 14),
        text(LEFT + 213, 18, "a peer"),
        text(RIGHT, 18, "time, the best peer being 1; less is better", "end"),
    ]


def axis(scale: Scale, bottom: float) -> list[str]:
    parts = []
    for tick in scale.ticks():
        x, width = scale.x(tick), 1.5 if tick == 1 else 0.4
        parts.append(f'<path d="M{x} {TOP}V{bottom:g}" stroke="{GREY}" stroke-width="{width}"/>')
        parts += [text(x, y, f"{tick:g}", "middle") for y in (TOP - 6, bottom + 15)]
    return parts


def line(title: str, marks: dict[str, float], scale: Scale, y: float) -> list[str]:
    parts = [text(LEFT - 12, y + 4, title, "end")]
    parts += [stroke(scale.x(value), y, name) for name, value in marks.items() if name in PEERS]
    if RAW in marks:
        parts.append(square(scale.x(marks[RAW]), y, RAW_COLOUR))
    if OURS in marks:
        parts.append(circle(scale.x(marks[OURS]), y, OURS_COLOUR))
    return parts


def text(x: float, y: float, content: str, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(content)}</text>'


def circle(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="{colour}"/>'


def square(x: float, y: float, colour: str) -> str:
    return f'<rect x="{x - 4:g}" y="{y - 4:g}" width="8" height="8" fill="{colour}"/>'


def stroke(x: float, y: float, name: str = "") -> str:
    shape = f'd="M{x:g} {y - 6:g}v12" stroke="{GREY}" stroke-width="2"'
    return f"<path {shape}><title>{escape(name)}</title></path>" if name else f"<path {shape}/>"
