"""The parsers that exist twice: as Python functions and in the compiled module."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import pytest

from asgiwire.datastructures import headers, url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TWINS: dict[str, Callable[..., Any]] = {
    name: getattr(importlib.import_module(f"asgiwire._parsers.{module}"), name)
    for name, module in (
        ("header_text", "header_pairs"),
        ("header_values", "header_pairs"),
        ("content_length", "content_headers"),
        ("find_delimiter", "content_headers"),
        ("parse_urlencoded", "query"),
        ("parse_cookies", "cookies"),
        ("common_url", "uri"),
    )
}

try:
    compiled: Any = importlib.import_module("asgiwire._speedups")
except ImportError:  # it was not built
    compiled = None


@pytest.fixture(scope="module", params=["python", *(["compiled"] if compiled else [])])
def implementation(request: pytest.FixtureRequest) -> Iterator[None]:
    """Replace the parsers in the module of the test, and in the datastructures, by one implementation."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (request.module, headers, url):
            for name in vars(module).keys() & TWINS.keys():
                patch.setattr(
                    module, name, getattr(compiled, name) if request.param == "compiled" else TWINS[name]
                )
        yield
