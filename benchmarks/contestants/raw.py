"""Hand-written ASGI code without a framework: the least that an application must do in each row.

Each function is correct for any input: it decodes escapes, accepts a body in chunks of any size, raises
when the client disconnects, and writes a large file to disk outside the event loop. Each is the fastest of
the ways that were tried. For queries, cookies and urlencoded forms these were a loop, a list of ``split``
results, a regular expression, and conversion to JSON for msgspec.
"""

from __future__ import annotations

import asyncio
import os
import re
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec
from multidict import MultiDict
from python_multipart.multipart import MultipartParser, parse_options_header

from benchmarks.inputs import Order, Registration, Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "multidict"

DISPOSITION = re.compile(rb'form-data; name="([^"]*)"(?:; filename="([^"]*)")?')
SPOOL_SIZE = 1024 * 1024
MAX_BUFFERS = 1000  # one writev() call accepts 1,024 buffers on Linux

decode_json = msgspec.json.Decoder().decode
decode_order = msgspec.json.Decoder(Order).decode
encode_json = msgspec.json.Encoder().encode


class Connection:
    """The least that can be constructed: one check and three attributes."""

    __slots__ = ("receive", "scope", "send")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(scope["type"])
        self.scope = scope
        self.receive = receive
        self.send = send


def construct(scope: Scope, receive: Receive, send: Send) -> Connection:
    return Connection(scope, receive, send)


def find_header(scope: Scope, wanted: bytes) -> str:
    name: bytes
    value: bytes
    for name, value in scope["headers"]:
        if name == wanted:
            return value.decode("latin-1")
    return ""


def one_header(scope: Scope, receive: Receive, send: Send) -> str:
    return find_header(scope, b"x-request-id")


def three_headers(scope: Scope, receive: Receive, send: Send) -> tuple[str, str, str]:
    headers = dict(scope["headers"])
    return (
        headers[b"host"].decode("latin-1"),
        headers[b"user-agent"].decode("latin-1"),
        headers[b"x-request-id"].decode("latin-1"),
    )


def parse_content_type(value: str) -> tuple[str, dict[str, str]]:
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
    media_type, parameters = parse_content_type(find_header(scope, b"content-type"))
    return media_type, parameters["boundary"]


def parse_query(encoded: bytes) -> dict[str, str]:
    if b"%" in encoded or b"+" in encoded:
        return dict(parse_qsl(encoded.decode(), keep_blank_values=True))
    values = {}
    for parameter in encoded.decode().split("&"):
        name, _, value = parameter.partition("=")
        values[name] = value
    return values


