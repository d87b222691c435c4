"""Forms in parts, through callbacks of python-multipart that do what the row wants and no more."""

from __future__ import annotations

import asyncio
import os
import re
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

from multidict import MultiDict
from python_multipart.multipart import MultipartParser, parse_options_header

from .heads import find, split_content_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.inputs import Receive, Scope, Send

DISPOSITION = re.compile(rb'form-data; name="([^"]*)"(?:; filename="([^"]*)")?')
BLOCK = 1024 * 1024
MOST_PIECES = 1000  # that a system takes in one call


def boundary(scope: Scope) -> str:
    _, parameters = split_content_type(find(scope, b"content-type"))
    return parameters["boundary"]


def parser(scope: Scope, begun: Callable[[dict[bytes, bytes]], None], **callbacks: Any) -> MultipartParser:
    """A parser that calls ``begun`` with the headers of each part, which come in any pieces."""
    headers: dict[bytes, bytes] = {}
    name: list[bytes] = []
    value: list[bytes] = []

    def header_end() -> None:
        headers[b"".join(name).lower()] = b"".join(value)
        name.clear()
        value.clear()

    def headers_finished() -> None:
        begun(headers)
        headers.clear()

    callbacks["on_header_field"] = lambda data, start, end: name.append(data[start:end])
    callbacks["on_header_value"] = lambda data, start, end: value.append(data[start:end])
    callbacks["on_header_end"] = header_end
    callbacks["on_headers_finished"] = headers_finished
    return MultipartParser(boundary(scope), callbacks)


def names(disposition: bytes) -> tuple[str, str | None]:
    """The name of a field, and its filename."""
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
    pieces: list[bytes] = []

    def begun(headers: dict[bytes, bytes]) -> None:
        nonlocal name
        name, _ = names(headers[b"content-disposition"])

    def ended() -> None:
        fields.append((name, b"".join(pieces).decode()))
        pieces.clear()

    parsing = parser(
        scope, begun, on_part_data=lambda data, start, end: pieces.append(data[start:end]), on_part_end=ended
    )
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        parsing.write(message["body"])
        if not message["more_body"]:
            break
    parsing.finalize()
    return MultiDict(fields)


multipart_many = multipart_fields


class File:
    """A file of a form; what is too large for memory is put aside, for a thread to write."""

    __slots__ = ("content", "filename", "media_type", "name", "pieces", "size")

    def __init__(self, headers: dict[bytes, bytes]) -> None:
        self.name, self.filename = names(headers[b"content-disposition"])
        self.media_type = headers[b"content-type"].decode("latin-1")
        self.pieces: list[bytes] = []
        self.size = 0  # of the pieces
        self.content: IO[bytes] | None = None

    def spill(self) -> None:
        if self.content is None:
            self.content = TemporaryFile(buffering=0)  # noqa: SIM115 - closed by who reads it back
        # One call of the system for all pieces, and no copy: a third less time than a buffered file takes.
        pieces = self.pieces if len(self.pieces) < MOST_PIECES else [b"".join(self.pieces)]
        written = os.writev(self.content.fileno(), pieces)
        rest = memoryview(b"".join(pieces) if written < sum(map(len, pieces)) else b"")[written:]
        while rest:
            rest = rest[self.content.write(rest) :]
        self.pieces.clear()

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

    def data(data: bytes, start: int, end: int) -> None:
        file = files[-1]
        file.pieces.append(data[start:end])
        file.size += end - start

    parsing = parser(scope, lambda headers: files.append(File(headers)), on_part_data=data)
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        parsing.write(message["body"])
        if files and files[-1].size > BLOCK:
            files[-1].size = 0
            await asyncio.to_thread(files[-1].spill)
        if not message["more_body"]:
            break
    parsing.finalize()
    return [
        (
            file.name,
            file.filename,
            file.media_type,
            await asyncio.to_thread(file.read_back) if file.content else b"".join(file.pieces),
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

    def begun(headers: dict[bytes, bytes]) -> None:
        media_type = headers[b"content-type"].decode("latin-1")
        events.append((*names(headers[b"content-disposition"]), media_type))

    parsing = parser(scope, begun, on_part_data=lambda data, start, end: events.append(data[start:end]))
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        parsing.write(message["body"])
        for event in events:
            if isinstance(event, bytes):
                size += len(event)
            else:
                sizes.append((*head, size))
                head, size = event, 0
        events.clear()
        if not message["more_body"]:
            break
    parsing.finalize()
    return [*sizes[1:], (*head, size)]


def pairs(form: MultiDict[str]) -> list[tuple[str, str]]:
    return list(form.items())
