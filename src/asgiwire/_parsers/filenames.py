"""Safe file names for uploads."""

from __future__ import annotations

import os
from typing import Final

# Reserved device names on Windows, with or without an extension.
DEVICES: Final = frozenset(
    (
        "CON",
        "CONIN$",
        "CONOUT$",
        "CLOCK$",
        "PRN",
        "AUX",
        "NUL",
        *(name + digit for name in ("COM", "LPT") for digit in "123456789¹²³"),
    )
)
MAX_LENGTH: Final = 255  # bytes, on most file systems


def safe_filename(filename: str) -> str:
    """Return a safe name for a file, derived from the last part of ``filename``, or ``"file"``.

    The result has no directories, no unprintable characters, none that Windows forbids, and is not the name
    of a device. It does not begin with a dot, with a hyphen, which commands read as an option, or with a
    tilde, which shells expand. It has at most 255 bytes in UTF-8.
    """
    name = filename.replace("\\", "/").rpartition("/")[2]
    name = "".join(
        "_" if character in '<>:"|?*' else character for character in name if character.isprintable()
    )
    name = name.lstrip(". -~").rstrip(". ")
    if name.partition(".")[0].rstrip().upper() in DEVICES:
        name = f"_{name}"
    stem, extension = os.path.splitext(name)
    extension = _truncate(extension, MAX_LENGTH // 2)
    name = _truncate(stem, MAX_LENGTH - len(extension.encode())) + extension
    return name.rstrip(". ") or "file"


def _truncate(name: str, length: int) -> str:
    """Truncate to ``length`` bytes of UTF-8 at a character boundary."""
    return name.encode()[:length].decode(errors="ignore")
