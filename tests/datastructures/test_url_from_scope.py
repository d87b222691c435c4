"""URLs from scopes."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.query import parse_urlencoded
from asgiwire.datastructures import URL
from tests.fixtures import load_scopes

pytestmark = pytest.mark.usefixtures("implementation")

HTTP: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
SCOPES = load_scopes()


def url(**keys: Any) -> str:
    return str(URL.from_scope({**HTTP, **keys}))


def base_url(**keys: Any) -> str:
    return str(URL.base_from_scope({**HTTP, **keys}))


def host(*values: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"accept", b"*/*"), *((b"host", value) for value in values)]


class TestOrigin:
    def test_host_takes_precedence_over_server(self) -> None:
        assert url(headers=host(b"example.test"), server=("127.0.0.1", 8000)) == "http://example.test/"

    def test_server_without_host(self) -> None:
        assert url(server=("127.0.0.1", 8000)) == "http://127.0.0.1:8000/"

    def test_host_without_server(self) -> None:
        assert url(headers=host(b"example.test:81")) == "http://example.test:81/"

    def test_relative_url_without_host_and_server(self) -> None:
        assert url(path="/a", query_string=b"b=1") == "/a?b=1"

    @pytest.mark.parametrize("name", [b"host", b"Host", b"HOST"])
    def test_name_of_the_header_is_case_insensitive(self, name: bytes) -> None:
        assert url(headers=[(name, b"example.test")]) == "http://example.test/"

    @pytest.mark.parametrize(
        "value",
        [
            b"",
            b"foo/?x=",
            b"foo/#",
            b"a@b",
            b"a\\b",
            b"a b",
            b"[::1",
            b"h:99999",
            b"h:abc",
            b"evil.com/x?y#z",
            b"user:pw@evil",
            b"\xff",
        ],
    )
    def test_invalid_host_falls_back_to_the_server(self, value: bytes) -> None:
        """CVE-2026-48710: "Host: foo/?x=" must not change the path."""
        assert url(headers=host(value), server=("127.0.0.1", 8000)) == "http://127.0.0.1:8000/"
        assert url(headers=host(value)) == "/"

    def test_different_hosts_are_ignored(self) -> None:
        """RFC 9112 section 3.2 requires a 400 for "more than one Host header field line"."""
        assert url(headers=host(b"a.test", b"b.test"), server=("s.test", 80)) == "http://s.test/"
        assert url(headers=host(b"a.test", b"a.test"), server=("s.test", 80)) == "http://a.test/"

    def test_forwarded_headers_are_ignored(self) -> None:
        headers = [
            (b"x-forwarded-host", b"evil"),
            (b"x-forwarded-proto", b"https"),
            (b"forwarded", b"host=evil"),
        ]
        assert url(headers=headers, server=("s.test", 80)) == "http://s.test/"

    @pytest.mark.parametrize(
        ("server", "text"),
        [
            (None, "/"),
            (("127.0.0.1", 80), "http://127.0.0.1/"),
            (["127.0.0.1", 8000], "http://127.0.0.1:8000/"),
            (("127.0.0.1", "8000"), "http://127.0.0.1:8000/"),
            (("::1", 8000), "http://[::1]:8000/"),
            (("::1", "80"), "http://[::1]/"),
            (("/run/u.sock", None), "/"),
            (["/run/u.sock", "0"], "/"),
            (("", "0"), "/"),
            (("h", None), "/"),
            (("h", "x"), "/"),
            (("evil/x", 80), "/"),
            ((), "/"),
            ("h:80", "/"),
            (("h",), "/"),
        ],
    )
    def test_server(self, server: object, text: str) -> None:
        assert url(server=server) == text

    @pytest.mark.parametrize(("scheme", "port"), [("http", 80), ("https", 443), ("ws", 80), ("wss", 443)])
    def test_default_port_is_omitted(self, scheme: str, port: int) -> None:
        assert url(scheme=scheme, headers=host(b"h:%d" % port)) == f"{scheme}://h/"
        assert url(scheme=scheme, server=("h", port)) == f"{scheme}://h/"
        assert url(scheme=scheme, headers=host(b"h:%d" % (port + 1))) == f"{scheme}://h:{port + 1}/"

    @pytest.mark.parametrize(
        ("keys", "scheme"),
        [
            ({}, "http"),
            ({"scheme": None}, "http"),
            ({"scheme": ""}, "http"),
            ({"scheme": "https"}, "https"),
            ({"scheme": "HTTPS"}, "https"),
            ({"scheme": "gopher"}, "gopher"),
            ({"scheme": "http://evil/?"}, "http"),
            ({"scheme": b"https"}, "http"),
            ({"type": "websocket"}, "ws"),
            ({"type": "websocket", "scheme": None}, "ws"),
            ({"type": "websocket", "scheme": "wss"}, "wss"),
            ({"scheme": "wss"}, "wss"),
        ],
    )
    def test_scheme(self, keys: dict[str, Any], scheme: str) -> None:
        """The ASGI specification: "Optional; if missing or empty, defaults to "http"", and to "ws"."""
        assert url(headers=host(b"h"), **keys) == f"{scheme}://h/"

    def test_headers_as_an_iterator(self) -> None:
        scope = {**HTTP, "headers": iter(host(b"example.test"))}
        for _ in range(2):
            assert URL.from_scope(scope) == "http://example.test/"

    def test_headers_as_lists(self) -> None:
        assert url(headers=[[b"host", b"example.test"]]) == "http://example.test/"


class TestQuery:
    @pytest.mark.parametrize(
        ("query_string", "text"),
        [
            (b"", "/"),
            (None, "/"),
            ("a=1", "/"),
            (b"a=1&b=%20+c&&a[]=;'", "/?a=1&b=%20+c&&a[]=;'"),
            (b"q=\xc3\xa9", "/?q=%C3%A9"),
            (b"\xff", "/?%FF"),
            (b"a=%zz+1?2#frag", "/?a=%25zz+1?2%23frag"),
            (b'a=<b> "c"', "/?a=%3Cb%3E%20%22c%22"),
            (b"a=1\r\nX: y", "/?a=1%0D%0AX:%20y"),
        ],
    )
    def test_query(self, query_string: Any, text: str) -> None:
        assert url(query_string=query_string) == text

    def test_no_query(self) -> None:
        assert str(URL.from_scope({"type": "websocket", "path": "/"})) == "/"

    @given(st.binary() | st.text("a=&?#%+é4").map(str.encode))
    def test_query_params_are_unchanged(self, query: bytes) -> None:
        url_of_scope = URL.from_scope({**HTTP, "query_string": query})
        assert list(url_of_scope.query_params.items()) == parse_urlencoded(query)


class TestPath:
    @pytest.mark.parametrize(
        ("keys", "text"),
        [
            ({"path": "/a?b#c d", "query_string": b"x=1"}, "http://h/a%3Fb%23c%20d?x=1"),
            ({"path": "/a b/é", "raw_path": None}, "http://h/a%20b/%C3%A9"),
            (
                {"path": "/a b/é", "raw_path": b"/a%20b/%C3%A9?x=1", "query_string": b"x=1"},
                "http://h/a%20b/%C3%A9?x=1",
            ),
            ({"path": "/a/b", "raw_path": b"/a%2Fb"}, "http://h/a%2Fb"),
            ({"path": "/api/items", "root_path": "/api"}, "http://h/api/items"),
            ({"path": "/items", "root_path": "/api"}, "http://h/api/items"),
            ({"path": "/mnt/x", "root_path": "/mnt", "raw_path": b"/mnt/x"}, "http://h/mnt/x"),
            ({"path": "/x", "root_path": None}, "http://h/x"),
            ({"path": "*"}, "http://h"),
            ({"path": "@google.com"}, "http://h/@google.com"),
            ({"path": "//evil/x"}, "http://h//evil/x"),
            ({"path": "http://evil/"}, "http://h/"),
            ({"path": "http://other.test:81/abs/p", "query_string": b"x=1"}, "http://h/abs/p?x=1"),
            ({"path": None}, "http://h/"),
            ({"path": b"/bytes"}, "http://h/"),
            ({"raw_path": "/text"}, "http://h/"),
        ],
        ids=repr,
    )
    def test_path(self, keys: dict[str, Any], text: str) -> None:
        assert url(headers=host(b"h"), **keys) == text

    @pytest.mark.parametrize("path", ["//evil/x", "///x", "//"])
    def test_relative_url_has_no_authority(self, path: str) -> None:
        """RFC 3986 section 4.2: a reference that begins with two slashes has an authority."""
        url_of_scope = URL.from_scope({**HTTP, "path": path})
        assert (str(url_of_scope), url_of_scope.netloc) == (f"/.{path}", "")

    def test_scope_without_a_path(self) -> None:
        assert str(URL.from_scope({"type": "http"})) == "/"


class TestBase:
    @pytest.mark.parametrize(
        ("keys", "text"),
        [
            ({}, "http://h/"),
            ({"root_path": None}, "http://h/"),
            ({"root_path": 1}, "http://h/"),
            ({"root_path": "/"}, "http://h/"),
            ({"root_path": "/api", "path": "/api/x", "query_string": b"q"}, "http://h/api/"),
            ({"root_path": "/api/"}, "http://h/api/"),
            ({"root_path": "/a b/é"}, "http://h/a%20b/%C3%A9/"),
            ({"root_path": "/app/mount", "app_root_path": "/app"}, "http://h/app/"),
            ({"root_path": "/mount", "app_root_path": ""}, "http://h/"),
            ({"root_path": "/app", "app_root_path": None}, "http://h/app/"),
            ({"root_path": "//evil"}, "http://h//evil/"),
            ({"root_path": "@evil"}, "http://h/@evil/"),
        ],
        ids=repr,
    )
    def test_base(self, keys: dict[str, Any], text: str) -> None:
        assert base_url(headers=host(b"h"), **keys) == text

    def test_relative(self) -> None:
        assert base_url(root_path="/api") == "/api/"
        assert base_url(root_path="//evil") == "/.//evil/"


# URLs from the scopes of servers. The request had "Host: example.test".
RECORDED = {
    "uvicorn/httptools+wsproto:plain_get": "http://example.test/hello?x=1&y=%20a",
    "uvicorn/httptools+wsproto:hosts/http10_no_host": "http://127.0.0.1:18401/",
    "granian:hosts/http10_no_host": "http://127.0.0.1:18406/",
    "granian:hosts/dup_host": "http://127.0.0.1:18406/",
    "hypercorn:path_encoding/space_utf8_slash": "http://example.test/a%20b/%C3%A9/%2F/%25/x;y=1,z",
    "hypercorn:path_encoding/bad_utf8": "http://example.test/bad/%FF%FE/x",
    "granian:path_encoding/raw_utf8_bytes": "http://example.test/caf%C3%A9?q=%C3%A9",
    "uvicorn/zttp:target_forms/absolute": "http://example.test/abs/p?x=1",
    "daphne:target_forms/options_star": "http://example.test",
    "daphne:empty_query/odd": "http://example.test/q?a&b=&=c&a=%25zz+1?2%23frag",
    "daphne:ws_echo": "ws://example.test/ws/a%20b?t=1",
    "daphne-tls:tls_ws": "ws://example.test/ws/a%20b?t=1",
    "hypercorn-tls:tls_ws": "wss://example.test/ws/a%20b?t=1",
    "inprocess/httpx_asgi:app": "http://test.local:81/a%20b/%C3%A9?x=1",
    "inprocess/starlette_tc:app": "http://testserver/a%20b/%C3%A9?x=1",
    "inprocess/litestar_tc:app": "http://testserver.local/a%20b/%C3%A9?x=1",
    "inprocess/asgiref_comm:app": "/",
    "inprocess/mangum_v2:app": "https://api.test/stage/a%20b/%C3%A9?x=1&x=2",
    "inprocess/a2wsgi_asgi:app": "http://s.test:8080/mnt/a%20b/%C3%A9?x=1",
    "granian-uds:basic_http": "http://example.test/t?x=1",
    "uvicorn-rootpath:root_http/inside": "http://example.test/root/root/a%20b?x=1",
    "uvicorn-rootpath:root_http/outside": "http://example.test/root/other/x",
    "uvicorn-rootpath:root_http/exact": "http://example.test/root/root",
    "hypercorn-rootpath:root_http/inside": "http://example.test/root/a%20b?x=1",
    "hypercorn-rootpath:root_http/outside": "http://example.test/root/other/x",
    "hypercorn-rootpath:root_http/exact": "http://example.test/root",
    "granian-rootpath:root_ws/inside": "ws://example.test/root/a%20b?x=1",
    "daphne-rootpath:root_http/daphne_header": "http://example.test/dd%20x/dd/x",
    "hypercorn-rawheaders:raw_header_case/http": "http://example.test/",
    "daphne-proxy:proxy_headers/xff_bad": "gopher://example.test/",
}


@pytest.mark.parametrize(("name", "text"), RECORDED.items(), ids=RECORDED)
def test_url_of_recorded_scope(name: str, text: str) -> None:
    assert str(URL.from_scope(SCOPES[name])) == text


def test_recorded_scopes() -> None:
    for name, scope in SCOPES.items():
        for url_of_scope in (URL.from_scope(scope), URL.base_from_scope(scope)):
            assert URL(str(url_of_scope)) == url_of_scope, name
            assert all(
                getattr(url_of_scope, part) == getattr(URL(str(url_of_scope)), part)
                for part in ("netloc", "path", "query")
            ), name
            assert url_of_scope.hostname in {
                "example.test",
                "host.test",
                "127.0.0.1",
                "test.local",
                "testserver",
                "testserver.local",
                "localhost",
                "api.test",
                "s.test",
                None,
            }, name
            assert url_of_scope.port is None or type(url_of_scope.port) is int, name
        unix_or_hand_built = "uds" in name or "asgiref" in name
        assert URL.from_scope({**scope, "headers": []}).hostname is not None or unix_or_hand_built, name


ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.lists(st.text() | st.integers())
)
TARGET = st.text() | st.text("/?#@:.%2F\\ab*é\ud800 ")
SCOPE = st.fixed_dictionaries(
    {"type": st.sampled_from(["http", "websocket"])},
    optional={
        "path": TARGET | ANYTHING,
        "raw_path": st.text("/?#@:.%2F\\ab*é ").map(str.encode) | ANYTHING,
        "root_path": TARGET | ANYTHING,
        "app_root_path": TARGET | ANYTHING,
        "query_string": st.text("a=&?#%+é/").map(str.encode) | ANYTHING,
        "scheme": ANYTHING,
        "server": st.tuples(st.text(), st.integers() | st.text() | st.none()) | ANYTHING,
        "headers": st.none()
        | st.lists(st.tuples(st.just(b"host"), st.binary() | st.text("a.:[]@/01").map(str.encode))),
    },
)


@given(SCOPE)
def test_never_raises_and_url_round_trips(scope: dict[str, Any]) -> None:
    for url_of_scope in (URL.from_scope(scope), URL.base_from_scope(scope)):
        text = str(url_of_scope)
        assert URL(text) == url_of_scope
        parts = urlsplit(text)
        assert (
            url_of_scope.scheme,
            url_of_scope.netloc,
            url_of_scope.path,
            url_of_scope.query,
            url_of_scope.fragment,
        ) == (
            parts.scheme,
            parts.netloc,
            parts.path,
            parts.query,
            "",
        )
        assert (url_of_scope.hostname, url_of_scope.port, url_of_scope.username) == (
            parts.hostname,
            parts.port,
            None,
        )
        assert text.isascii()
        assert text.isprintable()


SCHEMES = ["http", "https", "wss", "HTTP", "x"]
HOSTS = ["a.b", "A", "a:80", "a:443", "a:8000", "a:08", "a:0", "a:99999", "[::1]", "a/b", "a:", "\x00"]
QUERIES = ["", "a=1&b=2", "a=%20", "a=%2", "%", "%zz", "a=b?c/d", "#", "a b", "é", "\0"]
TARGETS = [  # decoded, and as sent
    *(("/", "/"), ("/a/b", "/a/b"), ("//a", "//a"), ("/a b", "/a%20b"), ("/a%20b", "/a%20b"), ("/a", "/b")),
    *(("/a?b", "/a?b"), ("/a?b", "/a%3Fb"), ("/é", "/%C3%A9"), ("/a\0", "/a\0"), ("/[a]", "/[a]")),
    *(("", ""), ("*", "*"), ("a", "a")),
]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_fast_path_has_the_same_result(scheme: str) -> None:
    """The check of common targets must not change the result."""
    combinations = itertools.product(HOSTS, TARGETS, QUERIES, ["", "/a", "/"])
    for name, (path, raw_path), query, root_path in combinations:
        scope = {**HTTP, "scheme": scheme, "path": path, "raw_path": raw_path.encode()}
        scope |= {"root_path": root_path, "query_string": query.encode(), "headers": host(name.encode())}
        url_of_scope = URL.from_scope(scope)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("asgiwire.datastructures.url.common_url", lambda *_parts: None)
            general = URL.from_scope(scope)
        assert (url_of_scope, url_of_scope._parts) == (general, general._parts)


@given(TARGET, st.none() | st.text("/?#@:.%2F\\ab*é ").map(str.encode), TARGET, st.binary())
def test_target_cannot_change_the_authority(
    path: str, raw_path: bytes | None, root_path: str, query: bytes
) -> None:
    scope = {**HTTP, "path": path, "raw_path": raw_path, "root_path": root_path, "query_string": query}
    url_of_scope = URL.from_scope({**scope, "headers": host(b"host.test")})
    assert (url_of_scope.scheme, url_of_scope.netloc, url_of_scope.fragment) == ("http", "host.test", "")
    relative = URL.from_scope(scope)
    assert (relative.scheme, relative.netloc) == ("", "")
    assert not url_of_scope.path.startswith(("//", "/\\"))
    assert str(relative).removeprefix("/.") == str(url_of_scope).removeprefix(
        "http://host.test"
    ).removeprefix("/.")


@given(st.text(st.characters(exclude_categories=["Cs"])).map(lambda path: "/" + path))
def test_path_round_trips(path: str) -> None:
    url_of_scope = URL.from_scope({**HTTP, "path": path, "headers": host(b"h")})
    assert unquote(url_of_scope.path) == path
    again = URL.from_scope(
        {
            **HTTP,
            "path": unquote(url_of_scope.path),
            "raw_path": url_of_scope.path.encode(),
            "headers": host(b"h"),
        }
    )
    # `path` has an escape in the place of a second slash.
    assert str(again).replace("%2F", "/", 1) == str(url_of_scope).replace("%2F", "/", 1)
