"""The Cache-Control and ETag headers."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, Final, Self

from asgiwire.exceptions import ImproperlyConfiguredException, ValidationException

__all__ = ("CacheControlHeader", "ETag", "Header")

# One directive: a token with an optional argument, which can be a quoted string that contains commas.
DIRECTIVE: Final = re.compile(r'([^\s",=]++)\s*+(?:=\s*+("(?:[^"\\]++|\\.)*+"?+|[^\s",]*+))?+', re.DOTALL)

# RFC 9111 section 1.2.2: a delta-seconds "greater than the greatest integer it can represent" is 2^31.
MAX_SECONDS: Final = 2**31
DELTA_SECONDS: Final = frozenset({"max_age", "s_maxage", "stale_while_revalidate"})

# RFC 9110 section 8.8.3: entity-tag = [ weak ] opaque-tag, etagc = %x21 / %x23-7E / obs-text, which is
# %x80-FF. Some clients write "w/" in lower case.
ENTITY_TAG: Final = re.compile(r'([Ww]/)?"([!#-~\x80-\xff]*)"')
OPAQUE_TAG: Final = re.compile(r"[!#-~\x80-\xff]*")


@dataclass
class Header(ABC):
    """Base class of header values. Subclasses define ``HEADER_NAME`` and the text of the value."""

    HEADER_NAME: ClassVar[str] = ""

    documentation_only: bool = False
    """Whether the header appears in the documentation only."""

    @abstractmethod
    def _get_header_value(self) -> str:
        """Return the value as text."""

    @classmethod
    @abstractmethod
    def from_header(cls, header_value: str) -> Header:
        """Parse the value of a header.

        Raises:
            ValidationException: The value is malformed.
        """

    def to_header(self, include_header_name: bool = False) -> str:
        """Return the value as text.

        Args:
            include_header_name: Whether to prepend the name and a colon.

        Raises:
            ImproperlyConfiguredException: The class has no ``HEADER_NAME``.
        """
        if not self.HEADER_NAME:
            raise ImproperlyConfiguredException(f"{type(self).__name__} must define HEADER_NAME")
        return f"{self.HEADER_NAME}: " * include_header_name + self._get_header_value()


@dataclass
class CacheControlHeader(Header):
    """The directives of a Cache-Control response header (RFC 9111 section 5.2.2); times are in seconds.

    Directives that are ``False`` or ``None`` are omitted from the header.

    Attributes:
        max_age: How long the response is fresh.
        s_maxage: The same for shared caches, which use it instead of ``max_age``.
        no_cache: Whether a cache must validate the response before each use.
        no_store: Whether a cache must not store the response.
        private: Whether shared caches must not store the response.
        public: Whether any cache may store the response.
        no_transform: Whether intermediaries must not transform the content.
        must_revalidate: Whether a cache must validate the response when it is stale.
        proxy_revalidate: The same for shared caches only.
        must_understand: Whether only caches that know the status code may store the response.
        immutable: Whether the response does not change while it is fresh (RFC 8246).
        stale_while_revalidate: How long a cache may use the stale response while it validates it (RFC 5861).
    """

    HEADER_NAME: ClassVar[str] = "cache-control"

    max_age: int | None = None
    s_maxage: int | None = None
    no_cache: bool | None = None
    no_store: bool | None = None
    private: bool | None = None
    public: bool | None = None
    no_transform: bool | None = None
    must_revalidate: bool | None = None
    proxy_revalidate: bool | None = None
    must_understand: bool | None = None
    immutable: bool | None = None
    stale_while_revalidate: int | None = None

    def _get_header_value(self) -> str:
        directives = [(name, getattr(self, name)) for name in _directives(type(self))]
        return ", ".join(
            name.replace("_", "-") if value is True else f"{name.replace('_', '-')}={value}"
            for name, value in directives
            if value is not None and value is not False
        )

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Parse the value of a Cache-Control header.

        Directives are case-insensitive, and of several with the same name the first is used. Unknown
        directives and those of requests are ignored (RFC 9111 section 5.2.3). The argument of
        ``no-cache="field"`` is ignored.

        Raises:
            ValidationException: A time is not a number.
        """
        known = _directives(cls)
        found: dict[str, int | bool] = {}
        for match in DIRECTIVE.finditer(header_value):
            name = match[1].lower().replace("-", "_")
            if name in known and name not in found:
                found[name] = _seconds(match[1], match[2]) if name in DELTA_SECONDS else True
        header = cls()
        for name, value in found.items():
            setattr(header, name, value)
        return header

    @classmethod
    def prevent_storing(cls) -> Self:
        """Build the header that tells all caches not to store the response (``no-store``)."""
        return cls(no_store=True)


@dataclass
class ETag(Header):
    """An entity tag (RFC 9110 section 8.8.3).

    Attributes:
        weak: Whether it is a weak validator, ``W/"..."``.
        value: The text between the quotes: ISO-8859-1 without blanks, quotes and ASCII control characters.

    Raises:
        ValidationException: The value is invalid, or it is ``None`` without ``documentation_only``.
    """

    HEADER_NAME: ClassVar[str] = "etag"

    weak: bool = False
    value: str | None = None

    def __post_init__(self) -> None:
        if self.value is None:
            if not self.documentation_only:
                raise ValidationException("an ETag needs a value, unless documentation_only is set")
        elif not OPAQUE_TAG.fullmatch(self.value):
            raise ValidationException(
                "the value of an ETag must be ISO-8859-1 without blanks, quotes or ASCII control characters"
            )

    def _get_header_value(self) -> str:
        return f'W/"{self.value}"' if self.weak else f'"{self.value}"'

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Parse one entity tag.

        Raises:
            ValidationException: The value is not an entity tag; a list or ``*`` is invalid too.
        """
        tag = cls._parsed(header_value.strip(" \t"))
        if tag is None:
            raise ValidationException('expected an entity tag such as "abc" or W/"abc"')
        return tag

    @classmethod
    def _parsed(cls, element: str) -> Self | None:
        """Parse one element of a list; return ``None`` if it is invalid."""
        match = ENTITY_TAG.fullmatch(element)
        if match is None:
            return None
        # Without the constructor, which would check the value again. It takes three times as long.
        tag = object.__new__(cls)
        tag.weak = match[1] is not None
        tag.value = match[2]
        return tag


def _directives(cls: type[CacheControlHeader]) -> list[str]:
    return [field.name for field in fields(cls) if field.name != "documentation_only"]


def _seconds(directive: str, argument: str | None) -> int:
    # RFC 9111 section 5.2: "For the directives defined below that define arguments, recipients ought to
    # accept both forms", the token and the quoted string.
    digits = (argument or "").strip('"')
    if not (digits.isascii() and digits.isdigit()):
        raise ValidationException(f"the Cache-Control directive {directive} must be a number of seconds")
    return MAX_SECONDS if len(digits) > 10 else min(int(digits), MAX_SECONDS)
