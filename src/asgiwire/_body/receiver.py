"""What comes from one ``receive`` callable: pieces of a request body, then a disconnect.

The one place that calls it. It is never called by two tasks at once, nor for a part after the last one, nor
after a disconnect, where servers block; and what is known is changed only after an await has returned, so
that a cancellation loses nothing. Left out: who may have the pieces, which is the body channel's to know.
"""

from __future__ import annotations

from _weakref import ref  # what weakref has it from, which imports more
from types import CoroutineType, MethodType
from typing import TYPE_CHECKING, Any, Final

from asgiwire.exceptions import ClientDisconnect, ProtocolError, RequestEntityTooLarge

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from asgiwire._concurrency import Event
    from asgiwire.types import Receive

EXPECTED: Final = ("http.request", "http.disconnect")

COROUTINE: Final[Any] = CoroutineType
"""The type of what nearly every ``receive`` returns."""

MOST_KEPT_BY_WATCHING: Final = 1024 * 1024
"""Bytes of an unread body that waiting for a disconnect may bring into memory."""

MOST_PIECES_KEPT_BY_WATCHING: Final = 1024
"""The pieces that these may come in: they are counted at each message, which has to stay cheap."""


class Receiver:
    """Receives messages, one at a time, for all who wait for one.

    Attributes:
        pieces: What has been received of the body and nobody has taken yet; none of them is empty.
        size: Bytes of the body that have come so far.
        complete: Whether the last part has come.
        disconnected: Whether ``http.disconnect`` has come.
        failure: What went wrong with the body; final, and raised to each reader.
    """

    __slots__ = (
        "_function",
        "_owner",
        "_receiving",
        "_repeating",
        "_turn",
        "_unfinished",
        "complete",
        "disconnected",
        "failure",
        "pieces",
        "size",
    )

    def __init__(self, receive: Receive) -> None:
        # The method of an object that has the scope, as a server's is, would make a circle with what the
        # scope keeps, and each request would wait for the garbage collector. Whoever reads has the object.
        self._owner: ref[Any] | None = None
        self._function: Any = receive
        if isinstance(receive, MethodType):
            try:
                self._owner, self._function = ref(receive.__self__), receive.__func__
            except TypeError:  # an object that nothing can refer to weakly
                self._owner = None
        self.pieces: list[bytes] = []
        self.size: int = 0
        self.complete: bool = False
        self.disconnected: bool = False
        self.failure: Exception | None = None
        self._receiving = False
        self._repeating = False  # whether something else than a disconnect came after the last part
        self._turn: Event | None = None  # made by the first task that has to wait, for all that do
        self._unfinished: Any = None  # a future that was given up while it waited for the next message

    @property
    def receive(self) -> Receive:
        """The callable."""
        if self._owner is None:
            function: Receive = self._function
            return function
        owner = self._owner()
        return _gone if owner is None else MethodType(self._function, owner)

    def receive_more(self, maximum: int | None) -> Coroutine[Any, Any, None]:
        """Bring in one message, whoever receives it; afterwards, ``failure`` says whether that was in vain.

        Args:
            maximum: The most bytes that the body may have.
        """
        return self.next_turn() if self._receiving else self._receive(maximum)

    async def watch(self) -> None:
        """Return when the client has left; pieces of the body that come before that are kept.

        How many the body may have is for its readers to say: a watcher has no limit but what it may hold.
        """
        while not self.disconnected:
            if self._receiving or self._holds_enough:
                await self.next_turn()
            elif self._can_learn:
                await self._receive(None)
            else:
                from asgiwire._concurrency import new_event

                await new_event().wait()  # until whoever watches is cancelled

    async def is_disconnected(self) -> bool:
        """Whether the client has left, as far as can be told without waiting; takes one message at most."""
        # Where somebody is waiting for the next message, it has not come.
        if self._can_learn and not self._receiving and not self._holds_enough:
            from asgiwire._concurrency import poll

            await poll(lambda: self._receive(None))
        return self.disconnected

    def fail(self, error: Exception) -> None:
        """Make each later read raise this error."""
        self.failure = error
        self.pieces.clear()

    async def next_turn(self) -> None:
        """Wait until whoever is reading or receiving has got on."""
        if self._turn is None:
            from asgiwire._concurrency import new_event

            self._turn = new_event()
        await self._turn.wait()

    def wake(self) -> None:
        """Let those who wait look at what has changed."""
        if self._turn is not None:
            self._turn.set()
            self._turn = None

    @property
    def _can_learn(self) -> bool:
        # A receive that repeats the last part for ever, as a simple one in a test may, is not asked for ever.
        return not (self.disconnected or self._repeating or self.failure is not None)

    @property
    def _holds_enough(self) -> bool:
        # Watching must not read a large body into memory: until a reader takes some of it, the rest waits.
        return not self.complete and (
            len(self.pieces) >= MOST_PIECES_KEPT_BY_WATCHING
            or sum(map(len, self.pieces)) >= MOST_KEPT_BY_WATCHING
        )

    async def _receive(self, maximum: int | None) -> None:
        """Receive one message and keep what it says; a failure is for whoever reads the body."""
        try:
            message = await self._next_message(self.receive)
            if self.complete:
                self.disconnected = message["type"] == "http.disconnect"
                self._repeating = not self.disconnected
            elif piece := self._account_for(message, maximum):
                self.pieces.append(piece)
        except Exception as error:
            if self.complete:
                self.disconnected = True  # nothing more can come from a receive that fails
            else:
                self.fail(error)
        finally:
            self._end_receiving()

    # The next three are what receiving a message is, in a form that each reader can write into its own
    # coroutine: one more coroutine would cost as much as all of them.

    def _next_message(self, receive: Receive) -> Any:
        """Call ``receive``. Who awaits what it returns calls one of the other two afterwards."""
        self._receiving = True
        awaitable: Any = self._unfinished or receive()
        return awaitable if type(awaitable) is COROUTINE else self._finished(awaitable)

    def _account_for(self, message: Any, maximum: int | None) -> bytes:
        """The piece of body in a message; ``more_body`` alone says that it is the last one."""
        self._receiving = False
        if self._turn is not None:
            self.wake()
        kind = message["type"]
        if kind == "http.request":
            try:
                piece, more = message["body"], message["more_body"]
            except KeyError:
                piece, more = message.get("body"), message.get("more_body")
            if type(piece) is not bytes:
                piece = bytes(memoryview(piece or b""))  # bytes() alone makes zeros of an int
            self.size = size = self.size + len(piece)
            if maximum is not None and size > maximum:
                raise RequestEntityTooLarge(limit="max_body_size", maximum=maximum)
            if not more:
                self.complete = True
            return piece
        if kind == "http.disconnect":
            self.disconnected = True
            raise ClientDisconnect
        raise ProtocolError(message_type=kind, expected=EXPECTED)

    def _give_up(self, error: BaseException) -> None:
        """Receiving was cancelled, so that the message is for who receives next, or has failed for good."""
        if isinstance(error, Exception):
            self.fail(error)
        self._end_receiving()

    def _end_receiving(self) -> None:
        self._receiving = False
        if self._turn is not None:
            self.wake()

    async def _finished(self, awaitable: Any) -> Any:
        """Wait for what is no coroutine; a future, as granian's receive gives them, is never cancelled.

        Cancelled, it would drop the message that a thread is about to hand over. So it goes on for whoever
        receives next.
        """
        if not hasattr(awaitable, "add_done_callback"):
            return await awaitable
        from asyncio import shield

        self._unfinished = awaitable
        try:
            message = await shield(awaitable)
        except Exception:
            self._unfinished = None
            raise
        self._unfinished = None
        return message


async def _gone() -> dict[str, Any]:
    """Stand for the method of an object that is no more: nobody can send anything to it."""
    return {"type": "http.disconnect"}
