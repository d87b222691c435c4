"""Multidicts: mappings with several values per key, in the order received."""

from __future__ import annotations

import builtins
from abc import ABC
from collections.abc import Generator, Iterable, Iterator, KeysView, Mapping
from typing import Any, Final, Generic, Self, TypeVar, cast

from multidict import MultiDict as BaseMultiDict
from multidict import MultiDictProxy, MultiMapping

__all__ = ("ImmutableMultiDict", "MultiDict", "MultiMixin")

T = TypeVar("T")

# super().__init__() takes a third longer, and every query creates a multidict.
initialize: Final[Any] = cast("Any", BaseMultiDict).__init__


class MultiMixin(MultiMapping[T], ABC, Generic[T]):
    """Methods that all multidicts of asgiwire add to those of ``multidict``."""

    __slots__ = ()

    def dict(self) -> builtins.dict[str, list[Any]]:
        """Return the values of each key; keys and values are in the order received."""
        values: dict[str, list[Any]] = {}
        for key, value in self.items():
            values.setdefault(key, []).append(value)
        return values

    def to_dict(self) -> builtins.dict[str, list[Any]]:
        """Return the same as :meth:`dict`, under the name that multidict uses."""
        return self.dict()

    def multi_items(self) -> Generator[tuple[str, T], None, None]:
        """Yield all keys and values in the order received, with duplicates."""
        yield from self.items()


# In multidict, the overloads of `get` differ between the classes and their base class `MultiMapping`.
class MultiDict(BaseMultiDict[T], MultiMixin[T], Generic[T]):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A mutable multidict. ``[]`` and ``get`` return the first value of a key, ``getall`` returns all.

    Length and iteration count every pair, with all versions of multidict.

    Args:
        args: A mapping, a multidict or an iterable of pairs.
    """

    # multidict's stubs declare a `__new__` with any arguments.
    def __init__(  # pyright: ignore[reportInconsistentConstructor]  # as above
        self, args: MultiMapping[T] | Mapping[str, T] | Iterable[tuple[str, T]] | None = None
    ) -> None:
        initialize(self, () if args is None else args)

    # multidict 6 yields every key, multidict 7 each key once; `len` and `items` have every pair in both.

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, _ in self.items()])

    def keys(self) -> KeysView[str]:
        """Return a view of the keys, with duplicates."""
        return KeysView(self)

    def immutable(self) -> ImmutableMultiDict[T]:
        """Return an immutable copy."""
        return ImmutableMultiDict(self)

    def copy(self) -> Self:
        """Return a shallow copy of the same class."""
        return type(self)(self)


# See MultiDict: the overloads of `get` differ.
class ImmutableMultiDict(MultiDictProxy[T], MultiMixin[T], Generic[T]):  # pyright: ignore[reportIncompatibleMethodOverride]
    """An immutable multidict. ``[]`` and ``get`` return the first value of a key, ``getall`` returns all.

    Length and iteration count every pair, with all versions of multidict.

    Args:
        args: A mapping, a multidict or an iterable of pairs; it is copied.
    """

    def __init__(
        self, args: MultiMapping[T] | Mapping[str, T] | Iterable[tuple[str, T]] | None = None
    ) -> None:
        values: BaseMultiDict[T] = BaseMultiDict(() if args is None else args)
        # pyright does not infer T from multidict's stubs.
        MultiDictProxy.__init__(self, values)  # pyright: ignore[reportUnknownMemberType]

    # A multidict proxy can be a view, so it cannot be pickled (the stubs return NoReturn). This class owns
    # its values.
    def __reduce__(self) -> tuple[Any, ...]:  # type: ignore[override]  # as above
        return type(self), (list(self.items()),)

    # multidict 6 yields every key, multidict 7 each key once; `len` and `items` have every pair in both.

    def __iter__(self) -> Iterator[str]:
        return iter([key for key, _ in self.items()])

    def keys(self) -> KeysView[str]:
        """Return a view of the keys, with duplicates."""
        return KeysView(self)

    def mutable_copy(self) -> MultiDict[T]:
        """Return a mutable shallow copy."""
        return MultiDict(self)

    def copy(self) -> Self:  # type: ignore[override]  # the copy of a proxy is mutable, this one is not
        """Return a shallow copy of the same class."""
        return type(self)(self)
