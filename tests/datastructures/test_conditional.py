"""The If-Match, If-None-Match and If-Range headers."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures import ETag, IfMatch, IfNoneMatch, IfRange

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
HTTP_NOW = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("listed", "current", "strong", "weak"),
    [
        # the table in RFC 9110 section 8.8.3.2
        ('W/"1"', 'W/"1"', False, True),
        ('W/"1"', 'W/"2"', False, False),
        ('W/"1"', '"1"', False, True),
        ('"1"', '"1"', True, True),
        # other cases
        ('"1"', 'W/"1"', False, True),
        ('"0", "1"', '"1"', True, True),
        ('"a,b"', '"a,b"', True, True),
        ('""', '""', True, True),
        ('"1', '"1"', False, False),
        ("1", '"1"', False, False),
        ('"1" "2"', '"1"', False, False),
        ('"x", *', '"1"', False, False),
        ("", '"1"', False, False),
        ('"1"', None, False, False),
        ("*", '"1"', True, True),
        (" * ", 'W/"1"', True, True),
        ("*", None, False, False),
    ],
)
def test_comparison(listed: str, current: str | None, strong: bool, weak: bool) -> None:
    etag = None if current is None else ETag.from_header(current)
    assert IfMatch.from_header(listed).matches(current) is strong
    assert IfMatch.from_header(listed).matches(etag) is strong
    assert IfNoneMatch.from_header(listed).matches(current) is weak
    assert IfNoneMatch.from_header(listed).matches(etag) is weak


@pytest.mark.parametrize("condition", [IfMatch(any=True), IfNoneMatch(any=True), IfRange()])
@pytest.mark.parametrize("etag", ["abc", "", '"a', "*", '"a", "b"'])
def test_etag_without_quotes_raises(condition: IfMatch | IfNoneMatch | IfRange, etag: str) -> None:
    with pytest.raises(ValueError, match=r"^expected an entity tag in quotes, such as "):
        condition.matches(etag)


def test_tags() -> None:
    condition = IfNoneMatch.from_header('W/"a", junk, "b"')
    assert list(condition) == [ETag(weak=True, value="a"), ETag(value="b")]
    assert len(condition) == 2
    assert not condition.any
    assert str(condition) == 'W/"a", "b"'
    assert IfMatch.from_header("*").any
    assert str(IfMatch.from_header("*")) == "*"


def test_malformed_condition_is_true() -> None:
    assert IfMatch.from_header("junk")
    assert len(IfMatch.from_header("junk")) == 0


def test_equality() -> None:
    condition = IfMatch.from_header('"a","b"')
    assert condition == IfMatch.from_header('"a", "b"')
    assert hash(condition) == hash(IfMatch.from_header('"a", "b"'))
    assert condition != IfNoneMatch.from_header('"a", "b"')
    assert pickle.loads(pickle.dumps(condition)) == condition
    assert len({IfRange.from_header('"a"'), IfRange.from_header('"a"'), IfRange.from_header(HTTP_NOW)}) == 2


@pytest.mark.parametrize(
    ("value", "current", "expected"),
    [
        ('"1"', '"1"', True),
        (' "1" ', '"1"', True),
        ('"1"', '"2"', False),
        ('W/"1"', 'W/"1"', False),
        ('W/"1"', '"1"', False),
        ('"1"', 'W/"1"', False),
        ('"1"', None, False),
        ("junk", '"1"', False),
        ("*", '"1"', False),
        ('"1", "2"', '"1"', False),
        ("", '"1"', False),
    ],
)
def test_if_range_with_an_etag(value: str, current: str | None, expected: bool) -> None:
    condition = IfRange.from_header(value)
    assert condition.matches(current, NOW) is expected
    assert condition.date is None


@pytest.mark.parametrize(
    ("last_modified", "expected"),
    [
        (NOW, True),
        (NOW.replace(microsecond=999_999), True),
        (NOW.replace(tzinfo=None), True),
        (NOW.astimezone(timezone(timedelta(hours=2))), True),
        (NOW - timedelta(seconds=1), False),  # RFC 9110: "exactly matches"
        (NOW + timedelta(seconds=1), False),
        (None, False),
    ],
)
def test_if_range_with_a_date(last_modified: datetime | None, expected: bool) -> None:
    condition = IfRange.from_header(HTTP_NOW)
    assert condition == IfRange(date=NOW)
    assert condition.matches('"1"', last_modified) is expected
    assert condition.matches(last_modified=last_modified) is expected


@given(st.text() | st.text('W/",* a'))
def test_never_raises(field: str) -> None:
    for kind in (IfMatch, IfNoneMatch):
        condition = kind.from_header(field)
        assert kind.from_header(str(condition)) == condition
    IfRange.from_header(field).matches('"a"', NOW)
