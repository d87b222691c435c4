"""The scenarios run, and none is longer with asgiwire than with another tool."""

from __future__ import annotations

import gc
import inspect
import threading
import warnings
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("starlette", reason="needs starlette")
pytest.importorskip("asgiref", reason="needs asgiref")

from . import scenarios

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("anyio_backend", ["asyncio"])]

FUNCTIONS = {name: value for name, value in vars(scenarios).items() if "__" in name.strip("_")}
TASKS = sorted({name.partition("__")[0] for name in FUNCTIONS})


@pytest.fixture(autouse=True)
def _clean_up() -> Iterator[None]:
    scenarios.EVENTS.clear()
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # other tools leave event loops and files open


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_scenario(name: str) -> None:
    threads = threading.active_count()
    function = FUNCTIONS[name]
    result = function() if inspect.iscoroutinefunction(function) else None
    if result is not None:
        await result
    else:
        function()
    if name.endswith("asgiwire"):
        assert threading.active_count() == threads


def lines(name: str) -> int:
    return len(inspect.getsource(FUNCTIONS[name]).splitlines())


@pytest.mark.parametrize("task", TASKS)
async def test_no_other_tool_is_shorter(task: str) -> None:
    others = [name for name in FUNCTIONS if name.startswith(f"{task}__") and not name.endswith("__asgiwire")]
    assert all(lines(f"{task}__asgiwire") <= lines(name) for name in others)


async def test_number_of_scenarios() -> None:
    assert len(TASKS) >= 18
