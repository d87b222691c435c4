"""Cookies to set with a Set-Cookie header."""

from __future__ import annotations

import builtins
import re
from dataclasses import asdict, dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final, Literal

__all__ = ("Cookie",)

# RFC 6265 section 4.1.1: a cookie-name is a token; `http.cookies` allows a colon too.
NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~:0-9A-Za-z]+")

# The same section: an attribute is "any CHAR except CTLs or ';'".
ATTRIBUTE: Final = re.compile(r"[ -:<-~]*")

# The percent sign, which readers decode, and the characters that a header cannot contain. `http.cookies`
# quotes the other characters that are invalid in a cookie value, such as the semicolon.
ESCAPED: Final = re.compile(r"[^ -$&-~]+")


@dataclass
class Cookie:
    """A cookie to set (RFC 6265 section 4.1). Cookies with the same key, path and domain are equal.

    The value can be any text. Percent signs, control characters and non-ASCII characters are percent-encoded
    as UTF-8; other special characters are quoted as in :mod:`http.cookies`.

    Attributes:
        key: The name, a token.
        path: Path prefix of the requests that the cookie is sent with.
        value: The value; ``None`` is the same as ``""``.
        max_age: Seconds until the cookie expires.
        expires: Seconds from now until the cookie expires; sent as a date.
        domain: The domain, subdomains included, that the cookie is sent to; by default only the current host.
        secure: Whether the cookie is sent over TLS only.
        httponly: Whether the cookie is hidden from scripts.
        samesite: Whether the cookie is sent with requests from other sites.
        description: A description for the documentation.
        documentation_only: Whether the cookie appears in the documentation only.
    """

    key: str
    path: str = "/"
    value: str | None = field(default=None, repr=False)
    max_age: int | None = None
    expires: int | None = None
    domain: str | None = None
    secure: bool | None = None
    httponly: bool | None = None
    samesite: Literal["lax", "strict", "none"] = "lax"
    description: str | None = None
    documentation_only: bool = False

    @property
    def simple_cookie(self) -> SimpleCookie:
        """The cookie as a ``SimpleCookie`` of :mod:`http.cookies`, with a percent-encoded value.

        Raises:
            ValueError: The key is not a token or is reserved, an attribute contains a semicolon, a control
                character or a non-ASCII character, or ``samesite`` is invalid.
        """
        self._check()
        cookie = SimpleCookie()
        try:
            cookie[self.key] = ESCAPED.sub(_percent_encode, self.value or "")
        except CookieError as error:
            raise ValueError(f"the name of a cookie must not be reserved, got {self.key!r}") from error
        for name, attribute in self.dict.items():
            if attribute is not None and name not in ("key", "value"):
                cookie[self.key][name.replace("_", "-")] = attribute
        return cookie

    def to_header(self, **kwargs: Any) -> str:
        """Return the header as text, ``Set-Cookie: ...``.

        Args:
            kwargs: Arguments of ``SimpleCookie.output``.

        Raises:
            ValueError: See :attr:`simple_cookie`.
        """
        return self.simple_cookie.output(**kwargs).strip()

    def to_encoded_header(self) -> tuple[bytes, bytes]:
        """Return the header as a pair for ASGI.

        Raises:
            ValueError: See :attr:`simple_cookie`.
        """
        return b"set-cookie", self.to_header(header="").encode("ascii")

    @property
    def dict(self) -> builtins.dict[str, Any]:
        """All fields except those for the documentation."""
        values = asdict(self)
        del values["description"], values["documentation_only"]
        return values

    def _check(self) -> None:
        if not NAME.fullmatch(self.key):
            raise ValueError(
                f"the name of a cookie must be a token (RFC 6265 section 4.1.1), got {self.key!r}"
            )
        for name, attribute in self.dict.items():
            if name in ("key", "value") or attribute is None:
                continue
            if not ATTRIBUTE.fullmatch(str(attribute)):
                raise ValueError(
                    f"{name} of cookie {self.key!r} must be ASCII without semicolons or control characters"
                )
            if name == "samesite" and attribute.lower() not in ("lax", "strict", "none"):
                raise ValueError(f"samesite of cookie {self.key!r} must be 'lax', 'strict' or 'none'")

    def __hash__(self) -> int:
        return hash((self.key, self.path, self.domain))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cookie):
            return NotImplemented
        return (self.key, self.path, self.domain) == (other.key, other.path, other.domain)


def _percent_encode(match: re.Match[str]) -> str:
    try:
        return "".join(f"%{octet:02X}" for octet in match[0].encode())
    except UnicodeEncodeError:
        raise ValueError("the value of a cookie must not contain lone surrogates") from None
