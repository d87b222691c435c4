"""Which body channel belongs to which ``receive`` callable.

A channel belongs to the callable and not to the request: requests over the same scope, or over a copy of it,
and the same ``receive`` share one channel. It is stored in the scope under one private key with the first
read of a body. A request over another ``receive``, such as that of a decompressing middleware, gets another
channel, which links to the previous one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .channel import BodyChannel
from .readers import ReplayReceive

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope

SCOPE_KEY: Final = "asgiwire.body"
"""The only key of asgiwire in a scope."""


def find_channel(scope: Scope, receive: Receive) -> BodyChannel | None:
    """Return the channel of ``receive``, or ``None`` before its first read."""
    if isinstance(receive, ReplayReceive):
        return receive.channel
    channel: BodyChannel | None = scope.get(SCOPE_KEY)
    while channel is not None and not channel.belongs_to(receive):
        channel = channel.previous
    return channel


def body_channel(scope: Scope, receive: Receive) -> tuple[BodyChannel, Receive]:
    """Return the channel of ``receive``, created if there is none, and the callable that it belongs to.

    That callable is ``receive`` itself, unless ``receive`` replays a body: then it is the original one.
    """
    if isinstance(receive, ReplayReceive):
        return receive.channel, receive.original
    previous: BodyChannel | None = scope.get(SCOPE_KEY)
    channel = previous
    while channel is not None:
        if channel.belongs_to(receive):
            return channel, receive
        channel = channel.previous
    while previous is not None and previous.is_orphaned:
        previous = previous.previous
    channel = scope[SCOPE_KEY] = BodyChannel(receive, previous)
    return channel, receive
