"""The reference documents every public name, says since when it exists, and mentions no private module."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .test_architecture import PUBLIC

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted((DOCS / "reference").glob("*.md"))
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


def load_since() -> Any:
    """The extension of the documentation that knows in which version a name was added."""
    spec = importlib.util.spec_from_file_location("since", DOCS / "since.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SINCE = load_since()
NAMES = SINCE.public_names()
VERSIONS = SINCE.read_versions(SINCE.FILE.read_text(encoding="utf-8"))


def test_migration_lists_every_name_and_parameter_that_was_removed() -> None:
    page = (DOCS / "policies.md").read_text(encoding="utf-8")
    names = {re.split(r"[.(]", entry.rstrip(")"))[-1] for entry in VERSIONS.keys() - SINCE.entries()}
    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("m.old", ["a"], []),
        ("m.new", ["a"], [".. versionadded:: Unreleased"]),
        ("m.later", ["a"], [".. versionadded:: 0.2"]),
        (
            "m.old",
            ["a", "b", "c"],
            [".. versionchanged:: Unreleased", "   Added the parameters ``b``, ``c``."],
        ),
        ("m.Later.method", [], []),  # the note is at the class
    ],
)
def test_note_says_when_a_name_was_added(name: str, parameters: list[str], expected: list[str]) -> None:
    versions = SINCE.read_versions("# 0.1\nm.old\nm.old(a)\n# 0.2\nm.later\nm.Later\nm.Later.method\n")
    assert [line for line in SINCE.notes(name, parameters, versions) if line] == expected


# Private modules are a subject of the pages about the development of asgiwire.
def test_release_appends_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "since.txt"
    file.write_text("# 0.1\nasgiwire.connection.Request\n", encoding="utf-8")
    monkeypatch.setattr(SINCE, "FILE", file)
    SINCE.main("0.2")
    versions = SINCE.read_versions(file.read_text(encoding="utf-8"))
    assert versions["asgiwire.connection.Request"] == "0.1"
    assert versions["asgiwire.connection.Request.body(limits)"] == "0.2"
    assert versions.keys() == SINCE.entries()


@pytest.mark.parametrize(
    "page",
    [path for path in DOCS.rglob("*.md") if path.stem not in {"architecture", "contributing"}],
    ids=lambda page: page.relative_to(DOCS).as_posix(),
)
def test_page_mentions_no_private_module(page: Path) -> None:
    assert re.findall(r"\basgiwire(?:\.\w+)*\._(?!_)\w+", page.read_text(encoding="utf-8")) == []


# Has a docstring of its own, as the fields of a NamedTuple have.
OTHER_DOCSTRINGS = {"documentation_only"}


@pytest.mark.parametrize(
    "name", [name for name, cls in NAMES.items() if inspect.isclass(cls) and not issubclass(cls, tuple)]
)
def test_parameters_of_the_constructor_are_documented(name: str) -> None:
    docstrings = "\n".join(inspect.getdoc(base) or "" for base in NAMES[name].__mro__)
    described = set(re.findall(r"^ +\*{0,2}(\w+)(?: \(.*\))?:", docstrings, re.MULTILINE))
    assert set(SINCE.parameters(name, NAMES[name])) - described - OTHER_DOCSTRINGS == set()


def test_docstrings_mention_no_private_module() -> None:
    docstrings = {name: inspect.getdoc(value) or "" for name, value in NAMES.items()}
    assert len(docstrings) > 500
    assert [name for name, text in docstrings.items() if re.search(r"\basgiwire(\.\w+)*\._\w+", text)] == []
