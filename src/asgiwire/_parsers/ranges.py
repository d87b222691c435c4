"""Range (RFC 9110 section 14.2): the unit, and the ranges as numbers.

Left out: units whose ranges are no numbers (``other-range``), which nobody has registered.
"""

from __future__ import annotations

import re
from typing import Final

# RFC 9110 section 14.1: ranges-specifier = range-unit "=" range-set; the unit is a token.
SPECIFIER: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]++)=(.*+)", re.DOTALL)
# int-range = first-pos "-" [ last-pos ], suffix-range = "-" suffix-length.
RANGE: Final = re.compile(r"([0-9]*+)-([0-9]*+)")

# "Recipients ought to anticipate potentially large decimal numerals and prevent parsing errors due to
# integer conversion overflows": no representation is that long, and all numbers from here on are one.
MAXIMUM: Final = 10**18
DIGITS: Final = 18

Numbers = tuple[int | None, int | None]


def parse_range(field: str) -> tuple[str, list[Numbers]] | None:
    """Read a Range field: its unit in lower case, and first and last position of each range, in order.

    Of a suffix range the first is ``None``, and the last is the length of the suffix; the last is ``None``
    where the range has no end. The result is ``None`` where one range is invalid: then none of them counts.
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
    return MAXIMUM if len(digits) > DIGITS else int(digits)
