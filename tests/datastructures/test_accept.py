"""The Accept header: RFC 9110, test cases of Litestar, and issues that its users reported."""

from __future__ import annotations

import copy
import pickle
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures.accept import Accept

CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7"
)


class MediaType(StrEnum):
    TEXT = "text/plain"


@pytest.mark.parametrize(
    ("accept_value", "provided_types", "expected"),
    [
        # from Litestar; the differences are in test_differences_from_litestar
        ("text/plain", ["text/plain"], "text/plain"),
        ("text/plain", [MediaType.TEXT], MediaType.TEXT),
        ("text/plain", ["text/html"], None),
        ("text/*", ["text/html"], "text/html"),
        ("*/*", ["text/html"], "text/html"),
        ("text/plain;p=test", ["text/plain"], "text/plain"),
        ("text/plain;p=test", ["text/plain;p=test"], "text/plain;p=test"),
        ("text/plain", ["text/*"], "text/plain"),
        ("text/html", ["*/*"], "text/html"),
        ("text/plain;q=0.8,text/html", ["text/plain", "text/html"], "text/html"),
        ("text/*,text/html", ["text/plain", "text/html"], "text/html"),
        # weights
        ("text/html;q=0.28, text/plain;q=0.29", ["text/html", "text/plain"], "text/plain"),
        ("text/html;q=0.281, text/plain;q=0.282", ["text/html", "text/plain"], "text/plain"),
        ("a/b;q=0", ["a/b"], None),
        ("a/b;q=0, */*", ["a/b", "a/c"], "a/c"),
        ("*/*;q=0", ["a/b"], None),
        ("a/*;q=0, a/b", ["a/c", "a/b"], "a/b"),
        ("a/b;q=inf, a/c;q=nan", ["a/c", "a/b"], "a/b"),
        # preference, then the order of the provided types
        ("a/b, a/c", ["a/c", "a/b"], "a/b"),
        ("a/*", ["a/c", "a/b"], "a/c"),
        ("*/*", ["a/c", "a/b"], "a/c"),
        ("a/b;q=0.5, a/c;x=1;q=0.5", ["a/b", "a/c;x=1"], "a/c;x=1"),
        (CHROMIUM, ["application/json", "text/html"], "text/html"),
        (CHROMIUM, ["application/json"], "application/json"),
        (CHROMIUM, ["application/signed-exchange;v=b3", "application/json"], "application/json"),
        # types are returned as provided
        ("text/html", ["Text/HTML; Charset=utf-8"], "Text/HTML; Charset=utf-8"),
        # provided wildcards
        ("text/html;q=0, text/plain;q=0.5", ["text/*"], "text/plain"),
        ("text/html;q=0", ["text/*"], None),
        ("image/png", ["text/*"], None),
        ("text/html;level=1", ["text/*;charset=utf-8"], "text/html;charset=utf-8"),
        ("*/*", ["text/*"], "text/*"),
        ("text/*", ["*/*"], "text/*"),
        ("text/*", ["text/*; a=b"], "text/*; a=b"),
        # no ranges, no provided types
        ("", ["a/b", "a/c"], "a/b"),
        ("junk", ["a/b"], "a/b"),
        ("", [], None),
        ("a/b", [], None),
        ("a/b", ["junk"], None),
    ],
)
def test_best_match(accept_value: str, provided_types: list[str], expected: str | None) -> None:
    accept = Accept(accept_value)
    assert accept.best_match(provided_types) == expected
    assert accept.best_match(tuple(provided_types), "x/y") == (expected or "x/y")
    assert accept.best_match(provided_types=provided_types, default=None) == expected


