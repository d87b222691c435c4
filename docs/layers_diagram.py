"""The packages and their import layers as SVG.

The diagram is generated from the source. A package is one layer above the highest package that it imports,
including imports for types. Packages with asynchronous code are marked.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import asgiwire

from .drawing import CHARACTER_WIDTH, LINE_HEIGHT, box, figure, group, text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(asgiwire.__file__).parent
ASYNCHRONOUS = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)

WIDTH, GAP, MARGIN = 960, 14, 12


class Package(NamedTuple):
    """A top-level module or package of asgiwire."""

    name: str
    files: tuple[Path, ...]
    imports: frozenset[str]
    is_async: bool

    @property
    def label(self) -> str:
        """The import name."""
        return f"asgiwire.{self.name}".rstrip(".")

    @property
    def contents(self) -> str:
        """The names of a package's modules, or the first paragraph of a module's docstring."""
        paths = [path.relative_to(ROOT).with_suffix("").parts[1:] for path in self.files]
        modules = [".".join(parts).removesuffix(".__init__") for parts in paths if parts]
        tree = ast.parse(self.files[0].read_text(encoding="utf-8"))
        names = [module for module in modules if module != "__init__"]
        return " ".join(names) or (ast.get_docstring(tree) or "").partition("\n\n")[0].replace("``", "")


def packages() -> dict[str, Package]:
    """All packages by name. The name of ``asgiwire`` itself is empty."""
    files: dict[str, list[Path]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        files.setdefault(package_name(path.relative_to(ROOT).with_suffix("").parts), []).append(path)
    return {
        name: read_package(name, tuple(paths), files.keys() - {name, ""}) for name, paths in files.items()
    }


def package_name(parts: tuple[str, ...]) -> str:
    """The package of a module, given the module's path below the root."""
    return parts[0] if parts and parts[0] != "__init__" else ""


def read_package(name: str, files: tuple[Path, ...], others: set[str]) -> Package:
    """Parse the files of a package."""
    nodes = [(path, node) for path in files for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    imports = others.intersection(other for path, node in nodes for other in imported(path, node))
    return Package(name, files, frozenset(imports), any(isinstance(node, ASYNCHRONOUS) for _, node in nodes))


def imported(path: Path, node: ast.AST) -> Iterator[str]:
    """The packages that an import statement names."""
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module or ''}.{alias.name}".strip(".").split(".") for alias in node.names]
        if node.level:
            parents = path.relative_to(ROOT).parts[: -node.level]
            names = [["asgiwire", *parents, *parts] for parts in names]
    else:
        names = [alias.name.split(".") for alias in node.names] if isinstance(node, ast.Import) else []
    yield from (parts[1] for parts in names if parts[0] == "asgiwire" and len(parts) > 1)


def layers() -> list[list[Package]]:
    """The packages of each layer, the highest layer first."""
    found = packages()
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
    """The diagram as HTML with an SVG element."""
    parts: list[str] = []
    top = 2
    for layer in layers():
        width = (WIDTH - 4 - GAP * (len(layer) - 1)) / len(layer)
        texts = [
            textwrap.wrap(package.contents, int((width - 2 * MARGIN) / CHARACTER_WIDTH)) for package in layer
        ]
        height = 40 + LINE_HEIGHT * max(map(len, texts))
        for number, (package, lines) in enumerate(zip(layer, texts, strict=True)):
            position = 2 + number * (width + GAP), top
            parts.append(package_box(package, lines, position, (width, height)))
        top += height + GAP
    return figure("layers of packages", (WIDTH, top), "".join(parts))


def package_box(
    package: Package, lines: list[str], position: tuple[float, int], size: tuple[float, int]
) -> str:
    """The box of a package. Its tooltip, which screen readers announce, lists the imports."""
    (x, y), (width, height) = position, size
    title = f"{package.label} imports {', '.join(sorted(package.imports)) or 'nothing from asgiwire'}"
    contents = "".join(
        text(x + MARGIN, y + 45 + LINE_HEIGHT * number, line, "code") for number, line in enumerate(lines)
    )
    name = text(x + MARGIN, y + 25, package.label, "name")
    return group("awaits" if package.is_async else "plain", title, box(x, y, width, height) + name + contents)
