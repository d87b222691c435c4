"""Sphinx extension that says in which version each name of the reference was added.

``since.txt`` lists the names and parameters of every released version. What is not in the file is unreleased.
So docstrings contain no versions. At a release, ``python docs/since.py VERSION`` appends what is new.
"""

from __future__ import annotations

import inspect
import sys
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any, is_typeddict

import asgiwire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sphinx.application import Sphinx

FILE = Path(__file__).with_name("since.txt")
UNRELEASED = "Unreleased"
# Instances come from methods; the constructors are private.
CREATED_BY_METHODS = frozenset(
    {
        "asgiwire.connection.multipart.MultipartPart",
        "asgiwire.connection.multipart.MultipartParts",
        "asgiwire.connection.outbox.Outbox",
        "asgiwire.testing.Conversation",
        "asgiwire.testing.Exchange",
        "asgiwire.testing.RunningConnection",
        "asgiwire.testing.SyncConversation",
    }
)


def public_modules() -> Iterator[str]:
    """Public modules that need no framework, packages before their modules."""
    for module in walk_packages(asgiwire.__path__, "asgiwire."):
        if "._" not in module.name and not module.name.startswith("asgiwire.integrations"):
            yield module.name


def public_names() -> dict[str, Any]:
    """Public functions, classes and their members, by their shortest path."""
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for module in sorted(public_modules(), key=lambda name: name.count(".")):
        values = import_module(module)
        for name in getattr(values, "__all__", ()):
            value = getattr(values, name)
            if id(value) in seen:
                continue
            seen.add(id(value))
            found[f"{module}.{name}"] = value
            if inspect.isclass(value):
                found |= {f"{module}.{name}.{member}": obj for member, obj in members(value)}
    return found


def members(cls: Any) -> Iterator[tuple[str, Any]]:
    """Public attributes of a class that asgiwire defines; those of its dependencies vary."""
    for base in cls.__mro__:
        if base.__module__.startswith("asgiwire"):
            yield from ((name, value) for name, value in vars(base).items() if not name.startswith("_"))


def parameters(name: str, value: Any) -> list[str]:
    """Names of the parameters of a function or a public constructor."""
    value = getattr(value, "__func__", value)  # of a class method
    if inspect.isclass(value):
        documented = name not in CREATED_BY_METHODS and has_constructor(value)
    else:
        documented = inspect.isroutine(value)
    names = inspect.signature(value).parameters if documented else ()
    return [parameter for parameter in names if parameter not in {"self", "cls"}]


def has_constructor(cls: type) -> bool:
    """Tell whether asgiwire defines the constructor of a class, or the fields of which it is made."""
    if is_typeddict(cls) or issubclass(cls, Enum):
        return False
    owner = next(base for base in cls.__mro__ if {"__init__", "__new__"} & vars(base).keys())
    return owner.__module__.startswith("asgiwire") or hasattr(cls, "__struct_fields__")


def entries() -> set[str]:
    """One entry for each public name, and one for each parameter: ``name(parameter)``."""
    found: set[str] = set()
    for name, value in public_names().items():
        found |= {name, *(f"{name}({parameter})" for parameter in parameters(name, value))}
    return found


def read_versions(text: str) -> dict[str, str]:
    """Versions of the entries; a line ``# VERSION`` precedes the entries of a version."""
    versions: dict[str, str] = {}
    version = ""
    for line in text.splitlines():
        if line.startswith("# "):
            version = line.removeprefix("# ")
        else:
            versions[line] = version
    return versions


def notes(name: str, names: Iterable[str], versions: dict[str, str]) -> list[str]:
    """Return directives that say when a name, or some of its parameters, were added after the first version.

    Args:
        name: The path of the object.
        names: Its parameters.
        versions: The version of each entry.
    """
    first = next(iter(versions.values()))
    version = versions.get(name, UNRELEASED)
    if version != first:
        owner = name.rpartition(".")[0]
        in_class = owner.rpartition(".")[2][:1].isupper()  # the note of the class covers its members
        covered = in_class and versions.get(owner, UNRELEASED) == version
        return [] if covered else ["", f".. versionadded:: {version}", ""]
    lines: list[str] = []
    added: dict[str, list[str]] = {}
    for parameter in names:
        added.setdefault(versions.get(f"{name}({parameter})", UNRELEASED), []).append(f"``{parameter}``")
    for since in added.keys() - {first}:
        kind = "parameter" if len(added[since]) == 1 else "parameters"
        lines += ["", f".. versionchanged:: {since}", f"   Added the {kind} {', '.join(added[since])}.", ""]
    return lines


def add_notes(app: Sphinx, _what: str, name: str, obj: Any, _options: Any, lines: list[str]) -> None:
    """Append the notes to a docstring."""
    if name in app.env.asgiwire_names:
        lines += notes(name, parameters(name, obj), app.env.asgiwire_versions)


def load(app: Sphinx) -> None:
    """Read the versions and the names of this version."""
    app.env.asgiwire_versions = read_versions(FILE.read_text(encoding="utf-8"))
    app.env.asgiwire_names = set(public_names())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the event handlers."""
    app.connect("builder-inited", load)
    # After the parser of Google style docstrings, which conf.py registers.
    app.connect("autodoc-process-docstring", add_notes, priority=900)
    return {"parallel_read_safe": True}


def main(version: str) -> None:
    """Append the new entries to the file."""
    text = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    new = entries() - read_versions(text).keys()
    FILE.write_text(f"{text}# {version}\n" + "".join(f"{entry}\n" for entry in sorted(new)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
