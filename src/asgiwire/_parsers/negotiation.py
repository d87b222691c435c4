"""Fields of proactive negotiation (RFC 9110 section 12.5): weighted lists in, tuples out.

The list is read here for every such field: elements, their parameters, their weights. Which element fits
what a server has to offer differs from field to field; for media types it is :func:`deciding`. Nothing that a
client can send raises: what is malformed is left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Text outside of quotes, or a quoted string in which a separator is but a character. Possessive, because
# nothing that was matched is ever worth trying again.
ELEMENT: Final = re.compile(r'(?:[^",]++|"(?:[^"\\]++|\\.)*+"?+)++', re.DOTALL)
PARAMETER: Final = re.compile(r'(?:[^";]++|"(?:[^"\\]++|\\.)*+"?+)++', re.DOTALL)
QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)

# RFC 9110 section 12.4.2: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ). Java once sent ".2".
BELOW_ONE: Final = re.compile(r"0(?:\.([0-9]*))?|\.([0-9]+)")

# RFC 9110 section 12.5.1: media-range = ( "*/*" / ( type "/" "*" ) / ( type "/" subtype ) ) parameters
MEDIA_RANGE: Final = re.compile(r"\*/\*|(?!\*/)[!#$%&'*+\-.^_`|~0-9a-z]+/[!#$%&'*+\-.^_`|~0-9a-z]+")


class Preference(NamedTuple):
    """One element of the list.

    Attributes:
        value: The media range, language, coding or charset, in lower case.
        parameters: By lower-case name, without the weight; values in lower case and unquoted.
        quality: The weight in thousandths, 0 to 1000.
        text: The value, and behind it parameters and weight as they were sent.
    """

    value: str
    parameters: dict[str, str]
    quality: int
    text: str


def parse_preferences(field: str) -> list[Preference]:
    """Parse a weighted list, in the order sent; empty elements are skipped (RFC 9110 section 5.6.1)."""
    elements = ELEMENT.findall(field) if '"' in field else field.split(",")
    return [preference for element in elements if (preference := parse_preference(element)).value]


def parse_preference(element: str) -> Preference:
    """Parse one element; of parameters with one name the first counts."""
    value, semicolon, rest = element.partition(";")
    value = value.strip().lower()
    if not semicolon:
        return Preference(value, {}, 1000, value)
    parameters: dict[str, str] = {}
    for piece in PARAMETER.findall(rest) if '"' in rest else rest.split(";"):
        name, _, content = piece.partition("=")
        if name := name.strip().lower():
            parameters.setdefault(name, _unquote(content.strip()).lower())
    # RFC 9110 section 12.5.1: "recipients SHOULD process any parameter named "q" as weight, regardless of
    # parameter ordering."
    quality = _thousandths(parameters.pop("q", ""))
    return Preference(value, parameters, quality, f"{value};{rest.rstrip()}")


def parse_media_ranges(field: str) -> list[Preference]:
    """Parse an Accept field into what is a media range; a lone ``*``, as Java sends it, is ``*/*``."""
    preferences = parse_preferences(field)
    for position, preference in enumerate(preferences):
        if preference.value == "*":
            text = "*/" + preference.text
            preferences[position] = preference._replace(value="*/*", text=text)
    return [preference for preference in preferences if MEDIA_RANGE.fullmatch(preference.value)]


def covers(media_range: str, media_type: str) -> bool:
    """Say whether a range, parameters aside, speaks of all that a type, or another range, stands for."""
    return media_range in (media_type, "*/*") or (
        media_range.endswith("/*") and media_type.startswith(media_range[:-1])
    )


def deciding(ranges: Mapping[str, Sequence[Preference]], media_type: Preference) -> Preference | None:
    """Return the range that speaks most specifically of a media type (RFC 9110 section 12.5.1), if any.

    A range does not speak of a type that contradicts its parameters. Where the type does not mention them,
    it does so only if no other range does: ``application/json;charset=utf-8`` is what many clients send who
    want ``application/json``.

    Args:
        ranges: By value.
        media_type: The type; if it has a wildcard, only ranges that cover all of it speak of it.
    """
    value, given, _, _ = media_type
    unmentioned = None
    for pattern in (value, value[: value.find("/") + 1] + "*", "*/*"):
        decides, most = None, -1
        for candidate in ranges.get(pattern, ()):
            wanted = candidate.parameters
            if any(given.get(name, content) != content for name, content in wanted.items()):
                continue
            if not wanted.keys() <= given.keys():
                unmentioned = unmentioned or candidate
            elif len(wanted) > most:
                decides, most = candidate, len(wanted)
        if decides is not None:
            return decides
    return unmentioned


def _thousandths(weight: str) -> int:
    # What is no weight is ignored, as if none had been sent: the client did list the value. That is 1, and
    # so are "1", "1.000", "7", "inf" and "nan". Digits after the third are cut.
    match = BELOW_ONE.fullmatch(weight)
    if match is None:
        return 1000
    return int(((match[1] or match[2] or "") + "000")[:3])


def _unquote(content: str) -> str:
    if not content.startswith('"'):
        return content
    content = content[1:-1] if len(content) > 1 and content.endswith('"') else content[1:]
    return QUOTED_PAIR.sub(r"\1", content)
