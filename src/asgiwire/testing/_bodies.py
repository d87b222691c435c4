"""Request bodies as clients encode them: forms, JSON, MessagePack, text and bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, NamedTuple, TypeAlias, cast

from asgiwire.serialization import encode_json, encode_msgpack

from ._scopes import QueryParams, encode_query_params, name_value_pairs

Content: TypeAlias = str | bytes | Iterable[bytes]
"""A body: text, encoded in UTF-8; bytes; or chunks, each sent in its own message."""

FileContent: TypeAlias = str | bytes | IO[bytes] | IO[str]
"""The content of a file: text, encoded in UTF-8; bytes; or an open file, which is read to its end."""

File: TypeAlias = FileContent | tuple[str | None, FileContent] | tuple[str | None, FileContent, str]
"""A file: its content; or its filename, its content and optionally its media type."""

Files: TypeAlias = Mapping[str, File] | Iterable[tuple[str, File]]
"""Files by field name; pairs allow several files with one name."""

# Constant, so that a test sends the same bytes in each run.
BOUNDARY: Final = "asgiwire-boundary"

# HTML standard, "multipart form data": names and filenames are quoted, with these three characters escaped.
ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class RequestBody(NamedTuple):
    """A body and the headers that describe it.

    Attributes:
        chunks: The chunks in which the body is sent.
        headers: The Content-Type, and the Content-Length if the client knows it.
    """

    chunks: tuple[bytes, ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def from_bytes(cls, media_type: str, content: bytes) -> RequestBody:
        """Build a body of one chunk; an empty media type is not sent."""
        length = (b"content-length", b"%d" % len(content))
        headers = ((b"content-type", media_type.encode("latin-1")), length) if media_type else (length,)
        return cls((content,), headers)

    @classmethod
    def from_json(cls, value: Any) -> RequestBody:
        """Encode a JSON body."""
        return cls.from_bytes("application/json", encode_json(value))

    @classmethod
    def from_msgpack(cls, value: Any) -> RequestBody:
        """Encode a MessagePack body."""
        return cls.from_bytes("application/vnd.msgpack", encode_msgpack(value))

    @classmethod
    def from_content(cls, content: Content) -> RequestBody:
        """Build a body of text, bytes, or chunks; chunks have no Content-Length, as in a chunked encoding."""
        if isinstance(content, str):
            return cls.from_bytes("text/plain; charset=utf-8", content.encode())
        return cls.from_bytes("", content) if isinstance(content, bytes) else cls(tuple(content))

    @classmethod
    def from_form(cls, data: QueryParams, files: Files | None = None) -> RequestBody:
        """Encode a form: as multipart if there are ``files``, else urlencoded."""
        if files is None:
            return cls.from_bytes("application/x-www-form-urlencoded", encode_query_params(data))
        content, headers = multipart_body(data, files)
        return cls.from_bytes(headers["content-type"], content)


def multipart_body(
    data: QueryParams = (), files: Files = (), *, boundary: str | None = None
) -> tuple[bytes, dict[str, str]]:
    """Encode a multipart form, for tests that truncate or change it before they send it.

    Args:
        data: The fields, by name; a list is several fields of one name.
        files: The files, by field name.
        boundary: The boundary; by default, a constant one that does not occur in the parts.

    Returns:
        The body, and headers with its Content-Type but no Content-Length.

    Raises:
        TypeError: ``data`` is neither a mapping nor pairs.
        ValueError: A part contains ``boundary``.
    """
    parts = [*_field_parts(data), *_file_parts(files)]
    chosen = (boundary or BOUNDARY).encode()
    while any(chosen in part for part in parts):
        if boundary is not None:
            msg = "expected a boundary that no part contains"
            raise ValueError(msg)
        chosen += b"-"
    content = b"".join(b"--%b\r\n%b\r\n" % (chosen, part) for part in parts) + b"--%b--\r\n" % chosen
    return content, {"content-type": f"multipart/form-data; boundary={chosen.decode()}"}


def _field_parts(data: QueryParams) -> Iterator[bytes]:
    if isinstance(data, str | bytes):
        msg = f"expected the fields of a multipart form as names and values, got {type(data).__name__}"
        raise TypeError(msg)
    for name, value in name_value_pairs(data):
        values = cast("Iterable[object]", value) if isinstance(value, list | tuple) else (value,)
        for one in values:
            yield _part(name, "", one if isinstance(one, bytes) else str(one))


def _file_parts(files: Files) -> Iterator[bytes]:
    for name, file in name_value_pairs(files):
        filename, content, *rest = file if isinstance(file, tuple) else (None, file)
        if isinstance(content, str | bytes):
            filename = filename or "upload"
            media_type = "application/octet-stream"
        else:
            filename = filename or _filename(content)
            media_type = _media_type(filename)
            content = content.read()
        escaped = filename.translate(ESCAPES)
        yield _part(name, f'; filename="{escaped}"', content, rest[0] if rest else media_type)


def _filename(file: IO[bytes] | IO[str]) -> str:
    # The name of a temporary file can be its descriptor, an int.
    name: object = getattr(file, "name", None)
    return os.path.basename(name) if isinstance(name, str) else "upload"


def _media_type(filename: str) -> str:
    import mimetypes

    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _part(name: str, parameters: str, content: str | bytes, media_type: str = "") -> bytes:
    header = f'Content-Disposition: form-data; name="{name.translate(ESCAPES)}"{parameters}\r\n'
    if media_type:
        header += f"Content-Type: {media_type}\r\n"
    return header.encode() + b"\r\n" + (content.encode() if isinstance(content, str) else content)
