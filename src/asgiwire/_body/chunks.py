"""Bytes that come in pieces: kept without a copy of the large ones, and written to a file without any."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("MOST_WRITTEN", "SMALL", "add_piece", "write_pieces")

# A piece of fewer bytes is copied to the one before it: kept by itself, it would need noticeably more memory
# than it has bytes.
SMALL: Final = 4096

# Linux takes no more than 1,024 pieces in one call.
MOST_WRITTEN: Final = 512

HAS_WRITEV: Final = hasattr(os, "writev")  # Windows has none


def add_piece(pieces: list[bytes | bytearray], piece: bytes) -> None:
    """Add a piece at the end."""
    if not pieces or len(piece) >= SMALL:
        pieces.append(piece)
    elif isinstance(last := pieces[-1], bytearray):
        last += piece
    else:
        pieces.append(bytearray(piece))


def write_pieces(file: IO[bytes], pieces: Sequence[bytes | bytearray]) -> None:
    """Write all of the pieces where the file that the system knows has its position; it blocks.

    The buffer of ``file`` is passed by: it must have nothing in it, and afterwards a seek has to come first.
    """
    for start in range(0, len(pieces), MOST_WRITTEN):
        _write(file.fileno(), pieces[start : start + MOST_WRITTEN])


def _write(descriptor: int, pieces: Sequence[bytes | bytearray]) -> None:
    # One call and no copy: a file of 10 MB is received in a tenth less time than with joined pieces.
    written = os.writev(descriptor, pieces) if HAS_WRITEV else 0
    if written < sum(map(len, pieces)):
        rest = memoryview(b"".join(pieces))[written:]
        while rest:
            rest = rest[os.write(descriptor, rest) :]
