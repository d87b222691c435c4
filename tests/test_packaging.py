"""The build: which compiled modules ``setup.py`` builds, and the files that the build settings name.

The nox session ``build`` builds and installs every kind of wheel.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import asgiwire

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEELS = PROJECT["tool"]["cibuildwheel"]


@pytest.fixture(autouse=True)
def no_build_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASGIWIRE_NO_EXTENSIONS", raising=False)
    monkeypatch.delenv("ASGIWIRE_REQUIRE_EXTENSIONS", raising=False)


def extensions() -> list[Any]:
    found: list[Any] = runpy.run_path(str(ROOT / "setup.py"))["extensions"]()
    return found


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="needs CPython")
@pytest.mark.parametrize(
    ("variable", "value", "optional"),
    [
        ("ASGIWIRE_NO_EXTENSIONS", "", True),
        ("ASGIWIRE_REQUIRE_EXTENSIONS", "", True),
        ("ASGIWIRE_REQUIRE_EXTENSIONS", "1", False),
    ],
)
def test_compiled_module_is_optional_unless_it_is_required(
    variable: str, value: str, optional: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    (extension,) = extensions()
    assert (extension.name, extension.optional) == ("asgiwire._speedups", optional)
    assert all((ROOT / source).is_file() or not (ROOT / "src").is_dir() for source in extension.sources)


def test_no_extensions_has_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGIWIRE_NO_EXTENSIONS", "1")
    monkeypatch.setenv("ASGIWIRE_REQUIRE_EXTENSIONS", "1")
    assert extensions() == []


def test_pypy_builds_no_compiled_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys, "implementation", SimpleNamespace(**{**vars(sys.implementation), "name": "pypy"})
    )
    assert extensions() == []


@pytest.mark.parametrize("value", ["", "1"])
def test_no_extensions_at_import(value: str) -> None:
    """The compiled module is neither imported nor used, even if it was built."""
    code = "import sys, asgiwire; print(asgiwire.__speedups__, 'asgiwire._speedups' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ASGIWIRE_NO_EXTENSIONS": value},
        cwd=Path(asgiwire.__file__).parent.parent,
    )
    built = importlib.util.find_spec("asgiwire._speedups") is not None
    assert result.stdout.split() == [str(built and not value)] * 2


def test_wheels_are_tested_with_tests_that_exist() -> None:
    paths = [
        word for command in WHEELS["test-command"] for word in command.split() if word.startswith("tests/")
    ]
    assert paths
    assert [path for path in [*paths, *WHEELS["test-sources"]] if not (ROOT / path).exists()] == []
    assert set(WHEELS["test-requires"]) <= set(PROJECT["dependency-groups"]["test"])


def test_manifest_names_files_that_exist() -> None:
    lines = [line.split() for line in (ROOT / "MANIFEST.in").read_text().splitlines()]
    names = [line[1] for line in lines if line[0] in {"graft", "include"} and line[1] != "src"]
    assert len(names) > 5
    assert [name for name in names if not (ROOT / name).exists()] == []
