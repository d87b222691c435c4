"""The column "asgiwire" of the page "How input is read", and the examples of the standards.

The cases are our own, one for each rule that the data of web-platform-tests (urlencoded, MIME types,
cookies), RFC 4647, RFC 6265 and RFC 9110 decide.
"""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire import Request
from asgiwire.datastructures import URL, AcceptLanguage
from asgiwire.exceptions import ClientException, SerializationException
from asgiwire.testing import ScriptedReceive, http_scope


def request(headers: list[tuple[str, bytes]] | None = None, body: bytes = b"", **values: Any) -> Request:
    pairs = [(name.encode(), value) for name, value in headers or []]
    scope = {**http_scope(), "server": ("srv", 80), **values, "headers": pairs}
    return Request(scope, ScriptedReceive.body(body))


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        (b"a=1;b=2", [("a", "1;b=2")]),
        (b"a=1&a=2", [("a", "1"), ("a", "2")]),
        (b"&&a=1", [("a", "1")]),
        (b"a", [("a", "")]),
        (b"=a", [("", "a")]),
        (b"=", [("", "")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a=%zz", [("a", "%zz")]),
        (b"a=%ff", [("a", "\ufffd")]),
        (b"a=\xff", [("a", "\ufffd")]),
        (b"a=\xc3\xa9", [("a", "é")]),
        (b"a=%00", [("a", "\0")]),
        (b"a=+%2B%20", [("a", " + ")]),
        (b"%61%3D=%26", [("a=", "&")]),
        (b"\xef\xbb\xbfa=b", [("\ufeffa", "b")]),
        (b"%EF%BB%BFa=%FE%FF", [("\ufeffa", "\ufffd\ufffd")]),
        (b"a=%e2%82", [("a", "\ufffd")]),
        (b"a=%C2x", [("a", "\ufffdx")]),
        (b"_charset_=windows-1252&a=%E9", [("_charset_", "windows-1252"), ("a", "\ufffd")]),
    ],
)
def test_query(query: bytes, pairs: list[tuple[str, str]]) -> None:
    made = request(query_string=query)
    assert list(made.query_params.items()) == pairs
    assert made.query_params[pairs[0][0]] == pairs[0][1]


@pytest.mark.parametrize(
    ("headers", "cookies"),
    [
        ([b"a=1; a=2"], {"a": "2"}),
        ([b"a"], {"": "a"}),
        ([b"=a"], {"": "a"}),
        ([b'a="b;c"'], {"a": '"b', "": 'c"'}),
        ([b'a="b\\054c"'], {"a": "b,c"}),
        ([b"a=%41"], {"a": "A"}),
        ([b"a=\xc3\xa9"], {"a": "é"}),
        ([b"a=\xff; b=\xc3\xa9"], {"a": "ÿ", "b": "é"}),
        ([b"a=b c"], {"a": "b c"}),
        ([b"a b=c"], {"a b": "c"}),
        ([b'a="b'], {"a": '"b'}),
        ([b"a=1", b"b=2"], {"a": "1", "b": "2"}),
        ([b"a=1,b=2"], {"a": "1,b=2"}),
        ([b";; a=1 ;"], {"a": "1"}),
        ([b"a="], {"a": ""}),
        ([b"$Version=1; a=b"], {"$Version": "1", "a": "b"}),
        ([b"a=b=c"], {"a": "b=c"}),
        ([b"A=1; a=2"], {"A": "1", "a": "2"}),
    ],
)
def test_cookies(headers: list[bytes], cookies: dict[str, str]) -> None:
    assert request([("cookie", value) for value in headers]).cookies == cookies


@pytest.mark.parametrize(
    ("hosts", "url"),
    [
        ([b"u:p@h"], "http://srv/"),
        ([b"h/x"], "http://srv/"),
        ([b"[::1"], "http://srv/"),
        ([b"h\\x"], "http://srv/"),
        ([b"h%41"], "http://srv/"),
        ([b"a", b"b"], "http://srv/"),
        ([b"a", b"a"], "http://a/"),
        ([b"h:99999"], "http://srv/"),
        ([b""], "http://srv/"),
        ([b"h:"], "http://h/"),
        ([b"h:080"], "http://h/"),
        ([b"h:0081"], "http://h:81/"),
        ([b"H.TEST"], "http://H.TEST/"),
        ([b"[::1]:81"], "http://[::1]:81/"),
    ],
)
def test_host(hosts: list[bytes], url: str) -> None:
    assert str(request([("host", value) for value in hosts]).url) == url


