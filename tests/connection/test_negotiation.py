"""Negotiation, conditional and credential headers: present, absent, malformed and repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire import ASGIConnection, Request, WebSocket
from asgiwire.datastructures import (
    AcceptCharset,
    AcceptEncoding,
    AcceptLanguage,
    IfMatch,
    IfNoneMatch,
    IfRange,
    Range,
)
from asgiwire.testing import http_scope, websocket_scope

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
HTTP_NOW = b"Sun, 06 Nov 1994 08:49:37 GMT"

PROPERTIES = [
    "accept_charset", "accept_encoding", "accept_language", "authorization", "if_match", "if_modified_since",
    "if_none_match", "if_range", "if_unmodified_since", "range",
]  # fmt: skip


def read(name: str, *values: bytes) -> Any:
    header = name.replace("_", "-").title().encode()
    return getattr(Request(http_scope(headers=[(header, value) for value in values])), name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accept_charset", AcceptCharset(None)),
        ("accept_encoding", AcceptEncoding(None)),
        ("accept_language", AcceptLanguage(None)),
        *((name, None) for name in PROPERTIES if not name.startswith("accept_")),
    ],
)
def test_absent_header(name: str, expected: object) -> None:
    assert read(name) == expected
    assert getattr(Request({"type": "http", "method": "GET", "path": "/"}), name) == expected


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("accept_charset", [b"utf-8", b"latin-1;q=0.5"], AcceptCharset("utf-8, latin-1;q=0.5")),
        ("accept_encoding", [b"gzip", b"br"], AcceptEncoding("gzip, br")),
        ("accept_encoding", [b""], AcceptEncoding("")),
        ("accept_language", [b"de;q=0.5", b"en"], AcceptLanguage("en, de;q=0.5")),
        ("if_match", [b'"a"', b'"b"'], IfMatch.from_header('"a", "b"')),
        ("if_match", [b"junk"], IfMatch()),
        ("if_match", [b""], IfMatch()),
        ("if_none_match", [b'W/"a"', b'"b"'], IfNoneMatch.from_header('W/"a", "b"')),
        ("if_none_match", [b"*"], IfNoneMatch(any=True)),
        ("if_range", [b'"a"'], IfRange.from_header('"a"')),
        ("if_range", [HTTP_NOW], IfRange(date=NOW)),
        ("if_range", [b'"a"', b'"a"'], IfRange()),
        ("if_range", [b"junk"], IfRange()),
        ("if_modified_since", [HTTP_NOW], NOW),
        ("if_modified_since", [HTTP_NOW, b"Sun Nov  6 08:49:38 1994"], None),
        ("if_modified_since", [b"junk"], None),
        ("if_modified_since", [HTTP_NOW, HTTP_NOW], NOW),
        ("if_unmodified_since", [HTTP_NOW], NOW),
        ("if_unmodified_since", [b"\xff"], None),
        ("range", [b"bytes=0-1,-5"], Range("bytes", ((0, 1), (None, 5)))),
        ("range", [b"bytes=0-1", b"bytes=2-3"], None),
        ("range", [b"bytes=1-0"], None),
        ("authorization", [b"Bearer a", b"Bearer b"], None),
        ("authorization", [b"Basic ="], None),
    ],
)
def test_header_values(name: str, values: Sequence[bytes], expected: object) -> None:
    value = read(name, *values)
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("kind", [Request, ASGIConnection, WebSocket])
def test_authorization_of_every_connection(kind: Any) -> None:
    headers = [(b"Authorization", b"Basic dTpw")]
    scope = (websocket_scope if kind is WebSocket else http_scope)(headers=headers)
    authorization = kind(scope).authorization
    assert (authorization.username, authorization.password) == ("u", "p")


def test_headers_are_not_read_at_construction() -> None:
    request = Request(http_scope(headers={"range": "bytes=0-1", "authorization": "Bearer a"}))
    request.scope["headers"] = []
    assert request.range is None
    assert request.authorization is None


@given(st.lists(st.binary(max_size=30)))
def test_no_property_raises_for_any_value(values: list[bytes]) -> None:
    for name in PROPERTIES:
        repr(read(name, *values))


def test_empty_accept_header_is_not_an_absent_one() -> None:
    assert list(Request(http_scope(headers={"accept": ""})).accept) == []
    assert list(Request(http_scope()).accept) == ["*/*"]
