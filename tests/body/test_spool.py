"""A body on disk: appended in order, whatever is cancelled or fails between."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from asgiwire._body.spool import BLOCK_SIZE, Spool
from asgiwire.datastructures import upload_file

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


async def test_pieces_are_appended_and_taken_out_of_the_list() -> None:
    spool, pieces = Spool(), [b"one", b"two"]
    await spool.take(pieces)
    await spool.take([b"three"])

    assert pieces == []
    assert spool.size == 11
    assert await spool.block(0) == b"onetwothree"
    assert await spool.block(3) == b"twothree"
    assert await spool.block(3, 3) == b"two"
    assert await spool.block(11) == b""


async def test_it_is_read_in_blocks_and_written_in_between() -> None:
    spool = Spool()
    await spool.take([b"x" * (BLOCK_SIZE + 1)])
    assert len(await spool.block(0)) == BLOCK_SIZE
    await spool.take([b"y"])

    assert await spool.block(BLOCK_SIZE) == b"xy"


async def test_the_file_is_closed_with_the_spool() -> None:
    spool = Spool()
    await spool.take([b"one"])
    file = spool._file.file
    assert not file.closed
    del spool
    gc.collect()

    assert file.closed


async def test_closing_twice_does_nothing() -> None:
    spool = Spool()
    await spool.take([b"one"])
    spool.close()
    spool.close()

    assert spool._file.file.closed


async def test_what_comes_into_the_list_meanwhile_stays_there(monkeypatch: pytest.MonkeyPatch) -> None:
    spool, pieces = Spool(), [b"one"]

    async def slowly(function: Callable[[], Any]) -> Any:
        result = function()
        pieces.append(b"two")
        return result

    monkeypatch.setattr(upload_file, "run_in_thread", slowly)
    await spool.take(pieces)
    assert pieces == [b"two"]
    assert await spool.block(0) == b"one"


@pytest.mark.parametrize("written", ["nothing", "a half", "all"])
async def test_what_was_cancelled_is_appended_once(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    """The cancellation comes when the thread is done: the data is on disk by then, or it is not."""
    spool = Spool()
    await spool.take([b"zero"])
    pieces = [b"one"]

    async def cancelled(function: Callable[[], Any]) -> Any:
        if written == "all":
            function()
        elif written == "a half":
            spool._file.file.write(b"o")
            spool._file.file.flush()
        scope.cancel()
        await anyio.sleep_forever()

    with monkeypatch.context() as patch, anyio.CancelScope() as scope:
        patch.setattr(upload_file, "run_in_thread", cancelled)
        await spool.take(pieces)
    assert scope.cancelled_caught
    assert pieces == ([] if written == "all" else [b"one"])

    await spool.take([*pieces, b"two"])
    assert await spool.block(0) == b"zeroonetwo"
