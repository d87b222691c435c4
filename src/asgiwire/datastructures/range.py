"""The Range header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from asgiwire._parsers.ranges import parse_range

__all__ = ("Range",)


@dataclass(frozen=True, slots=True)
class Range:
    """The ranges of a Range header (RFC 9110 section 14.2).

    Attributes:
        unit: The unit in lower case, usually ``bytes``.
        ranges: The first and last position of each range, both inclusive. ``0-499`` is ``(0, 499)``, ``500-``
        is
            ``(500, None)``, and ``-500``, the last 500, is ``(None, 500)``.
    """

    unit: str
    ranges: tuple[tuple[int | None, int | None], ...]

    @classmethod
    def from_header(cls, header_value: str) -> Self | None:
        """Parse a Range header; return ``None`` if it is invalid, which means to ignore it."""
        parsed = parse_range(header_value)
        return None if parsed is None else cls(parsed[0], tuple(parsed[1]))

    def for_size(self, size: int, unit: str = "bytes") -> list[range] | None:
        """Return the ranges of a representation of this size, in the order of the request.

        Ranges behind the end are omitted. Ranges that overlap or are adjacent are merged. If the list is
        empty, respond with 416 and ``Content-Range: bytes */{size}``. The ``Content-Range`` of a part is
        ``bytes {part.start}-{part.stop - 1}/{size}``.

        Args:
            size: The size of the representation, in units (bytes).
            unit: The unit of the representation. If the header has another unit, the result is ``None`` and
                the header has to be ignored (RFC 9110 section 14.2).
        """
        if self.unit != unit:
            return None
        parts = [_resolve(first, last, size) for first, last in self.ranges]
        positioned = [(part, position) for position, part in enumerate(parts) if part]
        merged: list[tuple[range, int]] = []
        for part, position in sorted(positioned, key=lambda pair: pair[0].start):
            if merged and part.start <= merged[-1][0].stop:
                previous, previous_position = merged[-1]
                merged[-1] = (
                    range(previous.start, max(previous.stop, part.stop)),
                    min(previous_position, position),
                )
            else:
                merged.append((part, position))
        return [part for part, _ in sorted(merged, key=lambda pair: pair[1])]

    def __str__(self) -> str:
        return f"{self.unit}={','.join(map(_format, self.ranges))}"


def _resolve(first: int | None, last: int | None, size: int) -> range:
    if first is None:
        # "If the selected representation is shorter than the specified suffix-length, the entire
        # representation is used."
        return range(max(size - (last or 0), 0), size)
    return range(first, size if last is None else min(last + 1, size))


def _format(positions: tuple[int | None, int | None]) -> str:
    first, last = positions
    return f"{'' if first is None else first}-{'' if last is None else last}"
