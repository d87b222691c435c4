"""The temporary file of a body: appends in order, also after cancelled writes."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire._body.spool import BLOCK_SIZE, Spool
from tests.receives import patch_everywhere, record_temporary_files

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def test_chunks_are_appended_and_removed_from_the_list() -> None:
    spool = Spool()
    chunks: list[bytes | bytearray] = [b"one", bytearray(b"two")]
    await spool.append([])
    await spool.append(chunks)
    await spool.append([b"three"])

    assert chunks == []
    assert spool.size == 11
    assert await spool.read(0) == b"onetwothree"
    assert await spool.read(3) == b"twothree"
    assert await spool.read(3, 3) == b"two"
    assert await spool.read(11) == b""


async def test_reads_in_blocks_between_writes() -> None:
    spool = Spool()
    await spool.append([b"x" * (BLOCK_SIZE + 1)])
    assert len(await spool.read(0)) == BLOCK_SIZE
    await spool.append([b"y"])

    assert await spool.read(BLOCK_SIZE) == b"xy"


async def test_file_is_closed_with_the_spool(monkeypatch: pytest.MonkeyPatch) -> None:
    files = record_temporary_files(monkeypatch)
    spool = Spool()
    await spool.append([b"one"])
    (file,) = files
    assert not file.closed
    del spool
    gc.collect()

    assert file.closed


async def test_closing_twice_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    files = record_temporary_files(monkeypatch)
    spool = Spool()
    await spool.append([b"one"])
    spool.close()
    spool.close()

    assert [file.closed for file in files] == [True]


async def test_chunks_added_during_a_write_stay_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool()
    chunks: list[bytes | bytearray] = [b"one"]

    async def slow(function: Callable[[], Any]) -> Any:
        result = function()
        chunks.append(b"two")
        return result

    patch_everywhere(monkeypatch, "run_in_thread", slow)
    await spool.append(chunks)
    assert chunks == [b"two"]
    assert await spool.read(0) == b"one"


@pytest.mark.parametrize("written", ["nothing", "half", "all"])
async def test_cancelled_write_is_appended_once(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """The cancellation is delivered after the thread has finished, whether or not the data is on disk."""
    files = record_temporary_files(monkeypatch)
    spool = Spool()
    await spool.append([b"zero"])
    chunks: list[bytes | bytearray] = [b"one"]

    async def cancelled(function: Callable[[], Any]) -> Any:
        if written == "all":
            function()
        elif written == "half":
            files[0].write(b"o")
        scope.cancel()
        await anyio.sleep_forever()

    with monkeypatch.context() as patch, anyio.CancelScope() as scope:
        patch_everywhere(patch, "run_in_thread", cancelled)
        await spool.append(chunks)
    assert scope.cancelled_caught
    assert chunks == ([] if written == "all" else [b"one"])

    await spool.append([*chunks, b"two"])
    assert await spool.read(0) == b"zeroonetwo"
