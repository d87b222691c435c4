"""Requests per second of an echo on uvicorn: hand-written, on our request, on Starlette's, on Litestar's.

Each application has a server in a process of its own; all are up the whole time, and are loaded in turns by
one client: each round has every application, and who begins moves on from round to round.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from itertools import chain
from statistics import median
from typing import TYPE_CHECKING, Any

from . import contestants, load
from .contestants import RAW
from .echo import APPLICATIONS
from .report import NONE, aligned, spread
from .results import divided

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def measure(names: Collection[str], rounds: int, seconds: float) -> dict[str, Any]:
    """Requests per second by application, one figure a round of so many seconds each."""
    there = [name for name in APPLICATIONS if name in names and contestants.load(name)]
    with ExitStack() as stack:
        addresses = {name: stack.enter_context(served(name)) for name in there}
        return {
            "seconds": seconds,
            "connections": load.CONNECTIONS,
            "rounds": asyncio.run(_measure(addresses, rounds, seconds)),
        }


@contextmanager
def served(name: str) -> Iterator[Any]:
    """The address of an application's server, which is there as long as the context is."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        command = [sys.executable, "-m", __spec__.name, name, str(listening.fileno())]
        with subprocess.Popen(command, pass_fds=[listening.fileno()]) as process:
            try:
                yield listening.getsockname()
            finally:
                process.terminate()


async def _measure(addresses: dict[str, Any], rounds: int, seconds: float) -> dict[str, list[float]]:
    connections = {name: await load.connected(address) for name, address in addresses.items()}
    for name in addresses:
        await load.requests_per_second(connections[name], min(1, seconds))  # imports, and code that is new
    figures: dict[str, list[float]] = {name: [] for name in addresses}
    names = [*addresses]
    for number in range(rounds):
        begin = number % len(names)
        for name in names[begin:] + names[:begin]:
            figures[name].append(round(await load.requests_per_second(connections[name], seconds), 1))
    for connection in chain.from_iterable(connections.values()):
        connection.transport.close()
    return figures


def serve(name: str, descriptor: int) -> None:
    """Serve one application on a socket that listens already."""
    import uvicorn  # noqa: PLC0415 - who only loads needs no server

    config = uvicorn.Config(
        APPLICATIONS[name](),
        access_log=False,
        lifespan="off",
        log_level="critical",
        timeout_keep_alive=3600,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def table(measured: dict[str, Any]) -> str:
    rounds = measured["rounds"]
    lines = [["echo on uvicorn", "requests/s", "least", "most", "/ raw"]]
    for name, figures in rounds.items():
        against = spread(divided(figures, rounds[RAW])) if RAW in rounds else NONE
        least, most = min(figures), max(figures)
        lines.append([name, f"{median(figures):,.0f}", f"{least:,.0f}", f"{most:,.0f}", against])
    return aligned(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=serve.__doc__)
    parser.add_argument("application", choices=APPLICATIONS)
    parser.add_argument("descriptor", type=int, help="of the listening socket")
    options = parser.parse_args()
    serve(options.application, options.descriptor)


if __name__ == "__main__":
    main()
