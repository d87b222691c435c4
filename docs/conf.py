"""Sphinx configuration. The build works offline, so it has no intersphinx."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.ext.napoleon import Config, GoogleDocstring

from asgiwire import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "asgiwire"
author = "The asgiwire contributors"
copyright = author
release = version = __version__

sys.path.append(str(Path(__file__).parent))  # for the local extensions
sys.path.insert(0, str(Path(__file__).parent.parent))  # for `docs.diagrams`, and the examples that it runs
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "docs.diagrams",
    "reference_members",
]
exclude_patterns = ["_build"]
myst_heading_anchors = 3  # anchors for links to a heading of another page
html_theme = "furo"
pygments_dark_style = "github-dark"  # the default underlines the names of modules, as links are
html_title = f"asgiwire {version}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
copybutton_prompt_text = "$ "

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "groupwise"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

nitpicky = True
nitpick_ignore_regex = [
    # The documentation has no pages for the standard library and the dependencies.
    (
        r"py:.*",
        r"(abc|builtins|collections|datetime|enum|hmac|http|msgspec|multidict|os|tempfile|urllib)\..*",
    ),
    (r"py:class", r"MultiMapping|SimpleCookie|SpooledTemporaryFile|SplitResult|datetime"),
    # Type variables, private names and aliases within a module have no entry in the reference.
    (r"py:class", r"BodyReader|CancelOnDisconnect|RequestWatch|Content|Cookies|Event|Files"),
    (r"py:class", r"MultipartDecoder|Pairs|PartStart|QueryParams|T"),
    (r"py:.*", r"asgiwire\..*\b(\w*T|_\w+(\.\w+)*)"),
]


def read_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: dict[str, Any], lines: list[str]
) -> None:
    """Parse Google style docstrings.

    Properties are parsed as methods: in a property, Napoleon reads the text before a colon as a type.
    """
    kind = "method" if what == "property" else what
    settings = Config(napoleon_use_ivar=True)
    lines[:] = GoogleDocstring(lines, settings, app, kind, name, obj, options).lines()


def module_of_property(_app: Sphinx, module: str | None, name: str) -> str | None:
    """Return the module that defines a property, for its link to the source. Sphinx finds only callables."""
    obj: Any = import_module(module) if module else None
    for part in name.split("."):
        obj = getattr(obj, part, None)
    return obj.fget.__module__ if isinstance(obj, property) else None


def setup(app: Sphinx) -> None:
    """Register the event handlers."""
    app.connect("autodoc-process-docstring", read_docstring)
    app.connect("viewcode-follow-imported", module_of_property)
