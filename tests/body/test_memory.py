"""The memory that reading a body needs, whatever the sizes of its chunks."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire import Limits, Request
from asgiwire.testing import http_scope
from tests.receives import receive_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

pytestmark = pytest.mark.anyio

MEGABYTE = 1024 * 1024


class Unspooled(Request):
    limits = Limits(max_body_size=None, spool_size=100 * MEGABYTE)


def sizes(total: int, pattern: tuple[int, ...]) -> Iterator[int]:
    while total > 0:
        for size in pattern:
            if total > 0:
                yield min(size, total)
                total -= size


def request_with(total: int, pattern: tuple[int, ...]) -> Request:
    remaining = sizes(total - 2, pattern)
    first = True

    async def receive() -> Any:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": b'"', "more_body": True}
        size = next(remaining, 0)
        # Servers create a new object for each chunk.
        body = bytes(bytearray(b"x") * size) if size else b'"'
        return {"type": "http.request", "body": body, "more_body": bool(size)}

    return Unspooled(http_scope("POST"), receive)


async def read_replay(request: Request) -> Any:
    return b"".join((await receive_body(request.replay))[0][:1])


READERS: dict[str, Callable[[Request], Awaitable[Any]]] = {
    "body": lambda request: request.body(),
    "buffer": lambda request: request.buffer(),
    "replay": read_replay,
}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    ("total", "pattern"),
    [
        (100_000, (1,)),
        (MEGABYTE, (7,)),
        (4_000_000, (1000,)),
        (10_000_000, (4096, 1)),
        (10_000_000, (16 * 1024 - 1,)),
        (10_000_000, (16 * 1024, 1)),
        (10_000_000, (65_536,)),
        (10_000_000, (10_000_000,)),
    ],
)
@pytest.mark.parametrize("reader", READERS)
async def test_peak_is_twice_the_body(
    reader: str, total: int, pattern: tuple[int, ...], anyio_backend: str
) -> None:
    request = request_with(total, pattern)
    tracemalloc.start()
    try:
        await READERS[reader](request)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(await request.body()) == total
    assert peak <= 2 * total + MEGABYTE


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_json_in_small_chunks(anyio_backend: str) -> None:
    total = 2_000_000
    request = request_with(total, (100,))
    tracemalloc.start()
    try:
        text = await request.json()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text) == total - 2
    assert peak <= 3 * total + MEGABYTE  # with the result
