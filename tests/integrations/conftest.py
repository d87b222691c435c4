"""Skip the tests of an integration if its framework is not installed."""

from __future__ import annotations

from importlib.util import find_spec

FRAMEWORKS = ("fastapi", "litestar", "starlette")

collect_ignore_glob = [
    pattern
    for name in FRAMEWORKS
    if find_spec(name) is None
    for pattern in (f"test_{name}*", f"{name}_apps.py")
]
