"""Values of a connection that pass ``isinstance`` for Litestar's classes.

Handlers name Litestar's classes in annotations (``headers: Headers``, ``data: UploadFile``), and Litestar's
signature model checks injected values with ``isinstance``. ``Address`` is not here: it is a tuple that equals
Litestar's.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import litestar.datastructures as theirs
from litestar.utils.scope.state import CONNECTION_STATE_KEY

from asgiwire import datastructures as ours

from ._classes import isinstance_as, set_class

__all__ = ("as_litestar",)

T = TypeVar("T")


def _dict_without_private_state(self: ours.State) -> dict[str, Any]:
    """Return a shallow copy as a dict, without the values that Litestar stores for itself."""
    return {key: value for key, value in self.items() if key != CONNECTION_STATE_KEY}


SUBCLASSES: Final[dict[type, type]] = {
    ours.Accept: isinstance_as(ours.Accept, theirs.Accept),
    ours.FormMultiDict: isinstance_as(ours.FormMultiDict, theirs.FormMultiDict),
    ours.Headers: isinstance_as(ours.Headers, theirs.Headers),
    ours.MultiDict: isinstance_as(ours.MultiDict, theirs.MultiDict),
    ours.State: isinstance_as(ours.State, theirs.State, {"dict": _dict_without_private_state}),
    ours.UploadFile: isinstance_as(ours.UploadFile, theirs.UploadFile),
    ours.URL: isinstance_as(ours.URL, theirs.URL),
}


def as_litestar(value: T) -> T:
    """Return the same object, which from now on passes ``isinstance`` for Litestar's class as well."""
    subclass = SUBCLASSES.get(type(value))
    if subclass is not None:
        set_class(value, subclass)
    return value
