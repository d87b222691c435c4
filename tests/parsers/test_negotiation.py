"""Parser for lists with weights, and matching of media ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.negotiation import (
    covers,
    most_specific_range,
    parse_media_ranges,
    parse_preference,
    parse_preferences,
)
from tests.floods import must_end

if TYPE_CHECKING:
    from asgiwire._parsers.negotiation import Preference

EXAMPLES = [
    "da, en-gb;q=0.8, en;q=0.7",
    "text/html, application/xhtml+xml;q=0.9, */*; q=0.8",
    'text/x;a="b,c;d\\"e", text/y;Q=0.5 ; b = C',
]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param(", ,,\t, ", [], id="empty elements"),
        pytest.param(";q=1, ;", [], id="no value"),
        pytest.param("gzip", [("gzip", 1000)], id="one"),
        pytest.param("GZip ,, br", [("gzip", 1000), ("br", 1000)], id="order, case and blanks"),
        pytest.param("en-GB;q=0.8, *;q=0", [("en-gb", 800), ("*", 0)], id="weights"),
        pytest.param("a; Q=0.5", [("a", 500)], id="upper case"),
        pytest.param('a;q="0.5"', [("a", 500)], id="quoted weight"),
        pytest.param("a;q=0.5;q=1", [("a", 500)], id="the first weight is used"),
        pytest.param("identity;q=1, *;q=0", [("identity", 1000), ("*", 0)], id="Chromium for media"),
    ],
)
def test_preferences(field: str, expected: list[tuple[str, int]]) -> None:
    assert [(element.value, element.quality) for element in parse_preferences(field)] == expected


@pytest.mark.parametrize(
    ("weight", "quality"),
    [
        ("0", 0), ("0.", 0), ("0.0", 0), ("0.000", 0), ("1", 1000), ("1.", 1000), ("1.000", 1000),
        ("0.5", 500), ("0.28", 280), ("0.29", 290), ("0.281", 281), ("0.001", 1), ("0.999", 999),
        # more than RFC 9110 allows
        (".2", 200), ("0.1239", 123), ("0." + "9" * 9_000, 999),
        # invalid weights are ignored
        ("", 1000), ("inf", 1000), ("-inf", 1000), ("nan", 1000), ("1e-1", 1000), ("-0.5", 1000),
        ("+0.5", 1000),
        ("2", 1000), ("1.5", 1000), ("00.5", 1000), ("0,5", 1000), ("0.٣", 1000), ("0_0", 1000), (".", 1000),
        ("x", 1000), ("9" * 9_000, 1000),
    ],
)  # fmt: skip
def test_weight(weight: str, quality: int) -> None:
    """RFC 9110 section 12.4.2: qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )."""
    assert parse_preference(f"a;q={weight}").quality == quality


@pytest.mark.parametrize(
    ("element", "parameters"),
    [
        ("a/b", {}),
        ("a/b;", {}),
        ("a/b;c=d", {"c": "d"}),
        ("a/b ; C = D ;; e", {"c": "d", "e": ""}),
        ("a/b;c=d;q=0.1;e=f", {"c": "d", "e": "f"}),
        ("a/b;c=1;c=2", {"c": "1"}),
        ("a/b;=1", {}),
        ('a/b;c="d;e,f";g=h', {"c": "d;e,f", "g": "h"}),
        (r'a/b;c="d\"e\\"', {"c": 'd"e\\'}),
        ('a/b;c=""', {"c": ""}),
        ('a/b;c="', {"c": ""}),
        ('a/b;c="d', {"c": "d"}),
        ('a/b;c="d\\', {"c": "d\\"}),
        ('a/b;c=d"e"', {"c": 'd"e"'}),
    ],
)
def test_parameters(element: str, parameters: dict[str, str]) -> None:
    assert parse_preference(element).parameters == parameters


@pytest.mark.parametrize(
    ("element", "text"),
    [
        (" Text/HTML ", "text/html"),
        ("Text/HTML ; Level=1;q=0.5 ", "text/html; Level=1;q=0.5"),
    ],
)
def test_text_contains_the_parameters_as_sent(element: str, text: str) -> None:
    assert parse_preference(element).text == text


def test_quoted_commas_are_not_separators() -> None:
    ranges = parse_preferences('a/b;x="1,2", c/d;y="\\",", e/f')
    assert [(element.value, element.parameters) for element in ranges] == [
        ("a/b", {"x": "1,2"}),
        ("c/d", {"y": '",'}),
        ("e/f", {}),
    ]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("text/html", ["text/html"]),
        ("*/*", ["*/*"]),
        ("text/*;q=0.5", ["text/*;q=0.5"]),
        ("text/html, image/gif, *; q=.2, */*; q=.2", ["text/html", "image/gif", "*/*; q=.2", "*/*; q=.2"]),
        ("text", []),
        ("text/", []),
        ("/html", []),
        ("/", []),
        ("*/html", []),
        ("a/b/c", []),
        ("te xt/html", []),
        ("text/ html", []),
        ('"text/html"', []),
        ("text/html\0", []),
        ("tëxt/html", []),
        ("junk, text/html", ["text/html"]),
        ("application/vnd.api+json", ["application/vnd.api+json"]),
    ],
)
def test_media_ranges(field: str, expected: list[str]) -> None:
    assert [media_range.text for media_range in parse_media_ranges(field)] == expected


@pytest.mark.parametrize(
    ("media_range", "media_type", "expected"),
    [
        ("a/b", "a/b", True),
        ("a/*", "a/b", True),
        ("*/*", "a/b", True),
        ("*/*", "a/*", True),
        ("a/*", "a/*", True),
        ("a/b", "a/*", False),
        ("a/*", "*/*", False),
        ("a/b", "a/bc", False),
        ("a/*", "ab/c", False),
    ],
)
def test_covers(media_range: str, media_type: str, expected: bool) -> None:
    assert covers(media_range, media_type) is expected


def by_value(field: str) -> dict[str, list[Preference]]:
    ranges: dict[str, list[Preference]] = {}
    for media_range in parse_media_ranges(field):
        ranges.setdefault(media_range.value, []).append(media_range)
    return ranges


RFC_9110 = (
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/plain;format=fixed;q=0.4, */*;q=0.5"
)


@pytest.mark.parametrize(
    ("media_type", "quality"),
    [
        ("text/plain;format=flowed", 1000),
        ("text/plain", 700),
        ("text/html", 300),
        ("image/jpeg", 500),
        ("text/plain;format=fixed", 400),
        ("text/plain;format=other", 700),
        ("text/html;level=3", 300),
    ],
)
def test_most_specific_range_is_used(media_type: str, quality: int) -> None:
    """RFC 9110 section 12.5.1: "the most specific reference has precedence"; all rows of its table."""
    match = most_specific_range(by_value(RFC_9110), parse_preference(media_type))
    assert match is not None
    assert match.quality == quality


@pytest.mark.parametrize(
    ("field", "media_type", "expected"),
    [
        pytest.param("a/b;x=1", "a/c", None, id="another type"),
        pytest.param("a/b;x=1", "a/b;x=2", None, id="parameter with another value"),
        pytest.param("a/b;x=1", "a/b;X=1", "a/b;x=1", id="names in any case"),
        pytest.param(
            "a/b;charset=UTF-8", 'a/b; charset="utf-8"', "a/b;charset=UTF-8", id="values in any case"
        ),
        pytest.param("a/b;x=1", "a/b", "a/b;x=1", id="missing parameter"),
        pytest.param("a/b;x=1, */*", "a/b", "*/*", id="missing parameter comes last"),
        pytest.param("a/b;x=1, a/b;y=1", "a/b", "a/b;x=1", id="missing parameters, the first"),
        pytest.param("a/b;x=1, a/*;x=1", "a/b", "a/b;x=1", id="missing parameters, the most specific"),
        pytest.param("a/b, a/b;x=1;y=2, a/b;x=1", "a/b;x=1;y=2;z=3", "a/b;x=1;y=2", id="most parameters"),
        pytest.param("a/*;x=1, a/b", "a/b;x=1", "a/b", id="type before parameters"),
        pytest.param("a/b;q=0.5, a/b", "a/b", "a/b;q=0.5", id="equal ranges, the first"),
        pytest.param("a/b", "a/*", None, id="a type does not match a wildcard"),
    ],
)
def test_most_specific_range(field: str, media_type: str, expected: str | None) -> None:
    match = most_specific_range(by_value(field), parse_preference(media_type))
    assert (match and match.text) == expected


@pytest.mark.parametrize("field", EXAMPLES)
def test_every_prefix(field: str) -> None:
    """Truncating a field affects its last element only."""
    whole = parse_preferences(field)
    for end in range(len(field)):
        cut = parse_preferences(field[:end])
        assert cut[:-1] == whole[: max(len(cut) - 1, 0)]


@must_end
@pytest.mark.parametrize(
    "field",
    [
        pytest.param('a/b;c="' + "\\" * 1_000_000, id="backslashes"),
        pytest.param('"' * 1_000_000, id="quotes"),
        pytest.param('\\"' * 500_000, id="escaped quotes"),
        pytest.param("," * 1_000_000 + '"', id="commas"),
        pytest.param("a/b" + ";" * 1_000_000 + '"', id="semicolons"),
        pytest.param("a/b," * 250_000, id="elements"),
        pytest.param("a" * 1_000_000, id="a long token"),
        pytest.param("a/b;q=0." + "1" * 1_000_000, id="a long weight"),
    ],
)
def test_time_is_linear(field: str) -> None:
    parse_media_ranges(field)


@given(st.text() | st.text('ab/*;q=01.,"\\ \t'))
def test_never_raises(field: str) -> None:
    for element in parse_preferences(field):
        assert 0 <= element.quality <= 1000
        assert "q" not in element.parameters
    assert all("/" in media_range.value for media_range in parse_media_ranges(field))


@pytest.mark.parametrize("separator", [",", ", ,", ',"",'])
def test_elements_after_the_maximum_are_ignored(separator: str) -> None:
    field = separator.join(f"a{number}" for number in range(300))
    assert len([one for one in parse_preferences(field) if one.value.startswith("a")]) in (128, 256)
    assert parse_preferences(field)[0].value == "a0"
