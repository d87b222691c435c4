"""Large uploads: how far memory grows, and how long the event loop stands still, at worst.

``python -m benchmarks.memory`` uploads 1 GB through each reader, every one in a process of its own, and then
200 MB beside a probe that asks to be woken each millisecond. The bytes come from a ``receive`` that makes
them, in parts of 64 KiB as from a server, and hands over to the event loop before each. The first row reads
and forgets: what it shows is this machine's own.
"""

from __future__ import annotations

import argparse
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

from .report import aligned

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MEGABYTE: Final = 1_000_000
PART: Final = bytes(64 * 1024)
TYPE: Final = {"content-type": "multipart/form-data; boundary=B"}
HEAD: Final = b'--B\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n'
TAIL: Final = b"\r\n--B--\r\n"
INTERVAL: Final = 0.001


class Unlimited(Request):
    """A request that may be as large as it likes."""

    limits = Limits(max_body_size=None)


class Upload:
    """A receive that delivers a form with one file of at least so many bytes."""

    def __init__(self, size: int) -> None:
        self.parts = -(-size // len(PART))
        self.given = -1

    async def __call__(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        self.given += 1
        if self.given == 0:
            return {"type": "http.request", "body": HEAD, "more_body": True}
        if self.given <= self.parts:
            return {"type": "http.request", "body": PART, "more_body": True}
        return {"type": "http.request", "body": TAIL, "more_body": False}


async def nothing(request: Request, _folder: Path) -> int:
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
    return sum([len(piece) async for part in request.multipart() async for piece in part])


async def multipart_and_save(request: Request, folder: Path) -> int:
    return sum([await part.save(folder / "saved") async for part in request.multipart()])


async def replay(request: Request, _folder: Path) -> int:
    return await nothing(Unlimited(http_scope(), request.replay), _folder) - len(TAIL)


READERS: Final[dict[str, Callable[[Request, Path], Awaitable[int]]]] = {
    "receive alone": nothing,
    "form()": form,
    "form(), save()": form_and_save,
    "multipart()": multipart,
    "multipart(), save()": multipart_and_save,
    "replay": replay,
}


async def upload(name: str, size: int, folder: Path) -> float:
    """Read one upload, and say how many seconds that took."""
    receive = Upload(size)
    started = perf_counter()
    read = await READERS[name](Unlimited(http_scope("POST", headers=TYPE), receive), folder)
    seconds = perf_counter() - started
    if name != "replay" and read != receive.parts * len(PART):
        raise AssertionError(f"{name} read {read} bytes of {receive.parts * len(PART)}")
    return seconds


async def measure(name: str, size: int, probed: int) -> dict[str, float]:
    """The figures of one reader: bytes that the process grew by at most, seconds, the worst stall."""
    with tempfile.TemporaryDirectory() as folder:
        await upload(name, 20 * MEGABYTE, Path(folder))  # what is made once: modules, threads, arenas
        before = resident()
        seconds = await upload(name, size, Path(folder))
        growth = max(0, peak() - before)
        stalls: list[float] = []
        probe = asyncio.create_task(watch(stalls))
        await upload(name, probed, Path(folder))
        probe.cancel()
    stalls = sorted(stalls) or [0.0]
    return {
        "growth": growth,
        "seconds": seconds,
        "stall": stalls[-1],
        "usual stall": stalls[len(stalls) * 99 // 100],
    }


async def watch(stalls: list[float]) -> None:
    """How much later than asked for this task is woken, again and again."""
    while True:
        started = perf_counter()
        await asyncio.sleep(INTERVAL)
        stalls.append(perf_counter() - started - INTERVAL)


def resident() -> int:
    """Bytes of this process in memory; where nobody says, the most there have been."""
    return _status("VmRSS") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def peak() -> int:
    """The most bytes of this process that have been in memory."""
    return _status("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _status(field: str) -> int:
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(field)), 0)


def measured(size: int, probed: int) -> dict[str, Any]:
    """The figures of every reader, from uploads of so many MB."""
    readers = {name: in_process_of_its_own(name, size * MEGABYTE, probed * MEGABYTE) for name in READERS}
    return {"size": size, "probed": probed, "readers": readers}


def table(measured: dict[str, Any]) -> str:
    title, stall = f"upload of {measured['size']:,} MB", f"worst stall ms ({measured['probed']:,} MB)"
    lines = [[title, "growth MB", "MB/s", stall, "99 %"]]
    for name, figures in measured["readers"].items():
        lines.append(
            [
                name,
                f"{figures['growth'] / MEGABYTE:.1f}",
                f"{measured['size'] / figures['seconds']:,.0f}",
                f"{figures['stall'] * 1000:.1f}",
                f"{figures['usual stall'] * 1000:.1f}",
            ]
        )
    return aligned(lines)


def in_process_of_its_own(name: str, size: int, probed: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.memory", "--only", name]
    command += ["--size", str(size // MEGABYTE), "--probed", str(probed // MEGABYTE)]
    figures: dict[str, float] = json.loads(subprocess.check_output(command, text=True))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="MB of the uploads that memory is measured in")
    parser.add_argument("--probed", type=int, default=200, help="MB of those that the stalls are measured in")
    parser.add_argument("--only", choices=READERS, help="one of them, in this process, as JSON")
    options = parser.parse_args()
    if options.only:
        size, probed = options.size * MEGABYTE, options.probed * MEGABYTE
        print(json.dumps(asyncio.run(measure(options.only, size, probed))))
    else:
        print(table(measured(options.size, options.probed)))


if __name__ == "__main__":
    main()
