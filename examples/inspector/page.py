"""The HTML page. All text that the client sent is escaped in this module."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import msgspec

from asgiwire.serialization import encode_json

from .responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgiwire.datastructures import URL

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# Read at import, so that no request reads from disk.
PAGE = Template((STATIC / "page.html").read_text(encoding="utf-8"))
ASSETS = {
    path.name: Response(path.read_bytes(), MEDIA_TYPES[path.suffix])
    for path in STATIC.iterdir()
    if path.suffix in MEDIA_TYPES
}

# Longer texts are truncated on the page. The JSON report is complete.
MAX_CHARACTERS = 20_000


def render_page(report: dict[str, Any], base_url: URL) -> bytes:
    """Return the whole page for every request, so that it also works without JavaScript."""
    return PAGE.substitute(
        base_path=escape(base_url.path),
        base_url=escape(str(base_url)),
        target=escape(request_target(report["url"])),
        report=render_report(report),
    ).encode()


def render_report(report: dict[str, Any]) -> str:
    """Return the report as HTML."""
    url, body = report["url"], report["body"]
    facts = [
        f"HTTP/{report['http_version']}",
        f"from {report['client']}",
        f"answered as {report['negotiated']}",
    ]
    sections = [
        section("Body", describe(body), *BODIES[body["kind"]](body)) if body["kind"] != "empty" else "",
        section("Query", "", table(report["query"])),
        section("Cookies", "", table(report["cookies"].items())),
        section("Headers", "", table(report["headers"])),
        section("URL", "", table((name, value) for name, value in url.items() if name != "full")),
        section("Accept", "", ordered_list(report["accept"])),
        details("Report as JSON", code(pretty(report))),
    ]
    return "\n".join(
        [
            f'<p class="target"><b>{escape(report["method"])}</b> <span>{escape(url["full"])}</span></p>',
            f'<p class="facts">{" · ".join(map(escape, facts))}</p>',
            *sections,
        ]
    )


def render_form(body: dict[str, Any]) -> Iterable[str]:
    """Yield the fields of a form, then its files."""
    yield table(body["fields"])
    for file in body["files"]:
        size = f"{file['size']:,} bytes, {'on disk' if file['on_disk'] else 'in memory'}"
        rows = [
            ("Field", file["field"]),
            ("File name", file["filename"]),
            ("Type", file["content_type"]),
            ("Size", size),
            ("SHA-256", file["sha256"]),
        ]
        yield f'<div class="file">{table(rows)}</div>'


def render_value(body: dict[str, Any]) -> Iterable[str]:
    """Yield a decoded value."""
    yield code(pretty(body["value"]))


def render_text(body: dict[str, Any]) -> Iterable[str]:
    """Yield a text."""
    yield code(body["text"])


def render_binary(body: dict[str, Any]) -> Iterable[str]:
    """Yield size, digest and first bytes."""
    yield table(
        [("Size", f"{body['size']:,} bytes"), ("SHA-256", body["sha256"]), ("First bytes", body["hex"])]
    )


BODIES = {
    "form": render_form,
    "json": render_value,
    "msgpack": render_value,
    "text": render_text,
    "binary": render_binary,
}


def describe(body: dict[str, Any]) -> str:
    """Return media type and length of the body."""
    length = body["content_length"]
    size = "of unknown length" if length is None else f"{length:,} bytes"
    return f"{body['media_type'] or 'no Content-Type'}, {size}"


def request_target(url: dict[str, Any]) -> str:
    """Return path and query."""
    return f"{url['path']}?{url['query']}" if url["query"] else str(url["path"])


def pretty(value: Any) -> str:
    """Return the value as indented JSON."""
    return msgspec.json.format(encode_json(value), indent=2).decode()


def section(title: str, note: str, *contents: str) -> str:
    """Return a section with a heading."""
    aside = f" <small>{escape(note)}</small>" if note else ""
    return f"<section><h3>{escape(title)}{aside}</h3>{''.join(contents)}</section>"


def details(title: str, content: str) -> str:
    """Return content that is collapsed at first."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def code(text: str) -> str:
    """Return preformatted text, truncated to ``MAX_CHARACTERS``."""
    rest = len(text) - MAX_CHARACTERS
    note = f"\n… and {rest:,} more characters" if rest > 0 else ""
    return f'<pre tabindex="0">{escape(text[:MAX_CHARACTERS])}{note}</pre>'


def table(rows: Iterable[tuple[str, Any]]) -> str:
    """Return a table of names and values, or the word "none"."""
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{"" if value is None else escape(str(value))}</td></tr>'
        for name, value in rows
    )
    return f"<table>{cells}</table>" if cells else '<p class="none">none</p>'


def ordered_list(values: Iterable[str]) -> str:
    """Return a numbered list."""
    return f"<ol>{''.join(f'<li>{escape(value)}</li>' for value in values)}</ol>"
