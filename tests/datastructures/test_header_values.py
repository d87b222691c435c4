"""The Cache-Control and ETag headers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures.header_values import CacheControlHeader, ETag, Header
from asgiwire.exceptions import ImproperlyConfiguredException, ValidationException
from tests.floods import flood, must_end


class Nameless(Header):
    def _get_header_value(self) -> str:
        return "value"

    @classmethod
    def from_header(cls, header_value: str) -> Nameless:
        return cls()


def test_header_without_a_name() -> None:
    with pytest.raises(ImproperlyConfiguredException, match=r"^Nameless must define HEADER_NAME$"):
        Nameless().to_header()


def test_header_is_abstract() -> None:
    with pytest.raises(TypeError):
        Header()  # type: ignore[abstract] # the class is under test


ALL = {
    "max-age=10000": ("max_age", 10000),
    "s-maxage=1000": ("s_maxage", 1000),
    "no-cache": ("no_cache", True),
    "no-store": ("no_store", True),
    "private": ("private", True),
    "public": ("public", True),
    "no-transform": ("no_transform", True),
    "must-revalidate": ("must_revalidate", True),
    "proxy-revalidate": ("proxy_revalidate", True),
    "must-understand": ("must_understand", True),
    "immutable": ("immutable", True),
    "stale-while-revalidate=100": ("stale_while_revalidate", 100),
}


@pytest.mark.parametrize(("text", "attribute"), ALL.items(), ids=ALL)
def test_each_directive(text: str, attribute: tuple[str, int]) -> None:
    header = CacheControlHeader.from_header(text)
    assert header == CacheControlHeader(**dict([attribute]))
    assert header.to_header() == text


def test_all_directives() -> None:
    header = CacheControlHeader.from_header(", ".join(ALL))
    assert header == CacheControlHeader(**dict(ALL.values()))
    assert header.to_header() == ", ".join(ALL)
    assert len(ALL) == len(fields(CacheControlHeader)) - 1


def test_cache_control_to_header() -> None:
    header = CacheControlHeader(max_age=10, private=True)
    assert header.to_header() == "max-age=10, private"
    assert header.to_header(include_header_name=True) == "cache-control: max-age=10, private"
    assert CacheControlHeader(max_age=0).to_header() == "max-age=0"
    assert CacheControlHeader().to_header() == ""


def test_false_is_omitted() -> None:
    assert CacheControlHeader(no_cache=False, public=True, no_store=False).to_header() == "public"


def test_prevent_storing() -> None:
    assert CacheControlHeader.prevent_storing().to_header() == "no-store"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param(" ,, , ", {}, id="empty elements"),
        pytest.param("NO-STORE, Max-Age=5", {"no_store": True, "max_age": 5}, id="upper case"),
        pytest.param('max-age="5"', {"max_age": 5}, id="quoted seconds"),
        pytest.param("max-age = 5 , public", {"max_age": 5, "public": True}, id="blanks"),
        pytest.param('no-cache="set-cookie, x", public', {"no_cache": True, "public": True}, id="fields"),
        pytest.param('private="a', {"private": True}, id="unterminated"),
        pytest.param('x="public\\", private", immutable', {"immutable": True}, id="directives in quotes"),
        pytest.param("max-stale, min-fresh=1, only-if-cached, stale-if-error=x", {}, id="request directives"),
        pytest.param("x=y=z, y, documentation-only, no_such=1, public", {"public": True}, id="unknown"),
        pytest.param("max-age=1, max-age=2, max-age=x", {"max_age": 1}, id="the first is used"),
        pytest.param("max-age=" + "9" * 9_000, {"max_age": 2**31}, id="too many digits"),
        pytest.param("max-age=4294967296", {"max_age": 2**31}, id="too many seconds"),
        pytest.param("=,==,=5", {}, id="no names"),
    ],
)
def test_cache_control_from_header(text: str, expected: dict[str, int]) -> None:
    """RFC 9111 section 5.2.3: "A cache MUST ignore unrecognized cache directives"."""
    assert CacheControlHeader.from_header(text) == CacheControlHeader(**expected)


@pytest.mark.parametrize("argument", ["", "=", "=x", "=-1", "=+1", "=1.5", "=1_0", "=٣", '=""', '="x"'])
@pytest.mark.parametrize("directive", ["max-age", "s-maxage", "stale-while-revalidate"])
def test_invalid_seconds(directive: str, argument: str) -> None:
    with pytest.raises(
        ValidationException, match=f"^the Cache-Control directive {directive} must be a number"
    ):
        CacheControlHeader.from_header(directive + argument)


def test_subclass() -> None:
    @dataclass
    class Special(CacheControlHeader):
        HEADER_NAME: ClassVar[str] = "cdn-cache-control"

        stale_ok: bool | None = None

    header = Special.from_header("stale-ok, public")
    assert header == Special(stale_ok=True, public=True)
    assert header.to_header(include_header_name=True) == "cdn-cache-control: public, stale-ok"
    assert type(Special.prevent_storing()) is Special


@must_end
@pytest.mark.parametrize("pattern", [",", "a=", '"', "a ", " ", "\\"])
@pytest.mark.parametrize("start", ["", "a", 'a="'])
def test_time_is_linear(start: str, pattern: str) -> None:
    CacheControlHeader.from_header(start + flood(pattern.encode()).decode())


@given(st.text() | st.text('max-ge=1,"\\ '))
def test_from_header_raises_validation_errors_only(text: str) -> None:
    for parse in (CacheControlHeader.from_header, ETag.from_header):
        try:
            header = parse(text)
        except ValidationException:
            continue
        assert parse(header.to_header()) == header


@pytest.mark.parametrize(
    ("text", "etag"),
    [
        ('"foo"', ETag(value="foo")),
        ('W/"foo"', ETag(value="foo", weak=True)),
        ('w/"foo"', ETag(value="foo", weak=True)),
        (' "foo"\t', ETag(value="foo")),
        ('""', ETag(value="")),
        ('W/""', ETag(value="", weak=True)),
        ('"a,b\\c"', ETag(value="a,b\\c")),
        ('"!#~"', ETag(value="!#~")),
        # obs-text: %x80-FF
        ('"f\xf8o"', ETag(value="f\xf8o")),
        ('W/"\x80\xff"', ETag(value="\x80\xff", weak=True)),
    ],
)
def test_etag_from_header(text: str, etag: ETag) -> None:
    """RFC 9110 section 8.8.3: entity-tag = [ weak ] opaque-tag, opaque-tag = DQUOTE *etagc DQUOTE."""
    assert ETag.from_header(text) == etag


@pytest.mark.parametrize(
    "text",
    ["", "foo", "W/foo", "*", '"', '"foo', 'foo"', '"a", "b"', '"a" x', 'x "a"', '"a""b"', 'W "a"', 'W/W/"a"',
     '"f↓o"', '"\x7f"', '"a b"', '"a\x00"', '"a\n"', '"a"\n', "'a'"],
)  # fmt: skip
def test_invalid_etag(text: str) -> None:
    with pytest.raises(ValidationException, match=r"^expected an entity tag such as"):
        ETag.from_header(text)


def test_etag_to_header() -> None:
    assert ETag(value="foo").to_header() == '"foo"'
    assert ETag(value="foo", weak=True).to_header(include_header_name=True) == 'etag: W/"foo"'


@pytest.mark.parametrize("weak", [True, False])
def test_etag_needs_a_value(weak: bool) -> None:
    with pytest.raises(
        ValidationException, match=r"^an ETag needs a value, unless documentation_only is set$"
    ):
        ETag(weak=weak)


def test_etag_for_documentation_needs_no_value() -> None:
    assert ETag(documentation_only=True).value is None


@pytest.mark.parametrize("value", ['a"b', "f↓o", "a b", "a\r\nb", "\x7f"])
def test_invalid_etag_value(value: str) -> None:
    with pytest.raises(ValidationException, match=r"^the value of an ETag must be ISO-8859-1 without"):
        ETag(value=value)
