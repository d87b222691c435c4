"""Classes whose instances pass ``isinstance`` for a class of asgiwire and for one of Litestar.

No class can inherit from both, because both have slots: CPython raises "multiple bases have instance lay-out
conflict". Starlette's classes have none, so the integration of Starlette inherits from both. Here, there are
two substitutes:

- A connection class inherits from Litestar's, because Litestar calls ``issubclass`` on ``request_class``. It
  gets a copy of each member of asgiwire's class (:func:`copy_members`).
- The class of a value (headers, a URL, an upload) inherits from asgiwire's. Litestar calls only
  ``isinstance`` on a value, which also accepts the value's ``__class__`` (:func:`isinstance_as`).
"""

from __future__ import annotations

from copy import copy
from types import GetSetDescriptorType, MemberDescriptorType, new_class
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast, get_origin

from ._exceptions import translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")


class _Empty(Generic[T]):
    __slots__ = ()

    attribute: int  # for __annotations__


# Python and typing set these on every class; a class cannot take them from another.
NOT_COPIED: Final = frozenset(vars(_Empty))


def copy_members(source: type, base: Any, translate: Iterable[str]) -> Any:
    """Return a subclass of ``base`` with a copy of each member of ``source`` and its base classes.

    ``__class__`` of an instance is ``source``. So ``isinstance`` accepts the instance for both classes, and
    ``super()`` in a copied method continues in the method resolution order of ``source``.

    Args:
        source: The class of asgiwire.
        base: The class of Litestar, with its type parameters.
        translate: The names of the members whose exceptions become Litestar's.
    """
    members: dict[str, Any] = {}
    for cls in reversed(source.__mro__[:-1]):
        if cls is not Generic:
            members |= {name: member for name, member in vars(cls).items() if name not in NOT_COPIED}
    # A property of a subclass may have replaced a slot. A slot that Litestar's class has too is inherited.
    slots = [name for name, member in members.items() if _is_slot(member)]
    origin = get_origin(base)
    new_slots = tuple(name for name in slots if not _is_slot(getattr(origin, name, None)))
    namespace = {name: member for name, member in members.items() if name not in slots}
    namespace |= {name: translated(members[name]) for name in translate}
    namespace |= {"__slots__": new_slots, "__class__": property(lambda _self: source)}
    return new_class(source.__name__, (base,), {}, lambda target: target.update(namespace))


def _is_slot(member: object) -> bool:
    return isinstance(member, MemberDescriptorType | GetSetDescriptorType)  # the latter is __weakref__


def isinstance_as(cls: type[T], other: type, members: Mapping[str, Any] | None = None) -> type[T]:
    """Return a subclass of ``cls`` whose instances pass ``isinstance`` for ``other`` as well.

    It has the same layout as ``cls``, so :func:`set_class` can convert an instance of ``cls``. A copy or a
    pickle of an instance is an instance of ``cls``, because pickle needs the real class.

    Args:
        cls: The class of asgiwire.
        other: The class of Litestar.
        members: Members to override.
    """

    def reduce(self: T, _protocol: object) -> tuple[Any, ...]:
        return copy, (_copy_as(cls, self),)

    namespace = {
        "__slots__": (),
        "__doc__": cls.__doc__,
        "__module__": cls.__module__,
        "__class__": property(lambda _self: other),
        "__reduce_ex__": reduce,
        **(members or {}),
    }
    subclass: type[T] = new_class(cls.__name__, (cls,), {}, lambda target: target.update(namespace))
    return subclass


def set_class(value: object, cls: type) -> None:
    """Change the class of an object, even if it overrides ``__class__`` or ``__setattr__``."""
    vars(object)["__class__"].__set__(value, cls)


def _copy_as(cls: type[T], value: object) -> T:
    subclass = type(value)
    set_class(value, cls)
    try:
        return cast("T", copy(value))
    finally:
        set_class(value, subclass)
