"""Pieces are kept in their order, whatever their sizes, and written whole, however little a system takes."""

from __future__ import annotations

import os
import sys
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._body import chunks as _pieces
from asgiwire._body.chunks import MAX_WRITTEN, SMALL, add_chunk, write_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = [0, 1, 2, SMALL - 1, SMALL, SMALL + 1]


def added(contents: Sequence[bytes]) -> list[bytes | bytearray]:
    pieces: list[bytes | bytearray] = []
    for content in contents:
        add_chunk(pieces, content)
    return pieces


@given(st.lists(st.sampled_from(SIZES), max_size=20))
def test_nothing_is_lost_and_the_order_stays(sizes: list[int]) -> None:
    contents = [bytes([number]) * size for number, size in enumerate(sizes)]
    assert b"".join(added(contents)) == b"".join(contents)


def test_what_is_large_or_alone_is_not_copied() -> None:
    first, large, last = b"1", b"2" * SMALL, b"3" * SMALL
    taken = added([first, large, last])
    assert [id(piece) for piece in taken] == [id(first), id(large), id(last)]
    assert b"".join(added([first])) is first


def test_small_pieces_are_few_objects_and_none_of_the_callers() -> None:
    contents = [b"1", b"2", b"3", b"4" * SMALL, b"5", b"6"]
    assert added(contents) == [b"1", b"23", b"4" * SMALL, b"56"]
    assert contents == [b"1", b"2", b"3", b"4" * SMALL, b"5", b"6"]


def some(data: Any) -> Any:
    """What a system takes that is interrupted, or has little room left."""
    return data[: len(data) // 2 + 1]


@pytest.mark.parametrize("count", [0, 1, MAX_WRITTEN, MAX_WRITTEN + 1, 2 * MAX_WRITTEN + 1, 1500])
@pytest.mark.parametrize("system", ["takes all", "takes some", "has no writev"])
def test_all_is_written(count: int, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, writev = os.write, os.writev
    if system == "takes some":
        monkeypatch.setattr(os, "write", lambda file, data: write(file, some(data)))
        monkeypatch.setattr(os, "writev", lambda file, data: writev(file, some(data)))
    elif system == "has no writev":
        monkeypatch.setattr(_pieces, "HAS_WRITEV", False)
    pieces = [b"%d," % number for number in range(count)]
    with TemporaryFile() as file:
        write_chunks(file, pieces)
        write_chunks(file, [bytearray(b"the end")])
        monkeypatch.undo()
        file.seek(0)
        assert file.read() == b"".join(pieces) + b"the end"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
@pytest.mark.parametrize("has_writev", [True, False])
def test_a_full_disk_is_an_error(has_writev: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pieces, "HAS_WRITEV", has_writev)
    with open("/dev/full", "wb") as file, pytest.raises(OSError, match="No space left"):
        write_chunks(file, [b"1", b"2"])
