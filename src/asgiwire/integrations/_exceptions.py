"""Exceptions that subclass an exception of asgiwire and one of a framework.

The framework converts them to responses, and an application can catch them by either name. When a method of
an integration raises an exception, its ``__class__`` is replaced. The object, its values and its traceback
do not change, because the body channel may raise it again. Exceptions of other classes are not replaced.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from asgiwire.exceptions import AsgiwireException, ClientException

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")

HeaderPairs: TypeAlias = Mapping[str, str] | tuple[tuple[str, str], ...]


def subclass_of_both(cls: type[AsgiwireException], *bases: type, name: str, module: str) -> type[Any]:
    """Return a subclass of an exception of asgiwire and of other classes; asgiwire's members come first.

    Args:
        cls: The exception of asgiwire. The subclass has its docstring.
        *bases: The exceptions of the framework, and mixins with attributes that their constructors would set.
        name: The name of the subclass.
        module: The module that defines the subclass under its name, where pickle finds it.
    """
    first = (HeadersAsDict,) if issubclass(cls, ClientException) else ()
    return type(name, (*first, cls, *bases), {"__module__": module, "__doc__": cls.__doc__})


class HeadersAsDict:
    """A mixin that precedes a ``ClientException``: ``headers`` has the type that frameworks expect."""

    @property
    def headers(self) -> dict[str, str] | None:
        """The headers of the response, or ``None``; several values of one name are joined."""
        pairs: HeaderPairs = self.__dict__.get("headers", ())
        headers: dict[str, str] = {}
        for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers or None

    @headers.setter
    def headers(self, value: HeaderPairs) -> None:
        self.__dict__["headers"] = value


class Translation:
    """A context manager that converts exceptions of asgiwire to those of a framework.

    Args:
        subclasses: For each exception of asgiwire, the subclass that replaces it.
        finish: Called with an exception after its class was replaced, to adapt its message.
    """

    __slots__ = ("_finish", "_subclasses")

    def __init__(self, subclasses: Mapping[type, type[Any]], finish: Callable[[Any], None]) -> None:
        self._subclasses = subclasses
        self._finish = finish

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.apply(error)

    def apply(self, error: BaseException) -> None:
        """Replace the class of an exception, unless it is not one of asgiwire's."""
        subclass = self._subclasses.get(type(error))
        if subclass is not None:
            error.__class__ = subclass
            self._finish(error)

    def wrap(self, member: T) -> T:
        """Translate the exceptions of a function, property, coroutine function or asynchronous generator."""
        wrapped: Any = member
        if isinstance(member, property):
            wrapped = property(self.wrap(member.fget), member.fset, member.fdel, member.__doc__)
        elif inspect.iscoroutinefunction(member):
            wrapped = self._coroutine(member)
        elif inspect.isasyncgenfunction(member):
            wrapped = self._generator(member)
        elif callable(member):
            wrapped = self._function(member)
        result: T = wrapped
        return result

    def _function(self, function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return wrapper

    def _coroutine(self, function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return wrapper

    def _generator(self, function: Any) -> Any:
        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            with self:
                async with aclosing(function(*args, **kwargs)) as values:
                    async for value in values:
                        yield value

        return wrapper
