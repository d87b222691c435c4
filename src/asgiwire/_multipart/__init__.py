"""``multipart/form-data`` (RFC 7578) without I/O: bytes in, events out, no await."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .decoder import MultipartDecoder
else:
    # Imported on first use because it imports python-multipart.
    def __getattr__(name: str) -> object:
        if name != "MultipartDecoder":
            msg = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(msg)
        from .decoder import MultipartDecoder

        return MultipartDecoder


__all__ = ("MultipartDecoder",)
