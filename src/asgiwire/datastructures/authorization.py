"""The Authorization header."""

from __future__ import annotations

from typing import Self

from asgiwire._parsers.credentials import parse_basic, parse_credentials
from asgiwire._parsers.secrets import MASK, SCHEMES

__all__ = ("Authorization",)


class Authorization:
    """The credentials of an Authorization header (RFC 9110 section 11.6.2).

    The credentials are parsed, not verified. ``repr`` shows a scheme that is
    registered or widely used, and nothing else. Compare secrets with
    :func:`hmac.compare_digest`, not with ``==``.

    Attributes:
        scheme: The scheme in lower case, such as ``basic``, ``bearer`` or ``digest``.
        token68: The token after the scheme, or ``None``.
        parameters: The parameters after the scheme; names in lower case.
        username: The user-id of the Basic scheme (RFC 7617), or ``None``.
        password: The password of the Basic scheme, or ``None``; it can contain colons.
    """

    __slots__ = ("parameters", "password", "scheme", "token68", "username")

    def __init__(
        self,
        scheme: str,
        token68: str | None = None,
        parameters: dict[str, str] | None = None,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        self.scheme: str = scheme
        self.token68: str | None = token68
        self.parameters: dict[str, str] = parameters or {}
        self.username: str | None = username
        self.password: str | None = password

    @classmethod
    def from_header(cls, header_value: str | None) -> Self | None:
        """Parse credentials; return ``None`` if they are missing or malformed.

        Args:
            header_value: The value of Authorization or Proxy-Authorization.
        """
        credentials = None if header_value is None else parse_credentials(header_value)
        if credentials is None:
            return None
        if credentials.scheme != "basic":
            return cls(*credentials)
        basic = parse_basic(credentials.token68 or "")
        return None if basic is None else cls(*credentials, *basic)

    @property
    def token(self) -> str | None:
        """The token of the Bearer scheme (RFC 6750 section 2.1), or ``None``."""
        return self.token68 if self.scheme == "bearer" else None

    def __repr__(self) -> str:
        # A key that was sent without a scheme is parsed as a scheme.
        scheme = self.scheme if self.scheme in SCHEMES else MASK
        return f"<{type(self).__name__} {scheme} {MASK}>"
