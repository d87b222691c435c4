"""Parser for the fields of proactive negotiation (RFC 9110 section 12.5): lists of values with weights.

Malformed elements are ignored. The rules of matching differ between the fields; those for media types are
in :func:`most_specific_range`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

# Text outside of quotes, or a quoted string, which can contain separators. Possessive against backtracking.
ELEMENT: Final = re.compile(r'(?:[^",]++|"(?:[^"\\]++|\\.)*+"?+)++', re.DOTALL)
PARAMETER: Final = re.compile(r'(?:[^";]++|"(?:[^"\\]++|\\.)*+"?+)++', re.DOTALL)
# Browsers send fewer than 20 elements. More than this are ignored, so that the time is bounded.
MAX_ELEMENTS: Final = 256
QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)

# RFC 9110 section 12.4.2: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ). Java once sent ".2".
BELOW_ONE: Final = re.compile(r"0(?:\.([0-9]*))?|\.([0-9]+)")

# RFC 9110 section 12.5.1: media-range = ( "*/*" / ( type "/" "*" ) / ( type "/" subtype ) ) parameters
MEDIA_RANGE: Final = re.compile(r"\*/\*|(?!\*/)[!#$%&'*+\-.^_`|~0-9a-z]+/[!#$%&'*+\-.^_`|~0-9a-z]+")


class Preference(NamedTuple):
    """One element of the list.

    Attributes:
        value: The media range, language, coding or charset, in lower case.
        parameters: The parameters without the weight; names and values in lower case, values unquoted.
        quality: The weight in thousandths, 0 to 1000.
        text: The value in lower case, followed by the parameters and the weight as sent.
    """

    value: str
    parameters: dict[str, str]
    quality: int
    text: str


def parse_preferences(field: str) -> list[Preference]:
    """Parse a list with weights, in the order sent.

    Empty elements are skipped (RFC 9110 section 5.6.1). Elements after the first 256 are ignored.
    """
    elements = (match[0] for match in ELEMENT.finditer(field)) if '"' in field else field.split(",")
    filled = (element for element in elements if element.strip())
    preferences = map(parse_preference, islice(filled, MAX_ELEMENTS))
    return [preference for preference in preferences if preference.value]


def parse_preference(element: str) -> Preference:
    """Parse one element; of several parameters with the same name the first is used."""
    value, semicolon, rest = element.partition(";")
    value = value.strip().lower()
    if not semicolon:
        return Preference(value, {}, 1000, value)
    parameters: dict[str, str] = {}
    for parameter in PARAMETER.findall(rest) if '"' in rest else rest.split(";"):
        name, _, content = parameter.partition("=")
        if name := name.strip().lower():
            parameters.setdefault(name, _unquote(content.strip()).lower())
    # RFC 9110 section 12.5.1: "recipients SHOULD process any parameter named "q" as weight, regardless of
    # parameter ordering."
    quality = _thousandths(parameters.pop("q", ""))
    return Preference(value, parameters, quality, f"{value};{rest.rstrip()}")


def parse_media_ranges(field: str) -> list[Preference]:
    """Parse the valid media ranges of an Accept field; ``*``, which Java sends, is ``*/*``."""
    preferences = parse_preferences(field)
    for position, preference in enumerate(preferences):
        if preference.value == "*":
            text = "*/" + preference.text
            preferences[position] = preference._replace(value="*/*", text=text)
    return [preference for preference in preferences if MEDIA_RANGE.fullmatch(preference.value)]


def covers(media_range: str, media_type: str) -> bool:
    """Return whether a range includes a media type, or all types of another range, without parameters."""
    return media_range in (media_type, "*/*") or (
        media_range.endswith("/*") and media_type.startswith(media_range[:-1])
    )


def most_specific_range(
    ranges: Mapping[str, Sequence[Preference]], media_type: Preference
) -> Preference | None:
    """Return the most specific range that matches a media type (RFC 9110 section 12.5.1), or ``None``.

    A range does not match if the type has a parameter of the same name with another value. A range with
    parameters that the type lacks matches only if no other range does: many clients that accept
    ``application/json`` send ``application/json;charset=utf-8``.

    Args:
        ranges: The ranges by value.
        media_type: The media type. If it has a wildcard, only ranges that cover all of it match.
    """
    value, parameters, _, _ = media_type
    fallback = None
    for pattern in (value, value[: value.find("/") + 1] + "*", "*/*"):
        best, best_count = None, -1
        for candidate in ranges.get(pattern, ()):
            required = candidate.parameters
            if any(parameters.get(name, content) != content for name, content in required.items()):
                continue
            if not required.keys() <= parameters.keys():
                fallback = fallback or candidate
            elif len(required) > best_count:
                best, best_count = candidate, len(required)
        if best is not None:
            return best
    return fallback


def _thousandths(weight: str) -> int:
    # An invalid weight is ignored, because the client did list the value. So everything that is not below 1
    # is 1000: "1", "1.000", "7", "inf", "nan". Digits after the third are truncated.
    match = BELOW_ONE.fullmatch(weight)
    if match is None:
        return 1000
    return int(((match[1] or match[2] or "") + "000")[:3])


def _unquote(content: str) -> str:
    if not content.startswith('"'):
        return content
    content = content[1:-1] if len(content) > 1 and content.endswith('"') else content[1:]
    return QUOTED_PAIR.sub(r"\1", content)
