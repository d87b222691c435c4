"""A fast path for a multipart form that is in memory as a whole.

It takes a quarter of the time of the decoder and reads only what browsers write. For everything else (a
charset, an escape, other headers or another order, a preamble, padding, an epilogue, an exceeded limit) it
returns ``None``, and the caller uses the decoder. Tests check that the two agree.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from asgiwire.datastructures.upload_file import UploadFile

from .parser import COMMON_HEADERS, max_common_headers_size

if TYPE_CHECKING:
    from asgiwire.limits import Limits

__all__ = ("DEFAULT_CONTENT_TYPE", "parse_whole")

# RFC 7578 section 4.4: "Each part MAY have an (optional) "Content-Type" header field, which defaults to
# "text/plain"".
DEFAULT_CONTENT_TYPE: Final = "text/plain"

_AFTER_LAST_BOUNDARY: Final = (b"--", b"--\r\n")


def parse_whole(
    body: bytes, boundary: bytes, limits: Limits, empty_files: bool = False
) -> list[tuple[str, str | UploadFile]] | None:
    """Parse a form in one pass; return its fields and files, or ``None`` if the decoder has to parse it.

    Args:
        body: The whole body, not larger than any of the size limits of fields and files.
        boundary: The boundary of a Content-Type that declares no charset.
        limits: The limits of counts and headers are checked here.
        empty_files: Whether a file input without a file is an empty file, not an empty field.
    """
    delimiter = b"\r\n--" + boundary
    if not body.startswith(delimiter[2:]):
        return None
    pairs: list[tuple[str, str | UploadFile]] = []
    fields_left = inf if limits.max_fields is None else limits.max_fields
    files_left = inf if limits.max_files is None else limits.max_files
    max_headers_size = max_common_headers_size(limits)
    position = len(delimiter) - 2  # the end of the first delimiter, which has no line end before it
    while match := COMMON_HEADERS.match(body, position):
        disposition, name, filename, content_type = match.groups()
        start = match.end()
        end = body.find(delimiter, start)
        if filename is None:
            fields_left -= 1
        else:
            files_left -= 1
        if end < 0 or fields_left < 0 or files_left < 0 or start - position > max_headers_size:
            return None
        if name == b"_charset_":
            return None
        content = body[start:end]
        if filename or ((content or empty_files) and filename is not None):
            value = _new_upload(disposition, filename, content_type, content, limits.spool_size)
            pairs.append((name.decode("utf-8", "replace"), value))
        else:
            # A field, or a file input without a file: browsers send an empty filename and no bytes.
            pairs.append((name.decode("utf-8", "replace"), content.decode("utf-8", "replace")))
        position = end + len(delimiter)
    return pairs if body[position:] in _AFTER_LAST_BOUNDARY else None


def _new_upload(
    disposition: bytes, filename: bytes, content_type: bytes | None, content: bytes, spool_size: int
) -> UploadFile:
    headers = {"content-disposition": disposition.decode("utf-8", "replace")}
    if content_type is not None:
        headers["content-type"] = content_type.decode("ascii")
    media_type = headers.get("content-type", DEFAULT_CONTENT_TYPE).lower()
    return UploadFile(media_type, filename.decode("utf-8", "replace"), content, headers, spool_size)
