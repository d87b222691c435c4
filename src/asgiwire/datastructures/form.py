"""Parsed forms."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from .multi_dicts import ImmutableMultiDict

if TYPE_CHECKING:
    from .upload_file import UploadFile  # imports tempfile, which a form without files does not need

__all__ = ("FormMultiDict",)


class FormMultiDict(ImmutableMultiDict["str | UploadFile"]):
    """The fields of a form as ``str`` and its files as :class:`UploadFile`, in the order received.

    It is an asynchronous context manager that closes the files.

    Attributes:
        closed: Whether :meth:`close` was called.
    """

    closed: bool = False

    @classmethod
    def from_form_data(cls, form_data: Mapping[str, list[Any] | Any]) -> Self:
        """Build a form from a mapping; a list contains several values of one key."""
        pairs: list[tuple[str, str | UploadFile]] = []
        for key, value in form_data.items():
            values = cast("list[str | UploadFile]", value) if isinstance(value, list) else [value]
            pairs += [(key, one) for one in values]
        return cls(pairs)

    async def close(self) -> None:
        """Close all files. If closing some of them fails, close the others and raise the first error."""
        from .upload_file import UploadFile

        self.closed = True
        failure: BaseException | None = None
        for value in self.values():
            if isinstance(value, UploadFile):
                try:
                    await value.close()
                except BaseException as error:
                    # A cancellation takes precedence over the errors of other files.
                    if failure is None or not isinstance(error, Exception):
                        failure = error
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # an exception holds this frame

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
