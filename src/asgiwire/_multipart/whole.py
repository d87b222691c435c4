"""A multipart form that is in memory whole, read in one pass: as browsers write it, and in no other way.

It takes a quarter of the time of ``_multipart``, which streams, explains every error and decides whatever is
doubtful. This one has no opinion. For all that is out of the ordinary (a charset, an escape, another header
or order of headers, a preamble, padding, an epilogue, a limit that is exceeded) it answers ``None``; where it
answers anything else, it is tested to say the same.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final

from asgiwire.datastructures.upload_file import UploadFile

from .parser import ORDINARY_HEAD, ordinary_head_size

if TYPE_CHECKING:
    from asgiwire.limits import Limits

__all__ = ("DEFAULT_CONTENT_TYPE", "parse_whole")

# RFC 7578 section 4.4: "Each part MAY have an (optional) "Content-Type" header field, which defaults to
# "text/plain"".
DEFAULT_CONTENT_TYPE: Final = "text/plain"

_ENDS = (b"--", b"--\r\n")


def parse_whole(body: bytes, boundary: bytes, limits: Limits) -> list[tuple[str, str | UploadFile]] | None:
    """The fields and files of a form, or ``None`` where the decoder has to look at it.

    Args:
        body: All of it. No limit of the size of a field or a file may be smaller.
        boundary: That of a Content-Type that declares no charset.
        limits: Those of headers and of numbers are looked at here.
    """
    delimiter = b"\r\n--" + boundary
    if not body.startswith(delimiter[2:]):
        return None
    pairs: list[tuple[str, str | UploadFile]] = []
    fields, files, head_size = (
        _or_any(limits.max_fields),
        _or_any(limits.max_files),
        ordinary_head_size(limits),
    )
    position = len(delimiter) - 2  # the end of a delimiter, of which the first one has no line end before it
    while head := ORDINARY_HEAD.match(body, position):
        disposition, name, filename, content_type = head.groups()
        start = head.end()
        end = body.find(delimiter, start)
        if filename is None:
            fields -= 1
        else:
            files -= 1
        if end < 0 or fields < 0 or files < 0 or start - position > head_size or name == b"_charset_":
            return None
        content = body[start:end]
        if filename or (content and filename is not None):
            value = _upload(disposition, filename, content_type, content, limits.spool_size)
            pairs.append((name.decode("utf-8", "replace"), value))
        else:
            # A field, or no file: browsers send an empty filename and no bytes where none was chosen.
            pairs.append((name.decode("utf-8", "replace"), content.decode("utf-8", "replace")))
        position = end + len(delimiter)
    return pairs if body[position:] in _ENDS else None


def _upload(
    disposition: bytes, filename: bytes, content_type: bytes | None, content: bytes, spool_size: int
) -> UploadFile:
    headers = {"content-disposition": disposition.decode("utf-8", "replace")}
    if content_type is not None:
        headers["content-type"] = content_type.decode("ascii")
    media_type = headers.get("content-type", DEFAULT_CONTENT_TYPE).lower()
    return UploadFile(media_type, filename.decode("utf-8", "replace"), content, headers, spool_size)


def _or_any(maximum: int | None) -> float:
    return inf if maximum is None else maximum
