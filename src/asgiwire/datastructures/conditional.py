"""The If-Match, If-None-Match and If-Range headers.

The application evaluates the conditions in the order of RFC 9110 section 13.2.2 and chooses the response.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from asgiwire._parsers.entity_tags import split_entity_tags
from asgiwire._parsers.http_dates import parse_http_date

from .header_values import ETag

__all__ = ("EntityTags", "IfMatch", "IfNoneMatch", "IfRange")


@dataclass(frozen=True, slots=True)
class EntityTags:
    """A list of entity tags, or ``*``, which means any entity tag.

    Attributes:
        tags: The valid tags, in the order sent.
        any: Whether the list is ``*``.
    """

    tags: tuple[ETag, ...] = ()
    any: bool = False

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Parse a list of tags; invalid ones are ignored."""
        elements = split_entity_tags(header_value)
        if elements == ["*"]:
            return cls(any=True)
        return cls(tuple(tag for tag in map(ETag._parsed, elements) if tag is not None))

    def __iter__(self) -> Iterator[ETag]:
        return iter(self.tags)

    def __len__(self) -> int:
        return len(self.tags)

    def __bool__(self) -> bool:
        return True  # a list without a valid tag is still a condition

    def __str__(self) -> str:
        return "*" if self.any else ", ".join(tag.to_header() for tag in self.tags)

    def __hash__(self) -> int:
        return hash((type(self), str(self)))


@dataclass(frozen=True, slots=True, eq=False)
class IfMatch(EntityTags):
    """The If-Match header: the representation has to match one of the tags (RFC 9110 section 13.1.1).

    A header without a valid tag matches nothing, so a malformed header cannot cause a lost update.
    """

    def matches(self, etag: ETag | str | None) -> bool:
        """Return whether the condition is true; respond with 412 if it is false.

        The comparison is strong: weak tags never match.

        Args:
            etag: The entity tag of the current representation, text with the quotes; ``None`` if there is no
                representation.

        Raises:
            ValueError: The text is not an entity tag.
        """
        current = _parse_etag(etag)
        if current is None or self.any:
            return current is not None
        return not current.weak and any(tag.value == current.value and not tag.weak for tag in self.tags)


@dataclass(frozen=True, slots=True, eq=False)
class IfNoneMatch(EntityTags):
    """The If-None-Match header: the representation must not match any tag (RFC 9110 section 13.1.2)."""

    def matches(self, etag: ETag | str | None) -> bool:
        """Return whether a tag matches the representation, which makes the condition false.

        Respond with 304 to GET and HEAD then, and with 412 to other methods. The comparison is weak:
        ``W/"1"`` matches ``"1"``.

        Args:
            etag: The entity tag of the current representation, text with the quotes; ``None`` if there is no
                representation.

        Raises:
            ValueError: The text is not an entity tag.
        """
        current = _parse_etag(etag)
        if current is None or self.any:
            return current is not None
        return any(tag.value == current.value for tag in self.tags)


@dataclass(frozen=True, slots=True)
class IfRange:
    """The If-Range header: an entity tag or a date (RFC 9110 section 13.1.5).

    A malformed header matches nothing, so that the whole representation is sent.

    Attributes:
        etag: The entity tag, or ``None``.
        date: The date in UTC, or ``None``.
    """

    etag: ETag | None = None
    date: datetime | None = None

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Parse an entity tag or a date; both are ``None`` if the header is malformed."""
        tag = ETag._parsed(header_value.strip(" \t"))
        if tag is not None:
            return cls(etag=tag)
        return cls(date=parse_http_date(header_value))

    def matches(self, etag: ETag | str | None = None, last_modified: datetime | None = None) -> bool:
        """Return whether the condition is true, so that the Range header applies.

        Args:
            etag: The entity tag of the current representation; the comparison is strong.
            last_modified: The time of the last modification, compared to the second. Pass ``None`` if the
                representation could have changed twice in that second.

        Raises:
            ValueError: The text is not an entity tag.
        """
        current = _parse_etag(etag)
        if self.etag is not None:
            return current == self.etag and not self.etag.weak
        return self.date is not None and last_modified is not None and _second(last_modified) == self.date

    def __hash__(self) -> int:
        return hash((self.etag and self.etag.to_header(), self.date))


def _parse_etag(etag: ETag | str | None) -> ETag | None:
    if not isinstance(etag, str):
        return etag
    tag = ETag._parsed(etag)
    if tag is None:
        msg = f'expected an entity tag in quotes, such as "abc" or W/"abc", got {etag!r}'
        raise ValueError(msg)
    return tag


def _second(time: datetime) -> datetime:
    # HTTP dates are in UTC, so a datetime without a time zone is taken as UTC.
    aware = time.replace(tzinfo=UTC) if time.tzinfo is None else time
    return aware.replace(microsecond=0)
