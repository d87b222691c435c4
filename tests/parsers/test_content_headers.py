"""Parsers for Content-Type, Content-Length and the Content-Disposition of a form part."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.content_headers import (
    FormDataDisposition,
    content_length,
    find_delimiter,
    forbidden_character,
    parse_boundary,
    parse_content_disposition,
    parse_media_type,
)
from asgiwire.exceptions import ClientException, ValidationException
from tests.floods import MEGABYTE, must_end

if TYPE_CHECKING:
    from collections.abc import Callable

on_both_implementations = pytest.mark.usefixtures("implementation")

MEDIA_TYPES = {
    "absent": (b"", ("", {})),
    "plain": (b"application/json", ("application/json", {})),
    "upper case": (b"Multipart/FORM-data", ("multipart/form-data", {})),
    "surrounding space": (b"\t text/plain ", ("text/plain", {})),
    "parameter": (b"text/html; charset=UTF-8", ("text/html", {"charset": "UTF-8"})),
    "no space": (b"text/html;charset=utf-8", ("text/html", {"charset": "utf-8"})),
    "space before the semicolon": (b"text/html ;charset=utf-8 ", ("text/html", {"charset": "utf-8"})),
    "name in upper case": (b"text/html; CHARSET=utf-8", ("text/html", {"charset": "utf-8"})),
    "spaces around =": (b"text/html; charset = utf-8", ("text/html", {"charset": "utf-8"})),
    "quoted": (b'multipart/form-data; boundary="a b;=c"', ("multipart/form-data", {"boundary": "a b;=c"})),
    "quoted pairs": (rb'a/b; x="a\\\"b\c"', ("a/b", {"x": 'a\\"bc'})),
    "quoted and empty": (b'a/b; x=""', ("a/b", {"x": ""})),
    "bare and empty": (b"a/b; x=; y=1", ("a/b", {"x": "", "y": "1"})),
    "two parameters": (b"a/b; x=1; y=2", ("a/b", {"x": "1", "y": "2"})),
    "the first of two with the same name": (b"a/b; x=1; X=2", ("a/b", {"x": "1"})),
    "empty parameters": (b"a/b;; ;x=1;", ("a/b", {"x": "1"})),
    "parameter without =": (b"a/b; x; y=2", ("a/b", {"y": "2"})),
    "parameter without name": (b"a/b; =1; y=2", ("a/b", {"y": "2"})),
    "= in the value": (b"a/b; x=1=2", ("a/b", {"x": "1=2"})),
    "text after a quoted string": (b'a/b; x="1"z; y=2', ("a/b", {"x": "1", "y": "2"})),
    "unterminated quote": (b'a/b; x="1; y=2', ("a/b", {"x": "1; y=2"})),
    "unterminated pair": (b'a/b; x="1\\', ("a/b", {"x": "1"})),
    "latin-1": (b"a/b; x=\xe9", ("a/b", {"x": "\xe9"})),
    "a comma is no separator": (b"text/plain, a/b; x=1", ("text/plain, a/b", {"x": "1"})),
    "a parameter is not the type": (
        b"text/plain; application/json",
        ("text/plain", {}),
    ),
}


@pytest.mark.parametrize(("value", "expected"), MEDIA_TYPES.values(), ids=MEDIA_TYPES)
def test_media_type(value: bytes, expected: tuple[str, dict[str, str]]) -> None:
    assert parse_media_type(value) == expected
    assert parse_media_type(value.decode("latin-1")) == expected


@given(st.one_of(st.binary(), st.text(alphabet='a/;= "\\\t\n\0é\ud800')))
def test_any_media_type_is_parsed(value: bytes | str) -> None:
    media_type, parameters = parse_media_type(value)
    assert ";" not in media_type
    assert all(name and name == name.lower() for name in parameters)


@given(st.text("a/;=é \t\n\v\0A"))
def test_single_parameter_is_parsed_like_one_of_several(value: str) -> None:
    assert parse_media_type(value) == parse_media_type(value + ";")


@given(st.text(st.characters(max_codepoint=0x7E, min_codepoint=0x20)))
def test_any_quoted_string_round_trips(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    assert parse_media_type(f'a/b; x="{quoted}"; y=1') == ("a/b", {"x": text, "y": "1"})


ATTACKS = {
    "backslashes": lambda n: b'multipart/form-data; boundary="' + b"\\" * n,
    "pairs": lambda n: b'a/b; x="' + b'\\"' * n,
    "quotes": lambda n: b"a/b; x=" + b'"' * n,
    "semicolons": lambda n: b"a/b" + b";" * n,
    "semicolons and spaces": lambda n: b"a/b" + b"; " * n,
    "spaces": lambda n: b"a/b;" + b" " * n,
    "a name": lambda n: b"a/b;" + b"x" * n,
    "names": lambda n: b"a/b" + b";x" * n,
    "open quotes": lambda n: b"a/b" + b';x="' * n,
    "spaces before =": lambda n: b"a/b;x" + b" " * n + b"!",
}


@must_end
@pytest.mark.parametrize("hostile", ATTACKS.values(), ids=ATTACKS)
def test_media_type_takes_linear_time(hostile: Callable[[int], bytes]) -> None:
    parse_media_type(hostile(MEGABYTE))


@must_end
@pytest.mark.parametrize("hostile", ATTACKS.values(), ids=ATTACKS)
def test_content_disposition_takes_linear_time(hostile: Callable[[int], bytes]) -> None:
    with pytest.raises(ValidationException):
        parse_content_disposition(b"form-data" + hostile(MEGABYTE)[3:])


BOUNDARIES = {
    "WebKit": "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "all characters of RFC 2046": "0aZ'()+_,-./:=?",
    "a space inside": "a b",
    "one character": "B",
    "common Android example": "*****",
    "the longest": "b" * 256,
}


@pytest.mark.parametrize("boundary", BOUNDARIES.values(), ids=BOUNDARIES)
def test_boundary(boundary: str) -> None:
    assert parse_boundary({"boundary": boundary}) == boundary.encode()


INVALID_BOUNDARIES = {
    "missing": ({}, "Content-Type multipart/form-data has no boundary"),
    "empty": ({"boundary": ""}, "Content-Type multipart/form-data has an empty boundary"),
    "too long": ({"boundary": "b" * 257}, "the multipart boundary is longer than 256 characters"),
    **{
        name: ({"boundary": value}, "the multipart boundary contains characters that RFC 2046 does not allow")
        for name, value in (
            ("a space at the end", "a "),
            ("CR", "a\rb"),
            ("LF at the end", "a\n"),
            ("NUL", "\0"),
            ("tab", "a\tb"),
            ("latin-1", "\xe9"),
            ("beyond latin-1", "\u20ac"),
            ("a quote", 'a"b'),
        )
    },
}


@pytest.mark.parametrize(("parameters", "message"), INVALID_BOUNDARIES.values(), ids=INVALID_BOUNDARIES)
def test_invalid_boundary(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationException, match=f"^{re.escape(message)}$"):
        parse_boundary(parameters)


@on_both_implementations
@pytest.mark.parametrize(
    ("value", "length"),
    [(b"0", 0), (b"5", 5), (b" 10\t", 10), (b"007", 7), (b"9" * 20, int("9" * 20))],
)
def test_content_length(value: bytes, length: int) -> None:
    assert content_length([(b"content-length", value)]) == length


@on_both_implementations
@pytest.mark.parametrize(
    "value",
    [b"", b"-1", b"+5", b"1_0", b"5, 5", b"1.0", b"0x10", b"\xb2", b"1\n", b"9" * 21, b"9" * 5000],
)
def test_invalid_content_length(value: bytes) -> None:
    """RFC 9110 section 8.6: "Content-Length = 1*DIGIT". The error does not contain the value."""
    with pytest.raises(ClientException) as caught:
        content_length([(b"content-length", value)])
    displayed = f"{len(value)} characters"
    assert str(caught.value) == f"Content-Length must be a decimal number of bytes, got {displayed}"


@on_both_implementations
@pytest.mark.parametrize(
    ("values", "length"),
    [([], None), ([b"5", b"5"], 5), ([b" 5", b" 5"], 5), ([b"5", b"6"], ClientException)],
)
def test_several_content_lengths(values: list[bytes], length: object) -> None:
    pairs = [(b"a", b"7"), *((b"Content-Length", value) for value in values), (b"content-lengths", b"8")]
    if length is ClientException:
        with pytest.raises(ClientException, match="got several with different values"):
            content_length(pairs)
    else:
        assert content_length(pairs) == length


@on_both_implementations
@pytest.mark.parametrize(
    ("data", "start", "position"),
    [
        (b"", 0, -1),
        (b"\r\n--b", 0, 0),
        (b"\r\n--b", 1, -1),
        (b"\r\n--b", 100, -1),
        (b"\r\n--", 0, -1),
        (b"a\r\n--b\r\n--b", 2, 6),
        (b"\r\r\n-\r\n--b", 0, 4),
        (b"a" * 5000 + b"\r\n--b", 4000, 5000),
        (b"\r\n" * 5000 + b"\r\n--b", 0, 10_000),
        (b"\r\n-" * 5000, 0, -1),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_find_delimiter(data: bytes, start: int, position: int) -> None:
    assert find_delimiter(data, b"\r\n--b", start) == position


@pytest.mark.parametrize(
    ("value", "name"),
    [(b"a b\t\x7f", ""), (b"a\rb", "CR"), (b"\n", "LF"), (b"a\0", "NUL"), (b"\0\r\n", "NUL")],
)
def test_forbidden_character(value: bytes, name: str) -> None:
    assert forbidden_character(value) == name


# The parameters after the type; the expected name and filename.
DISPOSITIONS = {
    "field": (b'; name="a"', b"a", None),
    "file": (b'; name="a"; filename="x.txt"', b"a", b"x.txt"),
    "no spaces": (b';name="a";filename="x.txt"', b"a", b"x.txt"),
    "more spaces": (b' ; name = "a" ; filename\t=\t"x.txt" ', b"a", b"x.txt"),
    "upper case": (b'; NAME="A"; FileName="X"', b"A", b"X"),
    "filename first": (b'; filename="x"; name="a"', b"a", b"x"),
    "bare values": (b"; name=a; filename=x.txt", b"a", b"x.txt"),
    "a space in a bare value": (b"; name=a; filename=x y.txt ", b"a", b"x y.txt"),
    "an empty name": (b'; name=""', b"", None),
    "an empty filename": (b'; name="a"; filename=""', b"a", b""),
    "an empty bare filename": (b"; name=a; filename=", b"a", b""),
    "other parameters": (b'; name="a"; size=5; x="y"', b"a", None),
    "a semicolon at the end": (b'; name="a";', b"a", None),
    "semicolons": (b'; ; name="a";; filename="x" ; ;', b"a", b"x"),
    "a semicolon in a value": (b'; name="a;b"; filename="x;y=z"', b"a;b", b"x;y=z"),
    "raw UTF-8": ('; name="\xe9"; filename="\u20ac.x"'.encode(), "\xe9".encode(), "\u20ac.x".encode()),
    "a raw tab": (b'; name="a\tb"', b"a\tb", None),
    # WHATWG HTML: '"' is %22, CR %0D, LF %0A.
    "percent": (b'; name="a%22b%0D%0Ac"; filename="%22x%22"', b'a"b\r\nc', b'"x"'),
    "no other percent": (b'; name="%41%20%5C%25%0d%2522"', b"%41%20%5C%25%0d%2522", None),
    "percent in a bare value": (b"; name=%22a", b"%22a", None),
    # Sent by Chromium, Node, curl, requests and urllib3 for a field named a\, and by old Windows browsers.
    "a backslash before the quote": (rb'; name="a\"; filename="x.bin"', b"a\\", b"x.bin"),
    "a backslash before the last quote": (rb'; name="a"; filename="C:\"', b"a", b"C:\\"),
    "a Windows path": (rb'; name="a"; filename="C:\d\x.txt"', b"a", rb"C:\d\x.txt"),
    "a Windows share": (rb'; name="a"; filename="\\srv\share\x"', b"a", rb"\\srv\share\x"),
    # httpx sends two backslashes for one, browsers for two; the cases cannot be distinguished.
    "two backslashes before the quote": (rb'; name="a\\"; filename="x"', rb"a\\", b"x"),
    # curl --form-escape and aiohttp with quote_fields=False.
    "an escaped quote": (rb'; name="a\"b"', b'a"b', None),
    "escaped quotes in a filename": (rb'; name="a"; filename="\"x\".txt"', b"a", b'"x".txt'),
    "an escaped quote and backslash": (rb'; name="a\"b\\"', b'a"b\\', None),
    "an escaped backslash and quote": (rb'; name="a\\\"b"; filename="x"', b'a\\"b', b"x"),
    "an escaped quote and semicolon": (rb'; name="a\";b"', b'a";b', None),
    "escaped text that looks like a parameter": (rb'; name="a\"b\"; c=d"', b'a"b"; c=d', None),
    "other escapes stay": (rb'; name="a\"\x%22"', rb'a"\x%22', None),
    # RFC 7578 section 4.2: "filename*" MUST NOT be used; old versions of requests send it alone.
    "filename* alone": (b"; name=a; filename*=UTF-8''na%C3%AFve.txt", b"a", "na\xefve.txt"),
    "filename* with a language, quoted": (b"; name=a; filename*=\"utf-8'en'%e2%82%ac\"", b"a", "\u20ac"),
    "filename* never overrides": (b"; name=a; filename=\"x\"; filename*=utf-8''y", b"a", b"x"),
    "filename* in another charset": (b"; name=a; filename*=iso-8859-1''%e9", b"a", None),
    "filename* of an unknown charset": (b"; name=a; filename*=bogus''x", b"a", None),
    "filename* that is not UTF-8": (b"; name=a; filename*=utf-8''%e9", b"a", None),
    "filename* without quotes": (b"; name=a; filename*=utf-8x", b"a", None),
    "filename* beside an encoded word": (
        b"; name=a; filename=\"=?utf-8?B?Y2Fmw6kudHh0?=\"; filename*=utf-8''caf%C3%A9.txt",
        b"a",
        "caf\xe9.txt",
    ),
    "filename* beside several encoded words": (
        b"; name=a; filename=\"=?utf-8?Q?a?= =?utf-8?q?b?=\"; filename*=utf-8''ab",
        b"a",
        "ab",
    ),
    "invalid filename* beside an encoded word": (
        b"; name=a; filename=\"=?utf-8?B?YQ==?=\"; filename*=utf-8''%e9",
        b"a",
        b"=?utf-8?B?YQ==?=",
    ),
    "an encoded word alone": (b'; name=a; filename="=?utf-8?B?YQ==?="', b"a", b"=?utf-8?B?YQ==?="),
    "filename* beside text that contains an encoded word": (
        b"; name=a; filename=\"x =?utf-8?B?YQ==?=\"; filename*=utf-8''a",
        b"a",
        b"x =?utf-8?B?YQ==?=",
    ),
}


@pytest.mark.parametrize("kind", [b"form-data", b"Form-Data"])
@pytest.mark.parametrize(("parameters", "name", "filename"), DISPOSITIONS.values(), ids=DISPOSITIONS)
def test_content_disposition(
    kind: bytes, parameters: bytes, name: bytes, filename: bytes | str | None
) -> None:
    assert parse_content_disposition(kind + parameters) == FormDataDisposition(name, filename)


INVALID_DISPOSITIONS = {
    "empty": (b"", "must be form-data, got another type"),
    "attachment": (b'attachment; name="a"', "must be form-data, got another type"),
    "a long type": (b"x" * 5000 + b"; name=a", "must be form-data, got another type"),
    "no name": (b'form-data; filename="x"', "has no name"),
    "no parameters": (b"form-data", "has no name"),
    "only a name*": (b"form-data; name*=utf-8''a", "has no name"),
    "two names": (b'form-data; name="a"; name="b"', "has two parameters 'name'"),
    "two names in another case": (b'form-data; name="a"; NAME="a"', "has two parameters 'name'"),
    "two others": (b"form-data; name=a; secret=1; secret=2", "has two parameters of the same name"),
    "two filenames": (b'form-data; name="a"; filename="x"; filename=y', "has two parameters 'filename'"),
    "a name without value": (b"form-data; name", "is malformed"),
    "an unterminated quote": (b'form-data; name="a', "is malformed"),
    "text after the quote": (b'form-data; name="a"b', "is malformed"),
    "raw quotes": (b'form-data; name="a"b"', "is malformed"),
    "a quote in a bare value": (b'form-data; name=a"b', "is malformed"),
    "a parameter without name": (b'form-data; ="a"', "is malformed"),
    "a comma for a semicolon": (b'form-data; name="a", filename="x"', "is malformed"),
}


@pytest.mark.parametrize(("value", "error"), INVALID_DISPOSITIONS.values(), ids=INVALID_DISPOSITIONS)
def test_invalid_content_disposition(value: bytes, error: str) -> None:
    message = f"Content-Disposition of a form's part {error}"
    with pytest.raises(ValidationException, match=f"^{re.escape(message)}$"):
        parse_content_disposition(value)


@pytest.mark.parametrize(("character", "name"), [(b"\r", "CR"), (b"\n", "LF"), (b"\0", "NUL")])
@pytest.mark.parametrize("around", [b'form-data; name="a%sb"', b'form-data; name="a"%s; x=y'])
def test_control_characters_in_content_disposition_are_rejected(
    character: bytes, name: str, around: bytes
) -> None:
    with pytest.raises(ValidationException, match=f"^{name} in the Content-Disposition of a form's part$"):
        parse_content_disposition(around % character)


@given(st.binary())
def test_content_disposition_is_parsed_or_rejected(rest: bytes) -> None:
    try:
        name, _ = parse_content_disposition(b'form-data; name="a"' + rest)
    except ValidationException:
        return
    assert name.startswith(b"a")


def encode_like_browsers(text: str) -> bytes:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A").encode()


@given(
    st.text(st.characters(exclude_characters="%\0", codec="utf-8")),
    st.text(st.characters(exclude_characters="%\0", codec="utf-8")),
)
def test_values_encoded_by_browsers_round_trip(name: str, filename: str) -> None:
    value = b'form-data; name="%s"; filename="%s"' % (
        encode_like_browsers(name),
        encode_like_browsers(filename),
    )
    assert parse_content_disposition(value) == (name.encode(), filename.encode())


@pytest.mark.parametrize(
    ("value", "parameters"),
    [
        (b"a/b; c d=e", {}),
        (b"a/b; \xe9=e", {}),
        (b"a/b;(=e;f=g", {"f": "g"}),
        (b'a/b; c d="e;f=g"', {}),
        (b'a/b; b{d="a;boundary=x";f=g', {"f": "g"}),
        (b"a/b; c=d\0", {}),
        (b"a/b; c=d\r\ne;f=g", {"f": "g"}),
        (b'a/b; c="d\x7f"; c=e', {"c": "e"}),
        (b'a/b; c="d\te"', {"c": "d\te"}),
        (b"a/b; c=d\xe9", {"c": "d\xe9"}),
        (b"a/b; c=", {"c": ""}),
        (b"a/b; =c", {}),
        (b"a/b;c", {}),
    ],
)
def test_malformed_parameters_are_ignored(value: bytes, parameters: dict[str, str]) -> None:
    """WHATWG MIME Sniffing section 4.4: a name that is no token, a value with a control character."""
    assert parse_media_type(value) == ("a/b", parameters)
