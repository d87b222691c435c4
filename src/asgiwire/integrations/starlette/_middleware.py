"""The request of Starlette's ``BaseHTTPMiddleware``, and the body that the middleware passes on."""

from __future__ import annotations

from typing import Any

from asgiwire._body.channel import BodyState
from asgiwire._body.readers import BodyReader
from asgiwire._body.registry import body_channel

from ._exceptions import TRANSLATION
from ._receive import SharedReceive


class MiddlewareRequest:
    """Precedes the request class of Starlette's ``BaseHTTPMiddleware``, which calls ``wrapped_receive``.

    That class would pass on a body only if ``body()`` had read it.
    """

    scope: Any
    receive: Any
    _downstream: SharedReceive | None = None
    _stream_reader: BodyReader | None

    async def wrapped_receive(self) -> Any:
        """Return the next message for the next application, independent of the method that read the body."""
        channel, receive = body_channel(self.scope, self.receive)
        downstream = self._downstream
        if downstream is None or downstream.channel is not channel:
            reader = self._stream_reader if channel.state is BodyState.STREAMING else None
            if reader is None:
                reader = BodyReader(channel, receive, None, "receive()")
                if channel.state is BodyState.UNREAD:
                    self._stream_reader = reader  # stream() continues where the application stopped reading
            downstream = self._downstream = SharedReceive(channel, receive, reader, empty_if_consumed=True)
        with TRANSLATION:
            return await downstream()

    @property
    def _is_in_middleware(self) -> bool:
        return True
