"""Builds the optional compiled module; everything else is in ``pyproject.toml``.

Without a C compiler the build succeeds and leaves the module out. With ``ASGIWIRE_NO_EXTENSIONS=1`` it builds
a pure wheel. With ``ASGIWIRE_REQUIRE_EXTENSIONS=1`` a failed compilation is an error.
"""

from __future__ import annotations

import os
import sys

from setuptools import Extension, setup


def extensions() -> list[Extension]:
    """Return the compiled modules to build: none on PyPy, where calls of the C API are slow."""
    if sys.implementation.name != "cpython" or os.environ.get("ASGIWIRE_NO_EXTENSIONS"):
        return []
    required = bool(os.environ.get("ASGIWIRE_REQUIRE_EXTENSIONS"))
    return [Extension("asgiwire._speedups", ["src/asgiwire/_speedups.c"], optional=not required)]


if __name__ == "__main__":
    setup(ext_modules=extensions())
