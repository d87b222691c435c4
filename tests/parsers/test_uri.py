"""URIs: the target URI of a request from the values of its scope; splitting and composing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.percent import encode_path, encode_query
from asgiwire._parsers.uri import (
    authority_from_host,
    authority_from_server,
    base_path,
    compose_uri,
    normalize_scheme,
    split_authority,
    split_uri,
    target_path,
)
from tests.floods import flood, must_end

if TYPE_CHECKING:
    from collections.abc import Callable

INVALID_HOSTS = [
    b"",
    b" ",
    b"foo/?x=",
    b"foo/#",
    b"foo?x",
    b"foo#x",
    b"foo/",
    b"a@b",
    b"user:pw@evil",
    b"a\\b",
    b"a b",
    b"a\tb",
    b"a,b",
    b"a;b",
    b"a%41",
    b"a\x00b",
    b"a\nb",
    b"example.test\n",
    b"caf\xc3\xa9",
    b":80",
    b":",
    b"h:99999",
    b"h:65536",
    b"h:999999",
    b"h:abc",
    b"h:-1",
    b"h:+1",
    b"h:8_0",
    b"h:80:80",
    b"h: 80",
    b"h:\xd9\xa1",
    b"::1",
    b"[::1",
    b"::1]",
    b"[]",
    b"[:]",
    b"[::1]x",
    b"[::1]80",
    b"[::1]:x",
    b"[::1]:65536",
    b"[[::1]]",
    b"[1.2.3.4]",
    b"[fe80::1%eth0]",
    b"[fe80::1%25eth0]",
    b"[::gg]",
    b"[1:2:3:4:5:6:7:8:9]",
    b"[v1.fe80]",
]


@pytest.mark.parametrize("value", INVALID_HOSTS)
def test_invalid_host_is_none(value: bytes) -> None:
    """CVE-2026-48710, CVE-2011-4139, CVE-2012-4520: Host has to be validated before it is used in a URL."""
    assert authority_from_host(value) is None


@pytest.mark.parametrize(
    ("value", "authority"),
    [
        (b"example.test", "example.test"),
        (b"EXAMPLE.test", "EXAMPLE.test"),
        (b"a-b_c.~d", "a-b_c.~d"),
        (b" example.test\t", "example.test"),
        (b"example.test:8080", "example.test:8080"),
        (b"example.test:", "example.test"),
        (b"example.test:80", "example.test"),
        (b"example.test:0080", "example.test"),
        (b"example.test:" + b"0" * 5000 + b"81", "example.test:81"),
        (b"example.test:443", "example.test:443"),
        (b"example.test:0", "example.test:0"),
        (b"example.test:65535", "example.test:65535"),
        (b"127.0.0.1:1", "127.0.0.1:1"),
        (b"[::1]", "[::1]"),
        (b"[::1]:", "[::1]"),
        (b"[::1]:80", "[::1]"),
        (b"[2001:DB8::7]:8443", "[2001:DB8::7]:8443"),
        (b"[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]"),
        (b"localhost", "localhost"),
    ],
)
def test_valid_host(value: bytes, authority: str) -> None:
    """RFC 9110 section 7.2: "Host = uri-host [ ":" port ]"."""
    assert authority_from_host(value, "http") == authority


def test_prefixes_and_suffixes_of_a_host() -> None:
    value = b"[2001:db8::ffff:1.2.3.4]:8080"
    for position in range(len(value)):
        for part in (value[:position], value[position:]):
            authority = authority_from_host(part)
            assert authority is None or urlsplit(f"http://{authority}/").hostname


@pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("ws", 80), ("https", 443), ("wss", 443)])
def test_default_port_of_the_scheme_is_omitted(scheme: str, port: int) -> None:
    other = {80: 443, 443: 80}[port]
    assert authority_from_host(b"h:%d" % port, scheme) == "h"
    assert authority_from_host(b"h:%d" % other, scheme) == f"h:{other}"
    assert authority_from_host(b"h:%d" % port, "gopher") == f"h:{port}"
    assert authority_from_server("h", port, scheme) == "h"
    assert authority_from_server("h", other, scheme) == f"h:{other}"


@given(st.binary() | st.text("a.:[]@/\\0189%").map(str.encode))
def test_valid_host_is_valid_for_urlsplit(value: bytes) -> None:
    authority = authority_from_host(value)
    if authority is not None:
        parts = urlsplit(f"http://{authority}/path?query")
        assert (parts.netloc, parts.path, parts.query) == (authority, "/path", "query")
        assert parts.username is None
        assert parts.hostname
        assert parts.port is None or 0 <= parts.port < 65536


@must_end
@pytest.mark.parametrize("pattern", [b"a", b"a.", b"[", b"[:", b":0", b"0", b"h:" + b"0" * 50])
def test_time_of_host_is_linear(pattern: bytes) -> None:
    authority_from_host(flood(pattern))
    authority_from_host(b"h:" + flood(pattern))


@pytest.mark.parametrize(
    ("host", "port", "authority"),
    [
        ("127.0.0.1", 8000, "127.0.0.1:8000"),
        ("test.local", 80, "test.local"),
        ("::1", 18421, "[::1]:18421"),
        ("::1", 80, "[::1]"),
        ("[::1]", 8000, "[::1]:8000"),
        ("/run/u.sock", None, None),
        ("/run/u.sock", 0, None),
        ("u.sock", 0, None),
        ("example.test", None, None),
        ("/run/u.sock", 80, None),
        ("", 80, None),
        ("fe80::1%eth0", 80, None),
        ("evil/path", 80, None),
        ("a@b", 80, None),
        ("h:99", 80, None),
        ("münchen.test", 80, None),
        ("\ud800", 80, None),
        ("\0abstract", 80, None),
    ],
)
def test_authority_from_server(host: str, port: int | None, authority: str | None) -> None:
    assert authority_from_server(host, port, "http") == authority


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("http", "http"),
        ("wss", "wss"),
        ("HTTPS", "https"),
        ("gopher", "gopher"),
        ("a+b-c.1", "a+b-c.1"),
        ("", None),
        ("1a", None),
        ("ht tp", None),
        ("http://evil/", None),
        ("http\n", None),
        ("é", None),
        (None, None),
        (b"http", None),
        ([], None),
    ],
)
def test_scheme(value: object, scheme: str | None) -> None:
    """RFC 3986 section 3.1."""
    assert normalize_scheme(value) == scheme


PATHS = {
    "plain": ("/a/b", b"/a/b", "", "/a/b"),
    "no raw path": ("/a b/é", None, "", "/a%20b/%C3%A9"),
    "empty raw path": ("/a b", b"", "", "/a%20b"),
    "sent encoded": ("/a b/é///%", b"/a%20b/%C3%A9/%2F/%25", "", "/a%20b/%C3%A9/%2F/%25"),
    "needlessly encoded": ("/abc", b"/%61bc", "", "/%61bc"),
    "lower case escapes": ("/é", b"/%c3%a9", "", "/%c3%a9"),
    "bad UTF-8": ("/bad/\ufffd\ufffd/x", b"/bad/%FF%FE/x", "", "/bad/%FF%FE/x"),
    "raw UTF-8": ("/café", b"/caf\xc3\xa9", "", "/caf%C3%A9"),
    "NUL": ("/a\0b", b"/a%00b", "", "/a%00b"),
    "question mark": ("/a?b#c d", b"/a%3Fb%23c%20d", "", "/a%3Fb%23c%20d"),
    "question mark, no raw path": ("/a?b#c d", None, "", "/a%3Fb%23c%20d"),
    "raw path with query": ("/a b", b"/a%20b?x=1", "", "/a%20b"),
    "plain raw path with query": ("/a", b"/a?x=1", "", "/a"),
    "lone percent": ("/100%", b"/100%", "", "/100%25"),
    "parameters": ("/x;y=1,z", b"/x;y=1,z", "", "/x;y=1,z"),
    "parameters cut from path": ("/x", b"/x;y=1", "", "/x"),
    "rewritten by middleware": ("/new path", b"/old", "", "/new%20path"),
    "slashes": ("//host//a//b", b"//host//a//b", "", "//host//a//b"),
    "illegal bytes": ('/<"\\^`{|}>', b'/<"\\^`{|}>', "", "/%3C%22%5C%5E%60%7B%7C%7D%3E"),
    "encoded slash in front": ("/evil", b"%2Fevil", "", "/evil"),
    "empty": ("", b"", "", "/"),
    "absolute form": ("http://other:81/abs/p", b"http://other:81/abs/p", "", "/abs/p"),
    "absolute form, encoded": ("http://other/a b", b"http://other/a%20b", "", "/a%20b"),
    "absolute form without path": ("http://other", b"http://other", "", "/"),
    "absolute form, two slashes": ("http://other//evil/x", b"http://other//evil/x", "", "//evil/x"),
    "absolute form, escapes in its authority": ("http://a/b/p", b"http://a%2Fb/p", "", "/b/p"),
    "absolute form of another scheme": ("x+y://other/p", b"x+y://other/p", "", "/p"),
    "no authority": ("http:/p", b"http:/p", "", "/http:/p"),
    "asterisk form": ("*", b"*", "", ""),
    "asterisk form with root path": ("*", b"*", "/root", ""),
    "at sign": ("@google.com", b"@google.com", "", "/@google.com"),
    "dot": (".google.com", b".google.com", "", "/.google.com"),
    "port": (":8080/x", b":8080/x", "", "/:8080/x"),
    "backslash": ("\\evil", b"\\evil", "", "/%5Cevil"),
    "lone surrogate": ("/\ud800", None, "", "/%ED%A0%80"),
    "root path in path": ("/root/a b", b"/root/a%20b", "/root", "/root/a%20b"),
    "root path twice, as sent": ("/root/root/a b", b"/root/root/a%20b", "/root", "/root/root/a%20b"),
    "root path is the path": ("/root", b"/root", "/root", "/root"),
    "root path with slash": ("/root/x", b"/root/x", "/root/", "/root/x"),
    "root path stripped by a proxy": ("/other/x", b"/other/x", "/root", "/root/other/x"),
    "root path stripped, encoded": ("/a b", b"/a%2520b", "/r t", "/r%20t/a%20b"),
    "root path stripped by a proxy, encoded": ("/a/b", b"/a%2Fb", "/r t", "/r%20t/a%2Fb"),
    "root path stripped by a framework": ("/a/b", b"/root/a%2Fb", "/root", "/root/a%2Fb"),
    "root path stripped by a framework, nothing left": ("", b"/root", "/root", "/root"),
    "stripped path begins with the root path": ("/root/x", b"/root/root/x", "/root", "/root/root/x"),
    "root path stripped, no raw path": ("/a b", None, "/root", "/root/a%20b"),
    "root path stripped, nothing left": ("", None, "/root", "/root"),
    "root path stripped to a slash": ("/", None, "/root", "/root/"),
    "root path is a prefix of the name only": ("/rooted", b"/rooted", "/root", "/root/rooted"),
    "root path of slashes": ("/x", b"/x", "//", "/x"),
    "root path without slash": ("/x", b"/x", "root", "/root/x"),
    "root path of a client": ("/dd/x", b"/dd/x", "/dd x", "/dd%20x/dd/x"),
    "hostile root path": ("/x", b"/x", "@evil", "/@evil/x"),
    "at sign below a root path": ("@google.com", b"@google.com", "/root", "/root/@google.com"),
    "absolute form below a root path": ("http://other/root/x", b"http://other/root/x", "/root", "/root/x"),
}


@pytest.mark.parametrize(("path", "raw_path", "root_path", "expected"), PATHS.values(), ids=PATHS)
def test_path(path: str, raw_path: bytes | None, root_path: str, expected: str) -> None:
    assert target_path(path, raw_path, root_path) == expected


ANY_TEXT = (
    st.text() | st.text("/?#@:.%2F\\ab*é\ud800 ") | st.sampled_from([path for path, *_ in PATHS.values()])
)
ANY_BYTES = st.none() | st.binary() | st.text("/?#@:.%2F\\ab*é ").map(str.encode)


@given(ANY_TEXT, ANY_BYTES, ANY_TEXT)
def test_path_is_valid_for_any_input(path: str, raw_path: bytes | None, root_path: str) -> None:
    """CVE-2026-54282: the path must not change the authority."""
    result = target_path(path, raw_path, root_path)
    assert result == "" if path == "*" else result.startswith("/")
    parts = urlsplit(f"http://host.test{result}")
    assert (parts.netloc, parts.path, parts.query, parts.fragment) == ("host.test", result, "", "")


@given(st.text().map(lambda path: "/" + path), st.booleans())
def test_path_decodes_to_the_path_of_the_scope(path: str, with_raw_path: bool) -> None:
    raw_path = path.encode() if with_raw_path else None
    assert unquote(target_path(path, raw_path, "")) in {path, "/" + path}


@pytest.mark.parametrize(
    ("root_path", "expected"),
    [
        ("", "/"),
        ("/", "/"),
        ("/root", "/root/"),
        ("/root/", "/root/"),
        ("root", "/root/"),
        ("/a b", "/a%20b/"),
        ("/a%20b", "/a%2520b/"),
        ("/a?b#c", "/a%3Fb%23c/"),
        ("//evil", "//evil/"),
    ],
)
def test_base_path(root_path: str, expected: str) -> None:
    assert base_path(root_path) == expected


@must_end
@pytest.mark.parametrize("pattern", [b"/", b"%", b"%41", b"a:", b"?", b"a+"])
@pytest.mark.parametrize(
    "function",
    [
        lambda data: target_path(data.decode(), data, ""),
        lambda data: target_path(data.decode(), data, data.decode()),
        lambda data: target_path("/" + data.decode(), b"/" + data, "/x"),
    ],
    ids=["path", "root path", "below a root path"],
)
def test_time_of_path_is_linear(function: Callable[[bytes], object], pattern: bytes) -> None:
    function(flood(pattern))


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
def test_time_of_split_is_linear(pattern: bytes) -> None:
    text = flood(pattern).decode()
    split_uri(text)
    with contextlib.suppress(ValueError):
        split_authority(split_uri("//" + text).netloc)
