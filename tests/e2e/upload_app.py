"""More HTTP routes of the application in ``app.py``: uploads, middleware and disconnects."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from asgiwire import Limits, Request

from .app import HANGING, ROUTES, app, as_request, digest
from .records import note

if TYPE_CHECKING:
    from asgiwire.datastructures import UploadFile
    from asgiwire.types import Message

__all__ = ("app",)


class UnlimitedRequest(Request):
    """A request without a body limit."""

    limits = Limits(max_body_size=None)


def digest_of_file(path: Path) -> dict[str, Any]:
    """Return the size and hash of a file."""
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


async def copy(request: Request) -> Any:
    """Save each file while it arrives."""
    copied: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        async for part in as_request(UnlimitedRequest, request).multipart():
            if part.filename is None:
                copied.append([part.name, await part.text()])
                continue
            path = Path(folder) / part.safe_filename
            written = await part.save(path)
            copied.append(
                [part.name, {"filename": part.filename, "written": written, **digest_of_file(path)}]
            )
    return copied


async def upload(request: Request) -> Any:
    """Read a form with large files in chunks; the last file is detached from the form."""
    described: list[Any] = []
    detached: list[UploadFile] = []
    async with await as_request(UnlimitedRequest, request).form() as form:
        for name, value in form.multi_items():
            sha256 = hashlib.sha256()
            async for block in value:
                sha256.update(block)
            described.append([name, {"size": value.size, "sha256": sha256.hexdigest()}, value.rolled_to_disk])
            await value.seek(0)
            detached[:] = [value]
        detached = [value.detach() for value in detached]
    for value in detached:
        async with value:
            described.append(len(await value.read()))
    return described


async def poll(request: Request) -> Any:
    """Call ``is_disconnected()`` until the client disconnects; read the body before or after."""
    key = request.query_params["key"]
    body = await request.body() if request.query_params["when"] == "after" else None
    note(key, state="polling", answers=[])
    disconnected = False
    with anyio.move_on_after(HANGING):
        while not disconnected:
            disconnected = await request.is_disconnected()
            await anyio.sleep(0.01)
    if body is None:
        body = await request.body()
    note(key, state="over", disconnected=disconnected, connected=request.is_connected, **digest(body))


async def ask_while_streaming(request: Request) -> Any:
    """Stream the body, and call ``is_disconnected()`` between the chunks."""
    sha256, size = hashlib.sha256(), 0
    stream = as_request(UnlimitedRequest, request).stream()
    async for chunk in stream:
        sha256.update(chunk)
        size += len(chunk)
        for _ in range(3):
            await request.is_disconnected()
    return {"size": size, "sha256": sha256.hexdigest()}


async def watch(request: Request) -> Any:
    """Wait in a ``cancel_on_disconnect()`` block until the client disconnects."""
    key = request.query_params["key"]
    with anyio.move_on_after(HANGING) as hanging:
        async with request.cancel_on_disconnect() as watch:
            note(key, state="working")
            await anyio.sleep_forever()
        note(
            key,
            state="over",
            cancelled=watch.cancelled_caught,
            connected=request.is_connected,
            **digest(await request.body()),
        )
    if hanging.cancelled_caught:
        note(key, state="over", cancelled=False)


async def work(request: Request) -> Any:
    """Read the body in a ``cancel_on_disconnect()`` block that ends before the client disconnects."""
    async with request.cancel_on_disconnect() as watch:
        result = digest(await request.body())
        await anyio.sleep(0.05)
    return result | {"cancelled": watch.cancelled_caught}


async def downstream(request: Request) -> Any:
    """Read the body with a middleware and with an application that calls ``receive`` itself."""
    upstream_body = bytearray()
    unlimited = as_request(UnlimitedRequest, request)
    if request.query_params["how"] == "replay":
        upstream_body += await unlimited.body()
        receive = unlimited.replay
    else:
        receive = unlimited.tee(upstream_body.extend)
    chunks: list[bytes] = []
    message: Message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        chunks.append(message["body"])
    note(request.query_params["key"], state="waiting")
    if request.query_params.get("disconnect"):
        message = await receive()
        note(request.query_params["key"], state="over", received=message["type"])
    return {"downstream": digest(b"".join(chunks)), "upstream": digest(bytes(upstream_body))}


async def hint(request: Request) -> Any:
    """Send early hints."""
    await request.send_early_hints("</style.css>; rel=preload; as=style", "</a.js>; rel=preload; as=script")
    return request.supports_early_hints


ROUTES.update(
    {
        route.__name__: route
        for route in (copy, upload, poll, ask_while_streaming, watch, work, downstream, hint)
    }
)
