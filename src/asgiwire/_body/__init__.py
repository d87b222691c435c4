"""The request body below ``Request``: one channel for each ``receive`` callable, and its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cancel import CancelOnDisconnect, RequestWatch
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from . import cancel

        return getattr(cancel, name)


__all__ = ("CancelOnDisconnect", "RequestWatch")
