"""If-Match, If-None-Match and If-Range: whether a condition holds for a representation.

Left out: what to answer then, and the order in which conditions are asked (RFC 9110 section 13.2.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asgiwire._parsers.entity_tags import split_entity_tags
from asgiwire._parsers.http_dates import parse_http_date

from .header_values import ENTITY_TAG, ETag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Self

__all__ = ("EntityTags", "IfMatch", "IfNoneMatch", "IfRange")


@dataclass(frozen=True, slots=True)
class EntityTags:
    """A list of entity tags, or ``*``, which stands for any.

    Attributes:
        tags: The tags, in the order sent; what is none is left out.
        any: Whether the list is ``*``.
    """

    tags: tuple[ETag, ...] = ()
    any: bool = False

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Read a list of tags; nothing raises."""
        elements = split_entity_tags(header_value)
        if elements == ["*"]:
            return cls(any=True)
        found = (ENTITY_TAG.fullmatch(element) for element in elements)
        return cls(tuple(ETag(weak=tag[1] is not None, value=tag[2]) for tag in found if tag is not None))

    def __iter__(self) -> Iterator[ETag]:
        return iter(self.tags)

    def __len__(self) -> int:
        return len(self.tags)

    def __bool__(self) -> bool:
        return True  # a list that holds no tag at all is still a condition

    def __str__(self) -> str:
        return "*" if self.any else ", ".join(tag.to_header() for tag in self.tags)

    def __hash__(self) -> int:
        return hash((type(self), str(self)))


@dataclass(frozen=True, slots=True, eq=False)
class IfMatch(EntityTags):
    """The condition that a representation is still one of these (RFC 9110 section 13.1.1).

    A header in which nothing can be read matches nothing, so that no update is lost over a typing error.
    """

    def matches(self, etag: ETag | str | None) -> bool:
        """Say whether the condition holds; where it does not, 412 is the answer.

        The comparison is strong: a weak tag, on either side, matches nothing.

        Args:
            etag: That of the current representation, as text in its quotes; ``None`` where there is none.

        Raises:
            ValueError: The text is no entity tag.
        """
        current = _current(etag)
        if current is None or self.any:
            return current is not None
        return not current.weak and any(tag.value == current.value and not tag.weak for tag in self.tags)


@dataclass(frozen=True, slots=True, eq=False)
class IfNoneMatch(EntityTags):
    """The condition that a representation is none of these (RFC 9110 section 13.1.2)."""

    def matches(self, etag: ETag | str | None) -> bool:
        """Say whether one of the tags is that of the representation, so that the condition is false.

        Then 304 is the answer to GET and HEAD, and 412 to any other method. The comparison is weak:
        ``W/"1"`` matches ``"1"``.

        Args:
            etag: That of the current representation, as text in its quotes; ``None`` where there is none.

        Raises:
            ValueError: The text is no entity tag.
        """
        current = _current(etag)
        if current is None or self.any:
            return current is not None
        return any(tag.value == current.value for tag in self.tags)


@dataclass(frozen=True, slots=True)
class IfRange:
    """The condition under which a Range counts (RFC 9110 section 13.1.5): an entity tag, or a date.

    A header that is neither matches nothing: then the whole representation is the answer.

    Attributes:
        etag: The entity tag.
        date: The date, in UTC.
    """

    etag: ETag | None = None
    date: datetime | None = None

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Read a tag or a date; nothing raises."""
        tag = ENTITY_TAG.fullmatch(header_value.strip(" \t"))
        if tag is not None:
            return cls(etag=ETag(weak=tag[1] is not None, value=tag[2]))
        return cls(date=parse_http_date(header_value))

    def matches(self, etag: ETag | str | None = None, last_modified: datetime | None = None) -> bool:
        """Say whether the condition holds, so that the Range counts.

        Args:
            etag: That of the current representation; the comparison is strong.
            last_modified: When it was modified; the date has to be the same one, to the second. Give none
                where it may have been modified twice in that second.

        Raises:
            ValueError: The text is no entity tag.
        """
        current = _current(etag)
        if self.etag is not None:
            return current == self.etag and not self.etag.weak
        return self.date is not None and last_modified is not None and _second(last_modified) == self.date

    def __hash__(self) -> int:
        return hash((self.etag and self.etag.to_header(), self.date))


def _current(etag: ETag | str | None) -> ETag | None:
    if not isinstance(etag, str):
        return etag
    tag = ENTITY_TAG.fullmatch(etag)
    if tag is None:
        # Not the client's fault, and so no ValidationException.
        msg = f'an entity tag such as "abc" or W/"abc", in its quotes, was wanted, not {etag!r}'
        raise ValueError(msg)
    return ETag(weak=tag[1] is not None, value=tag[2])


def _second(moment: datetime) -> datetime:
    from datetime import UTC

    # One without a time zone is taken for UTC, which is all that HTTP knows.
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return aware.replace(microsecond=0)
