"""A cookie to be set: checked, and written as a Set-Cookie header that reads back as it was.

Left out: reading a request's cookies, which come as names and values without attributes.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import builtins
    from http.cookies import SimpleCookie

__all__ = ("Cookie",)

# RFC 6265 section 4.1.1: a cookie-name is a token; `http.cookies` takes a colon too.
NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~:0-9A-Za-z]+")

# The same section: an attribute is "any CHAR except CTLs or ';'".
ATTRIBUTE: Final = re.compile(r"[ -:<-~]*")

# What readers decode (the percent sign itself) and what a header cannot carry. Everything else that a cookie
# value cannot hold, the semicolon first of all, is written by `http.cookies` inside quotes.
ESCAPED: Final = re.compile(r"[^ -$&-~]+")


@dataclass
class Cookie:
    """A cookie to be set (RFC 6265 section 4.1). Two are equal that a browser would keep as one.

    Any value reads back as it was: percent signs, control and non-ASCII characters are written
    percent-encoded as UTF-8, and the rest is quoted as :mod:`http.cookies` does it.

    Attributes:
        key: The name, a token.
        path: The path that a request must begin with.
        value: The value; ``None`` is written as the empty one.
        max_age: Seconds until the cookie expires.
        expires: Seconds from now until the cookie expires, written as a date.
        domain: The domain that it is sent to, with those under it; else only the one that set it.
        secure: Whether it is sent over TLS only.
        httponly: Whether scripts may not see it.
        samesite: Whether it is sent from pages of other sites.
        description: A text for documentation.
        documentation_only: Whether it is only there to be described, and not to be sent.
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
        """The cookie as :mod:`http.cookies` has it, its value percent-encoded as it will be sent.

        Raises:
            ValueError: If the key is no token or is a reserved word, an attribute holds a semicolon, a
                control or non-ASCII character, or ``samesite`` is none of the three.
        """
        from http.cookies import CookieError, SimpleCookie

        self._check()
        cookie = SimpleCookie()
        try:
            cookie[self.key] = ESCAPED.sub(_percent_encode, self.value or "")
        except CookieError as error:
            raise ValueError(f"a cookie cannot be called {self.key!r}") from error
        for name, attribute in self.dict.items():
            if attribute is not None and name not in ("key", "value"):
                cookie[self.key][name.replace("_", "-")] = attribute
        return cookie

    def to_header(self, **kwargs: Any) -> str:
        """Write ``Set-Cookie: ...``; the arguments are those of ``SimpleCookie.output``.

        Raises:
            ValueError: As :attr:`simple_cookie`.
        """
        return self.simple_cookie.output(**kwargs).strip()

    def to_encoded_header(self) -> tuple[bytes, bytes]:
        """Write the header as ASGI sends it.

        Raises:
            ValueError: As :attr:`simple_cookie`.
        """
        return b"set-cookie", self.to_header(header="").encode("ascii")

    @property
    def dict(self) -> builtins.dict[str, Any]:
        """Every field but those for documentation."""
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
                    f"{name} of cookie {self.key!r} must be ASCII without semicolons and control characters"
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
        raise ValueError("the value of a cookie must not hold lone surrogates") from None
