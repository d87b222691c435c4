"""Accept-Language, Accept-Encoding and Accept-Charset: what a client would rather have.

Each matches by rules of its own, which are not those of media types (``accept.py``). Nothing that a client
sends raises: an element that is malformed is left out, a weight that is none counts as if it were not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, overload

from asgiwire._parsers.languages import deciding_range, normal_tag, parse_language_ranges
from asgiwire._parsers.negotiation import parse_preferences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from asgiwire._parsers.negotiation import Preference

__all__ = ("AcceptCharset", "AcceptEncoding", "AcceptLanguage", "Preferences")

# RFC 9110 section 8.4.1: 'A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"', and so on.
CODING_ALIASES: Final = {"x-gzip": "gzip", "x-compress": "compress"}


class Preferences:
    """A list of values with weights, best first; equal weights stay in the order sent.

    Iterating gives the values in lower case, without those of weight 0; ``str()`` writes the whole list.

    Args:
        accept_value: The value of the header, several joined with commas; ``None`` where there is none.
    """

    __slots__ = ("_by_value", "_given", "_ranked")

    def __init__(self, accept_value: str | None = None) -> None:
        self._given = accept_value is not None
        preferences = self._preferences(parse_preferences(accept_value or ""))
        self._ranked = sorted(preferences, key=lambda one: one.quality, reverse=True)
        self._by_value: dict[str, Preference] = {}
        for preference in self._ranked:
            self._by_value.setdefault(preference.value, preference)

    def accepts(self, value: str) -> bool:
        """Say whether the client takes this at all."""
        return self._thousandths(self._normal(value)) > 0

    def quality(self, value: str) -> float:
        """The weight that the client gives this, from 0, not at all, to 1."""
        return self._thousandths(self._normal(value)) / 1000

    @overload
    def best_match(self, provided: Sequence[str], default: None = None) -> str | None: ...

    @overload
    def best_match(self, provided: Sequence[str], default: str) -> str: ...

    def best_match(self, provided: Sequence[str], default: str | None = None) -> str | None:
        """Find what the client likes best; of what it likes equally, the first provided.

        Args:
            provided: What there is, the most wanted by this side first.
            default: What to return if the client takes none of it.
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
        return ", ".join(map(_written, self._ranked))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self) if self._given else None!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Preferences) or type(other) is not type(self):
            return NotImplemented
        return str(self) == str(other) and self._given == other._given

    def __hash__(self) -> int:
        return hash((type(self), self._given, str(self)))


class AcceptCharset(Preferences):
    """The charsets that a client accepts (RFC 9110 section 12.5.2); all if it does not say.

    A charset that is not listed has the weight of ``*``, or is not accepted.
    """

    __slots__ = ()


class AcceptEncoding(Preferences):
    """The content codings that a client accepts (RFC 9110 section 12.5.3).

    ``identity``, no coding at all, is accepted unless ``identity;q=0`` or ``*;q=0`` says otherwise. An empty
    header accepts nothing else. Where there is no header every coding is accepted, but none was asked for:
    clients that send none are those that cannot decode any, so that :meth:`best_match` gives ``identity``
    if it is provided, else the default.
    """

    __slots__ = ()

    @overload
    def best_match(self, provided: Sequence[str], default: None = None) -> str | None: ...

    @overload
    def best_match(self, provided: Sequence[str], default: str) -> str: ...

    def best_match(self, provided: Sequence[str], default: str | None = None) -> str | None:
        """Find the coding that the client likes best; of those it likes equally, the first provided.

        ``identity`` is compared only if it is among them; without it, ``None`` stands for it.

        Args:
            provided: Codings, the most wanted by this side first.
            default: What to return if the client wants none of them.
        """
        if not self._given:
            return next((coding for coding in provided if self._normal(coding) == "identity"), default)
        return super().best_match(provided, default)

    def _thousandths(self, value: str) -> int:
        if not self._given:
            return 1000
        preference = self._by_value.get(value) or self._by_value.get("*")
        if preference is None:
            # Acceptable by default, though the client would rather have any coding that it lists.
            return int(value == "identity")
        return preference.quality

    def _preferences(self, preferences: list[Preference]) -> Iterable[Preference]:
        return (preference._replace(value=self._normal(preference.value)) for preference in preferences)

    def _normal(self, value: str) -> str:
        value = value.strip().lower()
        return CODING_ALIASES.get(value, value)


class AcceptLanguage(Preferences):
    """The languages that a client wants, best first (RFC 9110 section 12.5.4); any if it does not say.

    A range speaks of a tag by basic filtering (RFC 4647 section 3.3.1): ``en`` of ``en-GB`` too, and of the
    ranges that do, the longest decides.
    """

    __slots__ = ()

    @overload
    def best_match(self, provided: Sequence[str], default: None = None) -> str | None: ...

    @overload
    def best_match(self, provided: Sequence[str], default: str) -> str: ...

    def best_match(self, provided: Sequence[str], default: str | None = None) -> str | None:
        """Find the provided language that the client wants most.

        The client's ranges are gone through in their order. Each finds the tag that equals it, else one that
        it speaks of, else, by lookup (RFC 4647 section 3.4), the longest that is left of it when subtags are
        taken from its end: ``de-CH`` finds ``de``, unless the client says otherwise of ``de``.

        Args:
            provided: Language tags, such as ``"en-GB"``, the most wanted by this side first.
            default: What to return if the client wants none of them.
        """
        if not self._ranked:
            return provided[0] if provided else default
        ranked = [(rank, tag) for tag in provided if (rank := self._rank(self._normal(tag))) is not None]
        return min(ranked, key=lambda one: one[0])[1] if ranked else default

    def _rank(self, tag: str) -> tuple[int, int, int] | None:
        """Where the range that finds a tag stands, how it does so, and how much of it was taken away."""
        decides = deciding_range(self._by_value, tag)
        if decides is not None and not decides.quality:
            return None
        if decides is None or decides.value == "*":
            for position, preference in enumerate(self._ranked):
                if preference.quality and preference.value.startswith(f"{tag}-"):
                    return position, 2, len(preference.value) - len(tag)
        return None if decides is None else (self._ranked.index(decides), int(decides.value != tag), 0)

    def _thousandths(self, value: str) -> int:
        if not self._ranked:
            return 1000
        decides = deciding_range(self._by_value, value)
        return 0 if decides is None else decides.quality

    def _preferences(self, preferences: list[Preference]) -> Iterable[Preference]:
        return parse_language_ranges(preferences)

    def _normal(self, value: str) -> str:
        return normal_tag(value)


def _written(preference: Preference) -> str:
    if preference.quality == 1000:
        return preference.value
    return f"{preference.value};q={preference.quality / 1000:g}"
