"""Distinguished names in certificates, as text (RFC 4514)."""

from __future__ import annotations

import pytest

from asgiwire._parsers.distinguished_names import parse_distinguished_name


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        # RFC 4514 section 4, "Examples"
        ("UID=jsmith,DC=example,DC=net", [("UID", "jsmith"), ("DC", "example"), ("DC", "net")]),
        ("OU=Sales+CN=J.  Smith,DC=net", [("OU", "Sales"), ("CN", "J.  Smith"), ("DC", "net")]),
        (r"CN=James \"Jim\" Smith\, III,DC=net", [("CN", 'James "Jim" Smith, III'), ("DC", "net")]),
        (r"CN=Before\0dAfter,DC=net", [("CN", "Before\rAfter"), ("DC", "net")]),
        ("1.3.6.1.4.1.1466.0=#04024869", [("1.3.6.1.4.1.1466.0", "#04024869")]),
        (r"CN=Lu\C4\8Di\C4\87", [("CN", "Lučić")]),
        # section 3: blanks around the parts, escaped blanks, an empty value
        ("cn = ada , o = x ", [("CN", "ada"), ("O", "x")]),
        (r"CN=\ a\ ", [("CN", " a ")]),
        (r"CN=a\ ,O=b", [("CN", "a "), ("O", "b")]),
        (r"CN=a\\ ,O=b", [("CN", "a\\"), ("O", "b")]),
        (r"CN=\ff", [("CN", "\ufffd")]),
        ("CN=,O=b", [("CN", ""), ("O", "b")]),
        (r"CN=admin\,O=b", [("CN", "admin,O=b")]),
        ("CN=a\nb", [("CN", "a\nb")]),
    ],
)
def test_names(text: str, attributes: list[tuple[str, str]]) -> None:
    assert parse_distinguished_name(text) == tuple(attributes)


@pytest.mark.parametrize(
    "text",
    ["", "ada", "CN", "=x", "CN=a;O=b", 'CN="a"', "CN=a,", "CN=a,,O=b", "CN=a\\", "1a=x", "CN=a,O", "Ü=x"],
)
def test_invalid_names_have_no_attributes(text: str) -> None:
    assert parse_distinguished_name(text) == ()


def test_long_name_takes_linear_time() -> None:
    assert parse_distinguished_name("CN=" + "\\ " * 200_000) == (("CN", " " * 200_000),)
    assert parse_distinguished_name(" " * 200_000) == ()
