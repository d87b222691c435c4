"""Writing HTML: the page around a report. Whatever the client sent is escaped here, and nowhere else."""

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

# Read once, when the application is imported: no request waits for the disk.
PAGE = Template((STATIC / "page.html").read_text(encoding="utf-8"))
ASSETS = {
    path.name: Response(path.read_bytes(), MEDIA_TYPES[path.suffix])
    for path in STATIC.iterdir()
    if path.suffix in MEDIA_TYPES
}

# What a person will not read to the end; the JSON has it all.
MAX_SHOWN = 20_000


def render_page(report: dict[str, Any], base_url: URL) -> bytes:
    """Write the whole page; every request gets one, so that it works without JavaScript too."""
    return PAGE.substitute(
        base_path=escape(base_url.path),
        base_url=escape(str(base_url)),
        target=escape(request_target(report["url"])),
        report=render_report(report),
    ).encode()


def render_report(report: dict[str, Any]) -> str:
    """Write what arrived, the parts that a person looks for first at the top."""
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
        section("Accepts", "", listing(report["accept"])),
        details("The same as JSON", code(pretty(report))),
    ]
    return "\n".join(
        [
            f'<p class="target"><b>{escape(report["method"])}</b> <span>{escape(url["full"])}</span></p>',
            f'<p class="facts">{" · ".join(map(escape, facts))}</p>',
            *sections,
        ]
    )


def render_form(body: dict[str, Any]) -> Iterable[str]:
    """Write the fields of a form, then its files."""
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
    """Write a decoded value."""
    yield code(pretty(body["value"]))


def render_text(body: dict[str, Any]) -> Iterable[str]:
    """Write a text."""
    yield code(body["text"])


def render_binary(body: dict[str, Any]) -> Iterable[str]:
    """Write the digest and the first bytes."""
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
    """Say in one line what the body is."""
    length = body["content_length"]
    size = "of unknown length" if length is None else f"{length:,} bytes"
    return f"{body['media_type'] or 'no Content-Type'}, {size}"


def request_target(url: dict[str, Any]) -> str:
    """Join path and query."""
    return f"{url['path']}?{url['query']}" if url["query"] else str(url["path"])


def pretty(value: Any) -> str:
    """Write the value as JSON that is easy to read."""
    return msgspec.json.format(encode_json(value), indent=2).decode()


def section(title: str, note: str, *contents: str) -> str:
    """Write a section under a heading."""
    aside = f" <small>{escape(note)}</small>" if note else ""
    return f"<section><h3>{escape(title)}{aside}</h3>{''.join(contents)}</section>"


def details(title: str, content: str) -> str:
    """Write what is folded away at first."""
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def code(text: str) -> str:
    """Write preformatted text, up to a length that a browser shows with ease."""
    cut = f"\n… and {len(text) - MAX_SHOWN:,} characters more" if len(text) > MAX_SHOWN else ""
    return f'<pre tabindex="0">{escape(text[:MAX_SHOWN])}{cut}</pre>'


def table(rows: Iterable[tuple[str, Any]]) -> str:
    """Write names and values, or that there are none."""
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{"" if value is None else escape(str(value))}</td></tr>'
        for name, value in rows
    )
    return f"<table>{cells}</table>" if cells else '<p class="none">none</p>'


def listing(values: Iterable[str]) -> str:
    """Write a list in its order."""
    return f"<ol>{''.join(f'<li>{escape(value)}</li>' for value in values)}</ol>"
