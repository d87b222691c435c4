"""Lists of chunks: order, merging of small chunks, and complete writes."""

from __future__ import annotations

import os
import sys
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._body import shared_file
from asgiwire._body.channel import BLOCK, add_chunk
from asgiwire._body.channel import SMALL_CHUNK as SMALL
from asgiwire._body.shared_file import MAX_WRITTEN, write_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZES = [0, 1, 2, SMALL - 1, SMALL, SMALL + 1]


def added(contents: Sequence[bytes]) -> list[bytes | bytearray]:
    chunks: list[bytes | bytearray] = []
    for content in contents:
        add_chunk(chunks, content)
    return chunks


@given(st.lists(st.sampled_from(SIZES), max_size=20))
def test_joined_chunks_equal_the_contents(sizes: list[int]) -> None:
    contents = [bytes([number]) * size for number, size in enumerate(sizes)]
    assert b"".join(added(contents)) == b"".join(contents)


def test_large_or_single_chunk_is_not_copied() -> None:
    first, large, last = b"1", b"2" * SMALL, b"3" * SMALL
    chunks = added([first, large, last])
    assert [id(chunk) for chunk in chunks] == [id(first), id(large), id(last)]
    assert b"".join(added([first])) is first


def test_small_chunks_are_merged_into_new_objects() -> None:
    contents = [b"1", b"2", b"3", b"4" * SMALL, b"5", b"6"]
    assert added(contents) == [b"1", b"23", b"4" * SMALL, b"56"]
    assert contents == [b"1", b"2", b"3", b"4" * SMALL, b"5", b"6"]


def test_block_of_small_chunks_becomes_bytes() -> None:
    """A bytearray that grows has unused memory, and a list of small chunks has much more."""
    chunks = added([b"%03d" % (number % 1000) for number in range(BLOCK)])
    assert b"".join(chunks) == b"".join(b"%03d" % (number % 1000) for number in range(BLOCK))
    assert len(chunks) == 4
    assert [type(chunk) for chunk in chunks] == [bytes, bytes, bytes, bytearray]


def half(data: Any) -> Any:
    """Return the bytes that an interrupted write accepts."""
    return data[: len(data) // 2 + 1]


@pytest.mark.parametrize("count", [0, 1, MAX_WRITTEN, MAX_WRITTEN + 1, 2 * MAX_WRITTEN + 1, 1500])
@pytest.mark.parametrize("system", ["complete writes", "partial writes", "no writev"])
def test_all_chunks_are_written(count: int, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write, writev = os.write, os.writev
    if system == "partial writes":
        monkeypatch.setattr(os, "write", lambda file, data: write(file, half(data)))
        monkeypatch.setattr(os, "writev", lambda file, data: writev(file, half(data)))
    elif system == "no writev":
        monkeypatch.setattr(shared_file, "HAS_WRITEV", False)
    chunks = [b"%d," % number for number in range(count)]
    with TemporaryFile() as file:
        write_chunks(file, chunks)
        write_chunks(file, [bytearray(b"the end")])
        monkeypatch.undo()
        file.seek(0)
        assert file.read() == b"".join(chunks) + b"the end"


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full exists on Linux only")
@pytest.mark.parametrize("has_writev", [True, False])
def test_full_disk_raises(has_writev: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_file, "HAS_WRITEV", has_writev)
    with open("/dev/full", "wb") as file, pytest.raises(OSError, match="No space left"):
        write_chunks(file, [b"1", b"2"])
