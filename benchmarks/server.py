"""Requests per second of an echo application on uvicorn: hand-written, and with three request classes.

Each application runs in a server process of its own. All servers run the whole time, and one client loads
them in turn: each round has every application, and the order rotates from round to round.

``python -m benchmarks.server SETUP APPLICATION DESCRIPTOR`` runs one server on a listening socket that it
inherits.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from . import contestants, load
from .contestants import OURS, RAW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator

    from .inputs import Receive, Scope, Send

SETUPS: Final[dict[str, dict[str, Any]]] = {
    "uvicorn[standard]": {"http": "httptools", "loop": "uvloop"},
    "uvicorn": {"http": "h11", "loop": "asyncio"},
}
"""uvicorn with its optional C dependencies, and without."""

APPLICATIONS: Final = (RAW, OURS, "starlette", "litestar")


class Server(NamedTuple):
    """A server process and the connections to it."""

    process: int
    connections: list[load.Connection]


class Sample(NamedTuple):
    """The figures of one application in one round: requests per second, CPU microseconds per request."""

    requests: float
    cpu: float  # 0 where /proc is missing


def application(name: str) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return the echo application of a contestant; the applications differ only in how they read the body."""
    module = import_module(f"{contestants.__name__}.{name}")
    read_body = module.body
    prepare = getattr(module, "prepare", None)

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        if prepare:
            prepare(scope)
        body = await read_body(scope, receive, send)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return echo


def measure(names: Collection[str], rounds: int, seconds: float) -> dict[str, Any]:
    """Return the figures of each application by setup, in rounds of ``seconds`` each."""
    served = [name for name in APPLICATIONS if name in names and contestants.load(name)]
    measured: dict[str, Any] = {"seconds": seconds, "connections": load.CONNECTIONS, "rounds": {}, "cpu": {}}
    for setup in SETUPS:
        with ExitStack() as stack:
            servers = {name: stack.enter_context(running_server(setup, name)) for name in served}
            with asyncio.Runner(loop_factory=client_loop()) as runner:
                samples = runner.run(_measure(servers, rounds, seconds))
        measured["rounds"][setup] = {name: [sample.requests for sample in samples[name]] for name in served}
        measured["cpu"][setup] = {name: [sample.cpu for sample in samples[name]] for name in served}
    return measured


def client_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop factory if installed, so that the client is not the bottleneck."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


@contextmanager
def running_server(setup: str, name: str) -> Iterator[tuple[int, Any]]:
    """Run a server as long as the context lasts; yield its process id and address."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        command = [sys.executable, "-m", __name__, setup, name, str(listener.fileno())]
        with subprocess.Popen(command, pass_fds=[listener.fileno()]) as process:
            try:
                yield process.pid, listener.getsockname()
            finally:
                process.terminate()


async def _measure(
    addresses: dict[str, tuple[int, Any]], rounds: int, seconds: float
) -> dict[str, list[Sample]]:
    servers = {
        name: Server(process, await load.connect(address)) for name, (process, address) in addresses.items()
    }
    samples: dict[str, list[Sample]] = {name: [] for name in servers}
    for server in servers.values():
        await _sample(server, min(1, seconds))  # warm-up: imports and bytecode specialization
    names = [*servers]
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(await _sample(servers[name], seconds))
    for connection in chain.from_iterable(server.connections for server in servers.values()):
        connection.transport.close()
    return samples


async def _sample(server: Server, seconds: float) -> Sample:
    before = cpu_microseconds(server.process)
    responses, elapsed = await load.run(server.connections, seconds)
    cpu = (cpu_microseconds(server.process) - before) / responses
    return Sample(round(responses / elapsed, 1), round(cpu, 3))


def cpu_microseconds(process: int) -> float:
    """Return the CPU time of a process, in the resolution of the system's clock ticks."""
    statistics = Path(f"/proc/{process}/stat")
    if not statistics.exists():
        return 0.0
    _, _, numbers = statistics.read_text().rpartition(")")
    user, system = numbers.split()[11:13]
    return (int(user) + int(system)) * 1_000_000 / os.sysconf("SC_CLK_TCK")


def serve(setup: str, name: str, descriptor: int) -> None:
    """Serve one application on a socket that is already listening."""
    import uvicorn  # noqa: PLC0415 - the client does not need it

    config = uvicorn.Config(
        application(name),
        access_log=False,
        lifespan="off",
        log_level="critical",
        timeout_keep_alive=3600,
        timeout_graceful_shutdown=1,
        ws="none",
        **SETUPS[setup],
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
