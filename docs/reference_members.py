"""Warns of every public method and property that the reference leaves out, which makes its build fail.

Which names a module has to have there is the tests' to know (``tests/test_reference.py``); what autodoc makes
of a class is known only here. A private base class is none to the reader, who is shown a public one instead.
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


def show_public_base(_app: Sphinx, _name: str, obj: Any, _options: Any, bases: list[Any]) -> None:
    """Put in the place of private bases what is behind them."""
    if any("._" in base.__module__ for base in obj.__bases__):
        bases[:] = [next(base for base in obj.__mro__[1:] if "._" not in base.__module__)]


def warn_of_missing_members(_app: Sphinx, env: BuildEnvironment) -> None:
    """Look for each member under its class, or under a public one that has it."""
    names = env.domains.python_domain.objects
    classes: dict[Any, list[str]] = {}
    for name, entry in names.items():
        if entry.objtype in {"class", "exception"}:
            module, _, attribute = name.rpartition(".")
            classes.setdefault(getattr(import_module(module), attribute), []).append(name)
    for cls, own in classes.items():
        for member in members(cls):
            owners = [name for base in cls.__mro__ for name in classes.get(base, ())]
            if not any(f"{name}.{member}" in names for name in owners):
                LOGGER.warning("the reference leaves out %s.%s", own[0], member)


def members(cls: Any) -> Iterator[str]:
    """The public methods and properties that a class of ours adds, or changes, to what others give it."""
    for base in cls.__mro__:
        if base.__module__.startswith("asgiwire"):
            for name, value in vars(base).items():
                if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property)):
                    yield name


def setup(app: Sphinx) -> dict[str, bool]:
    """Be an extension of Sphinx."""
    app.connect("autodoc-process-bases", show_public_base)
    app.connect("env-check-consistency", warn_of_missing_members)
    return {"parallel_read_safe": True}
