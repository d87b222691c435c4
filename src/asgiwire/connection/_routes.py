"""Asking whoever is in the scope for the path of a route, by the two conventions in use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from asgiwire.exceptions import NoRouteMatchFoundException

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from asgiwire.types import Scope

# That of Litestar's application, and that of an application or router of Starlette's kind.
CONVENTIONS: Final = (
    ("litestar_app", "route_reverse"),
    ("app", "route_reverse"),
    ("router", "url_path_for"),
    ("app", "url_path_for"),
)


def route_path(scope: Scope, name: object, path_parameters: Mapping[str, Any]) -> str:
    """The path of a route.

    Raises:
        NoRouteMatchFoundException: Nobody in the scope can tell, there is no such route, or the parameters
            do not fit.
    """
    reverse = _reverser(scope)
    if reverse is None:
        msg = "url_for needs an app in the scope with route_reverse() or url_path_for()"
        raise NoRouteMatchFoundException(msg, name=str(name))
    try:
        return str(reverse(name, **path_parameters))
    except Exception as error:  # each framework has its own exception for "no such route"
        raise NoRouteMatchFoundException(name=str(name)) from error


def _reverser(scope: Scope) -> Callable[..., Any] | None:
    for key, method in CONVENTIONS:
        reverse = getattr(scope.get(key), method, None)
        if reverse is not None:
            return cast("Callable[..., Any]", reverse)
    return None
