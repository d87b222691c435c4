"""Matching of language tags (RFC 4647): which range of a client's list speaks of a tag.

Left out: extended filtering (section 3.3.2), whose ranges Accept-Language cannot hold, and any knowledge of
languages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .negotiation import Preference

# RFC 4647 section 2.1: language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*"
LANGUAGE_RANGE: Final = re.compile(r"\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*+")


def normal_tag(tag: str) -> str:
    """A language tag for comparing; ``en_GB``, as locales and some clients have it, is ``en-gb``."""
    return tag.strip().lower().replace("_", "-")


def parse_language_ranges(preferences: Iterable[Preference]) -> list[Preference]:
    """What is a language range, with its value made fit for comparing."""
    normal = (preference._replace(value=normal_tag(preference.value)) for preference in preferences)
    return [preference for preference in normal if LANGUAGE_RANGE.fullmatch(preference.value)]


def shortened(tag: str) -> Iterator[str]:
    """The tag itself, and what is left of it as subtag after subtag is taken from its end."""
    while tag:
        yield tag
        tag = tag.rpartition("-")[0]


def deciding_range(ranges: Mapping[str, Preference], tag: str) -> Preference | None:
    """The longest range that matches by basic filtering (RFC 4647 section 3.3.1), ``*`` last, if any.

    Args:
        ranges: By value.
        tag: Fit for comparing.
    """
    for prefix in shortened(tag):
        if prefix in ranges:
            return ranges[prefix]
    return ranges.get("*")
