"""The program of a test module on a real server, in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uvicorn(app: Any, listener: socket.socket) -> Iterator[None]:
    module = pytest.importorskip("uvicorn", reason="needs uvicorn: pip install uvicorn websockets")
    # Without proxy_headers, the application sees the address and the scheme of the connection.
    config = module.Config(app, ws="websockets-sansio", proxy_headers=False, log_level="warning")
    server = module.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def hypercorn(app: Any, listener: socket.socket) -> Iterator[None]:
    pytest.importorskip("hypercorn", reason="needs hypercorn")
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config, stop = Config(), threading.Event()
    config.bind, config.loglevel = [f"fd://{listener.detach()}"], "WARNING"

    async def run() -> None:
        await serve(app, config, shutdown_trigger=lambda: asyncio.to_thread(stop.wait), mode="asgi")

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture(scope="module", params=["uvicorn"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """The host and port of the server that runs ``app`` of the test module."""
    run = {"uvicorn": uvicorn, "hypercorn": hypercorn}[request.param]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host, port = listener.getsockname()
        with run(request.module.app, listener):
            yield f"{host}:{port}"
