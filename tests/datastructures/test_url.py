"""URLs."""

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


class CustomURL(URL):
    """A subclass of an application."""


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
def test_parts_are_equal_to_urlsplit(text: str) -> None:
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
def test_invalid_url(text: str) -> None:
    with pytest.raises(ValueError, match="a URL must"):
        URL(text)


def test_error_does_not_contain_the_password() -> None:
    with pytest.raises(ValueError, match="authority") as caught:
        URL("http://user:secret@h:x/")
    assert "secret" not in str(caught.value)


def test_from_split_result_and_from_url() -> None:
    assert URL(urlsplit(FULL)) == URL(URL(FULL)) == URL(FULL) == FULL
    assert URL(SplitResult("http", "h", "/p", "q", "f")) == "http://h/p?q#f"


def test_equality() -> None:
    assert URL("http://h/") == URL("http://h/") == "http://h/"
    assert URL("http://h/") != URL("http://h")
    assert URL("http://h/") != "http://h"
    assert URL("http://h/") != b"http://h/"
    assert URL("http://h/") == CustomURL("http://h/")


def test_hash() -> None:
    assert hash(URL(FULL)) == hash(FULL)
    assert {URL("http://h/"), URL("http://h/"), URL("http://i/")} == {"http://h/", URL("http://i/")}


def test_urls_are_not_interned() -> None:
    assert URL("http://h/") is not URL("http://h/")


@pytest.mark.parametrize(
    ("text", "text_of_repr"),
    [
        (FULL, "URL('https://***@Example.test:8443/a/b%20c;x?q=1&r=%C3%A9#top')"),
        ("http://u:@h/", "URL('http://***@h/')"),
        ("http://:p@h/", "URL('http://***@h/')"),
        ("http://u:p@u:p@h/?x=u:p@", "URL('http://***@h/?x=***@')"),
        ("//u:p@h", "URL('//***@h')"),
        ("http://u@h/b@c", "URL('http://***@h/b@c')"),
        ("/a:b@c", "URL('/***@c')"),
        ("mailto:b@c", "URL('***@c')"),
        ("/?token=a&b=c#access_token=d&e=f", "URL('/?token=***&b=c#access_token=***&e=f')"),
        ("/?next=https%3A%2F%2Fh%2F%3Fsig%3Da", "URL('/?next=***')"),
        ("/" + "a" * 3000, f"URL('/{'a' * 2044}...')"),
    ],
)
def test_repr_masks_the_password(text: str, text_of_repr: str) -> None:
    assert repr(URL(text)) == text_of_repr


def test_repr_of_a_subclass() -> None:
    assert repr(CustomURL("/")) == "CustomURL('/')"


@pytest.mark.parametrize("name", [*PARTS, "anything"])
def test_immutable(name: str) -> None:
    url = URL(FULL)
    with pytest.raises(AttributeError):
        setattr(url, name, "x")
    with pytest.raises(AttributeError):
        delattr(url, name)
    assert url == FULL


@pytest.mark.parametrize("cls", [URL, CustomURL])
@pytest.mark.parametrize(
    "url_of", [lambda cls: cls(FULL), lambda cls: cls.from_scope({"path": "//a b"})], ids=["text", "scope"]
)
def test_copy_and_pickle(cls: type[URL], url_of: Any) -> None:
    url = url_of(cls)
    for copied in (copy.copy(url), copy.deepcopy(url), pickle.loads(pickle.dumps(url))):
        assert copied == url
        assert type(copied) is cls
        assert copied.path == url.path


def test_query_params_are_a_new_multidict() -> None:
    url = URL("/?a=1&b=&a=2&n=%C3%A9+x&bad=%FF")
    params = url.query_params
    assert isinstance(params, MultiDict)
    assert list(params.multi_items()) == [("a", "1"), ("b", ""), ("a", "2"), ("n", "é x"), ("bad", "\ufffd")]
    params["evil"] = "1"
    assert "evil" not in url.query_params
    assert "evil" not in URL(str(url)).query_params


