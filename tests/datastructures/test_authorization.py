"""The Authorization header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures import Authorization


def parse(value: str) -> Authorization:
    authorization = Authorization.from_header(value)
    assert authorization is not None
    return authorization


def test_basic() -> None:
    authorization = parse("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    assert authorization.scheme == "basic"
    assert (authorization.username, authorization.password) == ("Aladdin", "open sesame")
    assert authorization.token is None
    assert authorization.parameters == {}


def test_bearer() -> None:
    authorization = parse("bearer mF_9.B5f-4.1JqM")
    assert authorization.scheme == "bearer"
    assert authorization.token == authorization.token68 == "mF_9.B5f-4.1JqM"
    assert authorization.username is authorization.password is None


def test_parameters() -> None:
    authorization = parse('Digest Username="Mufasa", response="6629fae49393a05397450978507c4ef1"')
    assert authorization.parameters == {
        "username": "Mufasa",
        "response": "6629fae49393a05397450978507c4ef1",
    }
    # `username` is set for the Basic scheme only.
    assert authorization.username is authorization.token is authorization.token68 is None


def test_other_token() -> None:
    assert parse("Negotiate YII=").token68 == "YII="
    assert parse("Negotiate YII=").token is None


@pytest.mark.parametrize(
    "value",
    [None, "", "Basic", "Basic d", "Basic bm9jb2xvbg==", "Basic a=b", "Bearer a b", "junk junk junk"],
)
def test_malformed_header(value: str | None) -> None:
    assert Authorization.from_header(value) is None


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        ("Basic c2VjcmV0OnNlY3JldA==", "basic"),
        ("Bearer secret", "bearer"),
        ('Digest secret="secret"', "digest"),
        ("DPoP secret", "dpop"),
        # A key without a scheme is parsed as a scheme.
        ("secret", "***"),
        ("0a1b2c3d4e5f-secret", "***"),
    ],
)
def test_repr_does_not_contain_credentials(value: str, scheme: str) -> None:
    text = repr(parse(value))
    assert text == f"<Authorization {scheme} ***>"
    assert str(parse(value)) == text


@given(st.text() | st.binary().map(lambda octets: octets.decode("latin-1")))
def test_never_raises(value: str) -> None:
    for scheme in ("", "Basic ", "Bearer ", "Digest "):
        Authorization.from_header(scheme + value)
