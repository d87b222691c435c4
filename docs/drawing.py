"""SVG elements of the diagrams. ``_static/site.css`` has their colours, which follow the theme."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

CHARACTER_WIDTH: Final = 7.3
"""Pixels of a character in text of the class ``code``."""

LINE_HEIGHT: Final = 16


def figure(name: str, size: tuple[float, float], elements: str) -> str:
    """Return a diagram as HTML.

    Args:
        name: What the diagram shows, for screen readers. Unique on its page.
        size: Width and height in pixels. On a narrower screen, the diagram scrolls.
        elements: The SVG elements.
    """
    width, height = size
    marker = f"arrow-{name.replace(' ', '-')}"
    return (
        f'<div class="diagram" style="--arrow: url(#{marker}); --width: {width:.0f}px">'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
        f' aria-label="{escape(name)}"><defs><marker id="{marker}" viewBox="0 0 10 10" refX="10" refY="5"'
        ' markerWidth="9" markerHeight="9" orient="auto"><path d="M0 0L10 5L0 10z"/></marker></defs>'
        f"{elements}</svg></div>"
    )


def group(kind: str, title: str, elements: str) -> str:
    """Return elements with a CSS class, and a title that browsers show and screen readers announce."""
    return f'<g class="{kind}"><title>{escape(title)}</title>{elements}</g>'


def box(left: float, top: float, width: float, height: float) -> str:
    """Return a rectangle with round corners."""
    return f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="7"/>'


def text(x: float, y: float, line: str, kind: str) -> str:
    """Return one line of text with CSS classes: ``name``, ``code``, or ``label`` for centred text."""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(line)}</text>'


def arrow(path: str) -> str:
    """Return a line with an arrowhead at its end."""
    return f'<path class="arrow" d="{path}"/>'


def line(path: str) -> str:
    """Return a line."""
    return f'<path d="{path}"/>'
