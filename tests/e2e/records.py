"""What the application keeps between the client that did something and the one that asks what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import anyio

RECORDS: dict[str, dict[str, Any]] = {}
SIGNALS: dict[str, anyio.Event] = {}
FAILURES: list[str] = []


def note(key: str, **values: Any) -> None:
    """Add to the record of the key."""
    RECORDS.setdefault(key, {}).update(values)
