"""What an application has to do at least: hand-written for each row, without a framework.

Each function knows what the row wants and does nothing else, but it does it right for any input: escapes are
decoded, the body may come in any pieces, a client that leaves is an error, a large file goes to disk outside
the event loop.
"""

from __future__ import annotations

import asyncio
import re
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import msgspec
from multidict import MultiDict
from python_multipart.multipart import MultipartParser, parse_options_header

from benchmarks.inputs import Order

if TYPE_CHECKING:
    from benchmarks.inputs import Receive, Scope, Send

DISTRIBUTION = "multidict"

decode_json = msgspec.json.Decoder().decode
decode_order = msgspec.json.Decoder(Order).decode
encode_json = msgspec.json.Encoder().encode


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


async def body(scope: Scope, receive: Receive, send: Send) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        pieces.append(message["body"])
        if not message["more_body"]:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


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
    pairs = []
    for field in encoded.replace(b"+", b" ").decode().split("&"):
        name, _, value = field.partition("=")
        pairs.append((name, value))
    return MultiDict(pairs)


DISPOSITION = re.compile(rb'form-data; name="([^"]*)"(?:; filename="([^"]*)")?')
BLOCK = 1024 * 1024


class Part:
    """What the callbacks of python-multipart collect of one part."""

    __slots__ = ("data", "field", "file", "filename", "headers", "name", "value")

    name: bytes
    filename: bytes | None
    file: IO[bytes] | None

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.field = self.value = b""
        self.data: list[bytes] = []


class Form:
    """The callbacks, and what they have collected."""

    def __init__(self, boundary: str) -> None:
        self.parts: list[Part] = []
        self.parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self.begin,
                "on_part_data": self.data,
                "on_header_field": self.header_field,
                "on_header_value": self.header_value,
                "on_header_end": self.header_end,
                "on_headers_finished": self.headers_finished,
            },
        )

    def begin(self) -> None:
        self.part = Part()
        self.parts.append(self.part)

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.part.field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.part.value += data[start:end]

    def header_end(self) -> None:
        part = self.part
        part.headers[part.field.lower()] = part.value
        part.field = part.value = b""

    def headers_finished(self) -> None:
        part = self.part
        disposition = part.headers[b"content-disposition"]
        match = DISPOSITION.fullmatch(disposition)
        if match:
            part.name, part.filename = match.groups()
        else:
            _, parameters = parse_options_header(disposition)
            part.name, part.filename = parameters[b"name"], parameters.get(b"filename")

    def data(self, data: bytes, start: int, end: int) -> None:
        self.part.data.append(data[start:end])


async def multipart_fields(scope: Scope, receive: Receive, send: Send) -> MultiDict[str]:
    _, parameters = split_content_type(find(scope, b"content-type"))
    form = Form(parameters["boundary"])
    while True:
        message = await receive()
        form.parser.write(message["body"])
        if not message["more_body"]:
            break
    form.parser.finalize()
    return MultiDict([(part.name.decode(), b"".join(part.data).decode()) for part in form.parts])


multipart_many = multipart_fields


class FileForm(Form):
    """As above; what is too large for memory is put aside, for a thread to write."""

    def __init__(self, boundary: str) -> None:
        super().__init__(boundary)
        self.size = 0

    def begin(self) -> None:
        super().begin()
        self.size = 0
        self.part.file = None

    def data(self, data: bytes, start: int, end: int) -> None:
        self.size += end - start
        self.part.data.append(data[start:end])


def spill(part: Part) -> None:
    if part.file is None:
        part.file = TemporaryFile()  # noqa: SIM115 - closed by who reads it back
    part.file.writelines(part.data)
    part.data.clear()


def read_back(file: IO[bytes]) -> bytes:
    with file:
        file.seek(0)
        return file.read()


async def multipart_files(scope: Scope, receive: Receive, send: Send) -> list[tuple[str, str, str, bytes]]:
    _, parameters = split_content_type(find(scope, b"content-type"))
    form = FileForm(parameters["boundary"])
    while True:
        message = await receive()
        form.parser.write(message["body"])
        if form.size > BLOCK:
            form.size = 0
            await asyncio.to_thread(spill, form.part)
        if not message["more_body"]:
            break
    form.parser.finalize()
    files = []
    for part in form.parts:
        if part.file is None:
            content = b"".join(part.data)
        else:
            await asyncio.to_thread(spill, part)
            content = await asyncio.to_thread(read_back, part.file)
        media_type = part.headers[b"content-type"].decode("latin-1")
        files.append((part.name.decode(), (part.filename or b"").decode(), media_type, content))
    return files


multipart_file = multipart_files


def pairs(form: MultiDict[str]) -> list[tuple[str, str]]:
    return list(form.items())


async def websocket_texts(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for _ in range(100):
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"]})


async def websocket_json(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    for _ in range(100):
        value = decode_json((await receive())["text"])
        await send({"type": "websocket.send", "text": encode_json(value).decode()})
