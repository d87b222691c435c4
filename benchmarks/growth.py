"""The time of asgiwire by input size, and its exponent.

The exponent is the slope of a line through the logarithms of the larger sizes, where fixed costs no longer
matter: 1 is linear, 2 is quadratic. Input that does not fit into the processor's caches takes more time per
item. The first row, which does not use asgiwire, shows this effect of the machine alone.
"""

from __future__ import annotations

import asyncio
import gc
from math import log
from statistics import linear_regression
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from asgiwire import Limits, Request, WebSocket

from . import inputs
from .inputs import Arguments, Case, Multipart, http_case
from .targets import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START: Final = 10
REPEATS: Final = 5
MIN_DURATION: Final = 2_000_000
"""Nanoseconds. A shorter measurement is repeated with more calls."""


class Unlimited(Request):
    """A request without limits."""

    __slots__ = ()
    limits = Limits(max_body_size=None, max_fields=None, max_files=None, max_memory=None)


def header_case(size: int, *, name: bytes) -> Case:
    case = http_case(size)
    headers = case.arguments[0]["headers"]
    headers += [(name % number if b"%" in name else name, b"value %d" % number) for number in range(size)]
    return case


def cookie_case(size: int, *, together: bool) -> Case:
    case = http_case(size)
    cookies = [b"name%d=value%d" % (number, number) for number in range(size)]
    lines = [b"; ".join(cookies)] if together else cookies
    case.arguments[0]["headers"] += [(b"cookie", line) for line in lines]
    return case


def query_case(size: int, *, name: str) -> Case:
    query = "&".join(f"{name.format(number)}=value{number}" for number in range(size))
    return http_case(size, query=query.encode())


def form_case(size: int) -> Case:
    encoded = inputs.urlencoded(1, size)
    return http_case(size, content_type=b"application/x-www-form-urlencoded", body=inputs.split_body(encoded))


def multipart_case(size: int, *, files: bool) -> Case:
    form = Multipart(10_000_000)
    for number in range(size):
        if files:
            form.add_file(f"file{number}", "a.png", b"content")
        else:
            form.add_field(f"field{number}", "value")
    return http_case(size, content_type=form.content_type, body=inputs.split_body(form.body()))


def chunk_case(size: int) -> Case:
    return http_case(size, content_type=b"application/octet-stream", body=[b"chunk"] * size)


def field_in_chunks_case(size: int) -> Case:
    form = Multipart(10_000_000)
    form.add_field("field", "x" * size * 10)
    return http_case(size, content_type=form.content_type, body=inputs.split_body(form.body(), 10))


def message_case(size: int) -> Case:
    messages: list[inputs.Message] = [{"type": "websocket.receive", "text": "message"} for _ in range(size)]
    messages.append({"type": "websocket.disconnect", "code": 1000})
    return inputs.websocket_case(size, messages, None)


async def every_header(arguments: Arguments) -> None:
    headers = Unlimited(*arguments).headers
    assert headers.get("host")
    assert headers.dict()


async def every_cookie(arguments: Arguments) -> None:
    assert Unlimited(*arguments).cookies


async def every_parameter(arguments: Arguments) -> None:
    assert Unlimited(*arguments).query_params.get("name") is None


async def every_value(arguments: Arguments) -> None:
    assert Unlimited(*arguments).query_params.getall("name")


async def form(arguments: Arguments) -> None:
    async with await Unlimited(*arguments).form() as values:
        assert len(values)


async def body(arguments: Arguments) -> None:
    assert await Unlimited(*arguments).body()


async def stream(arguments: Arguments) -> None:
    async for _ in Unlimited(*arguments).stream():
        pass


async def echo(arguments: Arguments) -> None:
    websocket = WebSocket(*arguments)
    await websocket.accept()
    async for message in websocket.iter_data():
        await websocket.send_text(message)


async def plain_dict(arguments: Arguments) -> None:
    assert {name.decode("latin-1"): value.decode("latin-1") for name, value in arguments[0]["headers"]}


KINDS: Final[dict[str, tuple[Callable[[int], Case], Callable[[Arguments], Any]]]] = {
    CONTROL: (lambda size: header_case(size, name=b"x-name-%d"), plain_dict),
    "headers": (lambda size: header_case(size, name=b"x-name-%d"), every_header),
    "headers of one name": (lambda size: header_case(size, name=b"x-name"), every_header),
    "cookies": (lambda size: cookie_case(size, together=True), every_cookie),
    "cookie headers": (lambda size: cookie_case(size, together=False), every_cookie),
    "query parameters": (lambda size: query_case(size, name="name{}"), every_parameter),
    "query parameters of one name": (lambda size: query_case(size, name="name"), every_value),
    "urlencoded fields": (form_case, form),
    "multipart fields": (lambda size: multipart_case(size, files=False), form),
    "multipart files": (lambda size: multipart_case(size, files=True), form),
    "chunks of one field": (field_in_chunks_case, form),
    "chunks of a body": (chunk_case, body),
    "chunks of a stream": (chunk_case, stream),
    "WebSocket messages": (message_case, echo),
}


def measure(largest: int) -> dict[str, dict[str, Any]]:
    """Return the microseconds by size and the exponent of each kind of input."""
    sizes = [START]
    while sizes[-1] * 10 <= largest:
        sizes.append(sizes[-1] * 10)
    measured = {}
    for kind, (make, read) in KINDS.items():
        durations = [asyncio.run(_fastest(make, read, size)) for size in sizes]
        measured[kind] = {
            "microseconds": dict(zip(map(str, sizes), durations, strict=True)),
            "exponent": exponent(sizes, durations),
        }
    return measured


async def _fastest(make: Callable[[int], Case], read: Callable[[Arguments], Any], size: int) -> float:
    durations: list[float] = []
    count = 1
    while len(durations) < REPEATS:
        calls = [make(size).arguments for _ in range(count)]
        gc.collect()
        gc.disable()
        start = perf_counter_ns()
        for arguments in calls:
            await read(arguments)
        duration = perf_counter_ns() - start
        gc.enable()
        if duration < MIN_DURATION and count < 1000:
            count *= 2
        else:
            durations.append(duration / count / 1000)
    return min(durations)


def exponent(sizes: Sequence[int], durations: Sequence[float]) -> float:
    """Return the slope of the regression line through the logarithms of the larger half."""
    half = len(sizes) // 2
    slope, _ = linear_regression(
        [log(size) for size in sizes[half - 1 :]], [log(duration) for duration in durations[half - 1 :]]
    )
    return slope
