"""Parser for dates in header fields."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.http_dates import format_http_date, parse_http_date

EXPECTED = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
FORMATS = [
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
]


@pytest.mark.parametrize("value", FORMATS)
def test_three_formats(value: str) -> None:
    """RFC 9110 section 5.6.7: a recipient "MUST accept all three HTTP-date formats"."""
    assert parse_http_date(value) == EXPECTED


@pytest.mark.parametrize(
    "value",
    [
        " Sun, 06 Nov 1994 08:49:37 GMT\t",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "Sun,06 Nov 1994 08:49:37 UTC",
        "Mon, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 06 08:49:37 1994",
    ],
)
def test_formats_of_some_clients(value: str) -> None:
    assert parse_http_date(value) == EXPECTED


def test_leap_second_becomes_second_59() -> None:
    expected = datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT") == expected


def test_two_digit_years() -> None:
    """RFC 9110: a year more than 50 years in the future is "the most recent year in the past"."""
    this_year = datetime.now(UTC).year
    for year in (this_year, this_year + 50, this_year - 49):
        date = parse_http_date(f"Sunday, 06-Nov-{year % 100:02} 08:49:37 GMT")
        assert date is not None
        assert date.year == year


@pytest.mark.parametrize(
    "value",
    [
        "", "0", "784111777", "yesterday", "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT", "Sun, 06 Nov 994 08:49:37 GMT",
        "Sun, 06 Nov-1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, ٠٦ Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 94",
    ],
)  # fmt: skip
def test_invalid_date(value: str) -> None:
    assert parse_http_date(value) is None


@pytest.mark.parametrize("value", FORMATS)
def test_prefixes_are_invalid(value: str) -> None:
    assert [parse_http_date(value[:end]) for end in range(len(value))] == [None] * len(value)


@given(st.text() | st.text("SunNov ,-:0123456789GMT"))
def test_never_raises(value: str) -> None:
    date = parse_http_date(value)
    assert date is None or date.tzinfo is UTC


@given(st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)))
def test_formatted_date_is_parsed_again(date: datetime) -> None:
    assert parse_http_date(format_http_date(date)) == date.replace(microsecond=0)
    assert format_http_date(date.replace(tzinfo=None)) == format_http_date(date)
    assert format_http_date(date) == format_datetime(date, usegmt=True)
