"""Parser for the Range header (RFC 9110 section 14.2). Ranges of other units than numbers are invalid."""

from __future__ import annotations

import re
from typing import Final

# RFC 9110 section 14.1: ranges-specifier = range-unit "=" range-set; the unit is a token.
SPECIFIER: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]++)=(.*+)", re.DOTALL)
# int-range = first-pos "-" [ last-pos ], suffix-range = "-" suffix-length.
RANGE: Final = re.compile(r"([0-9]*+)-([0-9]*+)")

# "Recipients ought to anticipate potentially large decimal numerals and prevent parsing errors due to integer
# conversion overflows". All larger numbers become this one; no representation is as long.
MAX_POSITION: Final = 10**18
MAX_DIGITS: Final = 18

Numbers = tuple[int | None, int | None]


def parse_range(field: str) -> tuple[str, list[Numbers]] | None:
    """Parse a Range header into the unit in lower case and the first and last position of each range.

    A suffix range is ``(None, length)``, a range without an end is ``(first, None)``. If any range is
    invalid, the header is, and the result is ``None``.
    """
    match = SPECIFIER.fullmatch(field.strip(" \t"))
    if match is None:
        return None
    ranges: list[Numbers] = []
    for element in match[2].split(","):
        if element := element.strip(" \t"):
            numbers = RANGE.fullmatch(element)
            if numbers is None or element == "-":
                return None
            first, last = _number(numbers[1]), _number(numbers[2])
            # "An int-range is invalid if the last-pos value is present and less than first-pos."
            if first is not None and last is not None and last < first:
                return None
            ranges.append((first, last))
    return (match[1].lower(), ranges) if ranges else None


def _number(digits: str) -> int | None:
    if not digits:
        return None
    digits = digits.lstrip("0") or "0"
    return MAX_POSITION if len(digits) > MAX_DIGITS else int(digits)
