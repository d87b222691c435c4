"""Range: the parts of a representation that a client asks for.

Left out: responses. ``Content-Range`` of a part is ``bytes {part.start}-{part.stop - 1}/{size}``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asgiwire._parsers.ranges import parse_range

if TYPE_CHECKING:
    from typing import Self

__all__ = ("Range",)


@dataclass(frozen=True, slots=True)
class Range:
    """The ranges of a Range header (RFC 9110 section 14.2).

    Attributes:
        unit: In lower case; ``bytes`` is the one that is in use.
        ranges: First and last position of each, both inclusive, as sent: ``0-499`` is ``(0, 499)``, ``500-``
            is ``(500, None)``, and the last 500, ``-500``, are ``(None, 500)``.
    """

    unit: str
    ranges: tuple[tuple[int | None, int | None], ...]

    @classmethod
    def from_header(cls, header_value: str) -> Self | None:
        """Read the value of a Range header; ``None`` where it is invalid, and so to be ignored."""
        parsed = parse_range(header_value)
        return None if parsed is None else cls(parsed[0], tuple(parsed[1]))

    def for_size(self, size: int, unit: str = "bytes") -> list[range] | None:
        """Resolve the ranges against the size of a representation.

        Those that lie behind its end are left out, those that overlap or touch are put together, so that
        nothing is sent twice; the order is the one in which they were asked for. None left is an empty list:
        416 is the answer, with ``Content-Range: bytes */{size}``.

        Args:
            size: In units, and so in bytes.
            unit: That of the representation. Where the client's is another one the result is ``None``: the
                header is to be ignored (RFC 9110 section 14.2).
        """
        if self.unit != unit:
            return None
        parts = [_resolved(first, last, size) for first, last in self.ranges]
        asked = [(part, position) for position, part in enumerate(parts) if part]
        joined: list[tuple[range, int]] = []
        for part, position in sorted(asked, key=lambda one: one[0].start):
            if joined and part.start <= joined[-1][0].stop:
                before, earlier = joined[-1]
                joined[-1] = range(before.start, max(before.stop, part.stop)), min(earlier, position)
            else:
                joined.append((part, position))
        return [part for part, _ in sorted(joined, key=lambda one: one[1])]

    def __str__(self) -> str:
        return f"{self.unit}={','.join(map(_written, self.ranges))}"


def _resolved(first: int | None, last: int | None, size: int) -> range:
    if first is None:
        # "If the selected representation is shorter than the specified suffix-length, the entire
        # representation is used."
        return range(max(size - (last or 0), 0), size)
    return range(first, size if last is None else min(last + 1, size))


def _written(positions: tuple[int | None, int | None]) -> str:
    first, last = positions
    return f"{'' if first is None else first}-{'' if last is None else last}"
