"""A FastAPI application with and without the integration: ``python -m benchmarks.fastapi_app``.

Each call runs the whole application in memory: middleware, routing, validation and response. The two take
turns, and which comes first alternates. The table has the fastest round of each and the ratio.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request

from asgiwire import Limits
from asgiwire.integrations import starlette as asgiwire_starlette

from . import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inputs import Case

ROUNDS: Final = 100
"""Many short rounds: the fastest is one that no other process has interrupted."""


class BenchmarkRequest(asgiwire_starlette.Request):
    base_limits = Limits(max_body_size=None)


# name: the input, and the calls in one round.
ROWS: Final[dict[str, tuple[Callable[[int], Case], int]]] = {
    "JSON 1 KB": (rows.json_small, 20),
    "form, 10 fields": (rows.urlencoded_form, 20),
    "multipart, 10 fields": (lambda seed: rows.multipart_fields(seed, 10), 10),
    "10 files of 8 KB": (lambda seed: rows.multipart_files(seed, 10, 8000), 5),
    "one file of 10 MB": (lambda seed: rows.multipart_files(seed, 1, 10 * rows.MEGABYTE), 1),
}


def new_app(installed: bool) -> FastAPI:
    app = FastAPI(openapi_url=None)

    @app.post("/json")
    async def read_json(data: dict[str, Any]) -> int:
        return len(data)

    @app.post("/form")
    async def read_form(request: Request) -> int:
        async with request.form() as form:
            return len(form.multi_items())

    @app.post("/files")
    async def read_files(request: Request) -> int:
        async with request.form() as form:
            files = [file for _, file in form.multi_items() if not isinstance(file, str)]
            return sum([len(await file.read()) for file in files])

    if installed:
        asgiwire_starlette.install(app, request_class=BenchmarkRequest)
    return app


async def call(app: FastAPI, case: Case, path: str) -> None:
    scope, receive, send = case.arguments
    scope |= {"method": "POST", "path": path, "raw_path": path.encode()}
    await app(scope, receive, send)
    assert case.sent[0]["status"] == 200, case.sent


async def measure(app: FastAPI, make: Callable[[int], Case], count: int, path: str, seed: int) -> float:
    cases = [make(seed + number) for number in range(count)]
    start = perf_counter()
    for case in cases:
        await call(app, case, path)
    return (perf_counter() - start) / count * 1e6


def path_of(name: str) -> str:
    return "/json" if name.startswith("JSON") else "/files" if "file" in name else "/form"


async def main() -> None:
    apps = {"FastAPI": new_app(False), "with asgiwire": new_app(True)}
    print("| µs | FastAPI | with asgiwire | ratio |\n|---|---:|---:|---:|")
    for name, (make, count) in ROWS.items():
        times: dict[str, list[float]] = {key: [] for key in apps}
        for number in range(ROUNDS):
            order = list(apps.items())
            for key, app in order if number % 2 else reversed(order):
                times[key].append(await measure(app, make, count, path_of(name), number * count))
        plain, ours = (min(values) for values in times.values())
        print(f"| {name} | {plain:,.0f} | {ours:,.0f} | {ours / plain:.2f} |", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
