"""The Accept header: what a client wants, and which of the things on offer that is.

Left out: Accept-Language, Accept-Encoding and Accept-Charset, which match by rules of their own
(``preferences.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from asgiwire._parsers.negotiation import covers, deciding, parse_media_ranges, parse_preference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asgiwire._parsers.negotiation import Preference

__all__ = ("Accept",)


class Accept:
    """The media ranges of an Accept header, best first (RFC 9110 section 12.5.1).

    They are ordered by weight, then by how specific they are, then as sent. What is malformed is left out,
    and never raises: a range that is none, a weight that is none. A header without any range, the empty one
    too, states no preference: then everything is accepted.

    Args:
        accept_value: The value of the header; several headers joined with commas.
    """

    __slots__ = ("_by_value", "_ranges")

    def __init__(self, accept_value: str) -> None:
        self._ranges = parse_media_ranges(accept_value)
        self._ranges.sort(key=_preferred, reverse=True)
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
        """Find the provided media type that the client likes best.

        For each provided type the most specific range decides, and one of weight 0 excludes it. Among types
        that the client likes equally the first provided wins.

        Args:
            provided_types: Media types, with parameters or without; a subtype, or both, may be ``*``.
            default: What to return if the client accepts none of them.

        Returns:
            The provided type as it was given; its wildcards filled in from a range that is more specific.
        """
        if not self._ranges:
            return provided_types[0] if provided_types else default
        best, best_match = len(self._ranges), default
        for provided in provided_types:
            media_type = parse_preference(provided)
            media_range = self._deciding(media_type)
            if media_range is None or not media_range.quality:
                continue
            position = self._ranges.index(media_range)
            if position < best:
                best, best_match = position, _filled_in(provided, media_type, media_range)
        return best_match

    def accepts(self, media_type: str) -> bool:
        """Say whether the client accepts this media type; with a wildcard, all that it stands for."""
        media_range = deciding(self._by_value, parse_preference(media_type))
        return not self._ranges or (media_range is not None and media_range.quality > 0)

    def _deciding(self, media_type: Preference) -> Preference | None:
        if not media_type.value.endswith("/*"):
            return deciding(self._by_value, media_type)
        # Anything that the wildcard can stand for will do: the first that the client wants.
        for media_range in self._ranges:
            if media_range.quality and (
                covers(media_range.value, media_type.value) or covers(media_type.value, media_range.value)
            ):
                return media_range
        return None


def _preferred(media_range: Preference) -> tuple[int, int, int]:
    return media_range.quality, -media_range.value.count("*"), len(media_range.parameters)


def _filled_in(provided: str, media_type: Preference, media_range: Preference) -> str:
    if covers(media_range.value, media_type.value):
        return provided
    return media_range.value + media_type.text[len(media_type.value) :]