def test_query_params_of_unencoded_text() -> None:
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

    def test_subclass(self) -> None:
        assert type(CustomURL.from_components(path="/")) is CustomURL

    def test_path_is_escaped(self) -> None:
        assert URL.from_components(path="//evil").netloc == ""
        url = URL.from_components(scheme="http", netloc="h", path="/a?b#c d")
        assert (url.path, url.query, url.fragment) == ("/a%3Fb%23c%20d", "", "")

    @pytest.mark.parametrize("netloc", ["h/x", "h?x", "h#x", "h\\x", "h x", "h:x", "h\0", "[::1"])
    def test_invalid_authority(self, netloc: str) -> None:
        with pytest.raises(ValueError, match="URL must"):
            URL.from_components("http", netloc)

    def test_invalid_scheme(self) -> None:
        with pytest.raises(ValueError, match="scheme"):
            URL.from_components("1http", "h")

    @given(*[st.text() | st.text("/?#:@é%a")] * 3)
    def test_round_trip(self, path: str, query: str, fragment: str) -> None:
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

    def test_positional_arguments_are_those_of_litestar(self) -> None:
        assert URL("/").with_replacements("http", "h", "/p", "q", "f") == "http://h/p?q#f"

    def test_class_and_userinfo_are_unchanged(self) -> None:
        url = CustomURL("http://u:p@h/").with_replacements(path="/x")
        assert type(url) is CustomURL
        assert url == "http://u:p@h/x"

    def test_modified_query_params(self) -> None:
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

    def test_url_as_path(self) -> None:
        assert make_absolute_url(URL("/x?y"), URL("http://h/")) == "http://h/x?y"

    @given(st.text() | st.text("/?#@:.\\a"))
    def test_authority_is_unchanged(self, path: str) -> None:
        url = URL(make_absolute_url(path, "https://host.test/"))
        assert (url.scheme, url.netloc) == ("https", "host.test")


class TestQueryParameters:
    URL = URL("http://h/p?a=1&b=%20x&a=2&c=%ff&&d#f")

    def test_include(self) -> None:
        assert self.URL.include_query_params(a=5, z="ä b") == "http://h/p?b=%20x&c=%ff&&d&a=5&z=%C3%A4+b#f"
        assert URL("/").include_query_params(a=[1, 2], b="") == "/?a=1&a=2&b="
        assert self.URL.include_query_params() == self.URL

    def test_replace(self) -> None:
        assert self.URL.replace_query_params(q="&", r=(1, 2)) == "http://h/p?q=%26&r=1&r=2#f"
        assert self.URL.replace_query_params() == "http://h/p#f"

    @pytest.mark.parametrize("names", [("a", "b"), (["a", "b"],), ("a", ["b"]), ({"a", "b"},)])
    def test_remove(self, names: Any) -> None:
        assert self.URL.remove_query_params(*names) == "http://h/p?c=%ff&&d#f"
        assert URL("/?%61=1&d").remove_query_params("a", "d") == "/"
        assert URL("/?a=%20").remove_query_params() == "/?a=%20"
        assert URL("/?a=%20").remove_query_params("b") == "/?a=%20"

    @pytest.mark.parametrize(
        "query",
        [
            {"a": [1, 2], "b": "é"},
            [("a", 1), ("a", 2), ("b", "é")],
            MultiDict([("a", 1), ("a", 2), ("b", "é")]),
            ImmutableMultiDict([("a", 1), ("a", 2), ("b", "é")]),
            iter([("a", (1, 2)), ("b", "é")]),
        ],
    )
    def test_with_replacements(self, query: Any) -> None:
        assert URL("http://h/p?x#f").with_replacements(query=query) == "http://h/p?a=1&a=2&b=%C3%A9#f"

    @pytest.mark.parametrize("query", [None, "", {}, []])
    def test_no_query(self, query: Any) -> None:
        assert URL("http://h/p?x#f").with_replacements(query=query) == "http://h/p#f"

    def test_subclass(self) -> None:
        assert type(CustomURL("/").include_query_params(a=1)) is CustomURL

    @given(st.dictionaries(st.text(max_size=3), st.text(max_size=3)), st.text(max_size=10))
    def test_parameters_are_read_again(self, parameters: dict[str, str], query: str) -> None:
        url = URL.from_components(path="/", query=query).include_query_params(**parameters)
        read = url.query_params
        for name, value in parameters.items():
            assert read.getall(name) == [value.encode("utf-8", "replace").decode()]
        assert not url.remove_query_params(*parameters).query_params.keys() & parameters.keys()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("http://h//evil.test/x", "/%2Fevil.test/x"),
        ("http://h///evil.test", "/%2F/evil.test"),
        ("http://h/\\evil.test", "/%5Cevil.test"),
        ("http://h/a//b", "/a//b"),
        ("http://h/", "/"),
        ("http://h", ""),
    ],
)
def test_path_as_a_location_stays_on_the_host(text: str, path: str) -> None:
    assert URL(text).path == path
    assert str(URL(text)) == text
    assert str(URL(text).with_replacements(query="a")) == text.replace("\\", "%5C") + "?a"
