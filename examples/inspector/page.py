"""The HTML page. All text that the client sent is escaped in this module."""

from __future__ import annotations

import hashlib
import re
from html import escape
from inspect import getsource
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import msgspec

import asgiwire
from asgiwire.serialization import encode_json

from .report import HTML, Paging
from .responses import Response

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asgiwire.datastructures import URL

STATIC = Path(__file__).parent / "static"
DOCS = Path(__file__).parents[2] / "docs"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

# Longer texts are truncated on the page. The JSON report is complete.
MAX_CHARACTERS = 20_000

# A list of two strings, or of a string and a number. JSON strings contain no line break.
PAIR = re.compile(r'\[\n *("(?:[^"\\]|\\.)*"),\n *("(?:[^"\\]|\\.)*"|\d+)\n *\]')


def template(name: str) -> Template:
    """Return a template of this package."""
    return Template((STATIC / name).read_text(encoding="utf-8"))


def asset(content: bytes, media_type: str) -> Response:
    """Return a response that a client may store."""
    return Response(content, media_type, etag=f'"{hashlib.sha256(content).hexdigest()[:16]}"')


def render_guide(path: str, markdown: str) -> Response:
    """Return a page of the documentation, as text."""
    root = "../" * path.count("/")
    page = GUIDE.substitute(root=root, path=path, title=escape(title(markdown)), text=escape(markdown))
    return asset(page.encode(), HTML)


def title(markdown: str) -> str:
    """Return the first heading."""
    return markdown.removeprefix("# ").partition("\n")[0]


# Read at import, so that no request reads from disk. A copy of this package has no guides.
PAGE = template("page.html")
GUIDE = template("guide.html")
GUIDES = {
    path.relative_to(DOCS.parent).as_posix(): path.read_text(encoding="utf-8")
    for pattern in ("tutorial.md", "how-to/*.md", "explanation/*.md")
    for path in sorted(DOCS.glob(pattern))
}
ASSETS = {
    path.name: asset(path.read_bytes(), MEDIA_TYPES[path.suffix])
    for path in STATIC.iterdir()
    if path.suffix in MEDIA_TYPES
} | {path: render_guide(path, markdown) for path, markdown in GUIDES.items()}


def render_page(report: dict[str, Any], base_url: URL) -> bytes:
    """Return the whole page for every request, so that it also works without JavaScript."""
    return PAGE.substitute(
        version=asgiwire.__version__,
        base_path=escape(base_url.path),
        base_url=escape(str(base_url)),
        target=escape(request_target(report["url"])),
        report=render_report(report),
        guides=render_guides(base_url.path),
    ).encode()


def render_report(report: dict[str, Any]) -> str:
    """Return the report as HTML."""
    url = report["url"]
    facts = [f"HTTP/{report['http_version']}", f"answered as {HTML}"]
    if client := report["connection"]["client"]:
        facts.insert(1, f"from {client.host}:{client.port}")
    parts = {name: value for name, value in url.items() if name != "full"}
    tls = report["tls"]
    connection = report["connection"] if tls else report["connection"] | {"tls": None}
    hidden = url["scheme"] == "https" and not tls
    hint = '<p class="hint">The server does not support the TLS extension of ASGI.</p>' if hidden else ""
    sent = sum(value is not None and value is not False for value in report["conditions"].values())
    return "\n".join(
        [
            f'<p class="target"><b>{escape(report["method"])}</b> <span>{escape(url["full"])}</span></p>',
            f'<p class="facts">{" · ".join(map(escape, facts))}</p>',
            render_body(report["body"]),
            section("Query", "request.query_params", table(report["query_params"])),
            section("Typed query", "request.query(type=Paging)", *render_paging(report["paging"])),
            section("Cookies", "request.cookies", table(report["cookies"].items())),
            section("Headers", "request.headers", table(report["headers"])),
            section("Negotiation", "", rows("request.", report["negotiation"])),
            details(
                "Conditions and ranges",
                rows("request.", report["conditions"]),
                note=f"{sent or 'none'} sent",
                is_open=sent > 0,
            ),
            section("URL", "", rows("request.url.", parts)),
            section("Connection", "", rows("request.", connection), hint),
            section("TLS", "", rows("request.tls.", tls)) if tls else "",
            details("Report as JSON", code(pretty(report))),
        ]
    )


