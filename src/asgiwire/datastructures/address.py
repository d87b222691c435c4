"""Network addresses of clients and servers."""

# No `from __future__ import annotations`: `typing.get_type_hints(Address.__new__)` cannot resolve text.

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple, cast

__all__ = ("Address", "address_from_scope")


class Address(NamedTuple):
    """A network address. Behind a proxy, ``host`` can be any text that the client sent."""

    host: str
    """A host name, an IP address without brackets, or the path of a unix socket."""

    port: int | None
    """The port, or ``None`` for a unix socket."""


PAIR: Final[Any] = (tuple, list)

# Equivalent to Address(host, port), without the call of a Python function.
_address = cast("Callable[[tuple[str, int | None]], Address]", partial(cast("Any", tuple).__new__, Address))


def address_from_scope(value: Any) -> Address | None:
    """Build an address from ``scope["client"]`` or ``scope["server"]``; return ``None`` if it is invalid.

    The specification has ``[str, int]``, and ``[path, None]`` for a unix socket. Some servers give the port
    as text, or ``("", "0")`` for an unnamed unix socket. An invalid port becomes ``None``.
    """
    if not isinstance(value, PAIR) or not value:
        return None
    host = value[0]
    if not isinstance(host, str) or not host:
        return None
    return _address((host, None if host[0] == "/" or len(value) < 2 else _port(value[1])))


def _port(value: object) -> int | None:
    if type(value) is int and 0 <= value < 65536:
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 6:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 65536 else None
