"""Where a request comes from (W3C Fetch Metadata, and Origin as the fallback)."""

from __future__ import annotations

import pytest

from asgiwire import Request, WebSocket
from asgiwire.testing import http_scope, websocket_scope

SITE, ORIGIN, HOST = b"sec-fetch-site", b"origin", b"host"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(SITE, b"same-origin")], "same-origin"),
        ([(SITE, b"same-site")], "same-site"),
        ([(SITE, b"cross-site")], "cross-site"),
        ([(SITE, b"none")], "none"),
        ([(SITE, b" none ")], "none"),
        ([(SITE, b"none"), (SITE, b"none")], "none"),
        ([(SITE, b"none"), (SITE, b"same-origin")], "cross-site"),
        ([(SITE, b"something-new")], "cross-site"),
        ([(SITE, b"")], "cross-site"),
        ([(SITE, b"same-origin, same-origin")], "cross-site"),
        ([(SITE, b"cross-site"), (ORIGIN, b"https://shop.test")], "cross-site"),
        ([(SITE, b"same-origin"), (ORIGIN, b"https://evil.test")], "same-origin"),
        ([(ORIGIN, b"https://shop.test")], "same-origin"),
        ([(ORIGIN, b"http://SHOP.test")], "same-origin"),
        ([(ORIGIN, b"https://shop.test:444")], "cross-site"),
        ([(ORIGIN, b"https://a.shop.test")], "cross-site"),
        ([(ORIGIN, b"https://shop.test.evil.test")], "cross-site"),
        ([(ORIGIN, b"https://evil.test")], "cross-site"),
        ([(ORIGIN, b"null")], "cross-site"),
        ([(ORIGIN, b"")], "cross-site"),
        ([(ORIGIN, b"shop.test")], "cross-site"),
        ([(ORIGIN, b"ftp://shop.test")], "cross-site"),
        ([(ORIGIN, b"https:")], "cross-site"),
        ([(ORIGIN, b"https://\xff")], "cross-site"),
        ([(ORIGIN, b"https://shop.test"), (ORIGIN, b"https://evil.test")], "cross-site"),
        ([(ORIGIN, b"https://shop.test"), (HOST, b"evil.test")], "cross-site"),
    ],
)
def test_fetch_site(headers: list[tuple[bytes, bytes]], expected: str | None) -> None:
    pairs = [(HOST, b"shop.test"), *headers]
    assert Request(http_scope(headers=pairs)).fetch_site == expected
    assert WebSocket(websocket_scope(headers=pairs)).fetch_site == expected


def test_without_a_host() -> None:
    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(ORIGIN, b"https://")]}
    assert Request(scope).fetch_site == "cross-site"
    scope["headers"] = [(ORIGIN, b"https://"), (HOST, b"")]
    assert Request(scope).fetch_site == "cross-site"
