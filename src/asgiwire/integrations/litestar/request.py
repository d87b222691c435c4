"""The class for ``request_class`` of a Litestar application."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, overload

import litestar.connection
from litestar.types import Empty as LitestarEmpty
from msgspec.structs import replace

import asgiwire.connection
from asgiwire._body.cancel import RequestWatch
from asgiwire._body.registry import SCOPE_KEY, body_channel
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.connection.multipart import MultipartPart, MultipartParts
from asgiwire.datastructures import Accept, FormMultiDict
from asgiwire.limits import Limits
from asgiwire.types import Empty, Receive

from ._classes import copy_members
from ._connection import RAISING, ConnectionMembers
from ._datastructures import as_litestar
from ._exceptions import TRANSLATION, translated

if TYPE_CHECKING:
    # Type checkers see a subclass of both, which CPython does not allow (see _classes.py). Most members of
    # the two are incompatible.
    class _Request(  # type: ignore[misc, override]  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]  # as above
        asgiwire.connection.Request[UserT, AuthT, StateT],
        litestar.connection.Request[UserT, AuthT, Any],
    ): ...
else:
    _Request = copy_members(
        asgiwire.connection.Request,
        litestar.connection.Request[UserT, AuthT, StateT],
        [
            *RAISING,
            "content_length",
            "form",
            "is_disconnected",
            "json",
            "msgpack",
            "send_push_promise",
            "text",
        ],
    )

__all__ = ("Request",)

T = TypeVar("T")

DEFAULT_LIMITS: Final = Limits()


class Request(  # type: ignore[misc, override]  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
    ConnectionMembers[UserT, AuthT, StateT], _Request[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]
):
    """An HTTP request of a Litestar application; pass the class as ``request_class``.

    The limits are the ``request_max_body_size`` of the route handler, the ``multipart_form_part_limit`` of
    the application, and ``base_limits`` for everything else. A body that Litestar's own ``Request`` has read
    from the same scope, for example in a middleware, is available here, and the other way round.
    """

    __slots__ = ()

    base_limits: ClassVar[Limits] = Limits()
    """The limits that Litestar has no setting for; a subclass may override them."""

    @property
    def limits(self) -> Limits:
        """The limits of the route handler and the application, or stricter part limits of ``base_limits``."""
        # The route handler of a mounted ASGI application has no body limit.
        resolve = getattr(self.scope.get("route_handler"), "resolve_request_max_body_size", None)
        max_body_size = self.base_limits.max_body_size if resolve is None else resolve()
        app = self.scope.get("litestar_app")
        max_parts = self.base_limits.max_fields if app is None else app.multipart_form_part_limit
        return _limits(self.base_limits, max_body_size, max_parts)

    @property
    def accept(self) -> Accept:  # type: ignore[override]  # asgiwire's class replaces Litestar's, here and below
        """The media types that the client accepts."""
        return as_litestar(super().accept)

    async def body(self, *, limits: Limits | None = None) -> bytes:
        """Read the whole body and cache it; raises Litestar's exceptions."""
        self._preload_body()
        with TRANSLATION:
            body = await super().body(limits=limits)
        self._connection_state.body = body
        return body

    async def stream(self, *, limits: Limits | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the chunks of the body as they arrive, then ``b""``; raises Litestar's exceptions."""
        self._preload_body()
        with TRANSLATION:
            async with aclosing(super().stream(limits=limits)) as chunks:
                async for chunk in chunks:
                    yield chunk

    def multipart(self, *, limits: Limits | None = None) -> MultipartParts:
        """Iterate over the parts of a multipart body as they arrive; raises Litestar's exceptions."""
        self._preload_body()
        with TRANSLATION:
            parts = super().multipart(limits=limits)
        parts.__class__ = _MultipartParts
        return parts

    @overload  # type: ignore[override]  # asgiwire's FormMultiDict, as above
    async def form(self, *, limits: Limits | None = ...) -> FormMultiDict: ...
    @overload
    async def form(self, *, type: type[T], limits: Limits | None = ...) -> T: ...
    @overload
    async def form(self, *, type: Any, limits: Limits | None = ...) -> Any: ...
    async def form(self, *, type: Any = Empty, limits: Limits | None = None) -> Any:
        """Read the fields and files of a form; Litestar closes the files after the response.

        The form is cached.
        """
        if type is not Empty:
            with TRANSLATION:
                return await super().form(type=type, limits=limits)
        state = self._connection_state
        if state.form is not LitestarEmpty and SCOPE_KEY not in self.scope:
            return as_litestar(FormMultiDict.from_form_data(state.form))
        self._preload_body()
        with TRANSLATION:
            form = as_litestar(await super().form(limits=limits))
        if state.form is LitestarEmpty and form:
            for value in form.values():
                as_litestar(value)
            state.form = _to_litestar_form(form)
        return form

    async def is_disconnected(self) -> bool:
        """Whether the client has disconnected; returns without waiting for a message."""
        self._preload_body()
        return await super().is_disconnected()

    def cancel_on_disconnect(self) -> RequestWatch:
        """Return an asynchronous context manager that cancels its block when the client disconnects."""
        self._preload_body()
        return super().cancel_on_disconnect()

    @property
    def replay(self) -> Receive:
        """An ASGI ``receive`` callable that replays the body to another application."""
        self._preload_body()
        return super().replay

    def tee(self, sink: Callable[[bytes], Any], *, limits: Limits | None = None) -> Receive:
        """Return an ASGI ``receive`` callable that passes each chunk of the body to ``sink`` first."""
        self._preload_body()
        return super().tee(sink, limits=limits)

    def _preload_body(self) -> None:
        """Use the body that a request of Litestar has read, unless asgiwire has started to read it."""
        body = self._connection_state.body
        if body is not LitestarEmpty and SCOPE_KEY not in self.scope:
            channel, _ = body_channel(self.scope, self.receive)
            channel.preload(body)


# The arguments come from the application, never from a client, so that the cache is small.
@lru_cache(maxsize=256)
def _limits(base: Limits, max_body_size: int | None, max_parts: int | None) -> Limits:
    max_fields = _part_limit(base.max_fields, DEFAULT_LIMITS.max_fields, max_parts)
    max_files = _part_limit(base.max_files, DEFAULT_LIMITS.max_files, max_parts)
    return replace(base, max_body_size=max_body_size, max_fields=max_fields, max_files=max_files)


def _part_limit(base: int | None, default: int | None, max_parts: int | None) -> int | None:
    """Return the limit of the application, or the limit that a class sets if that one is lower."""
    if base is None or base == default:
        return max_parts
    return base if max_parts is None else min(base, max_parts)


def _to_litestar_form(form: FormMultiDict) -> dict[str, Any]:
    """Convert a form to the dict that Litestar caches: a single value, or a list of several values."""
    return {name: values if len(values) > 1 else values[0] for name, values in form.dict().items()}


class _MultipartPart(MultipartPart):
    """A part that raises Litestar's exceptions."""

    __slots__ = ()

    __anext__ = translated(MultipartPart.__anext__)
    read = translated(MultipartPart.read)
    save = translated(MultipartPart.save)
    text = translated(MultipartPart.text)


class _MultipartParts(MultipartParts):
    """Parts that raise Litestar's exceptions."""

    __slots__ = ()

    async def __anext__(self) -> MultipartPart:
        with TRANSLATION:
            part = await super().__anext__()
        part.__class__ = _MultipartPart
        return part
