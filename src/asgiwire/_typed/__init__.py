"""Target types that msgspec does not decode alone: text values by field, and Pydantic models."""

from __future__ import annotations


class InvalidValueError(ValueError):
    """A value does not match a type. The message and the place do not contain the value.

    Attributes:
        message: The message without the place.
        place: The path from the decoded value to the invalid one, such as ``".items[0]"``.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
