"""Inputs so large that a quadratic reader of them does not come to an end.

Nothing is timed here: a clock says little on a busy machine. A linear reader of a megabyte is through in a
moment; a quadratic one takes minutes, and the test's timeout ends it.
"""

from __future__ import annotations

import pytest

MEGABYTE = 1 << 20

#: For each test that reads a flood: far more than a linear reader takes on the slowest machine.
must_end = pytest.mark.timeout(60)


def flood(pattern: bytes) -> bytes:
    """Repeat the pattern to a megabyte."""
    return pattern * (MEGABYTE // len(pattern))
