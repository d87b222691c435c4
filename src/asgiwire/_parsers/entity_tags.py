"""Parser for lists of entity tags (RFC 9110 section 8.8.3), the value of If-Match and If-None-Match."""

from __future__ import annotations

import re
from typing import Final

# Text outside of quotes, or text in a pair of quotes. A tag is opaque: it can contain commas, and a backslash
# escapes nothing, unlike in a quoted string.
ELEMENT: Final = re.compile(r'(?:[^",]++|"[^"]*+"?+)++')


def split_entity_tags(field: str) -> list[str]:
    """Split a list into its elements without validating them; empty elements are skipped."""
    return [stripped for element in ELEMENT.findall(field) if (stripped := element.strip(" \t"))]
