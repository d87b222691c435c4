"""URLs: what they are made of, what they are made into, and that neither changes them."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures import URL, ImmutableMultiDict, MultiDict
from asgiwire.datastructures.url import make_absolute_url

FULL = "https://user:secret@Example.test:8443/a/b%20c;x?q=1&r=%C3%A9#top"

PARTS = (
    "scheme", "netloc", "path", "fragment", "query", "username", "password", "port", "hostname",
    "query_params",
)  # fmt: skip


class OwnURL(URL):
    """What a user derives."""


def test_parts() -> None:
    url = URL(FULL)
    assert (url.scheme, url.netloc) == ("https", "user:secret@Example.test:8443")
    assert (url.username, url.password, url.hostname, url.port) == ("user", "secret", "example.test", 8443)
    assert (url.path, url.query, url.fragment) == ("/a/b%20c;x", "q=1&r=%C3%A9", "top")


@pytest.mark.parametrize(
    "text",
    [
        FULL,
        "",
        "/",
        "/path?query",
        "//host/path",
        "/.//path",
        "?q=1",
        "#f",
        "HTTP://HOST/",
        "http://h",
        "http://h:/",
        "http://h:80/",
        "http://[::1]:8000/",
        "http://u@h/",
        "http://:pw@h/",
        "http://u:@h/",
        "http://@h/",
        "http://u:p@x:q@h/",
        "mailto:a@b",
        "urn:isbn:1",
        "http://h?q",
        "http://h/é?ü#ö",
    ],
)
def test_parts_are_those_of_the_standard_library(text: str) -> None:
    url, expected = URL(text), urlsplit(text)
    for part in PARTS[:-1]:
        assert getattr(url, part) == getattr(expected, part), part
    assert str(url) == text
    assert URL(str(url)) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://h:x/",
        "http://h:65536/",
        "http://[::1/",
        "http://::1/",
        "http://h:1:2/",
        "http://h/a\nb",
        "http://h\0/",
        "http://h/\x7f",
    ],
)
def test_text_that_is_no_url(text: str) -> None:
    with pytest.raises(ValueError, match="a URL must"):
        URL(text)


def test_error_does_not_show_the_password() -> None:
    with pytest.raises(ValueError, match="authority") as caught:
        URL("http://user:secret@h:x/")
    assert "secret" not in str(caught.value)


def test_is_made_from_split_parts_and_from_a_url() -> None:
    assert URL(urlsplit(FULL)) == URL(URL(FULL)) == URL(FULL) == FULL
    assert URL(SplitResult("http", "h", "/p", "q", "f")) == "http://h/p?q#f"


def test_equal_if_the_text_is() -> None:
    assert URL("http://h/") == URL("http://h/") == "http://h/"
    assert URL("http://h/") != URL("http://h")
    assert URL("http://h/") != "http://h"
    assert URL("http://h/") != b"http://h/"
    assert URL("http://h/") == OwnURL("http://h/")


def test_hash_is_that_of_the_text() -> None:
    assert hash(URL(FULL)) == hash(FULL)
    assert {URL("http://h/"), URL("http://h/"), URL("http://i/")} == {"http://h/", URL("http://i/")}


def test_two_urls_of_one_text_are_two_objects() -> None:
    assert URL("http://h/") is not URL("http://h/")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (FULL, "URL('https://user:********@Example.test:8443/a/b%20c;x?q=1&r=%C3%A9#top')"),
        ("http://u:@h/", "URL('http://u:********@h/')"),
        ("http://:p@h/", "URL('http://:********@h/')"),
        ("http://u:p@u:p@h/?x=u:p@", "URL('http://u:********@h/?x=u:p@')"),
        ("//u:p@h", "URL('//u:********@h')"),
        ("http://u@h/a:b@c", "URL('http://u@h/a:b@c')"),
        ("/a:b@c", "URL('/a:b@c')"),
        ("mailto:a:b@c", "URL('mailto:a:b@c')"),
    ],
)
def test_repr_masks_the_password_and_nothing_else(text: str, shown: str) -> None:
    assert repr(URL(text)) == shown


def test_repr_names_the_class() -> None:
    assert repr(OwnURL("/")) == "OwnURL('/')"


@pytest.mark.parametrize("name", [*PARTS, "anything"])
def test_no_attribute_can_be_set_or_deleted(name: str) -> None:
    url = URL(FULL)
    with pytest.raises(AttributeError):
        setattr(url, name, "x")
    with pytest.raises(AttributeError):
        delattr(url, name)
    assert url == FULL


@pytest.mark.parametrize("cls", [URL, OwnURL])
@pytest.mark.parametrize(
    "url_of", [lambda cls: cls(FULL), lambda cls: cls.from_scope({"path": "//a b"})], ids=["text", "scope"]
)
def test_copies_and_pickles(cls: type[URL], url_of: Any) -> None:
    url = url_of(cls)
    for copied in (copy.copy(url), copy.deepcopy(url), pickle.loads(pickle.dumps(url))):
        assert copied == url
        assert type(copied) is cls
        assert copied.path == url.path


def test_query_params_are_new_each_time() -> None:
    url = URL("/?a=1&b=&a=2&n=%C3%A9+x&bad=%FF")
    params = url.query_params
    assert isinstance(params, MultiDict)
    assert list(params.multi_items()) == [("a", "1"), ("b", ""), ("a", "2"), ("n", "é x"), ("bad", "\ufffd")]
    params["evil"] = "1"
    assert "evil" not in url.query_params
    assert "evil" not in URL(str(url)).query_params


def test_query_params_of_text_that_is_not_encoded() -> None:
    assert URL("/?n=é").query_params["n"] == "é"
    assert URL("/?n=\ud800").query_params["n"] == "\ufffd" * 3


class TestFromComponents:
    def test_all(self) -> None:
        url = URL.from_components("https", "h:1", "/p", "frag", "q=1")
        assert url == "https://h:1/p?q=1#frag"
        assert url == URL.from_components(
            scheme="https", netloc="h:1", path="/p", fragment="frag", query="q=1"
        )

    def test_none(self) -> None:
        assert URL.from_components() == ""

    def test_makes_the_class_it_is_called_on(self) -> None:
        assert type(OwnURL.from_components(path="/")) is OwnURL

    def test_path_cannot_become_an_authority_or_a_query(self) -> None:
        assert URL.from_components(path="//evil").netloc == ""
        url = URL.from_components(scheme="http", netloc="h", path="/a?b#c d")
        assert (url.path, url.query, url.fragment) == ("/a%3Fb%23c%20d", "", "")

    @pytest.mark.parametrize("netloc", ["h/x", "h?x", "h#x", "h\\x", "h x", "h:x", "h\0", "[::1"])
    def test_refuses_an_authority_that_is_none(self, netloc: str) -> None:
        with pytest.raises(ValueError, match="URL must"):
            URL.from_components("http", netloc)

    def test_refuses_a_scheme_that_is_none(self) -> None:
        with pytest.raises(ValueError, match="scheme"):
            URL.from_components("1http", "h")

    @given(*[st.text() | st.text("/?#:@é%a")] * 3)
    def test_reads_back(self, path: str, query: str, fragment: str) -> None:
        url = URL.from_components("http", "h", path, fragment, query)
        assert URL(str(url)) == url
        assert url.hostname == "h"
        assert URL(urlsplit(str(url))) == url
        for part in ("netloc", "path", "query", "fragment"):
            assert getattr(url, part) == getattr(URL(str(url)), part)


class TestWithReplacements:
    def test_nothing(self) -> None:
        assert URL("http://h/p?q#f").with_replacements() == "http://h/p?q#f"

    @pytest.mark.parametrize(
        ("replacements", "text"),
        [
            ({"scheme": "https"}, "https://h/p?q#f"),
            ({"netloc": "i:8080"}, "http://i:8080/p?q#f"),
            ({"path": "/x"}, "http://h/x?q#f"),
            ({"path": "x y"}, "http://h/x%20y?q#f"),
            ({"query": "r=1"}, "http://h/p?r=1#f"),
            ({"query": ""}, "http://h/p#f"),
            ({"query": None}, "http://h/p#f"),
            (
                {"query": MultiDict([("a", "1"), ("b", "ü ="), ("a", "2")])},
                "http://h/p?a=1&b=%C3%BC+%3D&a=2#f",
            ),
            ({"query": ImmutableMultiDict({"a": 1})}, "http://h/p?a=1#f"),
            ({"query": MultiDict()}, "http://h/p#f"),
            ({"fragment": "g"}, "http://h/p?q#g"),
            ({"scheme": "", "netloc": "", "path": "", "fragment": ""}, "http://h/p?q#f"),
        ],
        ids=repr,
    )
    def test_one(self, replacements: dict[str, Any], text: str) -> None:
        url = URL("http://h/p?q#f")
        assert url.with_replacements(**replacements) == text
        assert url == "http://h/p?q#f"

    def test_takes_them_by_position_as_litestar_does(self) -> None:
        assert URL("/").with_replacements("http", "h", "/p", "q", "f") == "http://h/p?q#f"

    def test_keeps_class_and_userinfo(self) -> None:
        url = OwnURL("http://u:p@h/").with_replacements(path="/x")
        assert type(url) is OwnURL
        assert url == "http://u:p@h/x"

    def test_changed_query_params_can_be_put_back(self) -> None:
        url = URL("http://h/?a=1&b=2&a=3")
        params = url.query_params
        params.add("c", "ö&")
        assert list(url.with_replacements(query=params).query_params.items()) == list(params.items())


class TestMakeAbsoluteUrl:
    @pytest.mark.parametrize(
        ("path", "base", "text"),
        [
            ("/x", "http://h/", "http://h/x"),
            ("/x", "http://h", "http://h/x"),
            ("/x", "http://h/api/", "http://h/api/x"),
            ("x", "http://h/api/", "http://h/api/x"),
            ("", "http://h/api/", "http://h/api"),
            ("/", "http://h/api/", "http://h/api/"),
            ("/x?a=1&b=/#top", "http://h/?old#old", "http://h/x?a=1&b=/#top"),
            ("/ä b", "http://h/", "http://h/%C3%A4%20b"),
            ("//evil", "http://h/", "http://h//evil"),
            ("//evil", "/", "/.//evil"),
            ("@evil", "http://h", "http://h/@evil"),
            (":80", "http://h", "http://h/:80"),
            ("http://evil/x", "http://h/", "http://h/http://evil/x"),
            ("/x", "/root/", "/root/x"),
            ("/x", "http://u:p@h:1/", "http://u:p@h:1/x"),
        ],
    )
    def test_appends_the_path(self, path: str, base: str, text: str) -> None:
        for made in (make_absolute_url(path, base), make_absolute_url(path, URL(base))):
            assert made == text
            assert type(made) is str

    def test_takes_a_url_as_path(self) -> None:
        assert make_absolute_url(URL("/x?y"), URL("http://h/")) == "http://h/x?y"

    @given(st.text() | st.text("/?#@:.\\a"))
    def test_authority_stays(self, path: str) -> None:
        url = URL(make_absolute_url(path, "https://host.test/"))
        assert (url.scheme, url.netloc) == ("https", "host.test")
