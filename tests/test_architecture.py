"""The laws of the house: who imports whom, where there is an await, what is public, how long a file is."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import asgiwire

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
INSTALLED = Path(asgiwire.__file__).parent
FILES = {path.relative_to(INSTALLED).as_posix(): path for path in sorted(INSTALLED.rglob("*.py"))}

# The rooms from the ground up: a module imports from its own room and from those below.
ROOMS = (
    ("exceptions", "types", "limits", "_concurrency"),
    ("_parsers", "serialization"),
    ("datastructures",),
    ("_multipart",),
    ("_body", "_websocket"),
    ("connection",),
    ("testing",),
    ("integrations",),
    ("",),
)
# On the ground, each stands alone.
GROUND = ROOMS[0]

MAY_AWAIT = (
    "_body/",
    "_websocket/",
    "connection/",
    "datastructures/upload_file.py",
    "datastructures/form.py",
    "_concurrency.py",
    "testing",
    "integrations/",
)

# What a program that never waits, parses no form and spools no file should not load.
NOT_AT_IMPORT = (
    "anyio", "asyncio", "concurrent.futures", "email", "http", "logging", "python_multipart", "socket",
    "sqlite3", "ssl", "subprocess", "tempfile", "threading", "trio",
)  # fmt: skip


def module_name(file: str) -> str:
    return "asgiwire." + file.removesuffix(".py").replace("/", ".").removesuffix("__init__").rstrip(".")


MODULES = {module_name(file).rstrip("."): path for file, path in FILES.items()}
# An integration can be imported where its framework is.
ABSENT = tuple(f"asgiwire.integrations.{name}" for name in ("litestar",) if find_spec(name) is None)
PUBLIC = [name for name in MODULES if "._" not in name and not name.startswith(ABSENT)]


def room(module: str) -> int:
    first = module.removeprefix("asgiwire").removeprefix(".").partition(".")[0]
    return next(level for level, rooms in enumerate(ROOMS) if first in rooms)


class WithoutTypes(ast.NodeTransformer):
    """Drops what stands under ``if TYPE_CHECKING``."""

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else node


def imported(module: str, types: bool = True) -> Iterator[str]:
    """Every module of ours that ``module`` imports, wherever in the file the statement stands."""
    is_package = MODULES[module].name == "__init__.py"
    tree = ast.parse(MODULES[module].read_text())
    for node in ast.walk(tree if types else WithoutTypes().visit(tree)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] == "asgiwire")
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".") + ["_"] * is_package
                base = ".".join([*parents[: -node.level], *([base] if base else [])])
            if base.partition(".")[0] == "asgiwire":
                submodules = [
                    f"{base}.{alias.name}" for alias in node.names if f"{base}.{alias.name}" in MODULES
                ]
                yield from submodules or [base]


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=INSTALLED.parent)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_there_is_a_house() -> None:
    assert len(MODULES) > 15
    assert {"asgiwire", "asgiwire.connection.request", "asgiwire._parsers.query"} <= MODULES.keys()


def test_every_folder_is_a_package() -> None:
    assert [path for path in FILES.values() if not (path.parent / "__init__.py").is_file()] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down(module: str) -> None:
    upwards = [other for other in imported(module) if room(other) > room(module)]
    assert upwards == []


@pytest.mark.parametrize("module", [f"asgiwire.{name}" for name in GROUND])
def test_the_ground_stands_alone(module: str) -> None:
    assert list(imported(module)) == []


def test_imports_have_no_cycle() -> None:
    """Not even one that an import inside a function hides; types may refer to one another."""
    graph = {module: set(imported(module, types=False)) - {module} for module in MODULES}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


def test_request_and_websocket_do_not_know_each_other() -> None:
    assert "asgiwire.connection.websocket" not in set(imported("asgiwire.connection.request"))
    assert "asgiwire.connection.request" not in set(imported("asgiwire.connection.websocket"))


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith(MAY_AWAIT)])
def test_only_the_pumps_await(file: str) -> None:
    asynchronous = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
    lines = [
        node.lineno for node in ast.walk(ast.parse(FILES[file].read_text())) if isinstance(node, asynchronous)
    ]
    assert lines == []


@pytest.mark.parametrize("file", FILES)
def test_a_module_says_what_it_is(file: str) -> None:
    assert ast.get_docstring(ast.parse(FILES[file].read_text()))


@pytest.mark.parametrize("module", PUBLIC)
def test_all_has_no_name_twice_and_none_that_is_missing(module: str) -> None:
    names = importlib.import_module(module).__all__
    assert isinstance(names, tuple)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(importlib.import_module(module), name)] == []


@pytest.mark.parametrize("module", PUBLIC)
def test_all_is_exact(module: str) -> None:
    """No public class or function is left out; what a package imports from itself, it exports."""
    public = set()
    for node in ast.parse(MODULES[module].read_text()).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            public.add(node.name)
        elif isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.unparse(node.annotation):
            public.add(ast.unparse(node.target))
        elif (
            isinstance(node, ast.ImportFrom)
            and MODULES[module].name == "__init__.py"
            and node.module != "__future__"
        ):
            public.update(alias.asname or alias.name for alias in node.names)
    left_out = {name for name in public if not name.startswith("_")} - set(
        importlib.import_module(module).__all__
    )
    assert left_out - {"TYPE_CHECKING"} == set()


@pytest.mark.parametrize("module", PUBLIC)
def test_a_public_module_can_be_imported_alone(module: str) -> None:
    assert run_python(f"import {module}; print({module}.__name__)").strip() == module


def test_import_is_small() -> None:
    """Our own modules, those that msgspec and multidict bring, and hardly any other."""
    code = "import sys; bare = {*sys.modules}; import asgiwire; print(*{*sys.modules} - bare)"
    loaded = set(run_python(code).split())
    theirs = set(run_python(code.replace("asgiwire", "msgspec, multidict, typing_extensions")).split())
    assert loaded.intersection(NOT_AT_IMPORT) == set()
    assert [module for module in loaded - theirs if not module.startswith("asgiwire")] == []
    assert len(loaded - theirs) <= 26


@pytest.mark.parametrize("module", ["asgiwire", "asgiwire.connection"])
def test_a_websocket_is_imported_with_its_first_use(module: str) -> None:
    code = f"import sys, {module} as m; print(any('websocket' in name for name in sys.modules)"
    code += ", 'WebSocket' in dir(m))"
    assert run_python(f"{code}; m.WebSocket; print('WebSocket' in vars(m))").split() == [
        "False",
        "True",
        "True",
    ]
    assert set(dir(importlib.import_module(module))) >= set(importlib.import_module(module).__all__)
    assert not hasattr(importlib.import_module(module), "WebSockets")


def test_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert asgiwire.__version__ == project["version"]


def public_objects() -> dict[str, object]:
    found = {}
    for module in map(importlib.import_module, PUBLIC):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or (
                inspect.isclass(value) and value.__module__.startswith("asgiwire")
            ):
                found[f"{value.__module__}.{value.__qualname__}"] = value
                if inspect.isclass(value):
                    found.update(members(value))
    return found


def members(cls: type) -> dict[str, object]:
    """The methods and properties that the class itself adds to its public face."""
    return {
        f"{cls.__module__}.{cls.__qualname__}.{name}": value
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property))
    }


@pytest.mark.parametrize(("name", "value"), public_objects().items(), ids=public_objects())
def test_a_public_name_has_a_docstring(name: str, value: object) -> None:
    documented = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    own = vars(documented).get("__doc__") if inspect.isclass(documented) else documented.__doc__
    # An override says the same as what it overrides, and inherits its docstring.
    assert own or inspect.getdoc(documented) or overrides(name), f"{name} has no docstring"


def overrides(name: str) -> bool:
    module, _, path = name.rpartition(".")
    module, _, cls = module.rpartition(".")
    owner = getattr(importlib.import_module(module), cls, None)
    return owner is not None and any(path in vars(base) for base in owner.__mro__[1:])


def test_ci_runs_the_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    (command,) = (line for line in readme.splitlines() if "nox -s tests" in line and "venv" in line)
    assert command in (ROOT / ".ci" / "run").read_text()
