"""How the time of a function grows with its input."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def takes_linear_time(function: Callable[[bytes], object], flood: bytes) -> bool:
    """Whether sixteen times the input takes far less than 256 times as long; generous, for busy machines."""
    small = flood * (4_000 // len(flood))
    return _seconds(function, small * 16) < 80 * _seconds(function, small) + 0.02


def _seconds(function: Callable[[bytes], object], data: bytes) -> float:
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        function(data)
        best = min(best, time.perf_counter() - start)
    return best
