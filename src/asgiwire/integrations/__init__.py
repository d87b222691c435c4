"""asgiwire in other frameworks, one module per framework.

asgiwire depends on none of the frameworks: install the framework before you import its module.
"""

from __future__ import annotations

__all__ = ()
