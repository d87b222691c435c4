"""The body channel: the only place that receives a request body, and the only one that knows its state.

There is one channel for each ``receive`` callable (``registry.py``). Every reader goes through it, so two
readers can never call ``receive`` at once, split a body between them, or take a part of it for the whole.
"""

from __future__ import annotations

from _weakref import ref  # the weakref module would add four modules to `import asgiwire`
from enum import StrEnum
from functools import partial
from types import BuiltinMethodType, MethodType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from asgiwire._concurrency import COROUTINE, PendingReceive
from asgiwire.exceptions import ClientDisconnect, ProtocolError, RequestEntityTooLarge, StreamConsumed
from asgiwire.limits import BLOCK_SIZE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from asgiwire._concurrency import Event
    from asgiwire._multipart.usage import FormUsage
    from asgiwire.datastructures.form import FormMultiDict
    from asgiwire.limits import Limits
    from asgiwire.types import Receive

    from .spool import Spool

MAX_READ_AHEAD: Final = 1024 * 1024
"""Bytes of an unread body that a disconnect check may bring into memory."""

MAX_READ_AHEAD_CHUNKS: Final = 1024
"""Chunks that these bytes may come in; they are counted for each message, which has to stay cheap."""

SMALL_CHUNK: Final = 16 * 1024
"""A chunk of fewer bytes is copied into a block: alone it needs noticeably more memory than its size."""

BLOCK: Final = 64 * 1024
"""Bytes of a block, which is complete then. A ``bytearray`` that grows has an eighth of unused memory."""

MAX_STRAY_MESSAGES: Final = 16
"""Messages other than ``http.disconnect`` that are tolerated after the last part.

A ``receive`` in a test may repeat its last part for ever; it must not be called in an endless loop.
"""


REMEDY: Final = "call `await request.buffer()` first to read a body more than once"


class BodyState(StrEnum):
    """The state of one request body."""

    # The hash of a plain Enum's member is computed in Python before 3.12, at every look into the table.

    UNREAD = "unread"
    """No reader has claimed the body. A disconnect check may have queued a part of it."""

    READING = "being read"
    """A reader receives the whole body into a buffer; other readers wait for it."""

    STREAMING = "being streamed"
    """One consumer takes the chunks as they arrive; they are not buffered."""

    BUFFERED = "buffered"
    """The whole body is in memory or on disk; it can be read any number of times."""

    CONSUMED = "consumed"
    """The consumer took the last chunk."""

    FAILED = "failed"
    """The body cannot be read; each read raises the failure again."""


UNREAD, READING, STREAMING, BUFFERED, CONSUMED, FAILED = BodyState

TRANSITIONS: Final[Mapping[BodyState, Mapping[str, BodyState]]] = {
    UNREAD: {"buffer": READING, "stream": STREAMING, "fail": FAILED},
    READING: {"end": BUFFERED, "cancel": UNREAD, "fail": FAILED},
    STREAMING: {"end": CONSUMED, "fail": FAILED},
    BUFFERED: {"buffer": BUFFERED, "stream": BUFFERED},
    CONSUMED: {"fail": FAILED},
    FAILED: {"fail": FAILED},
}
"""``TRANSITIONS[state][event]`` is the next state; a missing entry means that the event is not allowed.

- ``buffer``: a reader needs the whole body, or will need it again.
- ``stream``: a consumer reads the chunks as they arrive. After an incomplete stream, the state remains
  STREAMING, because the chunks that it returned are no longer available.
- ``end``: the last chunk was buffered or returned.
- ``cancel``: the reader was cancelled; the chunks received so far are buffered for the next reader.
- ``fail``: the client disconnected, a limit was exceeded, ``receive`` raised, or the content is malformed.
"""


