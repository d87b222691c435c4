"""Authorization: what a client claims to be, and that it is never shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures import Authorization


def read(value: str) -> Authorization:
    authorization = Authorization.from_header(value)
    assert authorization is not None
    return authorization


def test_basic() -> None:
    authorization = read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    assert authorization.scheme == "basic"
    assert (authorization.username, authorization.password) == ("Aladdin", "open sesame")
    assert authorization.token is None
    assert authorization.parameters == {}


def test_bearer() -> None:
    authorization = read("bearer mF_9.B5f-4.1JqM")
    assert authorization.scheme == "bearer"
    assert authorization.token == authorization.token68 == "mF_9.B5f-4.1JqM"
    assert authorization.username is authorization.password is None


def test_parameters() -> None:
    authorization = read('Digest Username="Mufasa", response="6629fae49393a05397450978507c4ef1"')
    assert authorization.parameters == {
        "username": "Mufasa",
        "response": "6629fae49393a05397450978507c4ef1",
    }
    # A name that nothing vouches for is not the one that goes with a password.
    assert authorization.username is authorization.token is authorization.token68 is None


def test_another_token() -> None:
    assert read("Negotiate YII=").token68 == "YII="
    assert read("Negotiate YII=").token is None


@pytest.mark.parametrize(
    "value",
    [None, "", "Basic", "Basic d", "Basic bm9jb2xvbg==", "Basic a=b", "Bearer a b", "junk junk junk"],
)
def test_what_is_malformed_is_absent(value: str | None) -> None:
    assert Authorization.from_header(value) is None


@pytest.mark.parametrize(
    "value", ["Basic c2VjcmV0OnNlY3JldA==", "Bearer secret", 'Digest secret="secret"', "secret"]
)
def test_nothing_is_shown(value: str) -> None:
    shown = repr(read(value))
    assert shown == f"<Authorization {value.partition(' ')[0].lower()} ***>"
    assert "secret" not in shown.replace("<Authorization secret", "")
    assert str(read(value)) == shown


@given(st.text() | st.binary().map(lambda octets: octets.decode("latin-1")))
def test_nothing_raises(value: str) -> None:
    for scheme in ("", "Basic ", "Bearer ", "Digest "):
        Authorization.from_header(scheme + value)
