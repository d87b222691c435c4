"""Authorization: the credentials that a client sends. Left out: whether they are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asgiwire._parsers.credentials import parse_basic, parse_credentials

if TYPE_CHECKING:
    from typing import Self

__all__ = ("Authorization",)


class Authorization:
    """The credentials of an Authorization header (RFC 9110 section 11.6.2).

    Its ``repr`` shows the scheme, and nothing of the credentials. Compare secrets with
    :func:`hmac.compare_digest`, never with ``==``.

    Attributes:
        scheme: In lower case, such as ``basic``, ``bearer`` or ``digest``.
        token68: What follows the scheme, where it is one token; ``None`` otherwise.
        parameters: The parameters that follow the scheme, by lower-case name.
        username: The user-id, of the scheme Basic alone (RFC 7617).
        password: The password, of the scheme Basic alone; it may hold colons.
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
        """Read credentials; ``None`` where there are none, or malformed ones.

        Args:
            header_value: The value of any header that holds credentials, ``Proxy-Authorization`` too.
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
        """The token, of the scheme Bearer alone (RFC 6750 section 2.1)."""
        return self.token68 if self.scheme == "bearer" else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.scheme} ***>"
