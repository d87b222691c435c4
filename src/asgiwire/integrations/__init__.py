"""asgiwire inside other frameworks, one module for each, imported on demand.

None of the frameworks is a dependency of asgiwire: to import a module of this package is to have its framework.
"""

from __future__ import annotations

__all__ = ()
