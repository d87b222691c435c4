"""Every Python example in the documentation runs. The examples of one page share a namespace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

from .test_types import EVENTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SPEED = (ROOT / "docs" / "explanation" / "speed.md").read_text(encoding="utf-8")
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


def test_readme_works_on_a_package_index() -> None:
    """A package index shows only the README, so relative links and anchors lead nowhere."""
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []


def test_readme_names_files_that_exist() -> None:
    paths = re.findall(r"`([a-z]+(?:/[\w-]+)+\.\w+)`", README)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_readme_has_the_measured_times() -> None:
    _, _, rest = README.partition("<!-- speed:")
    rows = table_rows(rest.partition("<!-- end of speed -->")[0])
    measured = table_rows(SPEED)
    assert len(rows) > 1
    assert [row for row in rows if row not in [other[:3] for other in measured]] == []


def test_readme_has_the_measured_memory() -> None:
    growth = re.findall(r"an upload of 1,000 MB adds to the process: ([\d.]+)", SPEED)
    idle = next(row[1] for row in table_rows(SPEED) if row[0] == "request, bytes")
    assert f"at most {max(map(float, growth)):.1f} MB" in README
    assert re.search(rf"has\s{float(idle):.0f} bytes", README)


@pytest.mark.parametrize(
    "phrase",
    [
        "SSE",
        "CORS",
        "CSRF",
        "rate limit",
        "Pydantic",
        "lifespan",
        "proxy headers",
        "virus scan",
        "GraphQL over WebSocket",
    ],
)
def test_search_finds(phrase: str) -> None:
    """The search of the site finds words of titles and prose, not of code blocks."""
    pages = {
        path: re.sub(r"```(?!\{glossary\}).*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for path in (ROOT / "docs").rglob("*.md")
    }
    words = re.compile(rf"\b{re.escape(phrase)}\b", re.IGNORECASE)
    assert [path for path, text in pages.items() if words.search(text)]


def table_rows(text: str) -> list[list[str]]:
    """The cells of the rows of Markdown tables, without headings."""
    lines = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    rows = [re.split(r" +\| +", line.strip()) for line in lines]
    return [row for row in rows if any(character.isdigit() for cell in row[1:] for character in cell)]
