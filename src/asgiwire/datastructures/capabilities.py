"""What the server can do, as the scope tells: one place that answers, and never with ``None``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from asgiwire.types import Scope

__all__ = ("Capabilities",)


class Capabilities:
    """The version of the specification that a server follows, and the extensions that it offers.

    ``name in capabilities`` asks for an extension, such as ``"http.response.push"``; iterating names all.

    Attributes:
        version: ``scope["asgi"]["version"]``; ``"2.0"`` where it is absent (ASGI, "Applications").
        spec_version: That of the HTTP or WebSocket message format, as two numbers; 2.0 where it is absent.
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
        """What the server says of an extension; empty where it says nothing, or does not offer it."""
        return cast("Mapping[str, Any]", self._extensions.get(name) or {})

    def __repr__(self) -> str:
        version = ".".join(map(str, self.spec_version))
        return f"<Capabilities spec_version={version} extensions={sorted(self._extensions)}>"


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    digits = major.isdecimal() and minor.isdecimal() and len(version) < 10
    return (int(major), int(minor)) if digits else (2, 0)
