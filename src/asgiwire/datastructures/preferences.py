"""The Accept-Language, Accept-Encoding and Accept-Charset headers.

Malformed elements and malformed weights are ignored, and so are elements after the first 256.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

from asgiwire._parsers.languages import (
    longest_matching_range,
    normalize_tag,
    parse_language_ranges,
    shortened,
)
from asgiwire._parsers.negotiation import Preference, parse_preferences

__all__ = ("AcceptCharset", "AcceptEncoding", "AcceptLanguage", "Preferences")

# RFC 9110 section 8.4.1: 'A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"', and so on.
CODING_ALIASES: Final = {"x-gzip": "gzip", "x-compress": "compress"}


class Preferences:
    """A list of values with weights, ordered by weight and then as sent.

    Iteration returns the values in lower case, except those with weight 0. ``str()`` returns the whole list.

    Args:
        accept_value: The value of the header; several headers are joined with commas. ``None`` if the request
            has no such header.
    """

    __slots__ = ("_by_value", "_given", "_ranked")

    def __init__(self, accept_value: str | None = None) -> None:
        self._given = accept_value is not None
        preferences = self._preferences(parse_preferences(accept_value or ""))
        self._ranked = sorted(preferences, key=lambda preference: preference.quality, reverse=True)
        self._by_value: dict[str, Preference] = {}
        for preference in self._ranked:
            self._by_value.setdefault(preference.value, preference)

    def accepts(self, value: str) -> bool:
        """Return whether the client accepts the value."""
        return self._thousandths(self._normal(value)) > 0

    def quality(self, value: str) -> float:
        """Return the weight of a value, from 0 (not accepted) to 1."""
        return self._thousandths(self._normal(value)) / 1000

    @overload
    def best_match(self, provided: Sequence[str], default: None = None) -> str | None: ...

    @overload
    def best_match(self, provided: Sequence[str], default: str) -> str: ...

    def best_match(self, provided: Sequence[str], default: str | None = None) -> str | None:
        """Return the provided value with the highest weight; of several, the first.

        Args:
            provided: The available values, in the server's order of preference.
            default: The result if the client accepts none of the values.
        """
        best, best_match = 0, default
        for value in provided:
            quality = self._thousandths(self._normal(value))
            if quality > best:
                best, best_match = quality, value
        return best_match

    def _thousandths(self, value: str) -> int:
        if not self._ranked:
            return 1000
        preference = self._by_value.get(value) or self._by_value.get("*")
        return 0 if preference is None else preference.quality

    def _preferences(self, preferences: list[Preference]) -> Iterable[Preference]:
        return preferences

    def _normal(self, value: str) -> str:
        return value.strip().lower()

    def __len__(self) -> int:
        return sum(preference.quality > 0 for preference in self._ranked)

    def __iter__(self) -> Iterator[str]:
        return (preference.value for preference in self._ranked if preference.quality)

    def __str__(self) -> str:
        return ", ".join(map(_format, self._ranked))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self) if self._given else None!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Preferences) or type(other) is not type(self):
            return NotImplemented
        return str(self) == str(other) and self._given == other._given

    def __hash__(self) -> int:
        return hash((type(self), self._given, str(self)))


class AcceptCharset(Preferences):
    """The charsets that a client accepts (RFC 9110 section 12.5.2); all if the header is missing or empty.

    A charset that is not listed has the weight of ``*``. Without ``*`` it is not accepted.
    """

    __slots__ = ()


class AcceptEncoding(Preferences):
    """The content codings that a client accepts (RFC 9110 section 12.5.3).

    ``identity`` (no coding) is accepted unless ``identity;q=0`` or ``*;q=0`` excludes it. An empty header
    accepts only ``identity``. Without the header every coding is accepted, but most clients that do not send
    it cannot decode any. So :meth:`best_match` returns ``identity`` if it is provided, or else the default.
    """

    __slots__ = ()

    @overload
    def best_match(self, provided: Sequence[str], default: None = None) -> str | None: ...

    @overload
    def best_match(self, provided: Sequence[str], default: str) -> str: ...

    def best_match(self, provided: Sequence[str], default: str | None = None) -> str | None:
        """Return the provided coding with the highest weight; of several, the first.

        ``identity`` is considered only if it is provided; without it, ``None`` means ``identity``.

        Args:
            provided: The available codings, in the server's order of preference.
            default: The result if the client accepts none of the codings.
        """
        if not self._given:
            return next((coding for coding in provided if self._normal(coding) == "identity"), default)
        return super().best_match(provided, default)

    def _thousandths(self, value: str) -> int:
        if not self._given:
            return 1000
        preference = self._by_value.get(value) or self._by_value.get("*")
        if preference is None:
            # `identity` is acceptable by default, but any listed coding takes precedence.
            return int(value == "identity")
        return preference.quality

    def _preferences(self, preferences: list[Preference]) -> Iterable[Preference]:
        return (preference._replace(value=self._normal(preference.value)) for preference in preferences)

    def _normal(self, value: str) -> str:
        value = value.strip().lower()
        return CODING_ALIASES.get(value, value)


class AcceptLanguage(Preferences):
    """The languages that a client prefers (RFC 9110 section 12.5.4); any if the header is missing or empty.

    A range matches a tag by basic filtering (RFC 4647 section 3.3.1), so ``en`` matches ``en-GB`` too. The
    longest range that matches determines the weight.
    """

    __slots__ = ()

    @overload
    def best_match(self, provided: Sequence[str], default: None = None) -> str | None: ...

    @overload
    def best_match(self, provided: Sequence[str], default: str) -> str: ...

    def best_match(self, provided: Sequence[str], default: str | None = None) -> str | None:
        """Return the provided language that the client prefers.

        The ranges are tried in the client's order. A range selects the tag that is equal to it, or else the
        first tag that it matches. Otherwise the range is shortened until it is equal to a tag, as in RFC 4647
        section 3.4, before the next range is tried: ``de-CH`` selects ``de``. A language with weight 0 is
        never selected.

        Args:
            provided: Language tags, such as ``"en-GB"``, in the server's order of preference.
            default: The result if the client accepts none of the languages.
        """
        if not self._ranked:
            return provided[0] if provided else default
        tags: dict[str, str] = {}  # as provided, by the normal form
        first_tags: dict[str, str] = {}  # the first tag for which a range decides, by the range
        for language in provided:
            tag = self._normal(language)
            match = longest_matching_range(self._by_value, tag)
            if match is None or match.quality:
                tags.setdefault(tag, language)
                first_tags.setdefault("" if match is None else match.value, language)
        for preference in self._ranked:
            if not preference.quality:
                break
            value = preference.value
            if value in tags or value in first_tags:
                return tags.get(value) or first_tags[value]
            for shorter in shortened(value):
                if shorter in tags:
                    return tags[shorter]
        return default

    def _thousandths(self, value: str) -> int:
        if not self._ranked:
            return 1000
        match = longest_matching_range(self._by_value, value)
        return 0 if match is None else match.quality

    def _preferences(self, preferences: list[Preference]) -> Iterable[Preference]:
        return parse_language_ranges(preferences)

    def _normal(self, value: str) -> str:
        return normalize_tag(value)


def _format(preference: Preference) -> str:
    if preference.quality == 1000:
        return preference.value
    return f"{preference.value};q={preference.quality / 1000:g}"
