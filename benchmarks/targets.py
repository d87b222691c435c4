"""The targets of asgiwire, as data; ``benchmarks.report`` compares a run with them."""

from __future__ import annotations

from typing import Final

from .rows import ROWS

IDLE: Final = ("request", "websocket", "accepted websocket", "waiting websocket")
"""Objects whose memory is compared."""

SERVER: Final = "server"
"""Name of the time per request on a server."""

BEST_PEER: Final[dict[str, float]] = {
    **dict.fromkeys([row.name for row in ROWS], 1.0),
    **dict.fromkeys(IDLE, 1.0),
    **dict.fromkeys(["one_header", "three_headers", "query", "cookies", "url", "typical"], 0.8),
    **dict.fromkeys(["json_small", "urlencoded", "websocket_texts", "websocket_json"], 0.8),
    **dict.fromkeys(["multipart_fields", "multipart_many", "multipart_files"], 0.8),
    **dict.fromkeys(["typed_query", "typed_form"], 1 / 3),
}
"""Maximum time or memory of asgiwire, relative to the best peer of the same run."""

STREAM_ON_3_11: Final = 1.1
"""The same for the row ``stream`` on Python 3.11."""

HAND_WRITTEN: Final[dict[str, float]] = {
    **dict.fromkeys(["construct", "typical", "urlencoded", "stream", "websocket_texts"], 1.5),
    **dict.fromkeys(["json_large", "body", "multipart_stream", "multipart_file"], 1.1),
    SERVER: 1 / 0.97,
}
"""Maximum time of asgiwire, relative to hand-written code."""

WITHOUT_EXTENSION: Final[dict[str, float]] = {"query": 1.35, "urlencoded": 1.35}
"""Maximum time of asgiwire without its compiled module, relative to the best peer."""

EXPONENT: Final = 1.1
"""Maximum exponent of each kind of growth, without the growth of the control."""

CONTROL: Final = "a plain dict of headers"
"""Kind of growth that does not use asgiwire: the effect of the machine's memory alone."""

MODULES: Final = 102
"""Maximum number of modules that ``import asgiwire`` loads; Python 3.13 has two more than 3.11."""

UPLOAD_GROWTH: Final = 20
"""Maximum megabytes that a process grows by while it reads an upload of 1 GB."""
