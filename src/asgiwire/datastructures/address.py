"""The address of a peer or of a server.

Left out: whether it is an IP address at all. Behind a proxy the host may be any text that a client sent.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Address", "address_from_scope")


class Address(NamedTuple):
    """A network address."""

    host: str
    """A name, an IP address without brackets, or the path of a unix socket."""

    port: int | None
    """The port, or ``None`` for a unix socket."""


PAIR: Final[Any] = (tuple, list)

# What Address(host, port) does, without a call of a Python function.
_address = cast("Callable[[tuple[str, int | None]], Address]", partial(cast("Any", tuple).__new__, Address))


def address_from_scope(value: Any) -> Address | None:
    """Read ``scope["client"]`` or ``scope["server"]`` as the servers have them, whatever they have.

    They differ from the specification (``[str, int]``, or ``[path, None]`` for a unix socket) in ports that
    are text, and in ``("", "0")`` for the nameless end of a unix socket. A port that is none reads as
    ``None``.
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
