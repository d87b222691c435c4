"""The TLS extension of ASGI."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire import Request, WebSocket
from asgiwire.datastructures import TLS
from asgiwire.testing import http_scope, websocket_scope

COMPLETE = {
    "server_cert": "-----BEGIN CERTIFICATE-----s",
    "client_cert_chain": ["-----BEGIN CERTIFICATE-----c", "-----BEGIN CERTIFICATE-----ca"],
    "client_cert_name": "CN=ada,O=Example",
    "client_cert_error": None,
    "tls_version": 0x0304,
    "cipher_suite": 0x1301,
}


def read(**values: Any) -> TLS:
    tls = Request(http_scope(extensions={"tls": values})).tls
    assert tls is not None
    return tls


def test_complete_extension() -> None:
    tls = read(**COMPLETE)
    assert tls == TLS(
        version="TLSv1.3",
        cipher_suite=0x1301,
        server_certificate="-----BEGIN CERTIFICATE-----s",
        client_certificates=("-----BEGIN CERTIFICATE-----c", "-----BEGIN CERTIFICATE-----ca"),
        client_name="CN=ada,O=Example",
        client_error=None,
    )
    assert tls.client_names == (("CN", "ada"), ("O", "Example"))


def test_websocket() -> None:
    assert WebSocket(websocket_scope(extensions={"tls": COMPLETE})).tls == read(**COMPLETE)


@pytest.mark.parametrize("extensions", [None, {}, {"tls": None}, {"http.response.push": {}}, []])
def test_without_the_extension(extensions: Any) -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "extensions": extensions}
    assert Request(scope).tls is None
    del scope["extensions"]
    assert Request(scope).tls is None


def test_values_that_the_server_does_not_know() -> None:
    """The keys may be None, and the optional ones absent."""
    for values in (
        {},
        {"server_cert": None, "tls_version": None, "cipher_suite": None},
        {"client_cert_chain": None},
    ):
        assert read(**values) == TLS()


@pytest.mark.parametrize(
    ("number", "name"),
    [(0x0300, "SSLv3"), (0x0301, "TLSv1"), (0x0302, "TLSv1.1"), (0x0303, "TLSv1.2"), (0x0305, "0x0305")],
)
def test_versions(number: int, name: str) -> None:
    assert read(tls_version=number).version == name


def test_one_shot_chain() -> None:
    assert read(client_cert_chain=iter(["a", "b"])).client_certificates == ("a", "b")


def test_client_that_is_not_verified_has_no_names() -> None:
    """Otherwise an application would trust a name that the client made up."""
    assert read(client_cert_name="CN=admin", client_cert_error="self-signed certificate").client_names == ()
    assert read().client_names == ()
