"""The Cache-Control header of a request."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Self

from .header_values import DIRECTIVE, MAX_SECONDS

__all__ = ("RequestCacheControl",)


@dataclass(frozen=True, slots=True)
class RequestCacheControl:
    """The directives of a Cache-Control request header (RFC 9111 section 5.2.1); times are in seconds.

    Attributes:
        max_age: The client accepts a response of at most this age.
        max_stale: The client accepts a response that has been stale for at most this time. ``max-stale``
            without a time is 2,147,483,648, the greatest time: any stale response.
        min_fresh: The client requests a response that stays fresh for at least this time.
        stale_if_error: After an error, the client accepts a response that has been stale for at most this
            time (RFC 5861 section 4).
        no_cache: Do not use a stored response without validation.
        no_store: Store neither the request nor the response.
        no_transform: Do not transform the content.
        only_if_cached: Respond with a stored response or 504.
    """

    max_age: int | None = None
    max_stale: int | None = None
    min_fresh: int | None = None
    stale_if_error: int | None = None
    no_cache: bool = False
    no_store: bool = False
    no_transform: bool = False
    only_if_cached: bool = False

    @classmethod
    def from_header(cls, header_value: str) -> Self:
        """Parse a header.

        Unknown directives, and times that are not numbers, are ignored. Of several directives with the same
        name the first is used.
        """
        found: dict[str, str | None] = {}
        for match in DIRECTIVE.finditer(header_value):
            found.setdefault(match[1].lower().replace("-", "_"), match[2])
        values: dict[str, Any] = {}
        for field in fields(cls):
            if field.name in found:
                argument = found[field.name]
                values[field.name] = True if field.default is False else _seconds(field.name, argument)
        return cls(**values)


def _seconds(name: str, argument: str | None) -> int | None:
    if argument is None:
        return MAX_SECONDS if name == "max_stale" else None
    digits = argument.strip('"')
    if not (digits.isascii() and digits.isdigit()):
        return None
    return MAX_SECONDS if len(digits) > 10 else min(int(digits), MAX_SECONDS)
