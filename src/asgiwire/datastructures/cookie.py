"""Cookies to set with a Set-Cookie header."""

from __future__ import annotations

import builtins
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any, Final, Literal

from asgiwire._parsers.http_dates import format_http_date

__all__ = ("Cookie",)

# RFC 6265 section 4.1.1: a cookie-name is a token; `http.cookies` allows a colon too.
NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~:0-9A-Za-z]+")

# The same section: an attribute is "any CHAR except CTLs or ';'".
ATTRIBUTE: Final = re.compile(r"[ -:<-~]*")

# The percent sign, which readers decode, and the characters that a header cannot contain. `http.cookies`
# quotes the other characters that are invalid in a cookie value, such as the semicolon.
ESCAPED: Final = re.compile(r"[^ -$&-~]+")


# RFC 6265 section 5.1.1: a date before this year fails.
FIRST_YEAR: Final = 1601


class _Morsel(Morsel[str]):
    """A morsel that knows ``Partitioned``, as that of Python 3.14 does."""

    _reserved = {**Morsel._reserved, "partitioned": "Partitioned"}  # type: ignore[attr-defined]  # noqa: RUF012  # as in `http.cookies`
    _flags = {*Morsel._flags, "partitioned"}  # type: ignore[attr-defined]  # noqa: RUF012  # as above


@dataclass
class Cookie:
    """A cookie to set (RFC 6265 section 4.1). Cookies with the same key, path and domain are equal.

    The value can be any text. Percent signs, control characters and non-ASCII characters are percent-encoded
    as UTF-8; other special characters are quoted as in :mod:`http.cookies`.

    Attributes:
        key: The name, a token.
        path: Path prefix of the requests that the cookie is sent with.
        value: The value; ``None`` is the same as ``""``.
        max_age: Time until the cookie expires, in seconds or as a ``timedelta``.
        expires: When the cookie expires: seconds from now, or a ``datetime``, which is UTC if it has no time
            zone. Sent as a date.
        domain: The domain, subdomains included, that the cookie is sent to; by default only the current host.
        secure: Whether the cookie is sent over TLS only.
        httponly: Whether the cookie is hidden from scripts.
        samesite: Whether the cookie is sent with requests from other sites.
        description: A description for the documentation.
        documentation_only: Whether the cookie appears in the documentation only.
        partitioned: Whether each top-level site has its own copy of the cookie (CHIPS). Browsers store it
            only with ``secure``.
    """

    key: str
    path: str = "/"
    value: str | None = field(default=None, repr=False)
    max_age: int | timedelta | None = None
    expires: int | datetime | None = None
    domain: str | None = None
    secure: bool | None = None
    httponly: bool | None = None
    samesite: Literal["lax", "strict", "none"] = "lax"
    description: str | None = None
    documentation_only: bool = False
    partitioned: bool | None = None

    @property
    def simple_cookie(self) -> SimpleCookie:
        """The cookie as a ``SimpleCookie`` of :mod:`http.cookies`, with a percent-encoded value.

        Raises:
            ValueError: The key is not a token or is reserved. An attribute contains a semicolon, a control
                character or a non-ASCII character. ``max_age`` or ``expires`` is of another type or is not a
                possible date. ``samesite`` is invalid.
        """
        self._check()
        cookie = SimpleCookie()
        morsel = _Morsel()
        try:
            morsel.set(self.key, *cookie.value_encode(ESCAPED.sub(_percent_encode, self.value or "")))
        except CookieError as error:
            raise ValueError(f"the name of a cookie must not be reserved, got {self.key!r}") from error
        attributes = self.dict | {"max_age": self._seconds(), "expires": self._date()}
        for name, attribute in attributes.items():
            if attribute is not None and name not in ("key", "value"):
                morsel[name.replace("_", "-")] = attribute
        # SimpleCookie.__setitem__ replaces the morsel by one of its own class.
        super(SimpleCookie, cookie).__setitem__(self.key, morsel)
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

    def _seconds(self) -> int | None:
        age = self.max_age
        if isinstance(age, timedelta):
            return int(age.total_seconds())
        if age is not None and type(age) is not int:
            raise ValueError(
                f"max_age of cookie {self.key!r} must be an int or a timedelta, got {type(age).__name__}"
            )
        return age

    def _date(self) -> str | None:
        date = self.expires
        if date is None:
            return None
        if type(date) is int:
            try:
                date = datetime.now(UTC) + timedelta(seconds=date)
            except OverflowError:
                raise ValueError(
                    f"expires of cookie {self.key!r} must be a date until the year 9999"
                ) from None
        if not isinstance(date, datetime):
            raise ValueError(
                f"expires of cookie {self.key!r} must be an int or a datetime, got {type(date).__name__}"
            )
        if date.year < FIRST_YEAR:
            raise ValueError(f"expires of cookie {self.key!r} must be a date since the year {FIRST_YEAR}")
        return format_http_date(date)

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
