"""The type of an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[Any]]
"""An ASGI application: ``await application(scope, receive, send)``."""
