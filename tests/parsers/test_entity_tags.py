"""Parser for lists of entity tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.entity_tags import split_entity_tags
from tests.floods import flood, must_end


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("", []),
        (" , ,\t", []),
        ("*", ["*"]),
        ('"xyzzy"', ['"xyzzy"']),
        ('W/"xyzzy", "r2d2xxxx" ,"c3piozzzz"', ['W/"xyzzy"', '"r2d2xxxx"', '"c3piozzzz"']),
        ('"a,b", "c"', ['"a,b"', '"c"']),
        ('"a\\", "b"', ['"a\\"', '"b"']),
        ('"", W/""', ['""', 'W/""']),
        ("a, b", ["a", "b"]),
        ('"a, b', ['"a, b']),
        ('"a" "b"', ['"a" "b"']),
    ],
)
def test_elements(field: str, expected: list[str]) -> None:
    assert split_entity_tags(field) == expected


def test_every_prefix() -> None:
    field = 'W/"a,b", "c\\", *, d'
    whole = split_entity_tags(field)
    for end in range(len(field)):
        cut = split_entity_tags(field[:end])
        assert cut[:-1] == whole[: max(len(cut) - 1, 0)]


@must_end
@pytest.mark.parametrize("pattern", [b'"', b",", b'"a",', b"a", b'",'])
def test_time_is_linear(pattern: bytes) -> None:
    split_entity_tags(flood(pattern).decode())


@given(st.lists(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"'))))
def test_formatted_list_is_split_again(tags: list[str]) -> None:
    quoted = [f'"{tag}"' for tag in tags]
    assert split_entity_tags(", ".join(quoted)) == quoted
