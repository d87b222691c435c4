"""The TLS connection of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self, cast

__all__ = ("TLS",)

VERSIONS: Final = {0x0300: "SSLv3", 0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


@dataclass(frozen=True, slots=True)
class TLS:
    """Data of the TLS connection (ASGI TLS extension, version 0.2).

    The certificates are PEM text. Values that the server does not provide are ``None`` or empty.

    Attributes:
        version: The name of the version as in the module ``ssl``, such as ``"TLSv1.3"``.
        cipher_suite: The number of the cipher suite in the IANA registry, such as ``0x1301``.
        server_certificate: The certificate of the server.
        client_certificates: The chain of the client, its own certificate first; empty without one.
        client_name: The distinguished name in the client's certificate (RFC 4514), as text.
        client_error: The reason why the client's certificate was not verified. ``None`` if it was verified,
            or if the client sent no certificate.
    """

    version: str | None = None
    cipher_suite: int | None = None
    server_certificate: str | None = None
    client_certificates: tuple[str, ...] = ()
    client_name: str | None = None
    client_error: str | None = None

    @classmethod
    def from_scope(cls, scope: Mapping[str, Any]) -> Self | None:
        """Read ``scope["extensions"]["tls"]``; ``None`` if the server does not provide it."""
        extensions = scope.get("extensions")
        values = cast("Mapping[str, Any]", extensions).get("tls") if isinstance(extensions, Mapping) else None
        if not isinstance(values, Mapping):
            return None
        tls = cast("Mapping[str, Any]", values)
        version = tls.get("tls_version")
        chain = cast("Iterable[str]", tls.get("client_cert_chain") or ())
        return cls(
            None if version is None else VERSIONS.get(version, f"0x{version:04x}"),
            tls.get("cipher_suite"),
            tls.get("server_cert"),
            tuple(chain),
            tls.get("client_cert_name"),
            tls.get("client_cert_error"),
        )

    @property
    def client_names(self) -> tuple[tuple[str, str], ...]:
        """The attributes of ``client_name`` in order, such as ``(("CN", "ada"), ("O", "Example"))``.

        Empty if the client is not verified: without a certificate, after an error, or if the name is not
        valid.
        """
        from asgiwire._parsers.distinguished_names import parse_distinguished_name

        if self.client_name is None or self.client_error is not None:
            return ()
        return parse_distinguished_name(self.client_name)
