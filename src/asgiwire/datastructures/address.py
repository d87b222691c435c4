"""The address of a peer or of a server.

Left out: whether it is an IP address at all. Behind a proxy the host may be any text that a client sent.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ("Address", "address_from_scope")


class Address(NamedTuple):
    """A network address."""

    host: str
    """A name, an IP address without brackets, or the path of a unix socket."""

    port: int | None
    """The port, or ``None`` for a unix socket."""


def address_from_scope(value: object) -> Address | None:
    """Read ``scope["client"]`` or ``scope["server"]`` as the servers have them, whatever they have.

    They differ from the specification (``[str, int]``, or ``[path, None]`` for a unix socket) in ports that
    are text, and in ``("", "0")`` for the nameless end of a unix socket. A port that is none reads as
    ``None``.
    """
    match value:
        case (str() as host, *rest) if host:
            port = None if host[0] == "/" or not rest else _port(rest[0])
            # What Address(host, port) does, without a call of a Python function.
            return tuple.__new__(Address, (host, port))
        case _:
            return None


def _port(value: object) -> int | None:
    if type(value) is int and 0 <= value < 65536:
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 6:
        value = int(value)
    return value if isinstance(value, int) and 0 <= value < 65536 else None
