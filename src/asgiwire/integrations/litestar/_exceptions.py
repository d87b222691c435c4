"""Exceptions that are of both libraries: Litestar answers them, and they are caught by either name.

An error that leaves a connection object changes its class to one of these, and stays the same object: with
its sentence, its values and its traceback, and where the body channel remembers it, what is raised again is
Litestar's too. Left out: an error of a class that is not asgiwire's own, which is its author's to place.
"""

from __future__ import annotations

import functools
import inspect
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import litestar.exceptions as theirs
from litestar.exceptions.http_exceptions import RequestEntityTooLarge as TheirRequestEntityTooLarge

from asgiwire import exceptions as ours

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from types import TracebackType

T = TypeVar("T")


class _HTTPAnswer:
    """What Litestar reads off an ``HTTPException`` and only its ``__init__`` would set."""

    headers: ClassVar[dict[str, str] | None] = None
    extra: ClassVar[dict[str, Any] | list[Any] | None] = None


# Of our exceptions, those that can leave a connection object, and what Litestar's users catch in their place.
_BASES: dict[type[ours.AsgiwireException], tuple[type[theirs.LitestarException], ...]] = {
    ours.InternalServerException: (theirs.InternalServerException,),
    ours.UsageError: (theirs.InternalServerException,),
    ours.ImproperlyConfiguredException: (theirs.ImproperlyConfiguredException,),
    ours.NoRouteMatchFoundException: (theirs.NoRouteMatchFoundException,),
    ours.StreamConsumed: (theirs.InternalServerException,),
    ours.WebSocketStateError: (theirs.InternalServerException,),
    ours.ProtocolError: (theirs.InternalServerException,),
    ours.ClientException: (theirs.ClientException,),
    ours.ValidationException: (theirs.ValidationException,),
    ours.SerializationException: (theirs.ClientException, theirs.SerializationException),
    ours.RequestEntityTooLarge: (TheirRequestEntityTooLarge,),
    ours.WebSocketException: (theirs.WebSocketException,),
    ours.WebSocketDisconnect: (theirs.WebSocketDisconnect,),
    # Litestar's is a 500; nobody is there to see it.
    ours.ClientDisconnect: (theirs.InternalServerException,),
}


def _joined(
    wire: type[ours.AsgiwireException], framework: tuple[type[theirs.LitestarException], ...]
) -> type[ours.AsgiwireException]:
    answer = (_HTTPAnswer,) if issubclass(framework[0], theirs.HTTPException) else ()
    return type(wire.__name__, (wire, *answer, *framework), {"__module__": __name__, "__doc__": wire.__doc__})


# What is set in Litestar, and not on the class as the sentence of a limit says.
_SETTINGS = {
    "max_body_size": "request_max_body_size",
    "max_fields": "multipart_form_part_limit",
    "max_files": "multipart_form_part_limit",
}

_JOINED = {wire: _joined(wire, framework) for wire, framework in _BASES.items()}
# Pickle finds a class by its name.
globals().update({joined.__name__: joined for joined in _JOINED.values()})


class Translation:
    """A context out of which asgiwire's exceptions come as Litestar's."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        joined = _JOINED.get(kind)  # type: ignore[arg-type]  # None, or a class that is not in it, will do
        if joined is not None and error is not None:
            error.__class__ = joined
        if isinstance(error, ours.RequestEntityTooLarge) and error.limit in _SETTINGS:
            setting = f"Litestar's {_SETTINGS[error.limit]}"
            error.detail = error.detail.replace(f"Limits({error.limit}=...) on the class", setting)


TRANSLATION = Translation()


def translated(member: T) -> T:
    """The same function, property, coroutine or generator function, with Litestar's exceptions."""
    wrapped: Any = member
    if isinstance(member, property):
        wrapped = property(translated(member.fget), member.fset, member.fdel, member.__doc__)
    elif inspect.iscoroutinefunction(member):
        wrapped = _translated_coroutine(member)
    elif inspect.isasyncgenfunction(member):
        wrapped = _translated_generator(member)
    elif callable(member):
        wrapped = _translated_function(member)
    result: T = wrapped
    return result


def _translated_function(function: Any) -> Any:
    @functools.wraps(function)
    def translating(*args: Any, **kwargs: Any) -> Any:
        with TRANSLATION:
            return function(*args, **kwargs)

    return translating


def _translated_coroutine(function: Any) -> Any:
    @functools.wraps(function)
    async def translating(*args: Any, **kwargs: Any) -> Any:
        with TRANSLATION:
            return await function(*args, **kwargs)

    return translating


def _translated_generator(function: Any) -> Any:
    @functools.wraps(function)
    async def translating(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        with TRANSLATION:
            async with aclosing(function(*args, **kwargs)) as values:
                async for value in values:
                    yield value

    return translating
