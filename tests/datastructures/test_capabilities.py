"""Capabilities of the server."""

from __future__ import annotations

from typing import Any

import pytest

from asgiwire import Request, WebSocket
from asgiwire.datastructures import Capabilities
from asgiwire.testing import http_scope, websocket_scope

# Values in the scopes of servers; expected version, spec_version and extensions.
SCOPES: dict[str, tuple[dict[str, Any], str, tuple[int, int], list[str]]] = {
    "nothing": ({}, "2.0", (2, 0), []),
    "None": ({"asgi": None, "extensions": None}, "2.0", (2, 0), []),
    "empty": ({"asgi": {}, "extensions": {}}, "2.0", (2, 0), []),
    "daphne": ({"asgi": {"version": "3.0"}}, "3.0", (2, 0), []),
    "uvicorn": ({"asgi": {"version": "3.0", "spec_version": "2.3"}}, "3.0", (2, 3), []),
    "hypercorn": (
        {
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "extensions": {"http.response.push": {}, "http.response.early_hint": {}},
        },
        "3.0",
        (2, 4),
        ["http.response.push", "http.response.early_hint"],
    ),
    "TLS": (
        {"extensions": {"tls": {"tls_version": 0x0304, "client_cert_chain": []}}},
        "2.0",
        (2, 0),
        ["tls"],
    ),
}


@pytest.mark.parametrize(("scope", "version", "spec_version", "extensions"), SCOPES.values(), ids=SCOPES)
def test_from_scope(
    scope: dict[str, Any], version: str, spec_version: tuple[int, int], extensions: list[str]
) -> None:
    capabilities = Capabilities(scope)

    assert capabilities.version == version
    assert capabilities.spec_version == spec_version
    assert list(capabilities) == extensions
    assert all(name in capabilities for name in extensions)
    assert "other" not in capabilities
    assert 1 not in capabilities


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("2.0", (2, 0)),
        ("2.10", (2, 10)),
        ("3.1", (3, 1)),
        ("2", (2, 0)),
        ("", (2, 0)),
        ("2.x", (2, 0)),
        ("-1.0", (2, 0)),
        ("2.4.1", (2, 0)),
        ("٣.١", (3, 1)),
        ("1" * 5000 + ".0", (2, 0)),
    ],
)
def test_spec_version_is_two_numbers(version: str, numbers: tuple[int, int]) -> None:
    """Numbers can be compared; as text, "2.10" is less than "2.4"."""
    assert Capabilities({"asgi": {"spec_version": version}}).spec_version == numbers


def test_extension() -> None:
    capabilities = Capabilities({"extensions": {"tls": {"tls_version": 1}, "other": None}})

    assert capabilities.extension("tls") == {"tls_version": 1}
    assert capabilities.extension("other") == {}
    assert capabilities.extension("absent") == {}
    assert "other" in capabilities


def test_connections_have_capabilities() -> None:
    extensions: dict[str, Any] = {"http.response.push": {}}
    for connection in (
        Request(http_scope(extensions=extensions)),
        WebSocket(websocket_scope(extensions=extensions)),
    ):
        assert "http.response.push" in connection.capabilities
        assert connection.capabilities.spec_version == (2, 5)


def test_scope_is_unchanged() -> None:
    """Servers share ``asgi`` and ``extensions`` between all connections."""
    scope: dict[str, Any] = {}
    capabilities = Capabilities(scope)
    capabilities.extension("tls")

    assert scope == {}
    assert not hasattr(capabilities, "__dict__")


def test_repr() -> None:
    scope = {"asgi": {"spec_version": "2.4"}, "extensions": {"b": {"secret": 1}, "a": {}}}

    assert repr(Capabilities(scope)) == "<Capabilities spec_version=2.4 extensions=['a', 'b']>"
