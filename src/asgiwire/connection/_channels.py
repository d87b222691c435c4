"""Where the body channels of a scope are, and which of them belongs to a ``receive`` callable.

A channel belongs to the callable and not to the request: requests over the same scope, or over a copy of it,
find the same one under the one key of ours in the scope, which is there from the first read of a body on. A
request over another ``receive`` (a decompressing middleware's, say) gets another channel; the one before
stays behind it.
"""

from __future__ import annotations

from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Final, cast

from ._body import BodyChannel

if TYPE_CHECKING:
    from asgiwire.types import Receive, Scope

    from ._downstream import Replay

SCOPE_KEY: Final = "asgiwire.body"
"""The one key of ours in a scope."""


REPLAYS: Final = "replays_a_body"
"""What the class of a ``receive`` has that gives a body which was read here."""


def find_channel(scope: Scope, receive: Receive) -> BodyChannel | None:
    """The channel of ``receive``, or ``None`` before its first read."""
    kind = type(receive)
    # Not isinstance: Replay is imported by the first who makes one. Not of the object itself: a mock has all.
    # Most are functions or methods, and an attribute that is not there takes as long to find as all the rest.
    if kind is not FunctionType and kind is not MethodType and hasattr(kind, REPLAYS):
        return cast("Replay", receive).channel
    channel: BodyChannel | None = scope.get(SCOPE_KEY)
    # Not "is": a bound method is a new object at each attribute access.
    while channel is not None and channel.receive != receive:
        channel = channel.outer
    return channel


def body_channel(scope: Scope, receive: Receive) -> BodyChannel:
    """The channel of ``receive``, put into the scope if it is not there."""
    channel = find_channel(scope, receive)
    if channel is None:
        channel = scope[SCOPE_KEY] = BodyChannel(receive, scope.get(SCOPE_KEY))
    return channel
