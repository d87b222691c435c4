"""Inputs of a megabyte, on which a parser of quadratic cost does not finish.

The tests measure no time, because a clock is unreliable on a busy machine. A linear parser needs well under a
second for a megabyte; a quadratic one needs minutes, and the timeout of the test ends it.
"""

from __future__ import annotations

import pytest

MEGABYTE = 1 << 20

#: For each test that parses such an input: far more than a linear parser needs on the slowest machine.
must_end = pytest.mark.timeout(60)


def flood(pattern: bytes) -> bytes:
    """Repeat the pattern up to a megabyte."""
    return pattern * (MEGABYTE // len(pattern))
