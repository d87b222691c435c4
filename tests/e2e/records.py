"""Results that the application stores until the test requests them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import anyio

RECORDS: dict[str, dict[str, Any]] = {}
SIGNALS: dict[str, anyio.Event] = {}
FAILURES: list[str] = []


def note(key: str, **values: Any) -> None:
    """Add values to the record of a key."""
    RECORDS.setdefault(key, {}).update(values)
