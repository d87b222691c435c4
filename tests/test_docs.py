"""Every Python example in the documentation runs. The examples of one page share a namespace."""

from __future__ import annotations

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from .test_types import EVENTS

ROOT = Path(__file__).parent.parent
PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "```python\n" in path.read_text(encoding="utf-8")
}
# Frameworks that a page needs, and that not every environment has.
REQUIRED_MODULES = {
    "docs/how-to/litestar.md": ("litestar",),
    "docs/how-to/fastapi.md": ("fastapi",),
    "docs/how-to/starlette.md": ("starlette",),
}
SYBIL = Sybil(parsers=[PythonCodeBlockParser()], path=str(ROOT))


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str) -> None:
    for module in REQUIRED_MODULES.get(page, ()):
        pytest.importorskip(module)
    document = SYBIL.parse(PAGES[page])
    document.namespace["__name__"] = __name__  # frameworks look up the module of a handler
    examples = list(document.examples())
    assert examples
    for example in examples:
        example.evaluate()


def test_pages_with_examples_are_found() -> None:
    assert {"README.md", "docs/tutorial.md", "docs/how-to/forms.md"} <= PAGES.keys()


@pytest.mark.parametrize("event", EVENTS)
def test_asgi_page_names_every_key_and_message(event: str) -> None:
    page = (ROOT / "docs" / "explanation" / "asgi.md").read_text(encoding="utf-8")
    message, required, optional = EVENTS[event]
    if event.endswith("Scope"):
        names = [*required.split(), *optional.split()]
    else:  # the page describes the messages of an extension under the extension's name
        names = [message.removesuffix(".start").removesuffix(".body") if ".http." in message else message]
    assert [name for name in names if f"`{name}`" not in page] == []
