"""Request bodies as clients encode them: urlencoded and multipart forms, JSON, MessagePack, anything.

Left out: what clients encode differently, and reading files. A multipart boundary is always the same, so
that a test gives the same bytes each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, cast

from asgiwire.serialization import encode_json, encode_msgpack

from ._scopes import encode_query_params, named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ._scopes import QueryParams


Content: TypeAlias = "str | bytes | Iterable[bytes]"
"""A body: text in UTF-8, bytes, or chunks that arrive one by one."""

File: TypeAlias = "str | bytes | tuple[str, str | bytes] | tuple[str, str | bytes, str]"
"""A file: its content; or its name, its content and perhaps its media type."""

Files: TypeAlias = "Mapping[str, File] | Iterable[tuple[str, File]]"
"""Files by the names of their fields; pairs, for several of one name."""

BOUNDARY: Final = "asgiwire-boundary"

# "Multipart form data" of the HTML standard: a name is sent in quotes, and these three are escaped in it.
ESCAPES: Final = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class RequestBody(NamedTuple):
    """A body and the headers that describe it.

    Attributes:
        chunks: The body as it arrives; all of it in one chunk, unless it was given in several.
        headers: Content-Type, and Content-Length where the client would know it.
    """

    chunks: tuple[bytes, ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()

    @classmethod
    def of(cls, media_type: str, content: bytes) -> RequestBody:
        """Describe content that is all there."""
        length = (b"content-length", b"%d" % len(content))
        described = ((b"content-type", media_type.encode("latin-1")), length) if media_type else (length,)
        return cls((content,), described)

    @classmethod
    def of_json(cls, value: Any) -> RequestBody:
        """Encode a JSON body."""
        return cls.of("application/json", encode_json(value))

    @classmethod
    def of_msgpack(cls, value: Any) -> RequestBody:
        """Encode a MessagePack body."""
        return cls.of("application/vnd.msgpack", encode_msgpack(value))

    @classmethod
    def of_content(cls, content: Content) -> RequestBody:
        """Take a body as it is; chunks come without Content-Length, as if encoded by ``chunked``."""
        if isinstance(content, str):
            return cls.of("text/plain; charset=utf-8", content.encode())
        return cls.of("", content) if isinstance(content, bytes) else cls(tuple(content))

    @classmethod
    def of_form(cls, data: QueryParams, files: Files | None = None) -> RequestBody:
        """Encode a form: with ``files`` as multipart, without as urlencoded."""
        if files is None:
            return cls.of("application/x-www-form-urlencoded", encode_query_params(data))
        parts = [*_field_parts(data), *_file_parts(files)]
        boundary = BOUNDARY
        while any(boundary.encode() in part for part in parts):
            boundary += "-"
        content = b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
        return cls.of(
            f"multipart/form-data; boundary={boundary}", content + b"--%b--\r\n" % boundary.encode()
        )


def _field_parts(data: QueryParams) -> Iterator[bytes]:
    if isinstance(data, str | bytes):
        msg = f"the fields of a multipart form must be names and values, got {type(data).__name__}"
        raise TypeError(msg)
    for name, value in named(data):
        several = cast("Iterable[object]", value) if isinstance(value, list | tuple) else (value,)
        for one in several:
            yield _part(name, "", one if isinstance(one, bytes) else str(one))


def _file_parts(files: Files) -> Iterator[bytes]:
    for name, file in named(files):
        filename, content, *rest = ("upload", file) if isinstance(file, str | bytes) else file
        media_type = rest[0] if rest else "application/octet-stream"
        yield _part(name, f'; filename="{filename.translate(ESCAPES)}"', content, media_type)


def _part(name: str, parameters: str, content: str | bytes, media_type: str = "") -> bytes:
    header = f'Content-Disposition: form-data; name="{name.translate(ESCAPES)}"{parameters}\r\n'
    if media_type:
        header += f"Content-Type: {media_type}\r\n"
    return header.encode() + b"\r\n" + (content.encode() if isinstance(content, str) else content)
