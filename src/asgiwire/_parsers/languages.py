"""Matching of language ranges and tags (RFC 4647), without extended filtering (section 3.3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from .negotiation import Preference

# RFC 4647 section 2.1: language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*"
LANGUAGE_RANGE: Final = re.compile(r"\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*+")


def normalize_tag(tag: str) -> str:
    """Normalize a language tag; ``en_GB``, which locales and some clients use, becomes ``en-gb``."""
    return tag.strip().lower().replace("_", "-")


def parse_language_ranges(preferences: Iterable[Preference]) -> list[Preference]:
    """Return the valid language ranges with normalized values."""
    normal = (preference._replace(value=normalize_tag(preference.value)) for preference in preferences)
    return [preference for preference in normal if LANGUAGE_RANGE.fullmatch(preference.value)]


def prefixes(tag: str) -> Iterator[str]:
    """Yield the tag, and then the tag with one more subtag removed from its end each time."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def shortened(language_range: str) -> Iterator[str]:
    """Yield the range with more and more subtags removed from its end (RFC 4647 section 3.4).

    "Single letter or digit subtags (including both the letter 'x', which introduces private-use sequences,
    and the subtags that introduce extensions) are removed at the same time as their closest trailing subtag."
    """
    parts = language_range.split("-")
    while len(parts) > 1:
        parts.pop()
        while len(parts) > 1 and len(parts[-1]) == 1:
            parts.pop()
        yield "-".join(parts)


def longest_matching_range(ranges: Mapping[str, Preference], tag: str) -> Preference | None:
    """Return the longest range that matches by basic filtering (RFC 4647 section 3.3.1), or ``None``.

    The range ``*`` matches only if no other range does.

    Args:
        ranges: The ranges by value.
        tag: A normalized tag.
    """
    for prefix in prefixes(tag):
        if prefix in ranges:
            return ranges[prefix]
    return ranges.get("*")
