"""State with attribute access."""

from __future__ import annotations

import copy
import pickle
from types import MappingProxyType, ModuleType
from typing import Any

import pytest

from asgiwire.datastructures.state import ImmutableState, State

CLASSES = [ImmutableState, State]


class Counter(State):
    def increment(self) -> None:
        self.count = self.get("count", 0) + 1


@pytest.mark.parametrize("cls", CLASSES)
def test_mapping(cls: type[ImmutableState]) -> None:
    state = cls({"first": 1, "second": 2})
    assert state["first"] == state.first == 1
    assert "first" in state
    assert "third" not in state
    assert list(state.items()) == [("first", 1), ("second", 2)]
    assert len(state) == 2
    assert state
    assert not cls({})
    assert state.dict() == {"first": 1, "second": 2} == state
    with pytest.raises(KeyError):
        state["third"]


@pytest.mark.parametrize(
    "source",
    [
        ImmutableState({"first": 1}),
        State({"first": 1}),
        {"first": 1},
        [("first", 1)],
        MappingProxyType({"first": 1}),
    ],
    ids=lambda source: type(source).__name__,
)
@pytest.mark.parametrize("deep_copy", [True, False])
def test_from(source: Any, deep_copy: bool) -> None:
    assert ImmutableState(source, deep_copy).first == 1
    assert State(source, deep_copy=deep_copy).first == 1


def test_empty() -> None:
    assert State() == State(None) == State([]) == {}
    assert State() is not State()


def test_write() -> None:
    state = State()
    state.first = 1
    state["second"] = 2
    assert state == {"first": 1, "second": 2}
    del state.first
    del state["second"]
    assert not state
    with pytest.raises(KeyError):
        del state["second"]


@pytest.mark.parametrize("cls", CLASSES)
def test_missing_attribute(cls: type[ImmutableState]) -> None:
    with pytest.raises(AttributeError, match=rf"^'{cls.__name__}' has no attribute 'first'$") as caught:
        cls({}).first  # noqa: B018 # the access is under test
    assert caught.value.name == "first"
    assert caught.value.__suppress_context__


def test_delete_missing_attribute() -> None:
    with pytest.raises(AttributeError, match=r"^'State' has no attribute 'first'$"):
        del State().first


def test_immutable() -> None:
    state: Any = ImmutableState({"first": 1})
    with pytest.raises(AttributeError):
        state.first = 2
    with pytest.raises(AttributeError):
        del state.first
    with pytest.raises(TypeError):
        state["first"] = 2
    with pytest.raises(TypeError):
        del state["first"]
    assert state == {"first": 1}


@pytest.mark.parametrize("cls", CLASSES)
def test_live_view(cls: type[ImmutableState]) -> None:
    values = {"first": 1}
    state = cls(values, deep_copy=False)
    values["second"] = 2
    assert state.second == 2


def test_live_view_is_writable() -> None:
    values: dict[str, Any] = {}
    state = State(values)
    state.first = 1
    State(state).second = 2
    assert values == {"first": 1, "second": 2}


@pytest.mark.parametrize("cls", CLASSES)
def test_deep_copy(cls: type[ImmutableState]) -> None:
    values = {"first": [1]}
    state = cls(values, deep_copy=True)
    values["first"].append(2)
    assert state.first == [1]


def test_deep_copy_defaults() -> None:
    values = {"first": 1}
    immutable, mutable = ImmutableState(values), State(values)
    values["first"] = 2
    assert immutable.first == 1
    assert mutable.first == 2


COPIES: dict[str, Any] = {
    "copy": lambda state: state.copy(),
    "copy.copy": copy.copy,
    "immutable_copy": lambda state: state.immutable_copy(),
    "mutable_copy": lambda state: state.mutable_copy(),
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda state: pickle.loads(pickle.dumps(state)),
}


@pytest.mark.parametrize("deep_copy", [True, False])
@pytest.mark.parametrize("make", COPIES.values(), ids=COPIES)
def test_copy_is_not_a_view(make: Any, deep_copy: bool) -> None:
    state = State({"first": [1]}, deep_copy=deep_copy)
    other = make(state)
    state.second = 2
    assert other == {"first": [1]}
    assert other._deep_copy is deep_copy


@pytest.mark.parametrize("name", ["copy", "copy.copy", "immutable_copy", "mutable_copy"])
@pytest.mark.parametrize("deep_copy", [True, False])
def test_copy_is_deep_if_the_state_is(name: str, deep_copy: bool) -> None:
    state = State({"first": [1]}, deep_copy=deep_copy)
    other = COPIES[name](state)
    assert (other.first is not state.first) is deep_copy


@pytest.mark.parametrize("name", ["copy.deepcopy", "pickle"])
@pytest.mark.parametrize("cls", [*CLASSES, Counter])
def test_deepcopy_and_pickle(name: str, cls: type[ImmutableState]) -> None:
    state = cls({"first": [1]}, deep_copy=False)
    other = COPIES[name](state)
    assert type(other) is cls
    assert other == state
    assert other.first is not state.first


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_pickle_protocol(protocol: int) -> None:
    assert pickle.loads(pickle.dumps(State({"a": 1}), protocol)).a == 1


def test_types_of_copies() -> None:
    state = Counter({"first": 1})
    assert type(state.copy()) is Counter
    assert type(copy.copy(state)) is Counter
    assert type(state.immutable_copy()) is ImmutableState
    assert type(state.mutable_copy()) is State
    assert type(ImmutableState({}).mutable_copy()) is State


def test_values_that_cannot_be_deep_copied() -> None:
    state = ImmutableState({"module": ModuleType("module")}, deep_copy=False)
    assert copy.copy(state).module is state.module
    assert ImmutableState.validate(state).module is state.module


def test_validate() -> None:
    assert State.validate({"a": 1}) == {"a": 1}
    assert type(Counter.validate([("a", 1)])) is Counter
    deep = ImmutableState({"a": [1]})
    assert ImmutableState.validate(deep).a is not deep.a


def test_methods_of_a_subclass() -> None:
    values: dict[str, Any] = {}
    state = Counter(values)
    state.increment()
    state.increment()
    assert values == {"count": 2}


def test_repr_contains_names_only() -> None:
    assert repr(State({"password": "secret", "b": 1})) == "<State('password', 'b')>"


def test_attribute_access_before_init() -> None:
    with pytest.raises(AttributeError, match="_state"):
        State.__new__(State).first  # noqa: B018 # the access is under test


def test_unhashable() -> None:
    with pytest.raises(TypeError):
        hash(State())
