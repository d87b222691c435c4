"""The benchmark of large uploads runs and reads all of them; memory is flat already when they are small."""

from __future__ import annotations

import pytest

pytest.importorskip("resource")

from benchmarks import memory


@pytest.mark.parametrize("name", memory.READERS)
def test_a_small_upload(name: str) -> None:
    figures = memory.in_process_of_its_own(name, 30 * memory.MEGABYTE, 5 * memory.MEGABYTE)

    assert figures["growth"] < 20 * memory.MEGABYTE
    assert 0 <= figures["usual stall"] <= figures["stall"]
    assert figures["seconds"] > 0


def test_the_table() -> None:
    figures = {"growth": 1e6, "seconds": 2.0, "stall": 0.004, "usual stall": 0.001}
    measured = {"size": 1000, "probed": 200, "readers": {"form()": figures}}
    lines = memory.table(measured).splitlines()

    assert "1,000 MB" in lines[0]
    assert lines[-1].split() == ["form()", "1.0", "500", "4.0", "1.0"]
