"""The lifespan protocol, run by a client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asgiwire.types import ASGIApp

from ._connection import RunningConnection
from ._errors import ScriptError
from ._protocols import LifespanProtocol, LifespanState
from ._scopes import lifespan_scope


class Lifespan(RunningConnection[LifespanProtocol]):
    """An asynchronous context manager that runs the startup of an application on entry, the shutdown on exit.

    If the application raises before it calls ``receive``, or returns without sending a message, it does not
    support the lifespan protocol. It then gets no events.
    """

    def __init__(self, application: ASGIApp, state: Mapping[str, Any], timeout: float | None) -> None:
        super().__init__(
            application, lifespan_scope(state), LifespanProtocol(), timeout, raise_exceptions=True
        )
        self._incoming.append({"type": "lifespan.startup"})

    async def _enter(self) -> None:
        await self._wait(lambda: self._task.done or self._is_started, "the end of the startup")
        if self.received or self._protocol.state is not LifespanState.INITIAL:
            self._raise_error()
            self._raise_failure("lifespan.startup.failed")

    @property
    def _is_started(self) -> bool:
        return self._protocol.state in {LifespanState.RUNNING, LifespanState.ENDED}

    async def _leave(self) -> None:
        if self._protocol.state is LifespanState.RUNNING:
            self._queue({"type": "lifespan.shutdown"})
        if self.received:
            await self._wait(lambda: self._task.done, "the end of the application after its shutdown")
            self._raise_error()
            self._raise_failure("lifespan.shutdown.failed")
        self._raised = True  # an application without a lifespan may have raised

    def _raise_failure(self, kind: str) -> None:
        for message in self.sent:
            if message["type"] == kind:
                msg = f"the application sent {kind!r}: {message.get('message', '')}"
                raise ScriptError(msg)
