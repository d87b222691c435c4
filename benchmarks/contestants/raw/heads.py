"""What is read of a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from python_multipart.multipart import parse_options_header

if TYPE_CHECKING:
    from benchmarks.inputs import Receive, Scope, Send


class Connection:
    """The least that can be constructed: a check, and three arguments kept."""

    __slots__ = ("receive", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        self.scope = scope
        self.receive = receive
        self.send = send


def construct(scope: Scope, receive: Receive, send: Send) -> Connection:
    return Connection(scope, receive, send)


def find(scope: Scope, wanted: bytes) -> str:
    name: bytes
    value: bytes
    for name, value in scope["headers"]:
        if name == wanted:
            return value.decode("latin-1")
    return ""


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return find(scope, b"x-request-id")


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    headers = dict(scope["headers"])
    return (
        headers[b"host"].decode("latin-1"),
        headers[b"user-agent"].decode("latin-1"),
        headers[b"x-request-id"].decode("latin-1"),
    )


def split_content_type(value: str) -> tuple[str, dict[str, str]]:
    if '"' in value:
        quoted_type, quoted = parse_options_header(value)
        return quoted_type.decode("latin-1"), {
            name.decode("latin-1"): text.decode("latin-1") for name, text in quoted.items()
        }
    media_type, *rest = value.split(";")
    parameters = {}
    for parameter in rest:
        name, _, text = parameter.partition("=")
        parameters[name.strip().lower()] = text.strip()
    return media_type.strip().lower(), parameters


def content_type(scope: Scope, receive: Receive, send: Send) -> tuple[str, str]:
    media_type, parameters = split_content_type(find(scope, b"content-type"))
    return media_type, parameters["boundary"]


def split_query(encoded: bytes) -> dict[str, str]:
    if b"%" in encoded or b"+" in encoded:
        return dict(parse_qsl(encoded.decode(), keep_blank_values=True))
    values = {}
    for parameter in encoded.decode().split("&"):
        name, _, value = parameter.partition("=")
        values[name] = value
    return values


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = split_query(scope["query_string"])
    return values["q"], values["page"], values["per_page"], values["sort"], values["order"], values["in"]


def split_cookies(header: str) -> dict[str, str]:
    values = {}
    for cookie in header.split("; "):
        name, _, value = cookie.partition("=")
        values[name] = unquote(value) if "%" in value else value
    return values


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = split_cookies(find(scope, b"cookie"))
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    target = scope["raw_path"].decode("ascii")
    if scope["query_string"]:
        target = f"{target}?{scope['query_string'].decode('ascii')}"
    return f"{scope['scheme']}://{find(scope, b'host')}{target}"


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    headers = dict(scope["headers"])
    return (
        scope["method"],
        scope["path"],
        headers[b"host"].decode("latin-1"),
        headers[b"user-agent"].decode("latin-1"),
        headers[b"x-request-id"].decode("latin-1"),
        split_query(scope["query_string"])["page"],
        split_cookies(headers[b"cookie"].decode("latin-1"))["session"],
        scope["client"][0],
    )
