"""The ``Request`` to give to Litestar as ``request_class``."""

from __future__ import annotations

from contextlib import aclosing
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import litestar.connection
from litestar.types import Empty
from msgspec.structs import replace

import asgiwire.connection
from asgiwire._body.registry import SCOPE_KEY, body_channel
from asgiwire.connection.base import AuthT, StateT, UserT
from asgiwire.connection.multipart import MultipartPart, MultipartParts
from asgiwire.datastructures import FormMultiDict
from asgiwire.limits import Limits

from ._adoption import adopted, faced
from ._connection import RAISING, ConnectionMembers
from ._datastructures import with_face
from ._exceptions import TRANSLATION

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from asgiwire._body.cancel import CancelOnDisconnect
    from asgiwire.datastructures import Accept
    from asgiwire.types import Receive

    # To a type checker it is both. That the two differ in nearly every member, and that CPython would not
    # have them both as bases, is what this package is for.
    class _Request(  # type: ignore[misc, override]  # pyright: ignore[reportGeneralTypeIssues, reportIncompatibleMethodOverride, reportIncompatibleVariableOverride]  # as above
        asgiwire.connection.Request[UserT, AuthT, StateT],
        litestar.connection.Request[UserT, AuthT, Any],
    ): ...
else:
    _Request = adopted(
        asgiwire.connection.Request,
        litestar.connection.Request[UserT, AuthT, StateT],
        [*RAISING, "content_length", "is_disconnected", "json", "msgpack", "send_push_promise", "text"],
    )

__all__ = ("Request",)

MULTIPART = "multipart/form-data"
DEFAULT = Limits()


class Request(  # type: ignore[misc, override]  # pyright: ignore[reportIncompatibleVariableOverride]  # as above
    ConnectionMembers[UserT, AuthT, StateT], _Request[UserT, AuthT, StateT], Generic[UserT, AuthT, StateT]
):
    """One HTTP request of a Litestar application, to be given as ``request_class``.

    Its limits are those of the route handler (``request_max_body_size``) and of the application
    (``multipart_form_part_limit``), and ``base_limits`` for what Litestar has no setting for. What Litestar's
    own ``Request`` has read of the same scope, in a middleware for instance, is found here, and the reverse.
    """

    __slots__ = ()

    base_limits: ClassVar[Limits] = Limits()
    """What one client may send, where Litestar has no setting for it; give a subclass its own."""

    @property
    def limits(self) -> Limits:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]  # a property in place of a constant is what the class allows
        """Those of the application and the route handler; where ``base_limits`` allow fewer parts, theirs."""
        # Not every route handler has a limit of bodies: one that mounts an ASGI application has none.
        resolve = getattr(self.scope.get("route_handler"), "resolve_request_max_body_size", None)
        maximum = self.base_limits.max_body_size if resolve is None else resolve()
        app = self.scope.get("litestar_app")
        parts = self.base_limits.max_fields if app is None else app.multipart_form_part_limit
        return _limits(self.base_limits, maximum, parts)

    @property
    def accept(self) -> Accept:  # type: ignore[override]  # ours in place of Litestar's, here and below
        """The media types that the client accepts."""
        return with_face(super().accept)

    async def body(self, *, limits: Limits | None = None) -> bytes:
        """The whole body, read once and kept; raises Litestar's exceptions."""
        self._take_over_body()
        with TRANSLATION:
            body = await super().body(limits=limits)
        self._connection_state.body = body
        return body

    async def stream(self, *, limits: Limits | None = None) -> AsyncGenerator[bytes, None]:
        """The body in pieces as they arrive, then ``b""``; raises Litestar's exceptions."""
        self._take_over_body()
        with TRANSLATION:
            async with aclosing(super().stream(limits=limits)) as pieces:
                async for piece in pieces:
                    yield piece

    def multipart(self, *, limits: Limits | None = None) -> MultipartParts:
        """The parts of a multipart body, each as it arrives; raises Litestar's exceptions."""
        self._take_over_body()
        with TRANSLATION:
            parts = super().multipart(limits=limits)
        parts.__class__ = _Parts
        return parts

    async def form(self, *, limits: Limits | None = None) -> FormMultiDict:  # type: ignore[override]
        """The fields and files of a form, parsed once; Litestar closes the files after the response."""
        state = self._connection_state
        if state.form is not Empty and SCOPE_KEY not in self.scope:
            return with_face(FormMultiDict.from_form_data(state.form))
        self._take_over_body()
        with TRANSLATION:
            form = with_face(await super().form(limits=limits))
        if state.form is Empty and form:
            for value in form.values():
                with_face(value)
            state.form = _grouped(form)
        return form

    async def is_disconnected(self) -> bool:
        """Whether the client has left, as far as can be told without waiting."""
        self._take_over_body()
        return await super().is_disconnected()

    def cancel_on_disconnect(self) -> CancelOnDisconnect:
        """Cancel the block of an ``async with`` when the client leaves."""
        self._take_over_body()
        return super().cancel_on_disconnect()

    @property
    def replay(self) -> Receive:
        """An ASGI ``receive`` that gives an application behind this one the body that was read here."""
        self._take_over_body()
        return super().replay

    def tee(self, sink: Callable[[bytes], Any], *, limits: Limits | None = None) -> Receive:
        """An ASGI ``receive`` that gives an application behind this one the body as ``sink`` sees it pass."""
        self._take_over_body()
        return super().tee(sink, limits=limits)

    def _take_over_body(self) -> None:
        """Take the body that a request of Litestar's has read, if none of ours has begun to."""
        body = self._connection_state.body
        if body is not Empty and SCOPE_KEY not in self.scope:
            channel = body_channel(self.scope, self.receive)[0]
            channel.preload(body)


@lru_cache(maxsize=256)
def _limits(base: Limits, max_body_size: int | None, parts: int | None) -> Limits:
    """The limits of a route: made once for each, from what the application says and no client."""
    fields = _parts(base.max_fields, DEFAULT.max_fields, parts)
    files = _parts(base.max_files, DEFAULT.max_files, parts)
    return replace(base, max_body_size=max_body_size, max_fields=fields, max_files=files)


def _parts(base: int | None, default: int | None, parts: int | None) -> int | None:
    """The application's limit of parts; one that somebody has set for a class counts if it is stricter."""
    return parts if base is None or base == default else base if parts is None else min(base, parts)


def _grouped(form: FormMultiDict) -> dict[str, Any]:
    """A form as Litestar keeps one: a value by itself, several of one name in a list."""
    return {name: values if len(values) > 1 else values[0] for name, values in form.dict().items()}


_Part = faced(MultipartPart, MultipartPart, ["__anext__", "read", "save", "text"])


class _Parts(MultipartParts):
    """The same with Litestar's exceptions."""

    __slots__ = ()

    async def __anext__(self) -> MultipartPart:
        with TRANSLATION:
            part = await super().__anext__()
        part.__class__ = _Part
        return part
