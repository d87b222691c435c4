"""Fixtures for all tests."""

from __future__ import annotations

import pytest

from tests.twins import implementation

__all__ = ("anyio_backend", "implementation")


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each async test on asyncio and on trio."""
    return str(request.param)
