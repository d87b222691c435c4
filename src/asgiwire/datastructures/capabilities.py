"""The capabilities of the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from asgiwire.types import Scope

__all__ = ("Capabilities",)


class Capabilities:
    """The ASGI versions and the extensions that a server supports.

    ``name in capabilities`` tests for an extension, such as ``"http.response.push"``. Iteration returns the
    names of all extensions.

    Args:
        scope: The ASGI scope.

    Attributes:
        version: ``scope["asgi"]["version"]``; by default ``"2.0"`` (ASGI, "Applications").
        spec_version: The version of the HTTP or WebSocket message format, as two numbers; by default 2.0.
    """

    __slots__ = ("_extensions", "spec_version", "version")

    def __init__(self, scope: Scope) -> None:
        asgi: Mapping[str, Any] = scope.get("asgi") or {}
        self.version: str = str(asgi.get("version") or "2.0")
        self.spec_version: tuple[int, int] = _numbers(str(asgi.get("spec_version") or "2.0"))
        self._extensions: Mapping[str, Any] = scope.get("extensions") or {}

    def __contains__(self, name: object) -> bool:
        return name in self._extensions

    def __iter__(self) -> Iterator[str]:
        return iter(self._extensions)

    def extension(self, name: str) -> Mapping[str, Any]:
        """Return the details of an extension; empty if there are none or the extension is not supported."""
        return cast("Mapping[str, Any]", self._extensions.get(name) or {})

    def __repr__(self) -> str:
        version = ".".join(map(str, self.spec_version))
        return f"<Capabilities spec_version={version} extensions={sorted(self._extensions)}>"


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    digits = major.isdecimal() and minor.isdecimal() and len(version) < 10
    return (int(major), int(minor)) if digits else (2, 0)
