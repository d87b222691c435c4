"""Threads call the compiled functions at once. They share the arguments, which another thread may change.

The tests find most on a free-threaded Python, and with the sanitizers of ``nox -s sanitize``.
"""

from __future__ import annotations

import importlib
import sys
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

compiled = pytest.importorskip("asgiwire._speedups", reason="the compiled module was not built")

THREADS = 4
IS_FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
# A GIL gives little to find, so there the tests are short.
CALLS = 20_000 if IS_FREE_THREADED else 500

PAIRS = [(b"Host", b"a.example"), (b"Cookie", b"a=1"), (b"content-length", b"12"), (b"cookie", b" b=2 ")]

SCOPE = {"scheme": "https", "path": "/path", "raw_path": b"/path", "query_string": b"a=1", "root_path": ""}

# Each function with arguments. A number is the index of a list among them, which another thread changes.
CALLS_OF_FUNCTIONS: tuple[tuple[str, int | None, tuple[Any, ...]], ...] = (
    ("header_text", 0, (PAIRS, "cookie")),
    ("header_text", 0, (PAIRS, "absent")),
    ("header_values", 0, (PAIRS, b"cookie")),
    ("header_values", None, (tuple(PAIRS), b"cookie")),
    ("content_length", 0, (PAIRS,)),
    ("parse_urlencoded", None, (b"name=%C3%A9&second=a+b&third" * 40, 1000, 1000)),
    ("parse_urlencoded", None, (b"a=1&b=2&c=3", 2, 1000)),  # the Python function raises
    ("parse_cookies", 0, ([b"a=1; b=2", b"c=3", b"d=%34"],)),
    ("common_url", 1, (SCOPE, [(b"Host", b"a.example:8000")])),
    ("common_url", None, (SCOPE, [(b"Host", b"a b")])),  # the Python function answers
    ("find_delimiter", None, (b"content" * 1000 + b"\r\n--boundary", b"\r\n--boundary", 0)),
    ("find_delimiter", None, (b"\r\n" * 1000 + b"--boundary", b"\r\n--boundary", 0)),  # the same
)
WITH_A_LIST = [call for call in CALLS_OF_FUNCTIONS if call[1] is not None]


def ids(calls: Iterable[tuple[str, object, object]]) -> list[str]:
    return [f"{name}-{number}" for number, (name, *_) in enumerate(calls)]


def outcome(function: Callable[..., object], args: tuple[object, ...]) -> object:
    """Return the result, or the error as text."""
    try:
        return function(*args)
    except Exception as error:
        return repr(error)


def run_at_once(worker: Callable[[], object]) -> list[Any]:
    """Call the worker in every thread, as simultaneously as possible, and return the results."""
    barrier = threading.Barrier(THREADS)

    def wait_and_work() -> object:
        barrier.wait(10)
        return worker()

    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result(60) for future in [pool.submit(wait_and_work) for _ in range(THREADS)]]


def test_every_function_is_called() -> None:
    functions = {name for name in vars(compiled) if not name.startswith("_")}
    assert {name for name, _, _ in CALLS_OF_FUNCTIONS} == functions


@pytest.mark.skipif(not IS_FREE_THREADED, reason="needs a free-threaded Python")
def test_module_does_not_enable_the_gil() -> None:
    importlib.import_module("asgiwire")
    assert not sys._is_gil_enabled()  # type: ignore[attr-defined, unused-ignore]


@pytest.mark.parametrize(("name", "changed", "args"), CALLS_OF_FUNCTIONS, ids=ids(CALLS_OF_FUNCTIONS))
def test_shared_arguments(name: str, changed: int | None, args: tuple[object, ...]) -> None:
    function = getattr(compiled, name)
    expected = outcome(function, args)
    results = run_at_once(lambda: [outcome(function, args) for _ in range(CALLS)])
    assert all(result == expected for thread in results for result in thread)


@pytest.mark.parametrize(("name", "changed", "args"), WITH_A_LIST, ids=ids(WITH_A_LIST))
def test_list_changes_during_the_calls(name: str, changed: int, args: tuple[Any, ...]) -> None:
    """Each result is that of some state of the list: complete, shortened, or empty."""
    function = getattr(compiled, name)
    items = list(args[changed])
    shared: list[Any] = []
    call = (*args[:changed], shared, *args[changed + 1 :])
    # Every prefix of the items is a state, since each change appends one item or removes all.
    states = [(*args[:changed], items[:size], *args[changed + 1 :]) for size in range(len(items) + 1)]
    allowed = [outcome(function, state) for state in states]
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for item in items:
                # New objects, so that the list holds the last reference to each.
                new = tuple(map(copy, item)) if isinstance(item, tuple) else copy(item)
                shared.append(new)
            shared.clear()

    changer = threading.Thread(target=change)
    changer.start()
    try:
        results = run_at_once(lambda: [outcome(function, call) for _ in range(CALLS)])
    finally:
        done.set()
        changer.join(10)
    assert [result for thread in results for result in thread if result not in allowed] == []


def copy(data: bytes) -> bytes:
    """Return an equal object that nothing else refers to."""
    return bytes(bytearray(data))