@pytest.mark.parametrize(
    ("path", "raw_path", "url", "url_path"),
    [
        ("//evil.test/x", b"//evil.test/x", "http://h//evil.test/x", "/%2Fevil.test/x"),
        ("/\\evil.test", b"/\\evil.test", "http://h/%5Cevil.test", "/%5Cevil.test"),
        ("/a/b", b"/a%2Fb", "http://h/a%2Fb", "/a%2Fb"),
        ("/\ufffd", b"/%FF", "http://h/%FF", "/%FF"),
        ("/a?b", b"/a%3Fb", "http://h/a%3Fb", "/a%3Fb"),
        ("*", b"*", "http://h", ""),
    ],
)
def test_path(path: str, raw_path: bytes, url: str, url_path: str) -> None:
    made = request([("host", b"h")], path=path, raw_path=raw_path)
    assert (str(made.url), made.url.path) == (url, url_path)
    assert URL(url).path == url_path


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        (b"text/html; charset=a; charset=b", {"charset": "a"}),
        (b"text/html; charset = a", {"charset": "a"}),
        (b'text/html; c d="x;charset=y"', {}),
        (b"text/html; a=b\x01; c=d", {"c": "d"}),
        (b'text/html;charset="a\\"b"', {"charset": 'a"b'}),
        (b'text/html;charset="a', {"charset": "a"}),
        (b'text/html;charset="a"b', {"charset": "a"}),
        (b"TEXT/HTML;CHARSET=A", {"charset": "A"}),
        (b"text/html;;;charset=a;", {"charset": "a"}),
        (b"text/html;charset", {}),
        (b"text/html;charset=", {"charset": ""}),
        (b"text/html;charset='a'", {"charset": "'a'"}),
    ],
)
def test_content_type(value: bytes, parameters: dict[str, str]) -> None:
    assert request([("content-type", value)]).content_type == ("text/html", parameters)


@pytest.mark.parametrize("value", [b"+5", b"-1", b"1_0", b"5, 5", b"0x5", b"\xb5", b"5.0", b"1e3"])
def test_content_length(value: bytes) -> None:
    with pytest.raises(ClientException, match=r"^Content-Length must be a decimal number of bytes"):
        _ = request([("content-length", value)]).content_length


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        (b"text/plain; charset=utf-16", b"\xfe\xff\x00a", "a"),
        (b"text/plain; charset=utf-16", b"a\x00", "a"),
        (b"text/plain; charset=iso-8859-1", b"\xef\xbb\xbf\xc3\xa9", "é"),
        (b"text/plain; charset=iso-8859-1", b"\x80\x81", "€\x81"),
        (b"text/plain", b"\xff\xfea\x00", "a"),
        (b"text/plain; charset=bogus", b"\xff", "\ufffd"),
    ],
)
async def test_text(content_type: bytes, body: bytes, text: str) -> None:
    assert await request([("content-type", content_type)], body).text() == text


@pytest.mark.parametrize(
    ("field", "offered", "best"),
    [
        # RFC 9110 section 12.5.1
        (b"audio/*; q=0.2, audio/basic", ["audio/x", "audio/basic"], "audio/basic"),
        (
            b"text/plain; q=0.5, text/html, text/x-dvi; q=0.8, text/x-c",
            ["text/x-dvi", "text/plain"],
            "text/x-dvi",
        ),
        (b"text/*, text/plain, text/plain;format=flowed, */*", ["text/plain;format=flowed", "a/b"], None),
        (
            b"text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, text/html;level=2;q=0.4, */*;q=0.5",
            ["text/html", "image/jpeg", "text/plain"],
            "text/plain",
        ),
        (b"a/b;q=2", ["c/d", "a/b"], "a/b"),
        # the order of the client decides a tie
        (b"text/plain, text/html", ["text/html", "text/plain"], "text/plain"),
    ],
)
def test_accept(field: bytes, offered: list[str], best: str | None) -> None:
    assert request([("accept", field)]).accept.best_match(offered) == (best or offered[0])


@pytest.mark.parametrize(
    ("field", "offered", "best"),
    [
        ("zh-Hant-TW, zh;q=0.8", ["zh-Hans", "zh-Hant"], "zh-Hant"),
        # RFC 4647 section 3.4
        ("zh-Hant-CN-x-private1-private2", ["zh", "zh-Hant-CN"], "zh-Hant-CN"),
        ("fr-FR, zh-Hant", ["zh-Hant", "fr"], "fr"),
        ("fr-FR, zh-Hant", ["zh", "de"], "zh"),
        # section 3.3.1
        ("de-de", ["de-Latn-DE", "de-DE-1996"], "de-DE-1996"),
        ("de", ["deu", "de-CH"], "de-CH"),
    ],
)
def test_accept_language(field: str, offered: list[str], best: str) -> None:
    assert AcceptLanguage(field).best_match(offered) == best


def test_conditions_and_credentials() -> None:
    made = request(
        [
            ("if-none-match", b'"f\xf8o"'),
            ("range", b"bytes=5-1"),
            ("authorization", b"Basic dXA="),
            ("x-a", b" \t a \t "),
        ]
    )
    assert made.if_none_match is not None
    assert made.if_none_match.matches('"føo"')
    assert made.range is None
    assert made.authorization is None
    assert made.headers["x-a"] == "a"


@pytest.mark.anyio
async def test_json() -> None:
    assert await request(body=b"\xef\xbb\xbf{}").json() == {}
    assert await request().json() is None
    assert await request(body=b'{"a":1,"a":2}').json() == {"a": 2}
    for body in (b"NaN", b"[Infinity]", b"\xef\xbb\xbf\xef\xbb\xbf{}"):
        with pytest.raises(SerializationException):
            await request(body=body).json()
