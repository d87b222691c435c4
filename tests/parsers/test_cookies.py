"""Parser for the Cookie header: test cases of Django and Tornado, values that browsers send, attacks."""

from __future__ import annotations

from http.cookies import SimpleCookie

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asgiwire._parsers.cookies import parse_cookies
from tests.floods import must_end

pytestmark = pytest.mark.usefixtures("implementation")

OKTA = (
    b'provider-oauth-nonce=xxx-yyy; okta-oauth-redirect-params={"responseType":"code","state":"somestate",'
    b'"nonce":"somenonce","scopes":["openid","profile","email","phone"],"urls":{"issuer":'
    b'"https://subdomain.okta.com/oauth2/authServer","authorizeUrl":'
    b'"https://subdomain.okta.com/oauth2/authServer/v1/authorize"}}; okta-oauth-state=a; okta-oauth-nonce=b'
)

TABLE = {
    # from Django, based on a survey of browsers by Bjoern Hoehrmann
    "one": (b"a=b", {"a": "b"}),
    "two": (b"a=b; c=d", {"a": "b", "c": "d"}),
    "no blank": (b"a=b;c=d", {"a": "b", "c": "d"}),
    "empty": (b"", {}),
    "only separators": (b" ; ;; ", {}),
    "quotes do not protect a semicolon": (b'keebler="E=mc2; L=\\"Loves\\"; fudge=\\012;"', {
        "keebler": '"E=mc2', "L": '\\"Loves\\"', "fudge": "\\012", "": '"',
    }),
    "equals in a value": (b"keebler=E=mc2", {"keebler": "E=mc2"}),
    "colon in a name": (b"key:term=value:term", {"key:term": "value:term"}),
    "brackets": (b"a=b; c=[; d=r; f=h", {"a": "b", "c": "[", "d": "r", "f": "h"}),
    "a bracket is no separator": (b"a=b; csrftoken=x]sessionid=y", {"a": "b", "csrftoken": "x]sessionid=y"}),
    "nameless": (b"abc=def; unnamed; django_language=en", {
        "abc": "def", "": "unnamed", "django_language": "en",
    }),
    "only a nameless one": (b"dnk", {"": "dnk"}),
    "blanks, nameless and empty": (b"  =  b  ;  ;  =  ;   c  =  ;  ", {"": "b", "c": ""}),
    "blank in a name": (b"a b c=d e = f; gh=i", {"a b c": "d e = f", "gh": "i"}),
    "other characters": (b'a   b,c<>@:/[]?{}=d  "  =e,f g', {"a   b,c<>@:/[]?{}": 'd  "  =e,f g'}),
    "raw UTF-8": ("saint=André Bessette".encode(), {"saint": "André Bessette"}),
    "duplicate": (b"a=b; h=i; a=c", {"a": "c", "h": "i"}),
    "blanks in a value": (b"saint=Andr; path=/x y", {"saint": "Andr", "path": "/x y"}),
    "Okta": (OKTA, {
        "provider-oauth-nonce": "xxx-yyy",
        "okta-oauth-redirect-params": OKTA.split(b"=", 2)[2].split(b"; ")[0].decode(),
        "okta-oauth-state": "a",
        "okta-oauth-nonce": "b",
    }),
    # from Tornado
    "quoted": (b'foo="bar baz"', {"foo": "bar baz"}),
    "quoted quote": (b'a="\\"b\\""', {"a": '"b"'}),
    "octal": (b'a="b\\073c\\054d\\351"', {"a": "b;c,dé"}),
    "octal of one digit too few": (b'a="\\07"', {"a": "07"}),
    "octal over a byte": (b'a="\\400"', {"a": "400"}),
    "escaped backslash before digits": (b'a="\\\\012"', {"a": "\\012"}),
    "trailing backslash": (b'a="b\\"', {"a": "b\\"}),
    "one quote": (b'a="', {"a": '"'}),
    "no closing quote": (b'a="b', {"a": '"b'}),
    "no opening quote": (b'a=b"', {"a": 'b"'}),
    "empty quotes": (b'a=""', {"a": ""}),
    # other values that clients send
    "missing value": (b"a=", {"a": ""}),
    "missing name": (b"=a", {"": "a"}),
    "both missing": (b"=", {}),
    "missing name, and empty quotes": (b'=""', {"": ""}),
    "nameless is never another cookie": (b"=__Host-x=evil", {"": "__Host-x=evil"}),
    "nameless with a nameless": (b"a; b; =c", {"": "c"}),
    "percent": (b"a=%41%20%C3%A9", {"a": "A é"}),
    "percent in quotes": (b'a="%22\\""', {"a": '""'}),
    "percent and raw": ("a=é%C3%A9".encode(), {"a": "éé"}),
    "percent without an escape": (b"a=100%; b=%zz; c=%4", {"a": "100%", "b": "%zz", "c": "%4"}),
    "percent that is not UTF-8": (b"a=%FF", {"a": "\ufffd"}),
    "percent in a name": (b"%41=b", {"%41": "b"}),
    "plus": (b"a=b+c", {"a": "b+c"}),
    "latin-1": (b"a=caf\xe9; b=caf\xc3\xa9", {"a": "café", "b": "café"}),
    "latin-1 name": (b"\xe9=1; \xc3\xa9=2", {"é": "2"}),
    "tab": (b"a\t=\tb", {"a": "b"}),
    "only blanks and tabs are trimmed": ("a=\xa0b\u3000".encode(), {"a": "\xa0b\u3000"}),
    "control characters": (b"a=\x01", {"a": "\x01"}),
    "JSON": (b'a={"x": [1, 2]}', {"a": '{"x": [1, 2]}'}),
    "reserved by http.cookies": (b"path=/; expires=never; $Version=1", {
        "path": "/", "expires": "never", "$Version": "1",
    }),
}  # fmt: skip


