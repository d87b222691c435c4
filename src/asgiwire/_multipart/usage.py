"""The usage of the limits of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from asgiwire.exceptions import RequestEntityTooLarge

if TYPE_CHECKING:
    from asgiwire.limits import Limits

__all__ = ("FormUsage",)


class FormUsage(Struct):
    """The numbers and sizes of one form, by the names of the limits.

    A parsed form is cached, and a later call may have other limits.
    """

    max_fields: int = 0
    max_files: int = 0
    max_field_size: int = 0
    max_file_size: int = 0
    max_part_headers: int = 0
    max_part_header_size: int = 0
    max_memory: int = 0

    def check(self, limits: Limits) -> None:
        """Check the form against the limits of another call.

        Raises:
            RequestEntityTooLarge: The form exceeds a limit.
        """
        for limit in self.__struct_fields__:
            maximum = getattr(limits, limit)
            if maximum is not None and getattr(self, limit) > maximum:
                raise RequestEntityTooLarge(limit=limit, maximum=maximum)