def render_body(body: dict[str, Any]) -> str:
    """Return the section of the body, or nothing without a body."""
    if body["kind"] == "empty":
        return ""
    expression, render = BODIES[body["kind"]]
    declared = {"content_type": (body["media_type"], body["parameters"])}
    if "content_length" in body:
        declared["content_length"] = body["content_length"]
    return section("Body", expression, *render(body), rows("request.", declared))


def render_form(body: dict[str, Any]) -> Iterable[str]:
    """Yield the fields of a form, then its files."""
    if body["fields"] or not body["files"]:
        yield table(body["fields"])
    for file in body["files"]:
        size = f"{file['size']:,} bytes, {'on disk' if file['rolled_to_disk'] else 'in memory'}"
        lines = [
            ("Field", file["field"]),
            ("File name", file["filename"]),
            ("Type", file["content_type"]),
            ("Size", size),
            ("SHA-256", file["sha256"]),
        ]
        yield f'<div class="file">{table(lines)}</div>'


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


def render_error(result: dict[str, Any]) -> Iterable[str]:
    """Yield the exception that a reader raised."""
    error = result["error"]
    text = f"{error['exception']} ({error['status_code']}): {error['detail']}"
    yield f'<p class="problem">{escape(text)}</p>'


BODIES = {
    "form": ("await request.form()", render_form),
    "json": ("await request.json()", render_value),
    "msgpack": ("await request.msgpack()", render_value),
    "text": ("await request.text()", render_text),
    "binary": ("await request.body()", render_binary),
    "error": ("", render_error),
}


def render_paging(result: dict[str, Any]) -> Iterable[str]:
    """Yield the type, and the query as an instance of it."""
    yield code(getsource(Paging).strip())
    if "error" in result:
        yield from render_error(result)
    else:
        yield f"<p><code>{escape(repr(result['value']))}</code></p>"
    examples = ("?page=2&size=50", "?sort=date", "?page=two")
    links = (f'<a href="{escape(query)}">{escape(query)}</a>' for query in examples)
    yield f'<p class="try">Try {" · ".join(links)}</p>'


def render_guides(base_path: str) -> str:
    """Return links to the guides, by their titles."""
    return "\n".join(
        f'<li><a href="{escape(base_path)}-/{path}">{escape(title(markdown))}</a></li>'
        for path, markdown in GUIDES.items()
    )


def request_target(url: dict[str, Any]) -> str:
    """Return path and query."""
    return f"{url['path']}?{url['query']}" if url["query"] else str(url["path"])


def pretty(value: Any) -> str:
    """Return the value as indented JSON, each pair in one line."""
    return PAIR.sub(r"[\1, \2]", msgspec.json.format(encode_json(value), indent=2).decode())


def section(heading: str, expression: str, *contents: str) -> str:
    """Return a section with a heading, and the expression that returns its content."""
    copy = copied(expression) if expression else ""
    return f"<section><h3>{escape(heading)} {copy}</h3>{''.join(contents)}</section>"


def details(heading: str, content: str, *, note: str = "", is_open: bool = False) -> str:
    """Return content that is collapsed unless ``is_open``."""
    summary = f"{escape(heading)} <small>{escape(note)}</small>"
    return f"<details{' open' if is_open else ''}><summary>{summary}</summary>{content}</details>"


def code(text: str) -> str:
    """Return preformatted text, truncated to ``MAX_CHARACTERS``."""
    rest = len(text) - MAX_CHARACTERS
    note = f"\n… and {rest:,} more characters" if rest > 0 else ""
    return f'<pre tabindex="0">{escape(text[:MAX_CHARACTERS])}{note}</pre>'


def copied(expression: str) -> str:
    """Return a button that copies the expression, which may be wrapped at each dot."""
    text = escape(expression).replace(".", ".<wbr>")
    return f'<button class="copy" type="button">{text}</button>'


def rows(prefix: str, values: dict[str, Any]) -> str:
    """Return a table of expressions and what they return."""
    cells = "".join(
        f'<tr><th scope="row">{copied(prefix + name)}</th><td>{escaped(value)}</td></tr>'
        for name, value in values.items()
    )
    return f'<table class="expressions">{cells}</table>'


def table(lines: Iterable[tuple[str, Any]]) -> str:
    """Return a table of names and values, or the word "none"."""
    cells = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escaped(value)}</td></tr>' for name, value in lines
    )
    return f"<table>{cells}</table>" if cells else '<p class="none">none</p>'


def escaped(value: Any) -> str:
    """Return the value as HTML."""
    return '<span class="none">None</span>' if value is None else escape(str(value))
