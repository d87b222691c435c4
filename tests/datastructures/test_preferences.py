"""The Accept-Language, Accept-Encoding and Accept-Charset headers."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures import AcceptCharset, AcceptEncoding, AcceptLanguage
from tests.floods import flood, must_end


@pytest.mark.parametrize(
    ("field", "provided", "expected"),
    [
        # the order of the client, then of the provided languages
        ("da, en-gb;q=0.8, en;q=0.7", ["en", "da"], "da"),
        ("da, en-gb;q=0.8, en;q=0.7", ["en", "en-GB"], "en-GB"),
        ("fr, en", ["en", "fr"], "fr"),
        ("en", ["en-US", "en-GB"], "en-US"),
        ("en", ["en-US", "en"], "en"),
        ("EN-us", ["en_US"], "en_US"),
        # basic filtering: matches longer tags at subtag boundaries
        ("de-de", ["de-DE-1996"], "de-DE-1996"),
        ("de-de", ["de-Deva"], None),
        # lookup: shortens the range
        ("de-CH, fr;q=0.9", ["fr", "de"], "de"),
        ("zh-Hant-CN-x-private1", ["zh", "zh-Hant"], "zh-Hant"),
        ("de-CH", ["de", "de-CH-1996"], "de-CH-1996"),
        ("en-GB", ["en-US"], None),
        # lookup shortens a range before the next one is tried, also if a shorter range follows
        ("en-US, fr;q=0.95, en;q=0.9", ["en", "fr"], "en"),
        ("zh-Hant-TW, zh;q=0.8", ["zh-Hans", "zh-Hant"], "zh-Hant"),
        ("zh-Hant-TW, zh;q=0.8", ["zh-Hans", "zh"], "zh"),
        ("sr-Latn-RS, sr;q=0.9, en;q=0.8", ["en", "sr-Cyrl", "sr-Latn"], "sr-Latn"),
        ("en-GB-oxendict, en;q=0.5", ["en-US", "en-GB"], "en-GB"),
        ("en-GB-oxendict, en;q=0.5", ["en-US", "fr"], "en-US"),
        ("zh-Hant-CN-x-private1-private2", ["zh-Hant-CN-x", "zh-Hant-CN"], "zh-Hant-CN"),
        ("de-CH, de;q=0.1, fr;q=0.5", ["fr", "de"], "de"),
        # the weight of a longer range decides
        ("en, en-GB;q=0.1", ["en-GB", "en-US"], "en-US"),
        # a language that the client excludes is not a fallback
        ("de-CH, de;q=0", ["de"], None),
        ("de-CH;q=0, fr", ["de"], None),
        # the longest range is used
        ("en, en-GB;q=0", ["en-GB"], None),
        ("en, en-GB;q=0", ["en-GB", "en-US"], "en-US"),
        ("en;q=0.1, en-GB, fr;q=0.5", ["en", "fr", "en-GB"], "en-GB"),
        # the wildcard has the lowest precedence
        ("de, *;q=0.5, en;q=0.1", ["en", "fr"], "fr"),
        ("*", ["en", "fr"], "en"),
        ("de-CH, *;q=0.5", ["fr", "de"], "de"),
        ("*;q=0, en", ["fr"], None),
        ("*;q=0, en", ["fr", "en"], "en"),
        ("de-CH, *;q=0", ["de"], None),
        # no ranges, no provided languages
        ("", ["fr", "en"], "fr"),
        ("123, e n", ["fr", "en"], "fr"),
        ("", [], None),
        ("en", [], None),
        ("en;q=0", ["en"], None),
    ],
)
def test_languages(field: str, provided: list[str], expected: str | None) -> None:
    language = AcceptLanguage(field)
    assert language.best_match(provided) == expected
    assert language.best_match(tuple(provided), default="x") == (expected or "x")


@pytest.mark.parametrize(
    ("field", "tag", "quality"),
    [
        ("da, en-gb;q=0.8, en;q=0.7", "en-GB-oed", 0.8),
        ("da, en-gb;q=0.8, en;q=0.7", "en_US", 0.7),
        ("da, en-gb;q=0.8, en;q=0.7", "fr", 0),
        ("de-CH", "de", 0),
        ("en, *;q=0.2", "fr", 0.2),
        ("en;q=0, en", "en", 1),
        ("", "fr", 1),
    ],
)
def test_language_quality(field: str, tag: str, quality: float) -> None:
    language = AcceptLanguage(field)
    assert language.quality(tag) == quality
    assert language.accepts(tag) is (quality > 0)


@pytest.mark.parametrize(
    ("field", "provided", "expected"),
    [
        # equal weights: the server's order
        ("gzip, deflate, br, zstd", ["br", "gzip"], "br"),
        ("gzip;q=1.0, br;q=0.5", ["br", "gzip"], "gzip"),
        ("GZIP", ["gzip"], "gzip"),
        ("x-gzip", ["gzip"], "gzip"),
        ("gzip", ["X-GZip"], "X-GZip"),
        ("*", ["br", "gzip"], "br"),
        ("*;q=0.5, gzip;q=0", ["gzip", "br"], "br"),
        # Chromium's media elements accept no coding
        ("identity;q=1, *;q=0", ["br", "gzip"], None),
        ("identity;q=1, *;q=0", ["br", "identity"], "identity"),
        # identity is accepted by default, with the lowest preference
        ("gzip;q=0.5", ["identity", "gzip"], "gzip"),
        ("br", ["gzip", "identity"], "identity"),
        ("identity;q=0, br", ["gzip", "identity"], None),
        # an empty header, and no header
        ("", ["gzip"], None),
        ("", ["gzip", "identity"], "identity"),
        (None, ["gzip"], None),
        (None, ["gzip", "Identity"], "Identity"),
        ("gzip", [], None),
    ],
)
def test_codings(field: str | None, provided: list[str], expected: str | None) -> None:
    encoding = AcceptEncoding(field)
    assert encoding.best_match(provided) == expected
    assert encoding.best_match(provided, "x") == (expected or "x")


@pytest.mark.parametrize(
    ("field", "coding", "expected"),
    [
        (None, "gzip", True),
        (None, "identity", True),
        ("", "gzip", False),
        ("", "identity", True),
        ("br", "gzip", False),
        ("br", "identity", True),
        ("identity;q=0", "identity", False),
        ("*;q=0", "identity", False),
        ("*;q=0, identity;q=0.5", "identity", True),
        ("*", "identity", True),
        ("compress", "x-compress", True),
    ],
)
def test_accepts_coding(field: str | None, coding: str, expected: bool) -> None:
    """The rules of RFC 9110 section 12.5.3."""
    assert AcceptEncoding(field).accepts(coding) is expected


def test_charsets() -> None:
    charset = AcceptCharset("iso-8859-5, unicode-1-1;q=0.8")
    assert charset.best_match(["utf-8", "Unicode-1-1"]) == "Unicode-1-1"
    assert not charset.accepts("utf-8")
    assert charset.quality("ISO-8859-5") == 1
    assert AcceptCharset("utf-8, *;q=0.5").quality("latin-1") == 0.5
    for accept_all in (AcceptCharset(None), AcceptCharset("")):
        assert accept_all.best_match(["utf-8", "latin-1"]) == "utf-8"
        assert accept_all.accepts("utf-8")
        assert accept_all.best_match([], "utf-8") == "utf-8"


def test_iteration_is_by_weight_without_zero_weights() -> None:
    language = AcceptLanguage("en;q=0.5, DA, fr;q=0, en-GB;q=0.5")
    assert list(language) == ["da", "en", "en-gb"]
    assert len(language) == 3


def test_str_and_repr() -> None:
    assert str(AcceptLanguage("en;q=0.51,DA, fr;q=0")) == "da, en;q=0.51, fr;q=0"
    assert repr(AcceptEncoding("x-gzip;q=.2")) == "AcceptEncoding('gzip;q=0.2')"
    assert repr(AcceptEncoding()) == "AcceptEncoding(None)"


def test_equality() -> None:
    language = AcceptLanguage("en;q=0.5,DA")
    assert language == AcceptLanguage("da, en;q=0.5")
    assert hash(language) == hash(AcceptLanguage("da, en;q=0.5"))
    assert language != AcceptCharset("da, en;q=0.5")
    assert language != str(language)
    assert AcceptEncoding("") != AcceptEncoding(None)
    assert str(pickle.loads(pickle.dumps(language))) == str(language)


@must_end
@pytest.mark.parametrize("pattern", [b"en,", b"en-gb-", b"-", b"*,", b"a;q=0,", b'"', b"en-a;q=0.5,"])
def test_time_is_linear(pattern: bytes) -> None:
    provided = ["en", "en-GB", "de-CH-1996"]
    AcceptLanguage(flood(pattern).decode()).best_match(provided)
    AcceptEncoding(flood(pattern).decode()).best_match(provided)


@given(st.text() | st.text("abi*-_;q=01., "), st.lists(st.text("abi*-", min_size=1)))
def test_best_match_is_provided_or_none(field: str, provided: list[str]) -> None:
    for kind in (AcceptLanguage, AcceptEncoding, AcceptCharset):
        accepted = kind(field)
        found = accepted.best_match(provided)
        assert found is None or found in provided
        assert all(0 < accepted.quality(value) <= 1 for value in accepted)
