"""Requests per second of an echo application on uvicorn: hand-written, and with three request classes.

uvicorn runs with httptools and uvloop. Each application runs in a server process of its own. All servers run
the whole time, and one client loads them in turn: each round has every application, and the order rotates
from round to round.

``python -m benchmarks.server APPLICATION DESCRIPTOR`` runs one server on a listening socket that it
inherits.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from . import contestants, load
from .contestants import OURS, RAW

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator

    from .inputs import Receive, Scope, Send

APPLICATIONS: Final = (RAW, OURS, "starlette", "litestar")


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


def measure(names: Collection[str], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Return the requests per second of each application, in rounds of ``seconds`` each."""
    served = [name for name in APPLICATIONS if name in names and contestants.load(name)]
    with ExitStack() as stack:
        addresses = {name: stack.enter_context(running_server(name)) for name in served}
        with asyncio.Runner(loop_factory=client_loop()) as runner:
            return runner.run(_measure(addresses, rounds, seconds))


def client_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop factory if installed, so that the client is not the bottleneck."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


@contextmanager
def running_server(name: str) -> Iterator[Any]:
    """Run a server as long as the context lasts; yield its address."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        command = [sys.executable, "-m", __name__, name, str(listener.fileno())]
        with subprocess.Popen(command, pass_fds=[listener.fileno()]) as process:
            try:
                yield listener.getsockname()
            finally:
                process.terminate()


async def _measure(addresses: dict[str, Any], rounds: int, seconds: float) -> dict[str, list[float]]:
    servers = {name: await load.connect(address) for name, address in addresses.items()}
    samples: dict[str, list[float]] = {name: [] for name in servers}
    for connections in servers.values():
        await load.run(connections, min(1, seconds))  # warm-up: imports and bytecode specialization
    names = [*servers]
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            samples[name].append(await _requests_per_second(servers[name], seconds))
    for connection in chain.from_iterable(servers.values()):
        connection.transport.close()
    return samples


async def _requests_per_second(connections: list[load.Connection], seconds: float) -> float:
    responses, elapsed = await load.run(connections, seconds)
    return round(responses / elapsed, 1)


def serve(name: str, descriptor: int) -> None:
    """Serve one application on a socket that is already listening."""
    import uvicorn  # noqa: PLC0415 - the client does not need it

    config = uvicorn.Config(
        application(name),
        http="httptools",
        loop="uvloop",
        access_log=False,
        lifespan="off",
        log_level="critical",
        timeout_keep_alive=3600,
        timeout_graceful_shutdown=1,
        ws="none",
    )
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