class BodyChannel:
    """The body of one ``receive`` callable, shared by all its readers.

    The callable is passed to each method that may call it. The channel is stored in the scope, and a server's
    ``receive`` is often a method of an object that holds the scope: a strong reference to it would make a
    reference cycle, and each request would have to wait for the garbage collector.

    Attributes:
        previous: The channel that was in the scope before, which belongs to another callable.
        state: The state of the body.
        size: Bytes of the body received so far.
        chunks: Chunks that were received, and are neither returned nor on disk.
        spool: The buffered body, or its beginning, on disk.
        receiving: Whether a task waits for ``receive``.
        complete: Whether the last part was received.
        disconnected: Whether ``http.disconnect`` was received.
        failure: The error that made the body unreadable, without its traceback.
        in_memory: The buffered body; ``None`` if it is on disk.
        cached_form: The parsed form.
        form_usage: What a cached multipart form has used of its limits.
        parsing: Whether a task is parsing the form.
    """

    __slots__ = (
        "_consumer",
        "_function",
        "_owner",
        "_pending",
        "_progress",
        "_spool_position",
        "_stray_messages",
        "cached_form",
        "chunks",
        "complete",
        "disconnected",
        "failure",
        "form_usage",
        "in_memory",
        "parsing",
        "previous",
        "receiving",
        "size",
        "spool",
        "state",
    )

    def __init__(self, receive: Receive, previous: BodyChannel | None = None) -> None:
        owner, self._function = identity(receive)
        self._owner: Callable[[], Any]
        try:
            self._owner = ref(owner)
        except TypeError:  # the class does not support weak references
            self._owner = lambda: owner
        self.previous: BodyChannel | None = previous
        self.state: BodyState = UNREAD
        self.size: int = 0
        self.complete: bool = False
        self.disconnected: bool = False
        self.failure: Exception | None = None
        self.cached_form: FormMultiDict | None = None
        self.form_usage: FormUsage | None = None
        self.parsing: bool = False
        self.chunks: list[bytes | bytearray] = []
        self.in_memory: bytes | None = None
        self.spool: Spool | None = None
        self._spool_position: int  # bytes of the spool that were returned
        self._consumer: str  # of a body that is or was streamed
        self._pending: PendingReceive | None = None  # created if `receive` does not return a coroutine
        self.receiving: bool = False
        self._progress: Event | None = None  # created by the first task that has to wait
        self._stray_messages = 0

    def belongs_to(self, receive: Receive) -> bool:
        """Whether this is the channel of ``receive``."""
        if self._function is None:
            return self._owner() is receive
        owner, function = identity(receive)
        return self._owner() is owner and self._function == function

    @property
    def is_orphaned(self) -> bool:
        """Whether the callable no longer exists, so that no request can ask for this channel."""
        return self._owner() is None

    def preload(self, body: bytes) -> None:
        """Store a body that was received by other means, before anything is received here."""
        self.chunks = [body] if body else []
        self.size, self.complete = len(body), True

    # Reading the whole body

    async def buffer(  # noqa: PLR0912 - a second coroutine would cost every small body a tenth of its time
        self,
        receive: Receive,
        maximum: int | None,
        spool_size: int | None = None,
        check: Callable[[bytes], None] | None = None,
    ) -> bytes:
        """Receive the whole body, unless it is buffered already, and return it.

        Args:
            receive: The callable that the channel belongs to.
            maximum: The most bytes that the body may have.
            spool_size: Bytes that may stay in memory, the rest goes to disk; ``None`` for all of them.
            check: Called with the chunks before the last one. Its error is the failure of the body.

        Returns:
            The body; ``b""`` if it is on disk and a ``spool_size`` was given.

        Raises:
            StreamConsumed: Another consumer has claimed the body.
            RequestEntityTooLarge: The body has more than ``maximum`` bytes.
            InsufficientStorage: The body cannot be written to disk.
            Exception: The failure of the body.
        """
        while self.state is READING:
            await self.wait_for_progress()
        if self._claim("buffer", maximum) is BUFFERED:
            return await self._whole(spool_size) if self.in_memory is None else self.in_memory
        try:
            if check is not None and self.chunks and not self.complete:
                check(b"".join(self.chunks))
            while not self.complete:
                if self.receiving:  # a disconnect check is under way, and queues what it receives
                    await self.wait_for_progress()
                    self.raise_failure()  # of the disconnect check
                else:
                    try:
                        chunk = self.received(await self.start_receive(receive), maximum)
                    except BaseException as error:
                        self.stop_receiving(error)
                        raise
                    if chunk:
                        if self.chunks:
                            add_chunk(self.chunks, chunk)
                        else:
                            self.chunks.append(chunk)
                        if check is not None and not self.complete:
                            check(chunk)
                if spool_size is not None:
                    await self._spool_beyond(spool_size)
                    self.raise_failure()  # of a disconnect check meanwhile
            if self.spool is not None:
                await self.spool.append(self.chunks)
            else:
                self.in_memory = b"".join(self.chunks)  # no copy where there is one chunk
                self.chunks.clear()
        except BaseException as error:
            if isinstance(error, Exception):
                self.fail(error)
            elif self.state is READING:
                self.enter("cancel")
            raise
        self.enter("end")
        if maximum is not None and self.size > maximum:
            self._reject_size(maximum)  # a disconnect check, which has no limit, received a part
        return await self._whole(spool_size) if self.in_memory is None else self.in_memory

    async def _whole(self, spool_size: int | None) -> bytes:
        """Return a body that is on disk, unless the caller of :meth:`buffer` wants it to stay there."""
        return b"" if spool_size is not None else await self.read_buffered(0, self.size)

    async def read_buffered(self, position: int, size: int | None = None) -> bytes:
        """Return a part of a buffered body; ``b""`` at its end.

        Args:
            position: The first byte.
            size: The most bytes; ``None`` for all that are in memory, or one block of those on disk.
        """
        if self.in_memory is not None:
            return self.in_memory[position:]
        assert self.spool is not None
        return await self.spool.read(position, size)

    # The parsed form

    def cache_form(self, form: FormMultiDict, usage: FormUsage) -> None:
        """Store a multipart form for the next reader."""
        self.cached_form, self.form_usage = form, usage

    def form_in_cache(self, limits: Limits) -> FormMultiDict | None:
        """Return the multipart form that was parsed before, or ``None`` if the body has to be parsed.

        Raises:
            RequestEntityTooLarge: It exceeds these limits. It stays in the cache for other readers.
            StreamConsumed: It was closed with its files, and the body is not buffered.
        """
        form = self.cached_form
        if form is None or self.form_usage is None:
            return None
        if form.closed and self.form_usage.max_files:
            if self.state is BUFFERED:
                return None
            msg = f"the form was closed, and its body was not buffered; {REMEDY}"
            raise StreamConsumed(msg, consumer="form()")
        maximum = limits.max_body_size
        if maximum is not None and self.size > maximum:
            raise RequestEntityTooLarge(limit="max_body_size", maximum=maximum)
        self.form_usage.check(limits)
        return form

    async def _spool_beyond(self, spool_size: int) -> None:
        """Move the queued chunks to disk once they exceed ``spool_size``, and then in large blocks."""
        if self.spool is None:
            if self.size <= spool_size:
                return
            from .spool import Spool

            self.spool, self._spool_position = Spool(), 0
        elif self.size - self.spool.size <= BLOCK_SIZE:
            return
        await self.spool.append(self.chunks)

    # Taking the chunks as they arrive

    def claim_stream(self, maximum: int | None, consumer: str) -> bool:
        """Claim the body for one consumer; return ``False`` if it is buffered, and so not exclusive.

        The state must not be READING.

        Args:
            maximum: The most bytes that the body may have.
            consumer: The name of the consumer for error messages, such as ``"stream()"``.

        Raises:
            StreamConsumed: Another consumer has claimed the body.
            RequestEntityTooLarge: The body has more than ``maximum`` bytes.
            Exception: The failure of the body.
        """
        if self._claim("stream", maximum) is BUFFERED:
            return False
        self._consumer = consumer
        return True

    async def next_queued(self, maximum: int | None) -> bytes:
        """Return what a disconnect check or a cancelled reader left, or wait for the disconnect check."""
        chunk = b""
        if self.spool is not None:
            chunk = await self._next_spooled()
        elif self.chunks:
            chunk = self._take_queued(maximum)
        elif not self.complete:
            await self.wait_for_progress()
        if self.complete and not self.chunks and self.spool is None and self.state is STREAMING:
            self.enter("end")
        return chunk

    def _take_queued(self, maximum: int | None) -> bytes:
        if maximum is not None and self.size > maximum:
            self._reject_size(maximum)
        chunk = b"".join(self.chunks)
        self.chunks.clear()
        self.notify()
        return chunk

    async def _next_spooled(self) -> bytes:
        assert self.spool is not None
        chunk = await self.spool.read(self._spool_position)
        self._spool_position += len(chunk)
        if not chunk:
            self._close_spool()
        return chunk

    # Looking for a disconnect

    async def is_disconnected(self, receive: Receive) -> bool:
        """Whether the client has disconnected, as far as can be told without waiting.

        Takes one message at most; a chunk of the body in it is queued for the readers.
        """
        # If a task is waiting for the next message, that message has not arrived.
        if self._can_disconnect and not self.receiving and not self._is_full:
            from asgiwire._concurrency import poll

            await poll(partial(self._read_ahead, receive))
        return self.disconnected

    async def wait_disconnected(self, receive: Receive) -> None:
        """Return when the client has disconnected; chunks that arrive before that are queued."""
        while not self.disconnected:
            if self.receiving or self._is_full:
                await self.wait_for_progress()
            elif self._can_disconnect:
                await self._read_ahead(receive)
            else:
                from asgiwire._concurrency import new_event

                await new_event().wait()  # until the caller is cancelled

    @property
    def _can_disconnect(self) -> bool:
        return not self.disconnected and self.failure is None and self._stray_messages < MAX_STRAY_MESSAGES

    @property
    def _is_full(self) -> bool:
        # The rest of a large body stays with the server until a reader takes the queued chunks.
        return not self.complete and (
            len(self.chunks) >= MAX_READ_AHEAD_CHUNKS or sum(map(len, self.chunks)) >= MAX_READ_AHEAD
        )

    async def _read_ahead(self, receive: Receive) -> None:
        """Receive one message, and queue its chunk for the readers. They raise a failure too."""
        try:
            message = await self.start_receive(receive)
            if not self.complete:
                if chunk := self.received(message, None):
                    self.chunks.append(chunk)
                    self.notify()
            elif message["type"] == "http.disconnect":
                self.disconnected = True
            else:
                self._stray_messages += 1
            self.stop_receiving()
        except BaseException as error:
            self.stop_receiving(error)
            if not isinstance(error, Exception):
                raise

    # A reader calls start_receive(), awaits its result, and calls received(), or stop_receiving() after an
    # error. One coroutine instead of these methods would take 10 % more time for a stream.

    def start_receive(self, receive: Receive) -> Awaitable[Any]:
        """Call ``receive``, and return what to await. No other task may call it before this one has stopped.

        A cancellation leaves everything as it was, so the message is received by the next reader.
        """
        self.receiving = True
        awaitable: Any = receive() if self._pending is None else self._pending.start(receive)
        return awaitable if type(awaitable) is COROUTINE else self._keep(awaitable)

    def received(self, message: Any, maximum: int | None) -> bytes:
        """Account for a message of an incomplete body.

        Args:
            message: The message.
            maximum: The most bytes that the body may have.

        Returns:
            The chunk of the body in the message; it may be empty.

        Raises:
            ClientDisconnect: The message is a disconnect.
            ProtocolError: The message is not allowed.
            RequestEntityTooLarge: The body has more than ``maximum`` bytes.
        """
        self.receiving = False
        if self._progress is not None:
            self.notify()
        message_type = message["type"]
        if message_type != "http.request":
            if message_type == "http.disconnect":
                raise ClientDisconnect
            raise ProtocolError(message_type=message_type, expected=("http.request", "http.disconnect"))
        try:
            chunk, more_body = message["body"], message["more_body"]
        except KeyError:  # both are optional; nearly every server sends them
            chunk, more_body = message.get("body"), message.get("more_body")
        if type(chunk) is not bytes:
            chunk = bytes(memoryview(chunk or b""))  # bytes() would make zeros of an int
        self.size = size = self.size + len(chunk)
        if maximum is not None and size > maximum:
            raise RequestEntityTooLarge(limit="max_body_size", maximum=maximum)
        if not more_body:
            self.complete = True
        return chunk

    def stop_receiving(self, error: BaseException | None = None) -> None:
        """End the call of ``receive``, which raised ``error`` or returned a message that did.

        Raises:
            RuntimeError: ``receive`` raised ``StopAsyncIteration``, which would end an iteration.
        """
        self.receiving = False
        if isinstance(error, Exception):
            if self.complete or isinstance(error, ClientDisconnect):
                self.disconnected = True  # a receive that raises has no further message
            if not self.complete:
                self.fail(error)
                if isinstance(error, StopAsyncIteration):
                    raise RuntimeError("receive raised StopAsyncIteration") from error
        self.notify()

    def _keep(self, awaitable: Any) -> Awaitable[Any]:
        """Return an awaitable that a cancellation does not cancel, if it is a future."""
        self._pending = PendingReceive()
        return self._pending.wait(awaitable)

    # The state

    def fail(self, error: Exception) -> None:
        """Make each later read raise this error; the first failure stays."""
        if self.failure is None:
            self.failure = without_traceback(error)
            self.enter("fail")
            self.chunks.clear()
            self._close_spool()

    async def wait_for_progress(self) -> None:
        """Wait until the current reader makes progress."""
        if self._progress is None:
            from asgiwire._concurrency import new_event

            self._progress = new_event()
        await self._progress.wait()

    def notify(self) -> None:
        """Wake the tasks that wait for progress."""
        if self._progress is not None:
            self._progress.set()
            self._progress = None

    def _claim(self, event: str, maximum: int | None) -> BodyState:
        """Enter the state in which the body may be read, and return it."""
        state = TRANSITIONS[self.state].get(event)
        if state is None:
            self.raise_failure()
            raise self._stream_consumed()
        if maximum is not None and self.size > maximum:
            self._reject_size(maximum)
        self.state = state
        return state

    def enter(self, event: str) -> None:
        """Change the state as the table says."""
        self.state = TRANSITIONS[self.state][event]
        if self._progress is not None:
            self.notify()

    def _reject_size(self, maximum: int) -> NoReturn:
        """Raise an error because more was received than this reader may read.

        Two requests over one channel may have different limits, and a disconnect check has none. A buffered
        body can still be read by other readers.
        """
        if self.state is not BUFFERED:
            self.fail(RequestEntityTooLarge(limit="max_body_size", maximum=maximum))
        raise RequestEntityTooLarge(limit="max_body_size", maximum=maximum)

    def raise_failure(self) -> None:
        """Raise the failure of the body, if there is one."""
        if self.failure is not None:
            raise without_traceback(self.failure).with_traceback(None)

    def _stream_consumed(self) -> StreamConsumed:
        what = "partly read" if self.state is STREAMING else "consumed"
        msg = f"the request body was {what} by {self._consumer}, which does not buffer it; {REMEDY}"
        return StreamConsumed(msg, consumer=self._consumer)

    def _close_spool(self) -> None:
        # Closed with the last reference: a thread may be reading or writing the file.
        self.spool = None


