"""Who is measured: hand-written code, asgiwire, its peers, and the floor of python-multipart; a module each.

A module has a function by the name of each row that its library can do. Beside these it may have:

- ``DISTRIBUTION``, which is asked for its version, and ``IMPORT``, the statement that its user writes;
- ``prepare``, which puts into a scope what its framework would, before anything is timed;
- ``pairs``, which reads a form as pairs, so that forms of all kinds can be compared;
- ``READS_NOTHING``, which says that it returns nothing to be compared;
- ``websocket`` and ``accepted``, which make one for its memory to be measured.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

RAW: Final = "raw"
OURS: Final = "asgiwire"
PEERS: Final = (
    "litestar",
    "starlette",
    "blacksheep",
    "asgi_tools",
    "asgikit",
    "baize",
    "falcon",
    "quart",
    "django",
)
FLOOR: Final = "floor"
NAMES: Final = (RAW, OURS, *PEERS, FLOOR)


def load(name: str) -> ModuleType | None:
    """The module of a contestant, or ``None`` where its library is not installed."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith(__package__.partition(".")[0]):
            raise
        return None
