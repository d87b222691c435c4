"""A parsed form: an immutable multidict of its fields and files, which can close its files.

Left out: parsing. It stands beside the other multidicts, and not among them, because closing a file awaits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .multi_dicts import ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

__all__ = ("FormMultiDict",)


class FormMultiDict(ImmutableMultiDict[Any]):
    """The fields of a form as ``str`` and its files as :class:`UploadFile`, in the order they came.

    As an asynchronous context manager it closes its files at the end of the block.
    """

    @classmethod
    def from_form_data(cls, form_data: Mapping[str, list[Any] | Any]) -> Self:
        """Build a form from a mapping of which a list holds several values of one key."""
        pairs: list[tuple[str, object]] = []
        for key, value in form_data.items():
            values = cast("list[object]", value) if isinstance(value, list) else [value]
            pairs += [(key, one) for one in values]
        return cls(pairs)

    async def close(self) -> None:
        """Close every file, also when closing one of them fails; then raise what it failed with."""
        from .upload_file import UploadFile

        failure: BaseException | None = None
        for value in self.values():
            if isinstance(value, UploadFile):
                try:
                    await value.close()
                except BaseException as error:
                    # A cancellation has to come out, whatever else went wrong.
                    if failure is None or not isinstance(error, Exception):
                        failure = error
        if failure is not None:
            raise failure

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
