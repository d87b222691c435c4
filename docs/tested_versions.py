"""Sphinx directive for the table of tested versions, from ``pyproject.toml`` and the environment."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

FILE = Path(__file__).parent.parent / "pyproject.toml"
KINDS = {
    "dependency": ("msgspec", "multidict", "python-multipart"),
    "server": ("uvicorn", "hypercorn", "granian", "daphne"),
    "event loop": ("uvloop", "trio"),
    "framework": ("starlette", "fastapi", "litestar", "quart", "django"),
}
REQUIREMENT = re.compile(r"([\w-]+)(?:\[[^]]*\])?\s*([^;]*)")


def pythons(project: dict[str, Any]) -> list[str]:
    """The Python versions in the classifiers."""
    pattern = re.compile(r"Programming Language :: Python :: (3\.\d+)")
    return [match[1] for name in project["project"]["classifiers"] if (match := pattern.fullmatch(name))]


def requirements(project: dict[str, Any]) -> dict[str, str]:
    """The version specifier of each package that asgiwire or its tests require."""
    groups = project["dependency-groups"]
    required = [*project["project"]["dependencies"], *groups["test"], *groups["peers"], *groups["e2e"]]
    return {match[1]: match[2] for line in required if (match := REQUIREMENT.match(line))}


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Kind, name, version specifier and installed version of each package."""
    specifiers = requirements(tomllib.loads(FILE.read_text(encoding="utf-8")))
    for kind, names in KINDS.items():
        for name in names:
            try:
                installed = version(name)
            except PackageNotFoundError:
                installed = "newest release"
            yield kind, name, specifiers[name], installed


class TestedVersions(SphinxDirective):
    """The table of tested versions."""

    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        """Write the table."""
        self.env.note_dependency(str(FILE))
        versions = pythons(tomllib.loads(FILE.read_text(encoding="utf-8")))
        python = ("interpreter", "CPython", f">={versions[0]}", ", ".join(versions))
        lines = ["| | name | required | tested |", "|---|---|---|---|"]  # the page is Markdown
        for kind, name, specifier, tested in (python, *rows()):
            lines.append(f"| {kind} | {name} | {f'`{specifier}`' if specifier else ''} | {tested} |")
        node = nodes.container()
        self.state.nested_parse(StringList(lines), 0, node)
        return node.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("tested-versions", TestedVersions)
    return {"parallel_read_safe": True}
