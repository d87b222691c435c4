"""The libraries that are measured, one module each: hand-written code, asgiwire and its peers.

A module has a function for each row that its library supports, named after the row. It may also have:

- ``DISTRIBUTION``: the name of the distribution, to look up its version.
- ``IMPORT``: the import statement that an application writes.
- ``PACKAGE``: the package to import alone, without its classes.
- ``prepare(scope)``: adds the scope entries that the framework's router sets. It is not timed.
- ``pairs(form)``: returns the names and values of a form, so that all kinds of forms can be compared.
- ``websocket`` and ``accepted``: make a WebSocket whose memory is measured.

The modules repeat each other on purpose. CPython specializes the bytecode of a function for the types that it
has seen, so a function that several contestants share would be slower for each of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

RAW: Final = "raw"
OURS: Final = "asgiwire"
PEERS: Final = ("litestar", "starlette", "blacksheep", "falcon", "asgi_tools", "fastapi")
NAMES: Final = (RAW, OURS, *PEERS)


def load(name: str) -> ModuleType | None:
    """Return the module of a contestant, or ``None`` if its library is not installed."""
    try:
        return importlib.import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("benchmarks"):
            raise
        return None
