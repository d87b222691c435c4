"""The rules of the architecture: import direction, where code awaits, public names, size of an import."""

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
from typing import TYPE_CHECKING, Generic

import pytest

import asgiwire
from asgiwire import ASGIConnection, Request, WebSocket

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
INSTALLED = Path(asgiwire.__file__).parent
FILES = {path.relative_to(INSTALLED).as_posix(): path for path in sorted(INSTALLED.rglob("*.py"))}

# A module imports from its own layer and the layers before it.
LAYERS = (
    ("exceptions", "types", "limits", "_concurrency"),
    ("_parsers", "_typed", "sending", "serialization"),
    ("datastructures",),
    ("_multipart",),
    ("_body", "_websocket"),
    ("connection",),
    ("testing",),
    ("integrations",),
    ("",),
)
# These import nothing of asgiwire.
GROUND = LAYERS[0]
# Packages of one layer that do not import each other.
INDEPENDENT = ("_body", "_websocket")

MAY_AWAIT = (
    "_body/",
    "_websocket/",
    "connection/",
    "datastructures/upload_file.py",
    "datastructures/form.py",
    "_concurrency.py",
    "sending.py",
    "testing",
    "integrations/",
)

# Not loaded by a program that never waits, parses no form and spools no file.
NOT_AT_IMPORT = (
    "anyio", "asyncio", "concurrent.futures", "email", "http", "logging", "python_multipart", "socket",
    "sqlite3", "ssl", "subprocess", "tempfile", "threading", "trio",
)  # fmt: skip


def module_name(file: str) -> str:
    return "asgiwire." + file.removesuffix(".py").replace("/", ".").removesuffix("__init__").rstrip(".")


MODULES = {module_name(file).rstrip("."): path for file, path in FILES.items()}
# An integration can be imported only if its framework is installed.
ABSENT = tuple(
    f"asgiwire.integrations.{name}" for name in ("litestar", "starlette") if find_spec(name) is None
)
PUBLIC = [name for name in MODULES if "._" not in name and not name.startswith(ABSENT)]


def package(module: str) -> str:
    return module.removeprefix("asgiwire").removeprefix(".").partition(".")[0]


def layer(module: str) -> int:
    return next(level for level, packages in enumerate(LAYERS) if package(module) in packages)


def imported(module: str) -> Iterator[str]:
    """Yield every module of asgiwire that ``module`` imports, in functions and for types too."""
    is_package = MODULES[module].name == "__init__.py"
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
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
                # The compiled module has no source to read; it imports only the twins of its functions.
                yield from submodules or [base] * (base != "asgiwire._speedups")


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=INSTALLED.parent)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_all_modules_are_found() -> None:
    assert len(MODULES) > 15
    assert {"asgiwire", "asgiwire.connection.request", "asgiwire._parsers.query"} <= MODULES.keys()


def test_every_folder_is_a_package() -> None:
    assert [path for path in FILES.values() if not (path.parent / "__init__.py").is_file()] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    assert [other for other in imported(module) if layer(other) > layer(module)] == []


@pytest.mark.parametrize("module", [f"asgiwire.{name}" for name in GROUND])
def test_ground_modules_import_nothing_of_asgiwire(module: str) -> None:
    assert list(imported(module)) == []


@pytest.mark.parametrize("module", [name for name in MODULES if package(name) in INDEPENDENT])
def test_body_and_websocket_are_independent(module: str) -> None:
    others = {package(other) for other in imported(module)} - {package(module)}
    assert others.isdisjoint(INDEPENDENT)


def test_imports_have_no_cycle() -> None:
    """Neither by an import inside a function nor by one for types."""
    # A package with lazy attributes names its own modules, which may import the package for annotations.
    lazy = {"asgiwire.datastructures", "asgiwire._body", "asgiwire._multipart"}
    graph = {module: set(imported(module)) - {module} for module in MODULES}
    for module in lazy:
        graph[module] = set()
    assert len(list(TopologicalSorter(graph).static_order())) >= len(MODULES)


