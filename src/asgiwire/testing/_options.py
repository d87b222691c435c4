"""Checks of keyword arguments, with a suggestion for an unknown one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

# Names of the same argument in other clients.
OTHER_NAMES: Final = {
    "params": "query_params",
    "query": "query_params",
    "query_string": "query_params",
    "body": "content",
    "form": "data",
    "protocols": "subprotocols",
    "allow_redirects": "follow_redirects",
}


def check_options(function: str, options: Mapping[str, Any], known: Iterable[str]) -> None:
    """Check the names of keyword arguments.

    Raises:
        TypeError: A name is unknown.
    """
    names = sorted(known)
    for name in options:
        if name not in names:
            nearest = OTHER_NAMES.get(name)
            if nearest not in names:
                import difflib

                nearest = next(iter(difflib.get_close_matches(name, names, n=1)), None)
            hint = f"did you mean {nearest!r}?" if nearest else f"expected one of {', '.join(names)}"
            msg = f"{function}() got an unexpected keyword argument {name!r}; {hint}"
            raise TypeError(msg)
