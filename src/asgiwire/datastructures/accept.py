"""The Accept header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from asgiwire._parsers.negotiation import (
    Preference,
    covers,
    most_specific_range,
    parse_media_ranges,
    parse_preference,
)

__all__ = ("Accept",)


class Accept:
    """The media ranges of an Accept header, in order of preference (RFC 9110 section 12.5.1).

    The order is by weight, then by specificity, then as sent. Malformed ranges and weights are ignored, and
    so are ranges after the first 256. A header without a valid range accepts everything.

    Args:
        accept_value: The value of the header; several headers are joined with commas.
    """

    __slots__ = ("_by_value", "_ranges")

    def __init__(self, accept_value: str) -> None:
        self._ranges = parse_media_ranges(accept_value)
        self._ranges.sort(key=_sort_key, reverse=True)
        self._by_value: dict[str, list[Preference]] = {}
        for media_range in self._ranges:
            self._by_value.setdefault(media_range.value, []).append(media_range)

    def __len__(self) -> int:
        return len(self._ranges)

    def __getitem__(self, key: int) -> str:
        return self._ranges[key].text

    def __iter__(self) -> Iterator[str]:
        return (media_range.text for media_range in self._ranges)

    def __str__(self) -> str:
        return ", ".join(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Accept) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    @overload
    def best_match(self, provided_types: Sequence[str], default: None = None) -> str | None: ...

    @overload
    def best_match(self, provided_types: Sequence[str], default: str) -> str: ...

    def best_match(self, provided_types: Sequence[str], default: str | None = None) -> str | None:
        """Return the provided media type that the client prefers.

        The most specific range that matches a type applies to it; weight 0 excludes the type. The result is
        the type whose range is first in this object: among ranges of equal weight and specificity, the order
        of the client decides, as in Litestar. Of several types with the same range, it is the first provided.

        Args:
            provided_types: Media types, with or without parameters. The subtype, or both parts, can be ``*``.
            default: The result if the client accepts none of the types.

        Returns:
            The type as provided. Wildcards are replaced if the range is more specific.
        """
        if not self._ranges:
            return provided_types[0] if provided_types else default
        best, best_match = len(self._ranges), default
        for provided in provided_types:
            media_type = parse_preference(provided)
            media_range = self._matching_range(media_type)
            if media_range is None or not media_range.quality:
                continue
            position = self._ranges.index(media_range)
            if position < best:
                best, best_match = position, _replace_wildcards(provided, media_type, media_range)
        return best_match

    def accepts(self, media_type: str) -> bool:
        """Return whether the client accepts a media type, or all types that a wildcard includes."""
        media_range = most_specific_range(self._by_value, parse_preference(media_type))
        return not self._ranges or (media_range is not None and media_range.quality > 0)

    def _matching_range(self, media_type: Preference) -> Preference | None:
        if not media_type.value.endswith("/*"):
            return most_specific_range(self._by_value, media_type)
        # The first range that shares a type with the wildcard.
        for media_range in self._ranges:
            if media_range.quality and (
                covers(media_range.value, media_type.value) or covers(media_type.value, media_range.value)
            ):
                return media_range
        return None


def _sort_key(media_range: Preference) -> tuple[int, int, int]:
    return media_range.quality, -media_range.value.count("*"), len(media_range.parameters)


def _replace_wildcards(provided: str, media_type: Preference, media_range: Preference) -> str:
    if covers(media_range.value, media_type.value):
        return provided
    return media_range.value + media_type.text[len(media_type.value) :]