def test_request_and_websocket_do_not_import_each_other() -> None:
    assert "asgiwire.connection.websocket" not in set(imported("asgiwire.connection.request"))
    assert "asgiwire.connection.request" not in set(imported("asgiwire.connection.websocket"))


def test_public_classes_have_no_private_base() -> None:
    assert ASGIConnection.__mro__ == (ASGIConnection, Generic, object)
    assert Request.__mro__ == (Request, ASGIConnection, Generic, object)
    assert WebSocket.__mro__ == (WebSocket, ASGIConnection, Generic, object)


@pytest.mark.parametrize("file", [file for file in FILES if not file.startswith(MAY_AWAIT)])
def test_parsers_do_not_await(file: str) -> None:
    asynchronous = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)
    lines = [
        node.lineno for node in ast.walk(ast.parse(FILES[file].read_text())) if isinstance(node, asynchronous)
    ]
    assert lines == []


@pytest.mark.parametrize("file", FILES)
def test_every_module_has_a_docstring(file: str) -> None:
    assert ast.get_docstring(ast.parse(FILES[file].read_text()))


@pytest.mark.parametrize("module", PUBLIC)
def test_names_in_all_exist_and_are_unique(module: str) -> None:
    names = importlib.import_module(module).__all__
    assert isinstance(names, tuple)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(importlib.import_module(module), name)] == []


@pytest.mark.parametrize("module", PUBLIC)
def test_all_is_complete(module: str) -> None:
    """It has every public class and function, and what a package imports from its own modules."""
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
    missing = {name for name in public if not name.startswith("_")} - set(
        importlib.import_module(module).__all__
    )
    assert missing - {"TYPE_CHECKING"} == set()


@pytest.mark.parametrize("module", PUBLIC)
def test_public_module_can_be_imported_alone(module: str) -> None:
    assert run_python(f"import {module}; print({module}.__name__)").strip() == module


def test_import_is_small() -> None:
    """It loads few modules of asgiwire, those of msgspec and multidict, and hardly any other."""
    code = "import sys; bare = {*sys.modules}; import asgiwire; print(*{*sys.modules} - bare)"
    loaded = set(run_python(code).split())
    dependencies = set(run_python(code.replace("asgiwire", "msgspec, multidict, typing_extensions")).split())
    assert loaded.intersection(NOT_AT_IMPORT) == set()
    assert [module for module in loaded - dependencies if not module.startswith("asgiwire")] == []
    assert len(loaded - dependencies) <= 26


@pytest.mark.parametrize("module", ["asgiwire", "asgiwire.connection"])
def test_websocket_is_imported_on_first_use(module: str) -> None:
    code = f"import sys, {module} as m; print(any('websocket' in name for name in sys.modules)"
    code += ", 'WebSocket' in dir(m))"
    assert run_python(f"{code}; m.WebSocket; print('WebSocket' in vars(m))").split() == [
        "False",
        "True",
        "True",
    ]
    assert set(dir(importlib.import_module(module))) >= set(importlib.import_module(module).__all__)
    assert not hasattr(importlib.import_module(module), "WebSockets")


@pytest.mark.parametrize("name", ["multipart", "outbox", "snapshot"])
def test_submodule_of_connection_is_imported_on_first_use(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module(f"asgiwire.connection.{name}")
    monkeypatch.delattr(asgiwire.connection, name)
    assert getattr(asgiwire.connection, name) is module


def test_version_is_that_of_the_project() -> None:
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
    """Return the public methods and properties that the class itself defines."""
    return {
        f"{cls.__module__}.{cls.__qualname__}.{name}": value
        for name, value in vars(cls).items()
        if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property))
    }


@pytest.mark.parametrize(("name", "value"), public_objects().items(), ids=public_objects())
def test_public_name_has_a_docstring(name: str, value: object) -> None:
    documented = value.__func__ if isinstance(value, classmethod | staticmethod) else value
    own = vars(documented).get("__doc__") if inspect.isclass(documented) else documented.__doc__
    # An override may inherit its docstring.
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