@pytest.mark.parametrize(("header", "expected"), TABLE.values(), ids=TABLE)
def test_table(header: bytes, expected: dict[str, str]) -> None:
    assert parse_cookies([header]) == expected


@pytest.mark.parametrize("header", [header for header, _ in TABLE.values()], ids=TABLE)
def test_each_cookie_in_a_separate_header(header: bytes) -> None:
    """RFC 9113 section 8.2.3: "the Cookie header field MAY be split into separate header fields"."""
    assert parse_cookies(header.split(b";")) == parse_cookies([header])


@pytest.mark.parametrize("header", [header for header, _ in TABLE.values()], ids=TABLE)
def test_every_prefix(header: bytes) -> None:
    """Truncating a header does not change the complete cookies in it."""
    for end in range(len(header)):
        whole = header[:end].rpartition(b";")[0]
        cut = parse_cookies([header[:end]])
        assert parse_cookies([whole]).keys() <= cut.keys()


def test_no_header() -> None:
    assert parse_cookies([]) == {}


def test_headers_are_parsed_in_order() -> None:
    assert parse_cookies(iter([b"a=1; b=2", b"c=3", b"a=4"])) == {"a": "4", "b": "2", "c": "3"}


def test_header_that_is_not_utf_8_does_not_affect_others() -> None:
    assert parse_cookies(["a=é".encode(), b"b=\xe9"]) == {"a": "é", "b": "é"}


def test_each_call_returns_a_new_dict() -> None:
    parse_cookies([b"a=1"])["admin"] = "1"
    assert parse_cookies([b"a=1"]) == {"a": "1"}


@must_end
@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b'a="' + b"\\" * 1_000_000 + b'"', id="backslashes, CVE-2024-7592"),
        pytest.param(b'a="' + b"\\0" * 500_000 + b'"', id="broken octals"),
        pytest.param(b'a="' + b"\\012" * 250_000 + b'"', id="octals"),
        pytest.param(b";" * 1_000_000, id="semicolons"),
        pytest.param(b"a" + b"=" * 1_000_000, id="equals"),
        pytest.param(b" " * 1_000_000 + b"a", id="blanks"),
        pytest.param(b"a=" + b"%" * 1_000_000, id="percents"),
        pytest.param(b"a=%41" * 250_000, id="escapes"),
        pytest.param(b"a=\xff;" * 250_000, id="not UTF-8"),
    ],
)
def test_time_is_linear(header: bytes) -> None:
    """A quadratic parser takes 5 s for 64 KB of backslashes and 20 minutes for these inputs."""
    parse_cookies([header])


@given(st.dictionaries(st.text("abcXYZ-_", min_size=1), st.text()))
def test_parses_output_of_http_cookies(cookies: dict[str, str]) -> None:
    jar = SimpleCookie()
    expected = {}
    for name, value in cookies.items():
        if value.isprintable() and value.isascii() and "%" not in value:
            jar[name] = expected[name] = value
    assert parse_cookies([jar.output(attrs=[], header="", sep=";").encode()]) == expected


@given(st.lists(st.binary()))
@example([b'"', b"=", b"\xff%ff\\"])
def test_never_raises(headers: list[bytes]) -> None:
    for name, value in parse_cookies(headers).items():
        assert name or value
        assert ";" not in name
        assert "=" not in name
