"""Multidicts: several values per key, in the order they came.

Left out: the form, which has files to close (``form.py``), and the headers (``headers.py``).
"""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from multidict import MultiDict as BaseMultiDict
from multidict import MultiDictProxy, MultiMapping

if TYPE_CHECKING:
    import builtins
    from collections.abc import Generator, Iterable, Mapping
    from typing import Self

__all__ = ("ImmutableMultiDict", "MultiDict", "MultiMixin")

T = TypeVar("T")

# Not super().__init__(), which takes a third longer: one is made for every query.
initialize: Final[Any] = cast("Any", BaseMultiDict).__init__


class MultiMixin(MultiMapping[T], ABC, Generic[T]):
    """What every multidict here adds to those of ``multidict``."""

    __slots__ = ()

    def dict(self) -> builtins.dict[str, list[Any]]:
        """The values of each key, keys and values in the order they came."""
        values: dict[str, list[Any]] = {}
        for key, value in self.items():
            values.setdefault(key, []).append(value)
        return values

    def multi_items(self) -> Generator[tuple[str, T], None, None]:
        """Every key with every value, in the order they came."""
        yield from self.items()


# multidict's own classes write `get` in other overloads than its `MultiMapping`, which they implement.
class MultiDict(BaseMultiDict[T], MultiMixin[T], Generic[T]):  # pyright: ignore[reportIncompatibleMethodOverride]
    """A mutable multidict; ``[]`` and ``get`` give the first value of a key, ``getall`` gives all.

    Args:
        args: A mapping, a multidict or pairs.
    """

    # multidict types its `__new__` as taking anything.
    def __init__(  # pyright: ignore[reportInconsistentConstructor]  # as above
        self, args: MultiMapping[T] | Mapping[str, T] | Iterable[tuple[str, T]] | None = None
    ) -> None:
        initialize(self, () if args is None else args)

    def immutable(self) -> ImmutableMultiDict[T]:
        """An immutable multidict of what is in this one now."""
        return ImmutableMultiDict(self)

    def copy(self) -> Self:
        """A shallow copy of the same class."""
        return type(self)(self)


# As of MultiDict: `get` has other overloads.
class ImmutableMultiDict(MultiDictProxy[T], MultiMixin[T], Generic[T]):  # pyright: ignore[reportIncompatibleMethodOverride]
    """An immutable multidict; ``[]`` and ``get`` give the first value of a key, ``getall`` gives all.

    Args:
        args: A mapping, a multidict or pairs, which are copied.
    """

    def __init__(
        self, args: MultiMapping[T] | Mapping[str, T] | Iterable[tuple[str, T]] | None = None
    ) -> None:
        values: BaseMultiDict[T] = BaseMultiDict(() if args is None else args)
        # pyright does not see T in what multidict's stubs say of it.
        MultiDictProxy.__init__(self, values)  # pyright: ignore[reportUnknownMemberType]

    # A proxy of multidict refuses to be pickled, because it may be a view, and is typed so; this one owns
    # its values.
    def __reduce__(self) -> tuple[Any, ...]:  # type: ignore[override]  # as above
        return type(self), (list(self.items()),)

    def mutable_copy(self) -> MultiDict[T]:
        """A mutable shallow copy."""
        return MultiDict(self)

    def copy(self) -> Self:  # type: ignore[override]  # a proxy's copy is mutable, this one is of the same class
        """A shallow copy of the same class."""
        return type(self)(self)
