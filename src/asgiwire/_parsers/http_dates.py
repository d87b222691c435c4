"""Dates in header fields (RFC 9110 section 5.6.7): a parser for the three formats, and a writer."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

# "Sun, 06 Nov 1994 08:49:37 GMT", and "Sunday, 06-Nov-94 08:49:37 GMT" of RFC 850. Some clients write a day
# of one digit, another case, or UTC instead of GMT: "Recipients of timestamp values are encouraged to be
# robust in parsing timestamps". The name of the day is not checked.
FIXED: Final = re.compile(
    r"[a-z]{3,9}, ?(?P<day>[0-9]{1,2})(?P<dash>[ -])(?P<month>[a-z]{3})(?P=dash)(?P<year>[0-9]{4}|[0-9]{2}) "
    r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}) (?:gmt|utc)"
)
# "Sun Nov  6 08:49:37 1994", the format of asctime() in C.
ASCTIME: Final = re.compile(
    r"[a-z]{3} (?P<month>[a-z]{3}) (?P<day>[ 0-9][0-9]) "
    r"(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2}) (?P<year>[0-9]{4})"
)


DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def format_http_date(date: datetime) -> str:
    """Return a date as IMF-fixdate; a datetime without time zone is UTC."""
    if date.tzinfo is not None:
        date = date.astimezone(UTC)
    day, month = DAYS[date.weekday()], MONTHS[date.month - 1].title()
    return f"{day}, {date.day:02} {month} {date.year:04} {date:%H:%M:%S} GMT"


def parse_http_date(value: str) -> datetime | None:
    """Parse a date as a datetime in UTC; return ``None`` if it is invalid."""
    value = value.strip(" \t").lower()
    match = FIXED.fullmatch(value) or ASCTIME.fullmatch(value)
    if match is None or match["month"] not in MONTHS:
        return None
    year = int(match["year"])
    hour, minute, second = map(int, match["time"].split(":"))
    if len(match["year"]) == 2:
        year = _four_digit_year(year)
    try:
        # RFC 9110 allows second 60 (a leap second), datetime does not.
        return datetime(
            year,
            MONTHS.index(match["month"]) + 1,
            int(match["day"]),
            hour,
            minute,
            59 if second == 60 else second,
            tzinfo=UTC,
        )
    except ValueError:
        return None


def _four_digit_year(year: int) -> int:
    # "Recipients of a timestamp value in rfc850-date format [...] MUST interpret a timestamp that appears to
    # be more than 50 years in the future as representing the most recent year in the past that had the same
    # last two digits."
    this_year = datetime.now(UTC).year
    year += this_year - this_year % 100
    return year - 100 if year > this_year + 50 else year
