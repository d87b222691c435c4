"""Values of single headers: Cache-Control and ETag, written for a response and read from one.

Left out: what to do about them. Conditional requests are the business of whoever answers.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Final

from asgiwire.exceptions import ImproperlyConfiguredException, ValidationException

if TYPE_CHECKING:
    from typing import Self

__all__ = ("CacheControlHeader", "ETag", "Header")

# One directive: a token, and maybe an argument, which may be a quoted string with commas in it.
DIRECTIVE: Final = re.compile(r'([^\s",=]++)\s*+(?:=\s*+("(?:[^"\\]++|\\.)*+"?+|[^\s",]*+))?+', re.DOTALL)

# RFC 9111 section 1.2.2: a delta-seconds "greater than the greatest integer it can represent" is 2^31.
MAXIMUM_SECONDS: Final = 2**31
DELTA_SECONDS: Final = frozenset({"max_age", "s_maxage", "stale_while_revalidate"})

# RFC 9110 section 8.8.3: entity-tag = [ weak ] opaque-tag, etagc = %x21 / %x23-7E / obs-text. We keep to
# ASCII, and take the lower-case "w/" too, as some programs write it.
ENTITY_TAG: Final = re.compile(r'([Ww]/)?"([!#-~]*)"')
OPAQUE_TAG: Final = re.compile(r"[!#-~]*")


@dataclass
class Header(ABC):
    """The value of one header, to be subclassed with its name and its text."""

    HEADER_NAME: ClassVar[str] = ""

    documentation_only: bool = False
    """Whether the header is only there to be described, and not to be sent."""

    @abstractmethod
    def _get_header_value(self) -> str:
        """Write the value."""

    @classmethod
    @abstractmethod
    def from_header(cls, header_value: str) -> Header:
        """Parse the value of a header.

        Raises:
            ValidationException: If it is malformed.
        """

    def to_header(self, include_header_name: bool = False) -> str:
        """Write the value; with ``include_header_name``, behind the name and a colon.

        Raises:
            ImproperlyConfiguredException: If the class has no ``HEADER_NAME``.
        """
        if not self.HEADER_NAME:
            raise ImproperlyConfiguredException(f"{type(self).__name__} needs a HEADER_NAME to be written")
        return f"{self.HEADER_NAME}: " * include_header_name + self._get_header_value()


@dataclass
class CacheControlHeader(Header):
    """The directives of a Cache-Control header in a response (RFC 9111 section 5.2.2); times in seconds.

    ``True`` writes a directive, ``False`` and ``None`` do not.
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

        Directives are read in any case, and the first of a name counts. Unknown ones are ignored (RFC 9111
        section 5.2.3), those of requests too; of ``no-cache="field"`` only the directive is kept.

        Raises:
            ValidationException: If a time is not digits.
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
        """Build the header that forbids every cache to store the response (``no-store``)."""
        return cls(no_store=True)


@dataclass
class ETag(Header):
    """An entity tag (RFC 9110 section 8.8.3).

    Attributes:
        weak: Whether it is a weak validator, written ``W/"..."``.
        value: What stands between the quotes: ASCII without blanks, quotes and controls.

    Raises:
        ValidationException: If the value cannot stand there; if there is none, but for documentation.
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
                "the value of an ETag must be ASCII without blanks, quotes and controls"
            )

    def _get_header_value(self) -> str:
        return f'W/"{self.value}"' if self.weak else f'"{self.value}"'

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Parse one entity tag, not a list of them and not ``*``.

        Raises:
            ValidationException: If it is anything else.
        """
        match = ENTITY_TAG.fullmatch(header_value.strip(" \t"))
        if match is None:
            raise ValidationException(
                'an entity tag such as "abc" or W/"abc" was wanted (RFC 9110 section 8.8.3)'
            )
        return cls(weak=match[1] is not None, value=match[2])


def _directives(cls: type[CacheControlHeader]) -> list[str]:
    return [field.name for field in fields(cls) if field.name != "documentation_only"]


def _seconds(directive: str, argument: str | None) -> int:
    # RFC 9111 section 5.2: "For the directives defined below that define arguments, recipients ought to
    # accept both forms", the token and the quoted string.
    digits = (argument or "").strip('"')
    if not (digits.isascii() and digits.isdigit()):
        raise ValidationException(f"the Cache-Control directive {directive} needs a number of seconds")
    return MAXIMUM_SECONDS if len(digits) > 10 else min(int(digits), MAXIMUM_SECONDS)
