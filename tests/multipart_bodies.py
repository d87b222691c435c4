"""multipart/form-data bodies for the tests: an encoder like that of browsers, and ways to split a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BOUNDARY = b"B"


class Part(NamedTuple):
    """A part to encode; a part without a filename is a field."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


def quoted(text: str, charset: str = "utf-8") -> bytes:
    """Quote a name or filename as the WHATWG "multipart/form-data encoding algorithm" does."""
    text = text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return b'"' + text.encode(charset) + b'"'


def encode(parts: Iterable[Part], charset: str = "utf-8", boundary: bytes = BOUNDARY) -> bytes:
    """Encode the body, up to its final boundary, without a line end after it."""
    body = b""
    for part in parts:
        body += b"--" + boundary + b"\r\nContent-Disposition: form-data; name=" + quoted(part.name, charset)
        if part.filename is not None:
            body += b"; filename=" + quoted(part.filename, charset)
        if part.content_type is not None:
            body += b"\r\nContent-Type: " + part.content_type.encode()
        body += b"\r\n\r\n" + part.content + b"\r\n"
    return body + b"--" + boundary + b"--"


def chunked(body: bytes, size: int) -> list[bytes]:
    """Split the body into chunks of this size."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def chunkings(body: bytes) -> Iterator[list[bytes]]:
    """Yield the body in one chunk, in chunks of one byte, and split in two at every position."""
    yield [body]
    yield chunked(body, 1)
    for position in range(len(body) + 1):
        yield [body[:position], body[position:]]
