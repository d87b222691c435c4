"""Lists of entity tags (RFC 9110 section 8.8.3), as If-Match and If-None-Match hold them.

A tag is opaque: commas stand in it, and a backslash escapes nothing, unlike in a quoted string.
"""

from __future__ import annotations

import re
from typing import Final

# Text outside of quotes, or what stands in a pair of them. Possessive: what was matched is read once.
ELEMENT: Final = re.compile(r'(?:[^",]++|"[^"]*+"?+)++')


def split_entity_tags(field: str) -> list[str]:
    """Split a list into its elements, whatever they are; empty ones are skipped."""
    return [stripped for element in ELEMENT.findall(field) if (stripped := element.strip(" \t"))]
