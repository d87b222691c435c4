"""Large uploads: every reader reads all of a small one, with little growth of the process."""

from __future__ import annotations

import pytest

pytest.importorskip("resource")

from benchmarks import memory


@pytest.mark.parametrize("name", memory.READERS)
def test_small_upload(name: str) -> None:
    figures = memory.measure_in_subprocess(name, 30 * memory.MEGABYTE, 5 * memory.MEGABYTE)

    assert figures["growth"] < 20 * memory.MEGABYTE
    assert 0 <= figures["usual stall"] <= figures["stall"]
    assert figures["seconds"] > 0