def identity(receive: object) -> tuple[Any, Any]:
    """Return what identifies a callable: itself, or the owner and the function of a method."""
    if type(receive) is MethodType:  # a new object at each attribute access
        return receive.__self__, receive.__func__
    if type(receive) is BuiltinMethodType:  # so is the method of an object written in C
        return receive.__self__, receive.__name__
    return receive, None


def add_chunk(chunks: list[bytes | bytearray], chunk: bytes) -> None:
    """Append a chunk to a list, or to its last element if it is small."""
    if not chunks or len(chunk) >= SMALL_CHUNK:
        chunks.append(chunk)
    elif isinstance(last := chunks[-1], bytearray):
        last += chunk
        if len(last) >= BLOCK:
            chunks[-1] = bytes(last)
    else:
        chunks.append(bytearray(chunk))


def without_traceback(error: Exception) -> Exception:
    """Return an equal exception without traceback, cause and context.

    A traceback holds the frames that it passed through, and with them the channel and the last chunk: a
    stored one would be a reference cycle. An exception that cannot be copied is returned itself.
    """
    from copy import copy

    try:
        duplicate = copy(error)
    except Exception:  # its class cannot be called with its arguments
        return error
    has_slots = any(vars(cls).get("__slots__") for cls in type(error).__mro__)  # not copied
    if has_slots or type(duplicate) is not type(error) or str(duplicate) != str(error):
        return error
    if notes := getattr(error, "__notes__", None):
        duplicate.__notes__ = [*notes]
    return duplicate
