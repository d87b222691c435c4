"""Names of headers that hold credentials, and the text that replaces their values in logs and ``repr``."""

from __future__ import annotations

from typing import Final

CREDENTIAL_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})

MASK: Final = "***"
