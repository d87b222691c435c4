"""One application of each framework with the same routes, which the validator checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

FILE = __file__


async def numbers() -> AsyncGenerator[bytes, None]:
    """The chunks of the streamed response."""
    for number in range(3):
        yield b"%d" % number
