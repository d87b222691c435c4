"""The names of headers that hold credentials, and the text that replaces a secret."""

from __future__ import annotations

from typing import Final

MASK: Final = "***"

CREDENTIAL_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization", "set-cookie"})
