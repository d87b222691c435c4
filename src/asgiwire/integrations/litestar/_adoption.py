"""Making a class of asgiwire's pass for one of Litestar's, in the two ways that CPython leaves.

Two classes that both have slots cannot be the bases of a third: "multiple bases have instance lay-out
conflict". So a connection is Litestar's by inheritance, because Litestar asks ``issubclass`` of what it is
given as ``request_class``; and it is asgiwire's by adoption: every member of asgiwire's classes is put into
it, slots declared anew, as if they were bases too. A value (headers, a URL, an upload) is asgiwire's by
inheritance and Litestar's by its face, because there only ``isinstance`` is ever asked, which believes
``__class__``; nothing but that is pretended.
"""

from __future__ import annotations

from copy import copy
from types import MemberDescriptorType, new_class
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from ._exceptions import translated

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")

# What Python and typing have made for each class by itself, and no class can take from another.
_NOT_ADOPTED = frozenset(
    {
        "__annotations__",
        "__class_getitem__",
        "__dict__",
        "__firstlineno__",
        "__init_subclass__",
        "__module__",
        "__orig_bases__",
        "__parameters__",
        "__slots__",
        "__static_attributes__",
        "__subclasshook__",
        "__weakref__",
    }
)


def adopted(wire: type, framework: Any, raising: Iterable[str]) -> Any:
    """A subclass of ``framework`` that behaves as ``wire`` wherever the two have a name in common.

    Args:
        wire: The class of asgiwire's.
        framework: The class of Litestar's, with its type parameters.
        raising: Members whose exceptions are to be Litestar's.
    """
    members, slots = _members(wire)
    members |= {name: translated(members[name]) for name in raising}
    # super() in a method that was adopted asks it of whom self is an instance, and so does isinstance().
    members |= {"__slots__": tuple(slots), "__class__": property(lambda _self: wire)}
    return new_class(wire.__name__, (framework,), {}, lambda namespace: namespace.update(members))


def _members(wire: type) -> tuple[dict[str, Any], list[str]]:
    members: dict[str, Any] = {}
    for cls in reversed(wire.__mro__[:-1]):
        if cls is not Generic:
            members |= {name: member for name, member in vars(cls).items() if name not in _NOT_ADOPTED}
    # A slot whose name a subclass has given to a property is none any more.
    slots = [name for name, member in members.items() if isinstance(member, MemberDescriptorType)]
    return {name: member for name, member in members.items() if name not in slots}, slots


def faced(wire: type[T], framework: type, raising: Iterable[str] = ()) -> type[T]:
    """A subclass of ``wire`` whose instances ``isinstance`` takes for ``framework``'s too.

    It adds nothing to the layout, so an instance of ``wire`` becomes one by assigning its ``__class__``.

    Args:
        wire: The class of asgiwire's.
        framework: The class of Litestar's.
        raising: Methods whose exceptions are to be Litestar's.
    """
    members: dict[str, Any] = {name: translated(getattr(wire, name)) for name in raising}
    members |= {"__slots__": (), "__doc__": wire.__doc__, "__module__": wire.__module__}

    def reduce(self: T, _protocol: object) -> tuple[Any, ...]:
        return copy, (_without_face(self, wire),)

    if framework is not wire:
        members["__class__"] = property(lambda _self: framework)
        members["__reduce_ex__"] = reduce
    face: type[T] = new_class(wire.__name__, (wire,), {}, lambda namespace: namespace.update(members))
    return face


def become(value: object, cls: type) -> None:
    """Change the class of an object, whatever it makes of setting an attribute."""
    vars(object)["__class__"].__set__(value, cls)


def _without_face(value: object, wire: type[T]) -> T:
    """A copy that is of ``wire`` alone, for pickle, which takes no face for real."""
    face = type(value)
    become(value, wire)
    try:
        return cast("T", copy(value))
    finally:
        become(value, face)
