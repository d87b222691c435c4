"""Sphinx extension for the reference: what autodoc does not show, and checks of the result.

It adds the fields of a TypedDict and the table of exceptions, and shows public paths and base classes.
It warns about members that the reference lacks, and about private modules in a page. The build turns warnings
into errors. ``tests/test_reference.py`` checks the names of each module. The members that autodoc documents
for a class are known only during the build.
"""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import (
    TYPE_CHECKING,
    Any,
    NotRequired,
    TypedDict,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from docutils import nodes
from since import CREATED_BY_METHODS, public_names
from sphinx.addnodes import pending_xref
from sphinx.util.logging import getLogger
from sphinx.util.typing import stringify_annotation

from asgiwire.exceptions import AsgiwireException, ClientException, WebSocketException

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

LOGGER = getLogger(__name__)
PRIVATE = re.compile(r"\basgiwire(\.\w+)*\._(?!_)[\w.]+")
MODULES = re.compile(r"~?\b(?:asgiwire|typing|collections)\.(?:\w+\.)*")  # in front of a name
ATTRIBUTES = re.compile(r"^Attributes:\n((?:[ ]+.*\n?)+)", re.MULTILINE)
# The pages about the development of asgiwire, whose subject includes the private packages.
DEVELOPMENT = ("explanation/architecture", "contributing")

PUBLIC_NAMES = public_names()
PUBLIC_PATHS = {
    f"{value.__module__}.{value.__qualname__}": path
    for path, value in PUBLIC_NAMES.items()
    if inspect.isclass(value) and "._" in value.__module__
}


def show_public_bases(_app: Sphinx, _name: str, obj: Any, _options: Any, bases: list[Any]) -> None:
    """Show the first public base class instead of private ones, and ``TypedDict`` for every TypedDict."""
    if is_typeddict(obj):
        bases[:] = [TypedDict]
    elif not all(map(is_public, obj.__bases__)):
        bases[:] = [next(base for base in obj.__mro__[1:] if is_public(base))]
    elif any("._" in getattr(argument, "__module__", "") for base in bases for argument in get_args(base)):
        bases[:] = obj.__bases__


def is_public(cls: type) -> bool:
    """Tell whether a class can be imported from a public module."""
    return "._" not in cls.__module__ or f"{cls.__module__}.{cls.__qualname__}" in PUBLIC_PATHS


def add_fields(_app: Sphinx, _what: str, _name: str, obj: Any, _options: Any, lines: list[str]) -> None:
    """Append the fields of a TypedDict to its docstring, with their types."""
    if is_typeddict(obj):
        for key, hint in get_type_hints(obj, include_extras=True).items():
            optional = get_origin(hint) is NotRequired or not obj.__total__
            kind = stringify_annotation(
                hint.__args__[0] if get_origin(hint) is NotRequired else hint, "smart"
            )
            lines += ["", f"* ``{key}``: {'optional, ' if optional else ''}``{MODULES.sub('', kind)}``"]
        lines.append("")


def hide_constructor(
    _app: Sphinx, _what: str, name: str, _obj: Any, _options: Any, signature: str, returns: str
) -> tuple[str, str]:
    """Hide the constructor parameters of classes that only asgiwire creates."""
    return ("" if name in CREATED_BY_METHODS else signature), returns


def add_exception_table(
    _app: Sphinx, _what: str, name: str, _obj: Any, _options: Any, lines: list[str]
) -> None:
    """Append the table of exceptions to the docstring of the module.

    The page has its own introduction, with the tree as a diagram. So both are removed from the docstring.
    """
    if name == "asgiwire.exceptions":
        tree = lines.index("::")
        end = next(number for number, line in enumerate(lines) if number > tree and line[:1].strip())
        del lines[:end]
        lines += ["", *exception_table(), ""]


def exception_table() -> list[str]:
    """All exceptions, in the order of the tree, as a ``list-table``."""
    header = ("exception (also)", "status", "close code", "attributes", "raised when")
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in (header, *map(exception_row, exception_classes(AsgiwireException))):
        lines += [f"   {'*' if number == 0 else ' '} - {cell}" for number, cell in enumerate(row)]
    return lines


def exception_classes(cls: type[BaseException]) -> Iterator[type[BaseException]]:
    """A public exception class and its public subclasses, each at its first base class."""
    yield cls
    for subclass in sorted(cls.__subclasses__(), key=lambda subclass: subclass.__name__):
        if subclass.__bases__[0] is cls and path_of(subclass) in PUBLIC_NAMES:
            yield from exception_classes(subclass)


def path_of(cls: type) -> str:
    """The public path of a class."""
    path = f"{cls.__module__}.{cls.__qualname__}"
    return PUBLIC_PATHS.get(path, path)


def exception_row(cls: Any) -> tuple[str, ...]:
    """The cells of one exception."""
    docstring = inspect.getdoc(cls) or ""
    section = ATTRIBUTES.search(f"{docstring}\n")
    own = re.findall(r"^ {4}(\w+):", section[1] if section else "", re.MULTILINE)
    also = [base for base in cls.__mro__ if base.__module__ == "builtins" and base not in Exception.__mro__]
    code = getattr(cls, "close_code", "") if issubclass(cls, ClientException) else ""
    if issubclass(cls, WebSocketException):
        code = f"``code``, {cls.default_code} by default"
    also_names = ", ".join(f"``{base.__name__}``" for base in also)
    return (
        f":exc:`~{path_of(cls)}`{f' ({also_names})' if also else ''}",
        str(getattr(cls, "status_code", "")),
        str(code),
        ", ".join(f"``{name}``" for name in own),
        docstring.partition("\n\n")[0].replace("\n", " "),
    )


def use_public_paths(_app: Sphinx, doctree: nodes.document) -> None:
    """Make references to classes in private modules refer to their public names."""
    for node in doctree.findall(pending_xref):
        node["reftarget"] = PUBLIC_PATHS.get(node["reftarget"], node["reftarget"])


def warn_about_private_modules(_app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Warn about a private module in the text, in an address or in the title of a link."""
    if page in DEVELOPMENT:
        return
    for node in doctree.findall():
        if isinstance(node, nodes.Element):
            values = [node.get(key, "") for key in ("reftitle", "refid", "refuri")]
        else:
            values = [node]
        for value in values:
            if match := PRIVATE.search(str(value)):
                LOGGER.warning("%s mentions %s, which is private", page, match[0])


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
    app.setup_extension("since")
    app.setup_extension("tested_versions")
    app.connect("autodoc-process-bases", show_public_bases)
    app.connect("autodoc-process-signature", hide_constructor)
    app.connect("autodoc-process-docstring", add_exception_table)
    # After the parser of Google style docstrings, which conf.py registers.
    app.connect("autodoc-process-docstring", add_fields, priority=800)
    app.connect("doctree-read", use_public_paths)
    app.connect("doctree-resolved", warn_about_private_modules)
    app.connect("env-check-consistency", warn_about_missing_members)
    return {"parallel_read_safe": True}
