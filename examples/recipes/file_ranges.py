"""Serves the files of a folder, whole or in part, so that a client can resume a download."""

import asyncio
import mimetypes
import os
from pathlib import Path
from typing import BinaryIO

from asgiwire import Request
from asgiwire.datastructures import ETag, Headers
from asgiwire.exceptions import ClientException
from asgiwire.sending import send_response
from asgiwire.types import Receive, Scope, Send

FOLDER = Path(os.environ.get("FOLDER", "public")).resolve()
BLOCK_SIZE = 256 * 1024


def open_file(path: str) -> BinaryIO:
    """Open a file of the folder; neither ``..`` nor a symbolic link leads out of it."""
    try:
        file = (FOLDER / path.lstrip("/")).resolve(strict=True)
        if file.is_relative_to(FOLDER) and file.is_file():
            return file.open("rb")
    except (OSError, ValueError):  # missing, not readable, or with a NUL in its name
        pass
    raise ClientException("not found", status_code=404)


def requested_parts(request: Request, etag: ETag, size: int) -> list[range] | None:
    """Return the ranges to send; none if no range exists, ``None`` for the whole file."""
    condition, wanted = request.if_range, request.range
    if request.method != "GET" or wanted is None or (condition and not condition.matches(etag)):
        return None
    return wanted.for_size(size)


async def send_file(request: Request, file: BinaryIO) -> None:
    """Send 200, 206, 304 or 416."""
    stat = os.fstat(file.fileno())
    etag = ETag(value=f"{stat.st_mtime_ns:x}-{stat.st_size:x}")
    headers = {"etag": etag.to_header(), "accept-ranges": "bytes"}
    if request.if_none_match and request.if_none_match.matches(etag):
        return await send_response(request.send, 304, headers=headers)
    parts = requested_parts(request, etag, stat.st_size)
    if parts == []:
        headers["content-range"] = f"bytes */{stat.st_size}"
        return await send_response(request.send, 416, headers=headers)
    status, part = 200, range(stat.st_size)
    if parts and len(parts) == 1:  # a server may answer several ranges with the whole file
        status, part = 206, parts[0]
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{stat.st_size}"
    headers["content-length"] = str(len(part))
    headers["content-type"] = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers["x-content-type-options"] = "nosniff"
    if request.method == "HEAD":
        return await send_response(request.send, 200, headers=headers)
    async with request.cancel_on_disconnect():  # some servers ignore a send after the disconnect
        pairs = Headers(headers).to_header_list()
        await request.send({"type": "http.response.start", "status": status, "headers": pairs})
        file.seek(part.start)
        for position in part[::BLOCK_SIZE]:
            block = await asyncio.to_thread(file.read, min(BLOCK_SIZE, part.stop - position))
            await request.send({"type": "http.response.body", "body": block, "more_body": True})
        await request.send({"type": "http.response.body"})
    return None


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer ``GET`` and ``HEAD``."""
    request = Request(scope, receive, send)
    try:
        if request.method not in {"GET", "HEAD"}:
            raise ClientException("method not allowed", status_code=405, headers={"allow": "GET, HEAD"})
        with await asyncio.to_thread(open_file, scope["path"]) as file:
            await send_file(request, file)
    except ClientException as error:
        await send_response(send, error.status_code, error.detail.encode(), error.headers)
