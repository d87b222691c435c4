"""Large uploads: the growth of the process, and how long the event loop is blocked.

Each reader runs in a subprocess. It reads 1 GB while the memory is measured, then 200 MB while another task
asks to be woken every millisecond. ``receive`` makes the bytes in chunks of 64 KiB and yields to the event
loop before each. The first reader discards the bytes; its figures are those of the machine alone.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from asgiwire import Limits, Request
from asgiwire.testing import http_scope

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MEGABYTE: Final = 1_000_000
CHUNK: Final = bytes(64 * 1024)
HEADERS: Final = {"content-type": "multipart/form-data; boundary=B"}
HEAD: Final = b'--B\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n'
TAIL: Final = b"\r\n--B--\r\n"
INTERVAL: Final = 0.001


class Unlimited(Request):
    """A request without a limit on the body size."""

    limits = Limits(max_body_size=None)


class Upload:
    """A ``receive`` that returns a form with one file of at least ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self.chunks = -(-size // len(CHUNK))
        self.number = -1

    async def __call__(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.number += 1
        if self.number == 0:
            return {"type": "http.request", "body": HEAD, "more_body": True}
        if self.number <= self.chunks:
            return {"type": "http.request", "body": CHUNK, "more_body": True}
        return {"type": "http.request", "body": TAIL, "more_body": False}


async def receive_alone(request: Request, _folder: Path) -> int:
    message, size = await request.receive(), 0
    while message["more_body"]:
        size += len(message["body"])
        message = await request.receive()
    return size - len(HEAD)


async def form(request: Request, _folder: Path) -> int:
    async with await request.form() as form:
        size: int = form["f"].size
        return size


async def form_and_save(request: Request, folder: Path) -> int:
    async with await request.form() as form:
        await form["f"].save(folder / "saved")
    return (folder / "saved").stat().st_size


async def multipart(request: Request, _folder: Path) -> int:
    return sum([len(chunk) async for part in request.multipart() async for chunk in part])


async def multipart_and_save(request: Request, folder: Path) -> int:
    return sum([await part.save(folder / "saved") async for part in request.multipart()])


async def replay(request: Request, folder: Path) -> int:
    return await receive_alone(Unlimited(http_scope(), request.replay), folder) - len(TAIL)


READERS: Final[dict[str, Callable[[Request, Path], Awaitable[int]]]] = {
    "receive alone": receive_alone,
    "form()": form,
    "form(), save()": form_and_save,
    "multipart()": multipart,
    "multipart(), save()": multipart_and_save,
    "replay": replay,
}


async def upload(name: str, size: int, folder: Path) -> float:
    """Read one upload and return the seconds that it took."""
    receive = Upload(size)
    started = perf_counter()
    read = await READERS[name](Unlimited(http_scope("POST", headers=HEADERS), receive), folder)
    seconds = perf_counter() - started
    if name != "replay" and read != receive.chunks * len(CHUNK):
        raise AssertionError(f"expected {receive.chunks * len(CHUNK)} bytes, {name} read {read}")
    return seconds


async def measure_reader(name: str, size: int, probed: int) -> dict[str, float]:
    """Return the figures of one reader: growth of the process in bytes, seconds, and stalls of the loop."""
    with tempfile.TemporaryDirectory() as folder:
        await upload(name, 20 * MEGABYTE, Path(folder))  # imports modules, starts threads, fills caches
        before = resident_bytes()
        seconds = await upload(name, size, Path(folder))
        growth = max(0, peak_bytes() - before)
        stalls: list[float] = []
        probe = asyncio.create_task(record_stalls(stalls))
        await upload(name, probed, Path(folder))
        probe.cancel()
    stalls = sorted(stalls) or [0.0]
    return {
        "growth": growth,
        "seconds": seconds,
        "stall": stalls[-1],
        "usual stall": stalls[len(stalls) * 99 // 100],
    }


async def record_stalls(stalls: list[float]) -> None:
    """Record how much later than requested this task is woken."""
    while True:
        started = perf_counter()
        await asyncio.sleep(INTERVAL)
        stalls.append(perf_counter() - started - INTERVAL)


def resident_bytes() -> int:
    """Return the resident memory, or its peak where ``/proc`` is missing."""
    return _status("VmRSS") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def peak_bytes() -> int:
    """Return the peak of the resident memory."""
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(field: str) -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def measure(size: int, probed: int) -> dict[str, Any]:
    """Return the figures of every reader; the sizes of the two uploads are in MB."""
    readers = {name: measure_in_subprocess(name, size * MEGABYTE, probed * MEGABYTE) for name in READERS}
    return {"size": size, "probed": probed, "readers": readers}


def measure_in_subprocess(name: str, size: int, probed: int) -> dict[str, float]:
    command = [sys.executable, "-m", __name__, name, str(size), str(probed)]
    figures: dict[str, float] = json.loads(subprocess.check_output(command, text=True))
    return figures


if __name__ == "__main__":
    _, reader, size, probed = sys.argv
    print(json.dumps(asyncio.run(measure_reader(reader, int(size), int(probed)))))
