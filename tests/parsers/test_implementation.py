"""The choice between the Python functions and the compiled ones."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import pytest

from asgiwire import _parsers
from tests.twins import TWINS

COMPILED = SimpleNamespace(**{name: object() for name in TWINS})


def load_parsers() -> ModuleType:
    """Execute the file of the package again, as another module."""
    spec = importlib.util.spec_from_file_location("asgiwire._parsers", _parsers.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("compiled", "variable", "is_compiled"),
    [
        pytest.param(COMPILED, "", True, id="built"),
        pytest.param(COMPILED, "1", False, id="disabled"),
        pytest.param(None, "", False, id="not built"),
    ],
)
def test_implementation(
    monkeypatch: pytest.MonkeyPatch, compiled: SimpleNamespace | None, variable: str, is_compiled: bool
) -> None:
    monkeypatch.setitem(sys.modules, "asgiwire._speedups", compiled)
    monkeypatch.setenv("ASGIWIRE_NO_EXTENSIONS", variable)
    parsers = load_parsers()
    assert parsers.__speedups__ is is_compiled
    expected = vars(COMPILED) if is_compiled else TWINS
    assert {name: getattr(parsers, name) for name in TWINS} == expected
