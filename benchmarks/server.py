"""Requests per second of an echo on uvicorn: hand-written, on our request, on Starlette's, on Litestar's.

Each application has a server in a process of its own; all are up the whole time, and are loaded in turns by
one client: each round has every application, and who begins moves on from round to round.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import contestants, load
from .contestants import RAW
from .echo import APPLICATIONS
from .report import NONE, aligned, figure, spread
from .results import divided

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator


SETUPS: Final[dict[str, dict[str, Any]]] = {
    "uvicorn[standard]": {"http": "httptools", "loop": "uvloop"},
    "uvicorn": {"http": "h11", "loop": "asyncio"},
}
"""What is served by: with what makes it fast, and as it is when it is installed alone."""


class Served(NamedTuple):
    """A server: its process, and the connections to it."""

    process: int
    connections: list[load.Connection]


class Turn(NamedTuple):
    """What one application did in one round."""

    requests: float
    """Per second."""

    cpu: float
    """Microseconds of the server's processor for each; 0 where the system does not say."""


def measure(names: Collection[str], rounds: int, seconds: float) -> dict[str, Any]:
    """What each application does by setup, in rounds of so many seconds each."""
    there = [name for name in APPLICATIONS if name in names and contestants.load(name)]
    measured: dict[str, Any] = {"seconds": seconds, "connections": load.CONNECTIONS, "rounds": {}, "cpu": {}}
    for setup in SETUPS:
        with ExitStack() as stack:
            servers = {name: stack.enter_context(started(setup, name)) for name in there}
            with asyncio.Runner(loop_factory=fastest_loop()) as runner:
                turns = runner.run(_measure(servers, rounds, seconds))
        measured["rounds"][setup] = {name: [turn.requests for turn in turns[name]] for name in there}
        measured["cpu"][setup] = {name: [turn.cpu for turn in turns[name]] for name in there}
    return measured


def fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The client must not be what is measured."""
    try:
        import uvloop  # noqa: PLC0415 - it does without
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


@contextmanager
def started(setup: str, name: str) -> Iterator[tuple[int, Any]]:
    """The process and the address of an application's server, which is there as long as the context is."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        command = [sys.executable, "-m", __name__, setup, name, str(listening.fileno())]
        with subprocess.Popen(command, pass_fds=[listening.fileno()]) as process:
            try:
                yield process.pid, listening.getsockname()
            finally:
                process.terminate()


async def _measure(servers: dict[str, tuple[int, Any]], rounds: int, seconds: float) -> dict[str, list[Turn]]:
    served = {
        name: Served(process, await load.connected(address)) for name, (process, address) in servers.items()
    }
    turns: dict[str, list[Turn]] = {name: [] for name in served}
    for server in served.values():
        await _turn(server, min(1, seconds))  # imports, and code that is new
    names = [*served]
    for number in range(rounds):
        begin = number % len(names)
        for name in names[begin:] + names[:begin]:
            turns[name].append(await _turn(served[name], seconds))
    for connection in chain.from_iterable(server.connections for server in served.values()):
        connection.transport.close()
    return turns


async def _turn(server: Served, seconds: float) -> Turn:
    before = cpu_time(server.process)
    answered, elapsed = await load.run(server.connections, seconds)
    cpu = (cpu_time(server.process) - before) / answered
    return Turn(round(answered / elapsed, 1), round(cpu, 3))


def cpu_time(process: int) -> float:
    """Microseconds that a process has had of a processor, in the ticks in which the system counts them."""
    statistics = Path(f"/proc/{process}/stat")
    if not statistics.exists():
        return 0.0
    _, _, numbers = statistics.read_text().rpartition(")")
    user, system = numbers.split()[11:13]
    return (int(user) + int(system)) * 1_000_000 / os.sysconf("SC_CLK_TCK")


def serve(setup: str, name: str, descriptor: int) -> None:
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
        **SETUPS[setup],
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


def table(measured: dict[str, Any]) -> str:
    lines = [["echo on", "application", "requests/s", "least", "most", "/ raw", "CPU µs", "/ raw", "busy"]]
    for setup, rounds in measured["rounds"].items():
        cpu = measured["cpu"][setup]
        for name, figures in rounds.items():
            counts = [f"{count:,.0f}" for count in (median(figures), min(figures), max(figures))]
            against, cpu_against = (
                spread(divided(by_name[name], by_name[RAW])) if RAW in rounds else NONE
                for by_name in (rounds, cpu)
            )
            # What is missing to 1, the server waited, or the system worked for it without saying so.
            busy = median(count * each / 1e6 for count, each in zip(figures, cpu[name], strict=True))
            spent = figure(median(cpu[name])), cpu_against, f"{busy:.2f}"
            lines.append([setup, name, *counts, against, *spent])
    return aligned(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=serve.__doc__)
    parser.add_argument("setup", choices=SETUPS)
    parser.add_argument("application", choices=APPLICATIONS)
    parser.add_argument("descriptor", type=int, help="of the listening socket")
    options = parser.parse_args()
    serve(options.setup, options.application, options.descriptor)


if __name__ == "__main__":
    main()
