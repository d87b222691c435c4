"""The targets of asgiwire, as data; ``benchmarks.report`` compares a run with them."""

from __future__ import annotations

from typing import Final

from .contestants import RAW

BEST_PEER: Final = 1.0
"""Maximum time of asgiwire in every row, relative to the best peer of the same run."""

AGAINST: Final[dict[str, dict[str, float]]] = {
    RAW: {
        "construct": 1.5,
        "typical": 1.5,
        "query": 2,
        "cookies": 2,
        "urlencoded": 2,
        "json_small": 2,
        "json_large": 1.1,
        "body": 1.1,
        "websocket_texts": 1.6,
        "websocket_json": 1.6,
        "multipart_fields": 1.2,
        "multipart_many": 1.2,
        "multipart_file": 1.2,
        "multipart_files": 1.2,
        "multipart_stream": 1.1,
    },
    "starlette": {"multipart_fields": 0.5, "multipart_many": 0.5},
    "litestar": {"typed_query": 1 / 3, "typed_form": 1 / 3},
    "fastapi": {"typed_query": 1 / 3, "typed_form": 1 / 3},
}
"""Maximum time of asgiwire in single rows, relative to another contestant."""

EXPONENT: Final = 1.1
"""Maximum exponent of each kind of growth."""

CONTROL: Final = "a plain dict of headers"
"""Kind of growth that does not use asgiwire, and has no target."""

MODULES: Final = 100
"""Maximum number of modules that ``import asgiwire`` loads."""

UPLOAD_GROWTH: Final = 20_000_000
"""Maximum bytes that a process grows by while it reads an upload of 1 GB."""

SERVER: Final = 0.97
"""Minimum requests per second on a server, relative to hand-written code."""

IDLE: Final = ("request", "websocket", "accepted websocket", "waiting websocket")
"""Objects that must not take more memory than those of the best peer."""