def query(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = parse_query(scope["query_string"])
    return values["q"], values["page"], values["per_page"], values["sort"], values["order"], values["in"]


def parse_cookies(header: str) -> dict[str, str]:
    values = {}
    for cookie in header.split("; "):
        name, _, value = cookie.partition("=")
        values[name] = unquote(value) if "%" in value else value
    return values


def cookies(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    values = parse_cookies(find_header(scope, b"cookie"))
    return values["session"], values["csrftoken"], values["theme"], values["_ga"], values["lang"]


def url(scope: Scope, receive: Receive, send: Send) -> str:
    target = scope["raw_path"].decode("ascii")
    if scope["query_string"]:
        target = f"{target}?{scope['query_string'].decode('ascii')}"
    return f"{scope['scheme']}://{find_header(scope, b'host')}{target}"


def typical(scope: Scope, receive: Receive, send: Send) -> tuple[str, ...]:
    headers = dict(scope["headers"])
    return (
        scope["method"],
        scope["path"],
        headers[b"host"].decode("latin-1"),
        headers[b"user-agent"].decode("latin-1"),
        headers[b"x-request-id"].decode("latin-1"),
        parse_query(scope["query_string"])["page"],
        parse_cookies(headers[b"cookie"].decode("latin-1"))["session"],
        scope["client"][0],
    )


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    chunks = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        chunks.append(message["body"])
        if not message["more_body"]:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def json_small(scope: Scope, receive: Receive, send: Send) -> Any:
    return decode_json(await body(scope, receive, send))


json_large = json_small


async def json_typed(scope: Scope, receive: Receive, send: Send) -> Order:
    return decode_order(await body(scope, receive, send))


async def stream(scope: Scope, receive: Receive, send: Send) -> int:
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        size += len(message["body"])
        if not message["more_body"]:
            return size


async def two_requests(scope: Scope, receive: Receive, send: Send) -> tuple[bytes, bytes]:
    scope["body"] = await body(scope, receive, send)
    return scope["body"], scope["body"]


async def urlencoded(scope: Scope, receive: Receive, send: Send) -> MultiDict[str]:
    encoded = await body(scope, receive, send)
    if b"%" in encoded:
        return MultiDict(parse_qsl(encoded.decode(), keep_blank_values=True))
    fields = []
    for field in encoded.replace(b"+", b" ").decode().split("&"):
        name, _, value = field.partition("=")
        fields.append((name, value))
    return MultiDict(fields)


async def typed_query(scope: Scope, receive: Receive, send: Send) -> Search:
    return msgspec.convert(parse_query(scope["query_string"]), Search, strict=False)


async def typed_form(scope: Scope, receive: Receive, send: Send) -> Registration:
    fields = parse_query(await body(scope, receive, send))
    return msgspec.convert(fields, Registration, strict=False)


def multipart_parser(
    scope: Scope, start_part: Callable[[dict[bytes, bytes]], None], **callbacks: Any
) -> MultipartParser:
    """Return a parser that calls ``start_part`` with the headers of each part."""
    headers: dict[bytes, bytes] = {}
    name: list[bytes] = []
    value: list[bytes] = []

    def header_end() -> None:
        headers[b"".join(name).lower()] = b"".join(value)
        name.clear()
        value.clear()

    def headers_finished() -> None:
        start_part(headers)
        headers.clear()

    callbacks["on_header_field"] = lambda data, start, end: name.append(data[start:end])
    callbacks["on_header_value"] = lambda data, start, end: value.append(data[start:end])
    callbacks["on_header_end"] = header_end
    callbacks["on_headers_finished"] = headers_finished
    _, parameters = parse_content_type(find_header(scope, b"content-type"))
    return MultipartParser(parameters["boundary"], callbacks)


def part_names(disposition: bytes) -> tuple[str, str | None]:
    """Return the name and the filename of a part."""
    match = DISPOSITION.fullmatch(disposition)
    if match:
        name, filename = match.groups()
    else:
        _, parameters = parse_options_header(disposition)
        name, filename = parameters[b"name"], parameters.get(b"filename")
    return name.decode(), None if filename is None else filename.decode()


async def multipart_fields(scope: Scope, receive: Receive, send: Send) -> MultiDict[str]:
    fields: list[tuple[str, str]] = []
    name = ""
    chunks: list[bytes] = []

    def start_part(headers: dict[bytes, bytes]) -> None:
        nonlocal name
        name, _ = part_names(headers[b"content-disposition"])

    def end_part() -> None:
        fields.append((name, b"".join(chunks).decode()))
        chunks.clear()

    parser = multipart_parser(
        scope,
        start_part,
        on_part_data=lambda data, start, end: chunks.append(data[start:end]),
        on_part_end=end_part,
    )
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        parser.write(message["body"])
        if not message["more_body"]:
            break
    parser.finalize()
    return MultiDict(fields)


multipart_many = multipart_fields


class File:
    """An uploaded file that spools to disk from a thread."""

    __slots__ = ("chunks", "content", "filename", "media_type", "name", "size")

    def __init__(self, headers: dict[bytes, bytes]) -> None:
        self.name, self.filename = part_names(headers[b"content-disposition"])
        self.media_type = headers[b"content-type"].decode("latin-1")
        self.chunks: list[bytes] = []
        self.size = 0  # of the chunks in memory
        self.content: IO[bytes] | None = None

    def spill(self) -> None:
        if self.content is None:
            self.content = TemporaryFile(buffering=0)  # noqa: SIM115 - read_back() closes it
        # One system call for all chunks, without a copy, takes a third less time than a buffered file.
        chunks = self.chunks if len(self.chunks) < MAX_BUFFERS else [b"".join(self.chunks)]
        written = os.writev(self.content.fileno(), chunks)
        rest = memoryview(b"".join(chunks) if written < sum(map(len, chunks)) else b"")[written:]
        while rest:
            rest = rest[self.content.write(rest) :]
        self.chunks.clear()

    def read_back(self) -> bytes:
        self.spill()
        assert self.content
        with self.content as content:
            content.seek(0)
            return content.read()


async def multipart_files(
    scope: Scope, receive: Receive, send: Send
) -> list[tuple[str, str | None, str, bytes]]:
    files: list[File] = []

    def part_data(data: bytes, start: int, end: int) -> None:
        file = files[-1]
        file.chunks.append(data[start:end])
        file.size += end - start

    parser = multipart_parser(scope, lambda headers: files.append(File(headers)), on_part_data=part_data)
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        parser.write(message["body"])
        if files and files[-1].size > SPOOL_SIZE:
            files[-1].size = 0
            await asyncio.to_thread(files[-1].spill)
        if not message["more_body"]:
            break
    parser.finalize()
    return [
        (
            file.name,
            file.filename,
            file.media_type,
            await asyncio.to_thread(file.read_back) if file.content else b"".join(file.chunks),
        )
        for file in files
    ]


multipart_file = multipart_files


async def multipart_stream(
    scope: Scope, receive: Receive, send: Send
) -> list[tuple[str, str | None, str, int]]:
    sizes: list[tuple[str, str | None, str, int]] = []
    events: list[bytes | tuple[str, str | None, str]] = []
    head, size = ("", None, ""), 0

    def start_part(headers: dict[bytes, bytes]) -> None:
        media_type = headers[b"content-type"].decode("latin-1")
        events.append((*part_names(headers[b"content-disposition"]), media_type))

    parser = multipart_parser(
        scope, start_part, on_part_data=lambda data, start, end: events.append(data[start:end])
    )
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        parser.write(message["body"])
        for event in events:
            if isinstance(event, bytes):
                size += len(event)
            else:
                sizes.append((*head, size))
                head, size = event, 0
        events.clear()
        if not message["more_body"]:
            break
    parser.finalize()
    return [*sizes[1:], (*head, size)]


def pairs(form: MultiDict[str]) -> list[tuple[str, str]]:
    return list(form.items())


async def websocket_texts(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for _ in range(100):
        message = await receive()
        if message["type"] != "websocket.receive":
            raise ConnectionError
        await send({"type": "websocket.send", "text": message["text"]})


async def websocket_json(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for _ in range(100):
        message = await receive()
        if message["type"] != "websocket.receive":
            raise ConnectionError
        value = decode_json(message["text"])
        await send({"type": "websocket.send", "text": encode_json(value).decode()})
