"""multipart/form-data bodies for the tests: an encoder that writes as browsers do, and ways to cut a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BOUNDARY = b"B"


class Part(NamedTuple):
    """A part to encode; one without filename is a field."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


def quoted(text: str, charset: str = "utf-8") -> bytes:
    """Text as the WHATWG "multipart/form-data encoding algorithm" has it in a name or filename."""
    text = text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return b'"' + text.encode(charset) + b'"'


def encode(parts: Iterable[Part], charset: str = "utf-8", boundary: bytes = BOUNDARY) -> bytes:
    """The body, up to its final boundary."""
    body = b""
    for part in parts:
        body += b"--" + boundary + b"\r\nContent-Disposition: form-data; name=" + quoted(part.name, charset)
        if part.filename is not None:
            body += b"; filename=" + quoted(part.filename, charset)
        if part.content_type is not None:
            body += b"\r\nContent-Type: " + part.content_type.encode()
        body += b"\r\n\r\n" + part.content + b"\r\n"
    return body + b"--" + boundary + b"--"


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def cuts(body: bytes) -> Iterator[list[bytes]]:
    """The body whole, byte by byte, and in two at every place."""
    yield [body]
    yield pieces(body, 1)
    for place in range(len(body) + 1):
        yield [body[:place], body[place:]]
