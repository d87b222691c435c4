"""Parser for credentials."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire._parsers.credentials import parse_basic, parse_credentials
from tests.floods import flood, must_end

DIGEST = (
    'Digest username="Mufasa", realm="a, \\"b\\"", uri="/x?a=1,2", qop=auth, NC=00000001, response="", '
    "algorithm = SHA-256"
)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Basic dTpw", ("basic", "dTpw", {})),
        (" BEARER   mF_9.B5f-4.1JqM ", ("bearer", "mF_9.B5f-4.1JqM", {})),
        ("Negotiate", ("negotiate", None, {})),
        ("Negotiate YII==", ("negotiate", "YII==", {})),
        ("x-key abc~+/=", ("x-key", "abc~+/=", {})),
        ("Bearer 17|d0Ys:a=b", ("bearer", "17|d0Ys:a=b", {})),
        ("Bearer", ("bearer", None, {})),
        ("Token a=b", ("token", None, {"a": "b"})),
        ('Hawk id="1",, ts="2",', ("hawk", None, {"id": "1", "ts": "2"})),
        ('Hawk ,id=""', ("hawk", None, {"id": ""})),
        (
            DIGEST,
            (
                "digest",
                None,
                {
                    "username": "Mufasa", "realm": 'a, "b"', "uri": "/x?a=1,2", "qop": "auth",
                    "nc": "00000001", "response": "", "algorithm": "SHA-256",
                },
            ),
        ),
    ],
)  # fmt: skip
def test_credentials(field: str, expected: tuple[str, str | None, dict[str, str]]) -> None:
    assert parse_credentials(field) == expected


@pytest.mark.parametrize(
    "field",
    [
        "", " ", '"Basic"', "Basic,dTpw", "Bas/ic dTpw", "Basic dT pw", "Bearer a b", 'Bearer a"b',
        "Bearer a,b",
        "Bearer tökén", "Bearer a\x00", "Basic\tdTpw", "Digest a=1, a=2", "Digest a=1, A=2", "Digest a=1 b=2",
        'Digest a="1', 'Digest a="1"b', "Digest a=,b=1", "Digest =1", "Digest ,", 'Digest "a"', "AWS a:b=",
    ],
)  # fmt: skip
def test_malformed_credentials(field: str) -> None:
    assert parse_credentials(field) is None


def test_every_prefix() -> None:
    """Truncating a field affects its last parameter only."""
    whole = list(parse_credentials(DIGEST).parameters.items())  # type: ignore[union-attr]
    for end in range(len(DIGEST)):
        cut = parse_credentials(DIGEST[:end])
        if cut is not None:
            parameters = list(cut.parameters.items())
            assert parameters[:-1] == whole[: max(len(parameters) - 1, 0)]


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"Aladdin:open sesame", ("Aladdin", "open sesame")),
        (b"user:p:a:s:s", ("user", "p:a:s:s")),
        (b":", ("", "")),
        ("test:123£".encode(), ("test", "123£")),  # RFC 7617 section 2.1
        (b"test:123\xa3", ("test", "123£")),
        (b"no colon", None),
        (b"", None),
        (b"user\r\n:x", None),
        (b"user:\x7f", None),
    ],
)
def test_basic(octets: bytes, expected: tuple[str, str] | None) -> None:
    assert parse_basic(b64encode(octets).decode()) == expected


@pytest.mark.parametrize("token68", ["YTph", "YTph=", "YTph==="])
def test_padding_is_ignored(token68: str) -> None:
    assert parse_basic(token68) == ("a", "a")
    assert parse_basic("YTo") == parse_basic("YTo=") == ("a", "")


@pytest.mark.parametrize("token68", ["dT-w", "=", "d", "dTpwd", "dT_w", "-._~", "dT=pw", "/"])
def test_invalid_base64(token68: str) -> None:
    assert parse_basic(token68) is None


@must_end
@pytest.mark.parametrize("pattern", [b"\\", b'"', b",", b"a=", b'a="', b" ", b"a", b"="])
def test_time_is_linear(pattern: bytes) -> None:
    parse_credentials(f"X a=b, {flood(pattern).decode()}")
    parse_credentials(f'X a="{flood(pattern).decode()}')


@given(st.text() | st.text('Basic =",\\ab01').map("Basic {}".format))
def test_never_raises(field: str) -> None:
    credentials = parse_credentials(field)
    if credentials is not None:
        assert credentials.token68 is None or not credentials.parameters
        if credentials.token68 is not None and credentials.token68.isascii():
            parse_basic(credentials.token68)
