"""State: mappings with attribute access."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from copy import deepcopy
from typing import Any, NoReturn, Self, TypeVar, cast

__all__ = ("ImmutableState", "State")

ImmutableStateT = TypeVar("ImmutableStateT", bound="ImmutableState")


class ImmutableState(Mapping[str, Any]):
    """Read-only state with access by key or attribute.

    Args:
        state: A mapping, another state, or an iterable of pairs.
        deep_copy: Whether to make a deep copy. Otherwise this is a live view of the mutable mapping or of the
            mapping of the other state.
    """

    __slots__ = ("_deep_copy", "_state")

    _deep_copy: bool
    _state: MutableMapping[str, Any]

    def __init__(
        self, state: ImmutableState | Mapping[str, Any] | Iterable[tuple[str, Any]], deep_copy: bool = True
    ) -> None:
        values = _mutable(state)
        _fill(self, deepcopy(values) if deep_copy else values, deep_copy)

    def dict(self) -> builtins.dict[str, Any]:
        """Return a shallow copy as a dict."""
        return dict(self._state)

    def mutable_copy(self) -> State:
        """Return a mutable copy, deep if this state was created with ``deep_copy``."""
        return State(dict(self._state), deep_copy=self._deep_copy)

    @classmethod
    def validate(cls, value: ImmutableState | Mapping[str, Any] | Iterable[tuple[str, Any]]) -> Self:
        """Build a state of this class; the copy is deep only if ``value`` is a state with ``deep_copy``."""
        return cls(value, deep_copy=isinstance(value, ImmutableState) and value._deep_copy)

    def __getitem__(self, key: str) -> Any:
        return self._state[key]

    def __getattr__(self, key: str) -> Any:
        if key == "_state":  # looked up by `copy` and `pickle` before the slot is set
            raise AttributeError(key)
        try:
            return self._state[key]
        except KeyError:
            _raise_missing(self, key)

    def __bool__(self) -> bool:
        return bool(self._state)

    def __iter__(self) -> Iterator[str]:
        return iter(self._state)

    def __len__(self) -> int:
        return len(self._state)

    def __copy__(self) -> Self:
        return type(self)(dict(self._state), deep_copy=self._deep_copy)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self._state, self._deep_copy)

    def __repr__(self) -> str:
        # The values can be secrets.
        return f"<{type(self).__name__}({', '.join(map(repr, self._state))})>"


class State(ImmutableState, MutableMapping[str, Any]):
    """Mutable state with access by key or attribute.

    Args:
        state: See :class:`ImmutableState`; by default, the state is empty.
        deep_copy: See :class:`ImmutableState`.
    """

    __slots__ = ()

    def __init__(
        self,
        state: ImmutableState | Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        deep_copy: bool = False,
    ) -> None:
        super().__init__({} if state is None else state, deep_copy=deep_copy)

    def copy(self) -> Self:
        """Return a copy, deep if this state was created with ``deep_copy``."""
        return self.__copy__()

    def immutable_copy(self) -> ImmutableState:
        """Return an immutable copy, deep if this state was created with ``deep_copy``."""
        return ImmutableState(dict(self._state), deep_copy=self._deep_copy)

    def __setitem__(self, key: str, value: Any) -> None:
        self._state[key] = value

    def __delitem__(self, key: str) -> None:
        del self._state[key]

    def __setattr__(self, key: str, value: Any) -> None:
        self._state[key] = value

    def __delattr__(self, key: str) -> None:
        try:
            del self._state[key]
        except KeyError:
            _raise_missing(self, key)


def _mutable(state: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> MutableMapping[str, Any]:
    if isinstance(state, ImmutableState):
        return state._state
    if isinstance(state, dict | MutableMapping):
        return cast("MutableMapping[str, Any]", state)
    return dict(state)


def _fill(state: ImmutableState, values: MutableMapping[str, Any], deep_copy: bool) -> None:
    # A plain assignment would set an item of the state.
    object.__setattr__(state, "_deep_copy", deep_copy)
    object.__setattr__(state, "_state", values)


def _rebuild(
    cls: type[ImmutableStateT], values: MutableMapping[str, Any], deep_copy: bool
) -> ImmutableStateT:
    state = cls.__new__(cls)
    _fill(state, values, deep_copy)
    return state


def _raise_missing(state: ImmutableState, key: str) -> NoReturn:
    raise AttributeError(f"{type(state).__name__!r} has no attribute {key!r}", name=key, obj=state) from None
