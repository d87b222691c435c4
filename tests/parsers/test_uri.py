"""Splitting and composing of URIs."""

from __future__ import annotations

import contextlib
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.percent import encode_path, encode_query
from asgiwire._parsers.uri import compose_uri, split_authority, split_uri
from tests.floods import flood, must_end


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ("", "", "", "", "")),
        ("http://u:p@h:1/p?q#f", ("http", "u:p@h:1", "/p", "q", "f")),
        ("HTTP://H/P", ("http", "H", "/P", "", "")),
        ("//h/p", ("", "h", "/p", "", "")),
        ("/p", ("", "", "/p", "", "")),
        ("/.//p", ("", "", "/.//p", "", "")),
        ("?q", ("", "", "", "q", "")),
        ("#f?x", ("", "", "", "", "f?x")),
        ("a?b?c#d#e", ("", "", "a", "b?c", "d#e")),
        ("mailto:a@b", ("mailto", "", "a@b", "", "")),
        ("1a:b", ("", "", "1a:b", "", "")),
        ("http://h?q/r", ("http", "h", "", "q/r", "")),
        ("http:", ("http", "", "", "", "")),
        ("http:///p", ("http", "", "/p", "", "")),
    ],
)
def test_split(text: str, parts: tuple[str, ...]) -> None:
    """RFC 3986 appendix B."""
    assert split_uri(text) == parts
    assert urlsplit(text) == parts


@given(st.text("htps:/?#@a1é%.[]\\"))
def test_any_text_can_be_split(text: str) -> None:
    scheme, netloc, path, query, fragment = split_uri(text)
    marks = sum(map(text.count, ("//", ":", "?", "#"))) * 2
    assert len(text) - marks <= len(scheme + netloc + path + query + fragment) <= len(text)


@pytest.mark.parametrize(
    ("netloc", "host_and_port"),
    [
        ("", ("", None)),
        ("h", ("h", None)),
        ("H:80", ("h", 80)),
        ("h:", ("h", None)),
        ("u:p@h:0", ("h", 0)),
        ("a@b@h:1", ("h", 1)),
        ("[::1]", ("::1", None)),
        ("u@[::1]:65535", ("::1", 65535)),
        (":80", ("", 80)),
    ],
)
def test_split_authority(netloc: str, host_and_port: tuple[str, int | None]) -> None:
    assert split_authority(netloc) == host_and_port


@pytest.mark.parametrize(
    "netloc", ["h:x", "h:65536", "h:123456", "h:-1", "h:1:2", "[::1", "::1]", "[]", "[::1]x", "::1", "h:١"]
)
def test_invalid_authority(netloc: str) -> None:
    with pytest.raises(ValueError, match=r"must be \[userinfo@\]host\[:port\]") as caught:
        split_authority(f"user:secret@{netloc}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (("", "", "", "", ""), ""),
        (("http", "h", "/p", "q", "f"), "http://h/p?q#f"),
        (("http", "h", "", "", ""), "http://h"),
        (("http", "h", "p", "", ""), "http://h/p"),
        (("", "h", "/p", "", ""), "//h/p"),
        (("", "", "//evil/p", "", ""), "/.//evil/p"),
        (("mailto", "", "a@b", "", ""), "mailto:a@b"),
        (("mailto", "", "//a", "", ""), "mailto:/.//a"),
        (("", "", "a:b/c", "", ""), "./a:b/c"),
        (("", "", "a/b:c", "", ""), "a/b:c"),
        (("https", "", "", "", ""), "https://"),
        (("http", "", "/p", "", ""), "http:///p"),
        (("http", "", "//p", "", ""), "http:/.//p"),
        (("http", "", "p", "", ""), "http:p"),
        (("", "", "/a?b#c", "d#e", "f#g"), "/a%3Fb%23c?d%23e#f%23g"),
        (("", "", "/é b%20c%", "é=ü", "x y"), "/%C3%A9%20b%20c%25?%C3%A9=%C3%BC#x%20y"),
        (("", "", "/a\r\nb", "c\0", ""), "/a%0D%0Ab?c%00"),
        (("", "", "/\ud800", "", ""), "/%ED%A0%80"),
    ],
)
def test_compose(parts: tuple[str, str, str, str, str], text: str) -> None:
    """RFC 3986 section 5.3."""
    assert compose_uri(*parts) == text


@pytest.mark.parametrize("scheme", ["1a", "ht tp", "http:", "é", "http\n"])
def test_compose_rejects_invalid_scheme(scheme: str) -> None:
    with pytest.raises(ValueError, match="a URL scheme must be a letter"):
        compose_uri(scheme, "h", "", "", "")


@pytest.mark.parametrize("netloc", ["a/b", "a?b", "a#b", "a\\b", "a b", "a\nb", "a\u3000b"])
def test_compose_rejects_invalid_authority(netloc: str) -> None:
    with pytest.raises(ValueError, match="the authority of a URL must not contain") as caught:
        compose_uri("http", f"u:secret@{netloc}", "", "", "")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("path", ["", "/", "//", "///", "//host", "/.//", "/a//b"])
@pytest.mark.parametrize("scheme", ["", "http", "ws", "mailto"])
def test_composed_uri_without_authority_can_be_composed_again(scheme: str, path: str) -> None:
    text = compose_uri(scheme, "", path, "", "")
    assert split_uri(text).netloc == ""
    assert compose_uri(*split_uri(text)) == text


@given(
    st.sampled_from(["", "http", "ws", "mailto", "a+b.c"]),
    st.sampled_from(["", "h", "u:p@h:1", "[::1]:80"]),
    *[st.text() | st.text("/:?#@.%é a")] * 3,
)
def test_composed_uri_splits_into_the_same_parts(
    scheme: str, netloc: str, path: str, query: str, fragment: str
) -> None:
    text = compose_uri(scheme, netloc, path, query, fragment)
    parts = split_uri(text)
    assert parts == urlsplit(text)
    assert (parts.scheme, parts.netloc) == (scheme, netloc)
    encoded = encode_path(path.encode())
    assert parts.path in {encoded, f"/{encoded}", f"/.{encoded}", f"./{encoded}"}
    assert (parts.query, parts.fragment) == (encode_query(query.encode()), encode_query(fragment.encode()))
    assert compose_uri(*parts) == text


@must_end
@pytest.mark.parametrize("pattern", [b"a", b":", b"/", b"a:", b"?", b"#", b"@", b"["])
def test_time_is_linear(pattern: bytes) -> None:
    text = flood(pattern).decode()
    split_uri(text)
    with contextlib.suppress(ValueError):
        split_authority(split_uri("//" + text).netloc)
