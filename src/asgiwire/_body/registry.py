"""Where the body channels of a scope are, and which of them belongs to a ``receive`` callable.

A channel belongs to the callable and not to the request: requests over the same scope, or over a copy of it,
find the same one under the one key of ours in the scope, which is there from the first read of a body on. A
request over another ``receive`` (a decompressing middleware's, say) gets another channel; the one before
stays behind it.
"""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Final, cast

from .channel import BodyChannel

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope

    from .readers import Replay

SCOPE_KEY: Final = "asgiwire.body"
"""The one key of ours in a scope."""


REPLAYS: Final = "replays_a_body"
"""What the class of a ``receive`` has that gives a body which was read here."""


def find_channel(scope: Scope, receive: Receive) -> BodyChannel | None:
    """The channel of ``receive``, or ``None`` before its first read."""
    # Not isinstance: Replay is imported by the first who makes one. Not of the object itself: a mock has all.
    if hasattr(type(receive), REPLAYS):
        return cast("Replay", receive).channel
    channel: BodyChannel | None = scope.get(SCOPE_KEY)
    # Not "is": a bound method is a new object at each attribute access.
    while channel is not None and channel.receive != receive:
        channel = channel.outer
    return channel


def body_channel(scope: Scope, receive: Receive) -> BodyChannel:
    """The channel of ``receive``, put into the scope if it is not there."""
    outer = scope.get(SCOPE_KEY)
    kind = type(receive)
    # Nearly every receive is one of the two, and where it is the first, there is nothing to look for.
    if outer is not None or not (kind is FunctionType or kind is MethodType):
        channel = find_channel(scope, receive)
        if channel is not None:
            return channel
    channel = scope[SCOPE_KEY] = BodyChannel(receive, outer)
    return channel
