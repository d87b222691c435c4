"""Exceptions that subclass an exception of asgiwire and one of Litestar.

Litestar turns them into responses, and an application can catch them by either name. When an exception leaves
a connection object, its ``__class__`` is replaced. It stays the same object, with its values and its
traceback; the body channel may hold it and raise it again. An exception of a class that asgiwire does not
define is not changed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import litestar.exceptions as theirs
from litestar.exceptions.http_exceptions import RequestEntityTooLarge as LitestarRequestEntityTooLarge

from asgiwire import exceptions as ours

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")


class _HTTPExceptionDefaults:
    """Attributes that ``HTTPException.__init__`` of Litestar would set."""

    headers: ClassVar[dict[str, str] | None] = None
    extra: ClassVar[dict[str, Any] | list[Any] | None] = None


# The exceptions that a connection object raises, and the exceptions that a Litestar application expects.
LITESTAR_BASES: Final[dict[type[ours.AsgiwireException], tuple[type[theirs.LitestarException], ...]]] = {
    ours.InternalServerException: (theirs.InternalServerException,),
    ours.UsageError: (theirs.InternalServerException,),
    ours.ImproperlyConfiguredException: (theirs.ImproperlyConfiguredException,),
    ours.MissingCallableError: (theirs.ImproperlyConfiguredException,),
    ours.NoRouteMatchFoundException: (theirs.NoRouteMatchFoundException,),
    ours.StreamConsumed: (theirs.InternalServerException,),
    ours.WebSocketStateError: (theirs.InternalServerException,),
    ours.ProtocolError: (theirs.InternalServerException,),
    ours.ClientException: (theirs.ClientException,),
    ours.ValidationException: (theirs.ValidationException,),
    ours.SerializationException: (theirs.ClientException, theirs.SerializationException),
    ours.RequestEntityTooLarge: (LitestarRequestEntityTooLarge,),
    ours.WebSocketException: (theirs.WebSocketException,),
    ours.WebSocketDisconnect: (theirs.WebSocketDisconnect,),
    # Litestar answers it with a 500, which no client receives.
    ours.ClientDisconnect: (theirs.InternalServerException,),
}


def _subclass_of_both(
    cls: type[ours.AsgiwireException], bases: tuple[type[theirs.LitestarException], ...]
) -> type[ours.AsgiwireException]:
    defaults = (_HTTPExceptionDefaults,) if issubclass(bases[0], theirs.HTTPException) else ()
    return type(cls.__name__, (cls, *defaults, *bases), {"__module__": __name__, "__doc__": cls.__doc__})


SUBCLASSES: Final = {cls: _subclass_of_both(cls, bases) for cls, bases in LITESTAR_BASES.items()}
# Pickle looks a class up by its name in its module.
globals().update({cls.__name__: cls for cls in SUBCLASSES.values()})

# The limits that are settings of Litestar.
SETTINGS: Final = {
    "max_body_size": "request_max_body_size",
    "max_fields": "multipart_form_part_limit",
    "max_files": "multipart_form_part_limit",
}


class Translation:
    """A context manager that turns asgiwire's exceptions into Litestar's."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        subclass = SUBCLASSES.get(kind)  # type: ignore[arg-type]  # None and other classes are not found
        if subclass is None or error is None:
            return
        error.__class__ = subclass
        if isinstance(error, ours.RequestEntityTooLarge):
            _name_the_setting(error)


def _name_the_setting(error: ours.RequestEntityTooLarge) -> None:
    """Replace the default text, which names a class attribute of asgiwire, if the limit is a setting."""
    default = ours.RequestEntityTooLarge(limit=error.limit, maximum=error.maximum)
    setting = SETTINGS.get(error.limit)
    if setting is not None and error.detail == default.detail:
        error.detail = (
            f"the request exceeds {error.limit}={error.maximum}; raise it with Litestar's {setting}"
        )


TRANSLATION: Final = Translation()


def translated(member: T) -> T:
    """Wrap a function, property, coroutine function or asynchronous generator in :data:`TRANSLATION`."""
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
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with TRANSLATION:
            return function(*args, **kwargs)

    return wrapper


def _translated_coroutine(function: Any) -> Any:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with TRANSLATION:
            return await function(*args, **kwargs)

    return wrapper


def _translated_generator(function: Any) -> Any:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        with TRANSLATION:
            async with aclosing(function(*args, **kwargs)) as values:
                async for value in values:
                    yield value

    return wrapper
