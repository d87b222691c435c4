"""A name to store an upload under, from the one that a client sent."""

from __future__ import annotations

import os
from typing import Final

# Names that Windows gives to devices, whatever extension follows.
DEVICES: Final = frozenset(
    ("CON", "PRN", "AUX", "NUL", *(name + digit for name in ("COM", "LPT") for digit in "123456789¹²³"))
)
MAX_LENGTH: Final = 255  # bytes, of the usual file systems


def safe_filename(filename: str) -> str:
    """The last part of ``filename``, fit to be the name of a file; ``"file"`` if nothing is left.

    Without directories of either kind, characters that do not print or that Windows forbids, leading dots,
    and names of devices; at most 255 bytes in UTF-8.
    """
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(
        "_" if character in '<>:"|?*' else character for character in name if character.isprintable()
    )
    name = name.lstrip(". ").rstrip(". ")
    if name.partition(".")[0].rstrip().upper() in DEVICES:
        name = f"_{name}"
    stem, extension = os.path.splitext(name)
    extension = _shortened(extension, MAX_LENGTH // 2)
    name = _shortened(stem, MAX_LENGTH - len(extension.encode())) + extension
    return name.rstrip(". ") or "file"


def _shortened(name: str, length: int) -> str:
    """The name cut to so many bytes of UTF-8, between two characters."""
    return name.encode()[:length].decode(errors="ignore")
