"""The benchmark of a FastAPI application: each row is answered, with and without the integration."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="needs fastapi")

from benchmarks.fastapi_app import ROWS, measure, new_app, path_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("installed", [True, False])
async def test_row(name: str, installed: bool) -> None:
    make, _ = ROWS[name]
    assert await measure(new_app(installed), make, 1, path_of(name), seed=1) > 0
