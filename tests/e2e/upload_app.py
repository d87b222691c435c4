"""More routes, served by the application of ``app.py``: uploads, middleware, and clients that leave."""

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
    """A request that may be as large as it likes."""

    limits = Limits(max_body_size=None)


def digest_of_file(path: Path) -> dict[str, Any]:
    """What can be told of a file."""
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


async def copy(request: Request) -> Any:
    """Write each file to disk while it comes."""
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
    """A form with large files, iterated over; the last of them outlives its form."""
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
    """Ask again and again whether the client has left; then read the body, if that was not done before."""
    key = request.query_params["key"]
    body = await request.body() if request.query_params["when"] == "after" else None
    note(key, state="polling", answers=[])
    left = False
    with anyio.move_on_after(HANGING):
        while not left:
            left = await request.is_disconnected()
            await anyio.sleep(0.01)
    if body is None:
        body = await request.body()
    note(key, state="over", left=left, connected=request.is_connected, **digest(body))


async def impatient(request: Request) -> Any:
    """Stream the body, and ask between the pieces, and while the next one is awaited, whether it goes on."""
    sha256, size = hashlib.sha256(), 0
    stream = as_request(UnlimitedRequest, request).stream()
    async for piece in stream:
        sha256.update(piece)
        size += len(piece)
        for _ in range(3):
            await request.is_disconnected()
    return {"size": size, "sha256": sha256.hexdigest()}


async def watch(request: Request) -> Any:
    """Work until the client leaves."""
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
    """Work that is done before the client loses patience, and that reads the body meanwhile."""
    async with request.cancel_on_disconnect() as watch:
        answer = digest(await request.body())
        await anyio.sleep(0.05)
    return answer | {"cancelled": watch.cancelled_caught}


async def behind(request: Request) -> Any:
    """A middleware that reads the body, and an application that calls ``receive`` itself."""
    seen = bytearray()
    outer = as_request(UnlimitedRequest, request)
    if request.query_params["how"] == "replay":
        seen += await outer.body()
        receive = outer.replay
    else:
        receive = outer.tee(seen.extend)
    pieces: list[bytes] = []
    message: Message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        pieces.append(message["body"])
    note(request.query_params["key"], state="waiting")
    if request.query_params.get("leave"):
        message = await receive()
        note(request.query_params["key"], state="over", told=message["type"])
    return {"behind": digest(b"".join(pieces)), "before": digest(bytes(seen))}


async def hint(request: Request) -> Any:
    """Tell the client early what it will need."""
    await request.send_early_hints("</style.css>; rel=preload; as=style", "</a.js>; rel=preload; as=script")
    return request.supports_early_hints


ROUTES.update({route.__name__: route for route in (copy, upload, poll, impatient, watch, work, behind, hint)})
