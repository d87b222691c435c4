"""Sphinx extension that warns about public methods and properties missing from the reference.

``tests/test_reference.py`` checks the names of each module. The members that autodoc documents for a class
are known only during the build.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sphinx.util.logging import getLogger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LOGGER = getLogger(__name__)


def replace_private_bases(_app: Sphinx, _name: str, obj: Any, _options: Any, bases: list[Any]) -> None:
    """Show the first public base class instead of private ones."""
    if any("._" in base.__module__ for base in obj.__bases__):
        bases[:] = [next(base for base in obj.__mro__[1:] if "._" not in base.__module__)]


def warn_about_missing_members(_app: Sphinx, env: BuildEnvironment) -> None:
    """Check that each member is documented for its class or for a public base class."""
    names = env.domains.python_domain.objects
    classes: dict[Any, list[str]] = {}
    for name, entry in names.items():
        if entry.objtype in {"class", "exception"}:
            module, _, attribute = name.rpartition(".")
            classes.setdefault(getattr(import_module(module), attribute), []).append(name)
    for cls, class_names in classes.items():
        for member in members(cls):
            owners = [name for base in cls.__mro__ for name in classes.get(base, ())]
            if not any(f"{name}.{member}" in names for name in owners):
                LOGGER.warning("the reference does not document %s.%s", class_names[0], member)


def members(cls: Any) -> Iterator[str]:
    """Public methods and properties that asgiwire defines in a class and its bases."""
    for base in cls.__mro__:
        if base.__module__.startswith("asgiwire"):
            for name, value in vars(base).items():
                if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
                    yield name


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the event handlers."""
    app.connect("autodoc-process-bases", replace_private_bases)
    app.connect("env-check-consistency", warn_about_missing_members)
    return {"parallel_read_safe": True}
