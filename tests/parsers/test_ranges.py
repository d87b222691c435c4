"""Parser for the Range header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.ranges import MAX_POSITION, parse_range
from tests.floods import flood, must_end

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
        ("bytes=0-" + "9" * 9_000, [(0, MAX_POSITION)]),
        ("bytes=" + "9" * 9_000 + "-", [(MAX_POSITION, None)]),
        ("bytes=" + "0" * 9_000 + "1-", [(1, None)]),
    ],
)
def test_ranges(field: str, ranges: list[Numbers]) -> None:
    assert parse_range(field) == ("bytes", ranges)


def test_other_unit() -> None:
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
def test_invalid_header(field: str) -> None:
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


@must_end
@pytest.mark.parametrize("pattern", [b"9", b",", b"-", b"0-,", b"="])
def test_time_is_linear(pattern: bytes) -> None:
    parse_range(f"bytes={flood(pattern).decode()}")


@given(st.text() | st.text("bytes=0123456789-, ").map("bytes={}".format))
def test_never_raises(field: str) -> None:
    parsed = parse_range(field)
    if parsed is not None:
        for first, last in parsed[1]:
            assert first is not None or last is not None
            assert first is None or last is None or 0 <= first <= last <= MAX_POSITION
