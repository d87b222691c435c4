"""The Range header."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures import Range

positions = st.integers(0, 60)
ranges = st.lists(
    st.one_of(
        st.tuples(positions, st.none()),
        st.tuples(st.none(), positions),
        st.tuples(positions, positions).map(lambda pair: (min(pair), max(pair))),
    ),
    min_size=1,
)


@pytest.mark.parametrize(
    ("field", "size", "expected"),
    [
        # RFC 9110 section 14.1.2: the examples for a representation of 10,000 octets
        ("bytes=0-499", 10_000, [(0, 500)]),
        ("bytes=500-999", 10_000, [(500, 1000)]),
        ("bytes=-500", 10_000, [(9500, 10_000)]),
        ("bytes=9500-", 10_000, [(9500, 10_000)]),
        ("bytes=0-0,-1", 10_000, [(0, 1), (9999, 10_000)]),
        ("bytes= 0-999, 4500-5499, -1000", 10_000, [(0, 1000), (4500, 5500), (9000, 10_000)]),
        ("bytes=500-600,601-999", 10_000, [(500, 1000)]),
        ("bytes=500-700,601-999", 10_000, [(500, 1000)]),
        # the end
        ("bytes=0-", 10, [(0, 10)]),
        ("bytes=0-99", 10, [(0, 10)]),
        ("bytes=9-9", 10, [(9, 10)]),
        ("bytes=10-", 10, []),
        ("bytes=10-,5-5", 10, [(5, 6)]),
        ("bytes=-20", 10, [(0, 10)]),
        ("bytes=-0", 10, []),
        ("bytes=0-", 0, []),
        ("bytes=-5", 0, []),
        ("bytes=" + "9" * 5000 + "-", 10, []),
        ("bytes=0-" + "9" * 5000, 10, [(0, 10)]),
        # in the order of the request, without duplicates
        ("bytes=-1,0-0", 10, [(9, 10), (0, 1)]),
        ("bytes=8-9,0-1,4-5", 10, [(8, 10), (0, 2), (4, 6)]),
        ("bytes=8-9,0-1,1-3", 10, [(8, 10), (0, 4)]),
        ("bytes=0-1,8-9,1-3", 10, [(0, 4), (8, 10)]),
        ("bytes=" + "0-," * 1000, 10, [(0, 10)]),
        ("bytes=0-9,2-3", 10, [(0, 10)]),
    ],
)
def test_for_size(field: str, size: int, expected: list[tuple[int, int]]) -> None:
    requested = Range.from_header(field)
    assert requested is not None
    parts = requested.for_size(size)
    assert parts is not None
    assert [(part.start, part.stop) for part in parts] == expected


def test_other_unit() -> None:
    items = Range.from_header("items=0-9")
    assert items is not None
    assert items.for_size(100) is None
    assert items.for_size(100, "items") == [range(10)]


def test_invalid_header() -> None:
    assert Range.from_header("bytes=1-0") is None
    assert Range.from_header("") is None


def test_value() -> None:
    requested = Range.from_header("Bytes=0-499, 500-,-7")
    assert requested == Range("bytes", ((0, 499), (500, None), (None, 7)))
    assert str(requested) == "bytes=0-499,500-,-7"
    assert {requested: 1}[pickle.loads(pickle.dumps(requested))] == 1


@given(ranges, st.integers(0, 50))
def test_each_position_is_sent_once(requested: list[tuple[int | None, int | None]], size: int) -> None:
    parts = Range("bytes", tuple(requested)).for_size(size)
    assert parts is not None

    expected = set()
    for first, last in requested:
        if first is None:
            expected |= set(range(size)[-last:] if last else ())
        else:
            expected |= set(range(size)[first : size if last is None else last + 1])
    sent = [position for part in parts for position in part]
    assert len(sent) == len(set(sent))
    assert set(sent) == expected


@given(ranges)
def test_round_trip(requested: list[tuple[int | None, int | None]]) -> None:
    value = Range("bytes", tuple(requested))
    assert Range.from_header(str(value)) == value
