"""The body channel: what one ``receive`` callable delivers of a request body, and who has had it.

Every fault that a request object can have with a body (a second read that hangs, a part that passes for
the whole, two readers that split it between them) comes from keeping what is known about it in flags on
the request. So one object owns the channel, has one state, and everything that touches the body goes
through it. It belongs to the ``receive`` callable, not to the request (``_channels.py``).

============  ========================  ====================  ==================================
asked for     UNREAD                    BUFFERED              STREAMING, CONSUMED
============  ========================  ====================  ==================================
``keep``      receives all and keeps    nothing to do         StreamConsumed
``stream``    hands out, keeps nothing  the bytes again       StreamConsumed
``form``      parses it as it comes     parses the bytes      the kept form, or StreamConsumed
============  ========================  ====================  ==================================

While one task keeps the body (READING) or parses a form, the others wait for it. FAILED is final: each later
read raises the same failure. A stream that was begun and left stays STREAMING, because what it has handed out
is gone, and nothing may pretend otherwise.
"""

from __future__ import annotations

from contextlib import aclosing
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

from asgiwire.exceptions import RequestEntityTooLarge, StreamConsumed

from .receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from asgiwire.datastructures.form import FormMultiDict
    from asgiwire.types import Receive

    from .form import MultipartForm
    from .spool import Spool


class BodyState(Enum):
    """What has become of the body."""

    UNREAD = "unread"
    READING = "being read"
    STREAMING = "being streamed"
    BUFFERED = "buffered"
    CONSUMED = "consumed"
    FAILED = "failed"


UNREAD, READING, STREAMING, BUFFERED, CONSUMED, FAILED = BodyState


