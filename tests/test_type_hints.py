"""``typing.get_type_hints`` works for all public callables: dependency-injection containers use it."""

from __future__ import annotations

import importlib
import inspect
import typing

import pytest

from tests.test_architecture import PUBLIC


def public_callables() -> dict[str, object]:
    """Return all public functions and classes, with the methods and property getters of the classes."""
    found: dict[str, object] = {}
    for module in map(importlib.import_module, PUBLIC):
        for value in (getattr(module, name) for name in module.__all__):
            if inspect.isfunction(value):
                found[name_of(value)] = value
            elif inspect.isclass(value) and value.__module__.startswith("asgiwire"):
                found[name_of(value)] = value
                for base in value.__mro__:
                    if base.__module__.startswith("asgiwire"):
                        found.update((name_of(member), member) for member in members(base))
    return found


def members(cls: type) -> list[object]:
    """Return the constructors, public methods and property getters that the class itself defines."""
    found = []
    for name, value in vars(cls).items():
        member = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        member = member.fget if isinstance(member, property) else member
        if inspect.isfunction(member) and (not name.startswith("_") or name.startswith("__")):
            found.append(member)
    return found


def name_of(value: typing.Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


# Litestar's own classes, which these inherit from, have annotations that cannot be resolved.
CALLABLES = {
    name: value
    for name, value in public_callables().items()
    if not (inspect.isclass(value) and "integrations" in name)
}


@pytest.mark.parametrize("value", CALLABLES.values(), ids=CALLABLES)
def test_annotations_can_be_resolved(value: object) -> None:
    typing.get_type_hints(value, include_extras=True)


def test_all_kinds_of_callables_are_collected() -> None:
    assert len(CALLABLES) > 250
    assert {
        "asgiwire.connection.request.Request",
        "asgiwire.datastructures.headers.Headers.__init__",
        "asgiwire.datastructures.headers.Headers.from_scope",
        "asgiwire.datastructures.upload_file.UploadFile.file",
        "asgiwire.serialization.decode_json",
    } <= CALLABLES.keys()
