"""Cookies to set: formatting, validation, and round trips through the cookie parser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http.cookies import SimpleCookie
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from asgiwire._parsers.cookies import parse_cookies
from asgiwire._parsers.http_dates import parse_http_date
from asgiwire.datastructures.cookie import Cookie

if TYPE_CHECKING:
    from collections.abc import Callable


def round_trip(cookie: Cookie) -> dict[str, str]:
    """Parse the cookie that a browser would send: the text before the first semicolon."""
    name, value = cookie.to_encoded_header()
    assert name == b"set-cookie"
    return parse_cookies([value.partition(b";")[0]])


def test_defaults() -> None:
    cookie = Cookie(key="key")
    assert cookie.to_header() == 'Set-Cookie: key=""; Path=/; SameSite=lax'
    assert cookie.to_header(header="") == 'key=""; Path=/; SameSite=lax'
    assert cookie.to_encoded_header() == (b"set-cookie", b'key=""; Path=/; SameSite=lax')


def test_every_attribute() -> None:
    cookie = Cookie("key", "/path", "value", 10, 123, "domain.com", True, True, "strict", "text", True)
    header = cookie.to_header()
    match = re.fullmatch(
        "Set-Cookie: key=value; Domain=domain.com; expires=(.*); HttpOnly; Max-Age=10; Path=/path; "
        "SameSite=strict; Secure",
        header,
    )
    assert match is not None
    expires = parsedate_to_datetime(match[1])
    assert abs(expires - datetime.now(UTC) - timedelta(seconds=123)) < timedelta(seconds=5)


def test_disabled_attributes() -> None:
    cookie = Cookie("key", value="v", path="", secure=False, httponly=False, max_age=0)
    assert cookie.to_header() == "Set-Cookie: key=v; Max-Age=0; SameSite=lax"


def test_samesite_can_be_omitted() -> None:
    samesite: Any = None
    assert Cookie("key", value="v", samesite=samesite).to_header() == "Set-Cookie: key=v; Path=/"


def test_simple_cookie() -> None:
    cookie = Cookie("key", value="a b", domain="d").simple_cookie
    assert isinstance(cookie, SimpleCookie)
    assert cookie["key"].value == "a b"
    assert cookie["key"]["domain"] == "d"


def test_arguments_of_output() -> None:
    assert Cookie("key", value="v").to_header(attrs=["path"], header="X:", sep="") == "X: key=v; Path=/"


def test_dict() -> None:
    assert Cookie("key", value="v", description="text", documentation_only=True).dict == {
        "key": "key", "path": "/", "value": "v", "max_age": None, "expires": None, "domain": None,
        "secure": None, "httponly": None, "samesite": "lax", "partitioned": None,
    }  # fmt: skip


def test_equality() -> None:
    """RFC 6265 section 5.3: a cookie replaces one of "the same name, domain, and path"."""
    cookie = Cookie("key", "/test", domain="localhost")
    assert cookie == Cookie("key", "/test", "value", domain="localhost")
    assert hash(cookie) == hash(Cookie("key", "/test", "value", domain="localhost"))
    assert cookie != Cookie("other", "/test", domain="localhost")
    assert cookie != Cookie("key", "/", domain="localhost")
    assert cookie != Cookie("key", "/test")
    assert Cookie("key") != "key"


def test_repr_hides_the_value() -> None:
    assert "secret" not in repr(Cookie("sid", value="secret"))
    assert "sid" in repr(Cookie("sid", value="secret"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("value", b"value"),
        ("a b", b'"a b"'),
        ("a;b,c", b'"a\\073b\\054c"'),
        ('"quoted"', b'"\\"quoted\\""'),
        ("back\\slash", b'"back\\\\slash"'),
        ("%41", b"%2541"),
        ("100%", b"100%25"),
        ("é", b"%C3%A9"),
        ("日 本", b'"%E6%97%A5 %E6%9C%AC"'),
        ("a\r\nb\0", b"a%0D%0Ab%00"),
        ("\x7f", b"%7F"),
        ("😀", b"%F0%9F%98%80"),
        ('{"a": [1, 2]}', b'"{\\"a\\": [1\\054 2]}"'),
    ],
)
def test_value(value: str, written: bytes) -> None:
    cookie = Cookie("key", value=value)
    assert cookie.to_encoded_header()[1] == b"key=" + written + b"; Path=/; SameSite=lax"
    assert round_trip(cookie) == {"key": value}


@given(st.text())
@example(' "')
@example("\\")
@example("%%41")
def test_values_round_trip(value: str) -> None:
    cookie = Cookie("key", value=value)
    assert round_trip(cookie) == {"key": value}
    assert not {*cookie.to_encoded_header()[1]}.difference(range(0x20, 0x7F))


@given(st.text(), st.text(), st.text(), st.text())
def test_no_attribute_can_be_injected(key: str, path: str, domain: str, samesite: Any) -> None:
    """The header has exactly the given attributes."""
    try:
        header = (
            Cookie(key, path, "v", domain=domain, samesite=samesite).to_encoded_header()[1].decode("ascii")
        )
    except ValueError:
        return
    attributes = [("Domain", domain), ("Path", path), ("SameSite", samesite)]
    expected = "; ".join([f"{key}=v", *(f"{name}={text}" for name, text in attributes if text)])
    assert header == expected.strip()
    assert header.count(";") == 1 + bool(domain) + bool(path) - (samesite == "")


@pytest.mark.parametrize("key", ["", " ", "a b", "a=b", "a;b", "a\r\nb", "a\0", "é", "a,b", '"a"', "a/b"])
def test_name_must_be_a_token(key: str) -> None:
    with pytest.raises(ValueError, match=r"^the name of a cookie must be a token"):
        Cookie(key).to_header()


@pytest.mark.parametrize("key", ["path", "Expires", "MAX-AGE", "samesite"])
def test_name_must_not_be_reserved(key: str) -> None:
    with pytest.raises(ValueError, match=f"^the name of a cookie must not be reserved, got '{key}'$"):
        Cookie(key).to_header()


@pytest.mark.parametrize("key", ["__Host-sid", "a.b:c", "!#$%&'*+-.^_`|~"])
def test_unusual_names(key: str) -> None:
    assert round_trip(Cookie(key, value="v")) == {key: "v"}


@pytest.mark.parametrize("text", ["/\r\nX: y", "/; Domain=evil.com", "a\0", "\x1f", "\x7f", "é", "\n", "a\n"])
@pytest.mark.parametrize(
    "attribute", ["path", "domain", "samesite", "max_age", "expires", "secure", "httponly"]
)
@pytest.mark.parametrize("write", [Cookie.to_header, Cookie.to_encoded_header, attrgetter("simple_cookie")])
def test_injection_is_rejected(attribute: str, text: str, write: Callable[[Cookie], object]) -> None:
    values: dict[str, Any] = {attribute: text}
    cookie = Cookie("key", value="secret", **values)
    with pytest.raises(ValueError, match=f"^{attribute} of cookie 'key' must be ASCII without semicolons"):
        write(cookie)


@pytest.mark.parametrize("samesite", ["", "laxer", "lax "])
def test_invalid_samesite(samesite: Any) -> None:
    with pytest.raises(ValueError, match=r"^samesite of cookie 'key' must be 'lax', 'strict' or 'none'$"):
        Cookie("key", samesite=samesite).to_header()


def test_lone_surrogate_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"^the value of a cookie must not contain lone surrogates$"):
        Cookie("key", value="\ud800").to_header()


DATE = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "date",
    [
        DATE,
        DATE.replace(tzinfo=None),
        DATE.astimezone(timezone(timedelta(hours=-5))),
        DATE.replace(microsecond=9),
    ],
)
def test_expires_at_a_date(date: datetime) -> None:
    """RFC 6265 section 4.1.1: the date is an rfc1123-date."""
    assert "; expires=Wed, 02 Jan 2030 03:04:05 GMT;" in Cookie("key", expires=date).to_header()


def test_expires_after_seconds() -> None:
    header = Cookie("key", expires=60).to_header()
    date = parse_http_date(header.partition("expires=")[2].partition(";")[0])
    assert date is not None
    assert timedelta(seconds=50) < date - datetime.now(UTC) <= timedelta(seconds=60)
    assert "; expires=" in Cookie("key", expires=-60).to_header()


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (60, "60"),
        (timedelta(days=1, microseconds=1), "86400"),
        (timedelta(seconds=-5), "-5"),
        (timedelta(0), "0"),
    ],
)
def test_max_age(age: Any, text: str) -> None:
    assert f"; Max-Age={text};" in Cookie("key", max_age=age).to_header()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"expires": 10**12}, "must be a date until the year 9999"),
        ({"expires": datetime(1600, 12, 31, tzinfo=UTC)}, "must be a date since the year 1601"),
        ({"expires": "tomorrow"}, "must be an int or a datetime, got str"),
        ({"expires": 1.5}, "must be an int or a datetime, got float"),
        ({"expires": timedelta(1)}, "must be an int or a datetime, got timedelta"),
        ({"max_age": 1.5}, "must be an int or a timedelta, got float"),
        ({"max_age": "1"}, "must be an int or a timedelta, got str"),
        ({"max_age": True}, "must be an int or a timedelta, got bool"),
        ({"max_age": DATE}, "must be an int or a timedelta, got datetime"),
    ],
)
def test_time_that_cannot_be_written(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"of cookie 'key' {message}"):
        Cookie("key", **arguments).to_header()


def test_partitioned() -> None:
    cookie = Cookie("key", value="a b", secure=True, partitioned=True)
    assert cookie.to_header() == 'Set-Cookie: key="a b"; Partitioned; Path=/; SameSite=lax; Secure'
    assert cookie.simple_cookie["key"]["partitioned"]
    assert "Partitioned" not in Cookie("key", partitioned=False).to_header()
