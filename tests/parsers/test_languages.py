"""Matching of language ranges and tags (RFC 4647)."""

from __future__ import annotations

import pytest

from asgiwire._parsers.languages import (
    longest_matching_range,
    normalize_tag,
    parse_language_ranges,
    prefixes,
    shortened,
)
from asgiwire._parsers.negotiation import parse_preferences


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("da, en-gb;q=0.8, *;q=0.1", ["da", "en-gb", "*"]),
        ("zh-Hant-CN-x-private1", ["zh-hant-cn-x-private1"]),
        ("en_US, de-1996", ["en-us", "de-1996"]),
        ("", []),
        ("e n, é, -en, en-, en--gb, 1a, de-*, *-ch, abcdefghi, en-abcdefghi, en-é, en\0", []),
    ],
)
def test_ranges(field: str, expected: list[str]) -> None:
    """RFC 4647 section 2.1: language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*"."""
    ranges = parse_language_ranges(parse_preferences(field))
    assert [language_range.value for language_range in ranges] == expected


def test_prefixes() -> None:
    assert list(prefixes("zh-hant-cn")) == ["zh-hant-cn", "zh-hant", "zh"]
    assert list(prefixes("")) == []


def test_normalize_tag() -> None:
    assert normalize_tag(" en_GB ") == "en-gb"


@pytest.mark.parametrize(
    ("field", "tag", "expected"),
    [
        ("de-de", "de-de", "de-de"),
        ("de-de", "de-de-1996", "de-de"),
        ("de-de", "de-deva", None),
        ("de-de", "de-latn-de", None),
        ("de-de", "de", None),
        ("de, de-de", "de-de-1996", "de-de"),
        ("*, de", "de-ch", "de"),
        ("*, de", "fr", "*"),
    ],
)
def test_most_specific_range(field: str, tag: str, expected: str | None) -> None:
    """RFC 4647 section 3.3.1: the range "exactly equals the tag", or is a prefix of it before a "-"."""
    ranges = {preference.value: preference for preference in parse_preferences(field)}
    match = longest_matching_range(ranges, tag)
    assert (match and match.value) == expected


@pytest.mark.parametrize(
    ("language_range", "expected"),
    [
        # The example of RFC 4647 section 3.4.
        ("zh-hant-cn-x-private1-private2", ["zh-hant-cn-x-private1", "zh-hant-cn", "zh-hant", "zh"]),
        ("de-a-b-c", ["de"]),
        ("x-a", ["x"]),
        ("en", []),
        ("*", []),
        ("", []),
    ],
)
def test_shortened(language_range: str, expected: list[str]) -> None:
    assert list(shortened(language_range)) == expected
