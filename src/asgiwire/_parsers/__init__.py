"""Parsers without I/O: they take bytes or text and return builtin types.

The functions here have compiled twins in ``asgiwire._speedups``. They are used if that module was built and
the environment variable ``ASGIWIRE_NO_EXTENSIONS`` is empty. Only this file chooses between the two.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .content_headers import content_length, find_delimiter
from .cookies import parse_cookies
from .header_pairs import header_text, header_values
from .query import parse_urlencoded
from .uri import common_url

__all__ = (
    "common_url",
    "content_length",
    "find_delimiter",
    "header_text",
    "header_values",
    "parse_cookies",
    "parse_urlencoded",
)

__speedups__ = False

if not TYPE_CHECKING and not os.environ.get("ASGIWIRE_NO_EXTENSIONS"):
    try:
        from asgiwire._speedups import (
            common_url,
            content_length,
            find_delimiter,
            header_text,
            header_values,
            parse_cookies,
            parse_urlencoded,
        )
    except ImportError:
        pass  # it was not built
    else:
        __speedups__ = True
