"""Skip the tests of an integration if its framework is not installed."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("litestar") else ["test_litestar_*", "litestar_apps.py"]
