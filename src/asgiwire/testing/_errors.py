"""The errors that ``asgiwire.testing`` raises."""

from __future__ import annotations

from typing import Literal, TypeAlias

from asgiwire.exceptions import AsgiwireException

Side: TypeAlias = Literal["application", "server"]


class ScriptError(AsgiwireException, AssertionError):
    """The code under test violates the ASGI specification, or did not send what the test expects."""


class WaitTimeout(ScriptError, TimeoutError):
    """An expected event did not happen in time.

    The message contains the expected event, the messages so far, and the line where the application waits.

    Attributes:
        expected: The event that the test waited for.
        timeout: The time that it waited, in seconds.
    """

    def __init__(self, detail: str = "", *, expected: str = "", timeout: float | None = None) -> None:
        self.expected = expected
        self.timeout = timeout
        super().__init__(detail or f"expected {expected} within {timeout} s")


class SpecificationError(ScriptError):
    """A scope, a message or a call that the ASGI specification does not allow.

    Args:
        problem: What was expected and what was received, for the message.

    Attributes:
        side: The side that violates the specification: ``"application"`` or ``"server"``.
        event: The type of the message, or the kind of scope or call.
        state: The state of the connection before the event; ``""`` for a scope.
        expected: The message types that the state allows this side to send.
        section: The section of the specification, or of an RFC.
    """

    def __init__(
        self,
        problem: str = "",
        *,
        side: Side = "application",
        event: str = "",
        state: str = "",
        expected: tuple[str, ...] = (),
        section: str = "",
    ) -> None:
        self.side = side
        self.event = event
        self.state = state
        self.expected = expected
        self.section = section
        allowed = " or ".join(map(repr, expected)) or "no message"
        context = f"state {state!r}, which allows {allowed}; " if state else ""
        super().__init__(f"{event!r} of the {side}: {problem} ({context}see {section})")
