"""The request body below ``Request``: one channel for each ``receive`` callable, and its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cancel import CancelOnDisconnect, RequestWatch
    from .form import read_form
else:
    # Imported on first use. An import statement in a function takes ten times as long as these attributes.
    _MODULES = {"CancelOnDisconnect": "cancel", "RequestWatch": "cancel", "read_form": "form"}

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from importlib import import_module

        value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        return value


__all__ = ("CancelOnDisconnect", "RequestWatch", "read_form")
