"""Range: which bytes of a representation are meant."""

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
        # the order asked for, and nothing twice
        ("bytes=-1,0-0", 10, [(9, 10), (0, 1)]),
        ("bytes=8-9,0-1,4-5", 10, [(8, 10), (0, 2), (4, 6)]),
        ("bytes=8-9,0-1,1-3", 10, [(8, 10), (0, 4)]),
        ("bytes=0-1,8-9,1-3", 10, [(0, 4), (8, 10)]),
        ("bytes=" + "0-," * 1000, 10, [(0, 10)]),
        ("bytes=0-9,2-3", 10, [(0, 10)]),
    ],
)
def test_for_size(field: str, size: int, expected: list[tuple[int, int]]) -> None:
    asked = Range.from_header(field)
    assert asked is not None
    parts = asked.for_size(size)
    assert parts is not None
    assert [(part.start, part.stop) for part in parts] == expected


def test_another_unit_is_to_be_ignored() -> None:
    items = Range.from_header("items=0-9")
    assert items is not None
    assert items.for_size(100) is None
    assert items.for_size(100, "items") == [range(10)]


def test_what_is_invalid() -> None:
    assert Range.from_header("bytes=1-0") is None
    assert Range.from_header("") is None


def test_value() -> None:
    asked = Range.from_header("Bytes=0-499, 500-,-7")
    assert asked == Range("bytes", ((0, 499), (500, None), (None, 7)))
    assert str(asked) == "bytes=0-499,500-,-7"
    assert {asked: 1}[pickle.loads(pickle.dumps(asked))] == 1


@given(ranges, st.integers(0, 50))
def test_what_is_sent_is_what_was_asked_for_once(
    asked: list[tuple[int | None, int | None]], size: int
) -> None:
    parts = Range("bytes", tuple(asked)).for_size(size)
    assert parts is not None

    wanted = set()
    for first, last in asked:
        if first is None:
            wanted |= set(range(size)[-last:] if last else ())
        else:
            wanted |= set(range(size)[first : size if last is None else last + 1])
    sent = [position for part in parts for position in part]
    assert len(sent) == len(set(sent))
    assert set(sent) == wanted


@given(ranges)
def test_what_is_written_is_read(asked: list[tuple[int | None, int | None]]) -> None:
    value = Range("bytes", tuple(asked))
    assert Range.from_header(str(value)) == value
