"""Range: numbers out of what the grammar allows, nothing out of anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.ranges import MAXIMUM, parse_range
from tests.parsers.timing import takes_linear_time

Numbers = tuple[int | None, int | None]


@pytest.mark.parametrize(
    ("field", "ranges"),
    [
        ("bytes=0-499", [(0, 499)]),
        ("bytes=500-", [(500, None)]),
        ("bytes=-500", [(None, 500)]),
        ("bytes=-0", [(None, 0)]),
        ("bytes=0-0,-1", [(0, 0), (None, 1)]),
        ("bytes= 0-999 , 4500-5499,\t-1000", [(0, 999), (4500, 5499), (None, 1000)]),
        ("bytes=,0-1,,2-3,", [(0, 1), (2, 3)]),
        (" Bytes=0-1 ", [(0, 1)]),
        ("bytes=007-0008", [(7, 8)]),
        ("bytes=000-", [(0, None)]),
        ("bytes=0-" + "9" * 9_000, [(0, MAXIMUM)]),
        ("bytes=" + "9" * 9_000 + "-", [(MAXIMUM, None)]),
        ("bytes=" + "0" * 9_000 + "1-", [(1, None)]),
    ],
)
def test_ranges(field: str, ranges: list[Numbers]) -> None:
    assert parse_range(field) == ("bytes", ranges)


def test_another_unit() -> None:
    assert parse_range("Items=0-9") == ("items", [(0, 9)])


@pytest.mark.parametrize(
    "field",
    [
        "", "bytes", "bytes=", "bytes=,", "=0-1", "0-1", "bytes:0-1", "bytes =0-1", "by tes=0-1", "bytes=-",
        "bytes=--1", "bytes=1", "bytes=a-b", "bytes=2-1", "bytes=0-1,2-1", "bytes=0-1,x", "bytes=0 - 1",
        "bytes=0-1-2", "bytes=+1-2", "bytes=1_0-20", "bytes=٠-١", "bytes=0-1;2-3", "bytes=0x1-0x2",
        "bytes=0-1\n",
    ],
)  # fmt: skip
def test_what_is_invalid_is_nothing(field: str) -> None:
    """RFC 9110 section 14.2: a server "MAY ignore" a field "that contains an invalid ranges-specifier"."""
    assert parse_range(field) is None


def test_every_prefix() -> None:
    field = "bytes=0-499,500-,-7"
    read = {field[:end]: parse_range(field[:end]) for end in range(len(field))}
    assert {cut: ranges for cut, ranges in read.items() if ranges is not None} == {
        "bytes=0-": ("bytes", [(0, None)]),
        "bytes=0-4": ("bytes", [(0, 4)]),
        "bytes=0-49": ("bytes", [(0, 49)]),
        "bytes=0-499": ("bytes", [(0, 499)]),
        "bytes=0-499,": ("bytes", [(0, 499)]),
        "bytes=0-499,500-": ("bytes", [(0, 499), (500, None)]),
        "bytes=0-499,500-,": ("bytes", [(0, 499), (500, None)]),
    }


@pytest.mark.parametrize("flood", [b"9", b",", b"-", b"0-,", b"="])
def test_time_is_linear(flood: bytes) -> None:
    assert takes_linear_time(lambda data: parse_range(f"bytes={data.decode()}"), flood)


@given(st.text() | st.text("bytes=0123456789-, ").map("bytes={}".format))
def test_nothing_raises(field: str) -> None:
    parsed = parse_range(field)
    if parsed is not None:
        for first, last in parsed[1]:
            assert first is not None or last is not None
            assert first is None or last is None or 0 <= first <= last <= MAXIMUM
