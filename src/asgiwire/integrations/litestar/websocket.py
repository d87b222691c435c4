"""The ``WebSocket`` for Litestar's ``websocket_class``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import litestar.connection

import asgiwire.connection
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.types import Receive, Send

from ._classes import copy_members
from ._connection import RAISING, ConnectionMembers
from ._exceptions import translated

if TYPE_CHECKING:
    # As in request.py: for type checkers only. CPython allows no class with these two bases.
    class _WebSocket(  # type: ignore[misc, override]  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]
        asgiwire.connection.WebSocket[UserT, AuthT, StateT],
        litestar.connection.WebSocket[UserT, AuthT, Any],
    ): ...
else:
    _WebSocket = copy_members(
        asgiwire.connection.WebSocket,
        litestar.connection.WebSocket[UserT, AuthT, StateT],
        [
            *RAISING,
            "__anext__",
            "accept",
            "close",
            "deny",
            "is_disconnected",
            "iter_data",
            "iter_json",
            "iter_msgpack",
            "receive_data",
            "receive_json",
            "receive_msgpack",
            "send_data",
            "send_denial_response",
            "wait_disconnected",
        ],
    )

__all__ = ("WebSocket",)


class WebSocket(  # type: ignore[misc, override]  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
    ConnectionMembers[UserT, AuthT, StateT], _WebSocket[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]
):
    """A WebSocket of a Litestar application; pass it as ``websocket_class``."""

    __slots__ = ()

    def receive_wrapper(self, receive: Receive) -> Receive:
        """Return the ``receive`` of this object, which raises Litestar's exceptions."""
        return translated(super().receive_wrapper(receive))

    def send_wrapper(self, send: Send) -> Send:
        """Return the ``send`` of this object, which raises Litestar's exceptions."""
        return translated(super().send_wrapper(send))
