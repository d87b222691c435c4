"""asgiwire inside other frameworks, one module for each, imported on demand.

None of the frameworks is a dependency of asgiwire; who imports a module of this package has its framework.
"""

from __future__ import annotations

__all__ = ()