class BodyChannel(Receiver):
    """The body of one ``receive`` callable, and who has had it.

    Attributes:
        outer: The channel that was in the scope before, which belongs to another callable.
        state: What has become of the body.
        kept_form: The form, once it is parsed.
    """

    __slots__ = ("_body", "_consumer", "_parsing", "_spool", "_taken", "kept_form", "outer", "state")

    def __init__(self, receive: Receive, outer: BodyChannel | None) -> None:
        Receiver.__init__(self, receive)  # super() takes as long as all that follows, for every body there is
        self.outer: BodyChannel | None = outer
        self.state: BodyState = UNREAD
        self.kept_form: FormMultiDict | None = None
        self._body = b""
        self._spool: Spool | None = None  # what is kept, or its beginning, where it is on disk
        self._taken = 0  # bytes of the spool that were handed out
        self._consumer = ""
        self._parsing = False

    def preload(self, body: bytes) -> None:
        """Set the whole body, which was received elsewhere."""
        self.pieces, self.size, self.complete = [body] if body else [], len(body), True

    async def read(self, maximum: int | None, receive: Receive) -> bytes:
        """The whole body, kept for whoever asks next.

        Args:
            maximum: The most bytes that it may have.
            receive: The callable.
        """
        if self.state is not UNREAD or self._receiving or self.size:
            await self.keep(maximum, None)
            return self._body if self._spool is None else await self._spool.block(0, self.size)
        # What keep() does, where nobody else is at work: two coroutines less for each message.
        self.state = READING
        try:
            while not self.complete:
                if piece := self._account_for(await self._next_message(receive), maximum):
                    self.pieces.append(piece)
            self._keep_pieces()
        except BaseException as error:
            self._give_up(error)
            self._end_reading()
            raise
        return self._body

    async def keep(self, maximum: int | None, spool_size: int | None) -> None:
        """Receive the whole body, unless it is kept already.

        Args:
            maximum: The most bytes that it may have.
            spool_size: Bytes that may be kept in memory before it goes to disk; ``None`` for all of it.
        """
        while self.state is READING:
            await self.next_turn()
        if self._is_kept_within(maximum):
            return
        self.state = READING
        try:
            while not self.complete:
                await self.receive_more(maximum)
                if self.failure is not None:
                    raise self.failure.with_traceback(None)
                if spool_size is not None:
                    await self._move_to_disk_beyond(spool_size)
            if self._spool is not None and self.pieces:
                await self._move_to_disk()
            self._keep_pieces()
        except Exception as error:
            self.fail(error)
            raise
        finally:
            self._end_reading()
        self._is_kept_within(maximum)  # a watcher may have brought in more than this reader may have

    def _keep_pieces(self) -> None:
        """Keep what is not on disk, all of which has come."""
        self._body = b"".join(self.pieces)  # which copies nothing where there is one
        self.pieces.clear()
        self.state = BUFFERED

    def _end_reading(self) -> None:
        # Cancelled: what has come is kept, and the next reader goes on where this one stopped.
        if self.state is READING:
            self.state = UNREAD
        if self._turn is not None:
            self.wake()

    async def kept_from(self, position: int) -> bytes:
        """A piece of a body that is kept, from ``position`` on: what is on disk comes in blocks of 1 MiB."""
        return self._body[position:] if self._spool is None else await self._spool.block(position)

    async def stream(
        self, maximum: int | None, consumer: str, receive: Receive
    ) -> AsyncGenerator[bytes, None]:
        """The body piece by piece as it comes, then ``b""``; nothing of it is kept.

        Args: As for :meth:`begin`, and the callable, so that who has the generator has that.
        """
        if self.state is UNREAD and not self.size:
            self.state, self._consumer = STREAMING, consumer  # as begin() would
        elif not await self.begin(maximum, consumer):
            position = 0
            while piece := await self.kept_from(position):
                position += len(piece)
                yield piece
            yield b""
            return
        last = False
        while not last:
            if self.pieces or self.complete or self._receiving or self._spool or self.failure:
                piece = await self.advance(maximum, receive)
                last = not piece
            else:
                # As in advance(): a coroutine less for each piece.
                try:
                    piece = self._account_for(await self._next_message(receive), maximum)
                except BaseException as error:
                    self._give_up(error)
                    raise
                last = self.complete
            if piece:
                yield piece
        self.state = CONSUMED
        yield b""

    async def begin(self, maximum: int | None, consumer: str) -> bool:
        """Take the body away from everybody else, or say that it is kept for all.

        Args:
            maximum: The most bytes that it may have.
            consumer: Who takes it, for the sentence of whoever comes too late.
        """
        while self.state is READING:
            await self.next_turn()
        if self._is_kept_within(maximum):
            return False
        self.state = STREAMING
        self._consumer = consumer
        return True

    async def advance(self, maximum: int | None, receive: Receive) -> bytes:
        """The next piece of a body that was begun; ``b""`` after the last.

        Args:
            maximum: The most bytes that the body may have.
            receive: The callable.
        """
        if self._spool is not None:
            # A keep() that was cancelled has left the beginning of the body there.
            if block := await self._spool.block(self._taken):
                self._taken += len(block)
                return block
            self._drop_spool()
        while not self.pieces:
            if self.failure is not None:
                raise self.failure.with_traceback(None)
            if self.complete:
                self.state = CONSUMED
                return b""
            if self._receiving:
                await self.next_turn()
                continue
            try:
                piece = self._account_for(await self._next_message(receive), maximum)
            except BaseException as error:
                self._give_up(error)
                raise
            if piece:
                return piece
        if maximum is not None and self.size > maximum:
            self.refuse(maximum)
        # Several where nobody took them as they came: watching has kept them, or a keep() that was cancelled.
        piece = b"".join(self.pieces)
        self.pieces.clear()
        self.wake()
        return piece

    async def form(self, form: MultipartForm, maximum: int | None) -> FormMultiDict:
        """Parse a multipart body as it comes, or as it was kept; the form is kept for whoever asks next.

        Args:
            form: The parser; whatever happens, it is complete or aborted afterwards.
            maximum: The most bytes that the body may have.
        """
        while self._parsing or self.state is READING:
            await self.next_turn()
        if self.kept_form is not None:
            return self.kept_form
        self._is_kept_within(maximum)
        self._parsing = True
        try:
            async with aclosing(self.stream(maximum, "form()", self.receive)) as pieces:
                async for piece in pieces:
                    await form.write(piece)
            self.kept_form = kept_form = await form.complete()
        except Exception as error:
            if self.state is not BUFFERED:
                self.fail(error)
            raise
        finally:
            if self.kept_form is None:
                form.abort()
            self._parsing = False
            self.wake()
        return kept_form

    def refuse(self, maximum: int) -> NoReturn:
        """Fail because the body is too large, or will be, as the client itself says."""
        error = RequestEntityTooLarge(limit="max_body_size", maximum=maximum)
        self.fail(error)
        raise error

    def fail(self, error: Exception) -> None:
        """Make each later read raise this error."""
        super().fail(error)
        self.state = FAILED
        self._drop_spool()

    def _is_kept_within(self, maximum: int | None) -> bool:
        """Whether the body is kept; if not, it is still to be had.

        Raises:
            RequestEntityTooLarge: It is kept, or a watcher has brought in a part of it, and that is more than
                this reader may read: two requests over one channel may have different limits.
            Exception: It is not to be had any more.
        """
        if self.failure is not None:
            self.fail(self.failure)  # a watcher may have met with it
            raise self.failure.with_traceback(None)
        if maximum is not None and self.size > maximum and self.state in {UNREAD, BUFFERED}:
            if self.state is UNREAD:
                self.refuse(maximum)
            raise RequestEntityTooLarge(limit="max_body_size", maximum=maximum)
        if self.state is BUFFERED:
            return True
        if self.state is STREAMING:
            sentence = f"the request body was begun by {self._consumer}; what it has handed out is gone"
            raise StreamConsumed(sentence, consumer=self._consumer)
        if self.state is CONSUMED:
            raise StreamConsumed(consumer=self._consumer)
        return False

    async def _move_to_disk_beyond(self, spool_size: int) -> None:
        """Move what has come to disk: all beyond ``spool_size``, then in large blocks."""
        from .spool import BLOCK_SIZE

        on_disk, most = (0, spool_size) if self._spool is None else (self._spool.size, BLOCK_SIZE)
        if self.size - on_disk > most:
            await self._move_to_disk()

    async def _move_to_disk(self) -> None:
        if self._spool is None:
            from .spool import Spool

            self._spool = Spool()
        await self._spool.take(self.pieces)

    def _drop_spool(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None
