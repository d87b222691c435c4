"""Target types that need more than msgspec: text values by field, and Pydantic."""

from __future__ import annotations


class InvalidValueError(ValueError):
    """A value does not match a type, with a message and a place that contain nothing of the value.

    Attributes:
        message: The message without the place.
        place: The place below the value, such as ``".items[0]"``.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
