"""Draws the rooms of the package, one above the other: a Sphinx directive, ``layers``, that makes an SVG.

What is drawn is read from the source: a room stands one row above the highest room that it imports from, for
types too, and is marked if something in it awaits. The colours are the page's.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

import asgiwire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

PACKAGE = Path(asgiwire.__file__).parent
ASYNCHRONOUS = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)

WIDTH, GAP, LINE, MARGIN = 900, 14, 17, 12
LETTER = 7.3  # the width of one in 12 pixels of a monospaced font

STYLE = """
.layers { overflow-x: auto }
.layers svg { display: block; width: 100%; min-width: 640px; height: auto;
  color: var(--color-foreground-primary, black) }
.layers rect { fill: var(--color-background-secondary, none); stroke: currentColor; stroke-width: 1 }
.layers .awaits rect { stroke: var(--color-brand-primary, blue); stroke-width: 2.5 }
.layers text { fill: currentColor; font: 12px monospace }
.layers text.name { font: bold 15px sans-serif }
"""


class Room(NamedTuple):
    """A module of the package, or a package in it."""

    name: str
    files: tuple[Path, ...]
    imports: frozenset[str]
    awaits: bool

    @property
    def label(self) -> str:
        """What a reader imports."""
        return f"asgiwire.{self.name}".rstrip(".")

    @property
    def contents(self) -> str:
        """The modules of a package, and what the docstring of a module begins with."""
        paths = [path.relative_to(PACKAGE).with_suffix("").parts[1:] for path in self.files]
        modules = [".".join(parts).removesuffix(".__init__") for parts in paths if parts]
        tree = ast.parse(self.files[0].read_text(encoding="utf-8"))
        names = [module for module in modules if module != "__init__"]
        return " ".join(names) or (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("``", "")


def rooms() -> dict[str, Room]:
    """Every room by its name; the package itself has none."""
    files: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        files.setdefault(room_of(path.relative_to(PACKAGE).with_suffix("").parts), []).append(path)
    return {name: room(name, tuple(paths), files.keys() - {name, ""}) for name, paths in files.items()}


def room_of(parts: tuple[str, ...]) -> str:
    """The room of a module, from its path below the package."""
    return parts[0] if parts and parts[0] != "__init__" else ""


def room(name: str, files: tuple[Path, ...], others: set[str]) -> Room:
    """Read one room."""
    nodes = [(path, node) for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    imports = others.intersection(other for path, node in nodes for other in imported(path, node))
    return Room(name, files, frozenset(imports), any(isinstance(node, ASYNCHRONOUS) for _, node in nodes))


def imported(path: Path, node: ast.AST) -> Iterator[str]:
    """The first names below the package that one import statement gives."""
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module or ''}.{alias.name}".strip(".").split(".") for alias in node.names]
        if node.level:
            package = path.relative_to(PACKAGE).parts[: -node.level]
            names = [["asgiwire", *package, *parts] for parts in names]
    else:
        names = [alias.name.split(".") for alias in node.names] if isinstance(node, ast.Import) else []
    yield from (parts[1] for parts in names if parts[0] == "asgiwire" and len(parts) > 1)


def rows() -> list[list[Room]]:
    """The rooms from the top row to the ground."""
    found = rooms()
    levels: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in levels:
            levels[name] = 1 + max((level(other) for other in found[name].imports), default=-1)
        return levels[name]

    for name in found:
        level(name)
    return [
        [found[name] for name in sorted(found, key=lambda name: name.strip("_")) if levels[name] == number]
        for number in range(max(levels.values()), -1, -1)
    ]


def diagram() -> str:
    """The rooms as SVG."""
    parts: list[str] = []
    top = 2
    for row in rows():
        width = (WIDTH - 4 - GAP * (len(row) - 1)) / len(row)
        texts = [textwrap.wrap(one.contents, int((width - 2 * MARGIN) / LETTER)) for one in row]
        height = 40 + LINE * max(map(len, texts))
        for number, (one, lines) in enumerate(zip(row, texts, strict=True)):
            parts.append(box(one, lines, (2 + number * (width + GAP), top), (width, height)))
        top += height + GAP
    return (
        f'<div class="layers"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">'
        f"<style>{STYLE}</style>{''.join(parts)}</svg></div>"
    )


def box(one: Room, lines: list[str], corner: tuple[float, int], size: tuple[float, int]) -> str:
    """A room: its name, what is in it, and for hovering and reading aloud what it imports."""
    (x, y), (width, height) = corner, size
    about = f"{one.label} imports {', '.join(sorted(one.imports)) or 'nothing of ours'}"
    words = "".join(
        f'<text x="{x + MARGIN:.0f}" y="{y + 45 + LINE * number}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<g class="{"awaits" if one.awaits else "plain"}"><title>{escape(about)}</title>'
        f'<rect x="{x:.0f}" y="{y}" width="{width:.0f}" height="{height}" rx="6"/>'
        f'<text class="name" x="{x + MARGIN:.0f}" y="{y + 25}">{one.label}</text>{words}</g>'
    )


def setup(app: Sphinx) -> dict[str, bool]:
    """Be an extension of Sphinx."""
    # The tests draw without Sphinx.
    from docutils import nodes  # noqa: PLC0415
    from docutils.parsers.rst import Directive  # noqa: PLC0415

    class Layers(Directive):
        """Puts the picture where it is written; what is not HTML does without."""

        def run(self) -> list[nodes.Node]:
            return [nodes.raw("", diagram(), format="html")]

    app.add_directive("layers", Layers)
    return {"parallel_read_safe": True}