@pytest.mark.parametrize(
    ("accept_value", "provided_types", "expected"),
    [
        pytest.param(
            "text/*, text/html;q=0.1", ["text/html", "text/plain"], "text/plain", id="most specific range"
        ),
        pytest.param(
            "text/html", ["text/html; charset=utf-8"], "text/html; charset=utf-8", id="provided parameter"
        ),
        pytest.param('a/b;x="1,2"', ['a/b;x="1,2"'], 'a/b;x="1,2"', id="comma in quotes"),
        pytest.param("text/html;q=0, text/plain", ["text/html"], None, id="q=0 excludes"),
    ],
)
def test_differences_from_litestar(
    accept_value: str, provided_types: list[str], expected: str | None
) -> None:
    assert Accept(accept_value).best_match(provided_types) == expected


@pytest.mark.parametrize(
    ("accept_value", "media_type", "expected"),
    [
        ("text/plain;q=0.8,text/html", MediaType.TEXT, True),
        ("text/html", "text/plain", False),
        ("text/html", "Text/HTML", True),
        ("text/html", "text/html; charset=utf-8", True),
        ("text/html;q=0", "text/html", False),
        ("*/*;q=0.001, text/html;q=0", "text/html", False),
        ("*/*;q=0.001, text/html;q=0", "text/plain", True),
        ("text/html", "text/*", False),
        ("text/*", "text/*", True),
        ("*/*", "text/*", True),
        ("text/*", "*/*", False),
        ("", "text/html", True),
        ("junk", "text/html", True),
    ],
)
def test_accepts(accept_value: str, media_type: str, expected: bool) -> None:
    assert Accept(accept_value).accepts(media_type) is expected


def test_order_is_by_weight_specificity_and_position() -> None:
    accept = Accept("*/*, a/b;q=0.5, a/*, a/b, a/c, a/b;x=1;y=2, a/b;x=1, z/z;q=0")
    assert list(accept) == ["a/b;x=1;y=2", "a/b;x=1", "a/b", "a/c", "a/*", "*/*", "a/b;q=0.5", "z/z;q=0"]


def test_sequence() -> None:
    accept = Accept("a/b;q=0.5, C/D; x=1")
    assert len(accept) == 2
    assert accept[0] == "c/d; x=1"
    assert accept[-1] == "a/b;q=0.5"
    assert list(accept) == [accept[0], accept[1]]
    with pytest.raises(IndexError):
        accept[2]


def test_empty_header_has_no_ranges() -> None:
    assert list(Accept("")) == []
    assert len(Accept("")) == 0


def test_str_and_repr() -> None:
    accept = Accept("a/b;q=0.5,C/D")
    assert str(accept) == "c/d, a/b;q=0.5"
    assert repr(accept) == "Accept('c/d, a/b;q=0.5')"


def test_equality() -> None:
    assert Accept("a/b;q=0.5,C/D") == Accept("c/d, a/b;q=0.5")
    assert hash(Accept("a/b;q=0.5,C/D")) == hash(Accept("c/d, a/b;q=0.5"))
    assert Accept("a/b") != Accept("a/c")
    assert Accept("a/b") != "a/b"


def test_copies() -> None:
    accept = Accept(CHROMIUM)
    assert pickle.loads(pickle.dumps(accept)) == accept
    assert copy.deepcopy(accept).best_match(["a/b"]) == "a/b"


media_types = st.sampled_from(["a/b", "a/c", "d/e", "a/b;x=1", "a/*", "*/*"])
accept_values = st.lists(st.tuples(media_types, st.sampled_from(["", ";q=0", ";q=0.5", ";q=junk"]))).map(
    lambda ranges: ", ".join(f"{value}{weight}" for value, weight in ranges)
)


@given(accept_values, st.lists(media_types))
def test_best_match_is_accepted(accept_value: str, provided_types: list[str]) -> None:
    accept = Accept(accept_value)
    concrete = [provided for provided in provided_types if "*" not in provided]
    best = accept.best_match(concrete)
    assert (best is not None) == any(accept.accepts(provided) for provided in concrete)
    assert best is None or accept.accepts(best)


@given(st.text() | accept_values | st.text('ab/*;q=01.,"\\ \t'))
def test_str_can_be_parsed(accept_value: str) -> None:
    accept = Accept(accept_value)
    assert Accept(str(accept)) == accept
    accept.best_match(["a/b", "a/*", accept_value])
