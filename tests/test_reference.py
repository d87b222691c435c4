"""The reference documents every name in the ``__all__`` of a public module."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .test_architecture import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = sorted((Path(__file__).parent.parent / "docs" / "reference").glob("*.md"))
DIRECTIVE = re.compile(r"^\.\. (auto\w+|py:\w+):: ([\w.]+)", re.MULTILINE)


def documented() -> Iterator[tuple[str, object]]:
    """Names that the reference documents, with their objects."""
    for page in PAGES:
        for kind, path in DIRECTIVE.findall(page.read_text(encoding="utf-8")):
            if kind == "automodule":
                yield from documented_by_automodule(path)
            elif not path.startswith("asgiwire.integrations") or path.rpartition(".")[0] in PUBLIC:
                module, _, name = path.rpartition(".")
                yield name, getattr(importlib.import_module(module), name)


def documented_by_automodule(module: str) -> Iterator[tuple[str, object]]:
    """Names in the ``__all__`` of a module that have a docstring, which autodoc requires."""
    values = importlib.import_module(module)
    variables = set(variables_with_docstring(Path(str(values.__file__))))
    for name in values.__all__:
        value = getattr(values, name)
        if name in variables or ((inspect.isclass(value) or inspect.isfunction(value)) and value.__doc__):
            yield name, value


def variables_with_docstring(file: Path) -> Iterator[str]:
    """Module variables that are followed by a string literal."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    for statement, following in pairwise(body):
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            if isinstance(statement, ast.AnnAssign):
                yield ast.unparse(statement.target)
            elif isinstance(statement, ast.Assign):
                yield from map(ast.unparse, statement.targets)


DOCUMENTED = list(documented())


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_in_the_reference(module: str) -> None:
    values = importlib.import_module(module)
    missing = [
        name
        for name in values.__all__
        if not any(name == other and getattr(values, name) is value for other, value in DOCUMENTED)
    ]
    assert missing == []
