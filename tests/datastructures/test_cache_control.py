"""The directives of a request's Cache-Control (RFC 9111 section 5.2.1)."""

from __future__ import annotations

import pytest

from asgiwire import Request
from asgiwire.datastructures import RequestCacheControl
from asgiwire.datastructures.cache_control import MAX_SECONDS
from asgiwire.testing import http_scope


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", RequestCacheControl()),
        ("no-cache", RequestCacheControl(no_cache=True)),
        ("No-Store, no-TRANSFORM", RequestCacheControl(no_store=True, no_transform=True)),
        ("max-age=0", RequestCacheControl(max_age=0)),
        ('max-age="60"', RequestCacheControl(max_age=60)),
        ("max-age=60, max-age=0", RequestCacheControl(max_age=60)),
        ("max-stale", RequestCacheControl(max_stale=MAX_SECONDS)),
        ("max-stale=10, min-fresh=20", RequestCacheControl(max_stale=10, min_fresh=20)),
        ("only-if-cached,stale-if-error=5", RequestCacheControl(only_if_cached=True, stale_if_error=5)),
        ("max-age=99999999999999", RequestCacheControl(max_age=MAX_SECONDS)),
        ("max-age=4000000000", RequestCacheControl(max_age=MAX_SECONDS)),
        ("max-age, min-fresh=", RequestCacheControl()),
        ("max-age=-1, min-fresh=1.5, max-stale=x", RequestCacheControl()),
        ("max-age=²", RequestCacheControl()),
        ('unknown="no-store, no-cache", no_store', RequestCacheControl(no_store=True)),
        (",,=,;", RequestCacheControl()),
    ],
)
def test_directives(header: str, expected: RequestCacheControl) -> None:
    assert RequestCacheControl.from_header(header) == expected
    scope = http_scope(headers=[("cache-control", header)]) if header else http_scope()
    assert Request(scope).cache_control == expected


def test_several_headers_are_one_list() -> None:
    scope = http_scope(headers=[("cache-control", "no-cache"), ("cache-control", "max-age=0")])
    assert Request(scope).cache_control == RequestCacheControl(no_cache=True, max_age=0)
