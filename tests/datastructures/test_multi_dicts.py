"""Multidicts."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import multidict
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire.datastructures import FormMultiDict, ImmutableMultiDict, MultiDict, MultiMixin

PAIRS = [("a", 1), ("b", 2), ("a", 3), ("c", 4), ("b", 2)]


class CustomMultiDict(MultiDict[Any]):
    """A subclass of an application."""


class CustomImmutableMultiDict(ImmutableMultiDict[Any]):
    """A subclass of an application."""


MUTABLE = [MultiDict, CustomMultiDict]
IMMUTABLE = [ImmutableMultiDict, FormMultiDict, CustomImmutableMultiDict]

SOURCES = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "multidict": multidict.MultiDict,
    "proxy": lambda pairs: multidict.MultiDictProxy(multidict.MultiDict(pairs)),
    "MultiDict": MultiDict,
    "ImmutableMultiDict": ImmutableMultiDict,
}

COPIES = {
    "copy()": lambda values: values.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "pickle": lambda values: pickle.loads(pickle.dumps(values)),
}


@pytest.mark.parametrize("cls", [*MUTABLE, *IMMUTABLE])
class TestEveryMultiDict:
    def test_is_a_class_of_multidict(self, cls: type[Any]) -> None:
        values = cls(PAIRS)
        assert isinstance(values, multidict.MultiMapping)
        assert isinstance(values, MultiMixin)
        assert isinstance(values, multidict.MultiDict if cls in MUTABLE else multidict.MultiDictProxy)

    @pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
    def test_from_source(self, cls: type[Any], source: Any) -> None:
        assert list(cls(source(PAIRS)).items()) == PAIRS

    def test_from_dict(self, cls: type[Any]) -> None:
        assert list(cls({"b": 1, "a": 2}).multi_items()) == [("b", 1), ("a", 2)]

    @pytest.mark.parametrize("args", [None, {}, [], MultiDict()], ids=repr)
    def test_empty(self, cls: type[Any], args: Any) -> None:
        assert (len(cls(args)), bool(cls(args)), cls(args).dict()) == (0, False, {})
        assert cls() == cls(args)

    def test_access(self, cls: type[Any]) -> None:
        values = cls(PAIRS)
        assert (values["a"], values.get("b"), values.getone("a"), values.getall("b")) == (1, 2, 1, [2, 2])
        assert values.get("x") is None
        assert len(values) == 5
        with pytest.raises(KeyError):
            values["x"]

    def test_keys_are_case_sensitive(self, cls: type[Any]) -> None:
        assert "A" not in cls(PAIRS)

    def test_dict_is_in_order(self, cls: type[Any]) -> None:
        assert list(cls(PAIRS).dict().items()) == [("a", [1, 3]), ("b", [2, 2]), ("c", [4])]

    def test_multi_items_is_a_generator(self, cls: type[Any]) -> None:
        items = cls(PAIRS).multi_items()
        assert iter(items) is items
        assert list(items) == PAIRS

    @pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
    def test_copy_has_the_same_class_and_order(self, cls: type[Any], make_copy: Any) -> None:
        values = cls(PAIRS)
        copied = make_copy(values)
        assert type(copied) is cls
        assert copied is not values
        assert list(copied.multi_items()) == PAIRS

    def test_copy_is_shallow(self, cls: type[Any]) -> None:
        value: list[int] = []
        values = cls([("a", value)])
        assert values.copy()["a"] is value
        assert copy.deepcopy(values)["a"] is not value

    @given(st.lists(st.tuples(st.sampled_from("abcA") | st.text(), st.integers())))
    def test_order_is_preserved(self, cls: type[Any], pairs: list[tuple[str, int]]) -> None:
        values = cls(pairs)
        other = values.immutable() if cls in MUTABLE else values.mutable_copy()
        first_seen = list(dict(pairs))
        for each in (values, values.copy(), other, other.copy()):
            assert list(each.multi_items()) == pairs
            grouped = [(key, value) for key, several in each.dict().items() for value in several]
            assert grouped == sorted(pairs, key=lambda pair: first_seen.index(pair[0]))


def test_copy_is_independent() -> None:
    values = MultiDict(PAIRS)
    changed = values.copy()
    changed["a"] = 0
    changed.add("d", 5)
    assert list(values.items()) == PAIRS


def test_immutable_is_not_a_view() -> None:
    values = MultiDict(PAIRS)
    immutable = values.immutable()
    values.clear()
    assert type(immutable) is ImmutableMultiDict
    assert list(immutable.multi_items()) == PAIRS


@pytest.mark.parametrize("cls", IMMUTABLE)
def test_immutable_copies_its_source(cls: type[Any]) -> None:
    source = multidict.MultiDict(PAIRS)
    immutable = cls(source)
    source.clear()
    assert list(immutable.multi_items()) == PAIRS


@pytest.mark.parametrize("cls", IMMUTABLE)
def test_immutable_cannot_be_changed(cls: type[Any]) -> None:
    values = cls(PAIRS)
    with pytest.raises(AttributeError):
        values.add("a", 1)
    with pytest.raises(TypeError):
        values["a"] = 1
    with pytest.raises(TypeError):
        del values["a"]


def test_mutable_copy() -> None:
    immutable = ImmutableMultiDict(PAIRS)
    mutable = immutable.mutable_copy()
    assert type(mutable) is MultiDict
    mutable.add("d", 5)
    assert "d" not in immutable


def test_methods_of_multidict() -> None:
    values: MultiDict[int] = MultiDict(PAIRS)
    assert values.popall("a") == [1, 3]
    values.extend([("b", 7)])
    assert values.getall("b") == [2, 2, 7]
    assert values.setdefault("x", 9) == 9


@pytest.mark.parametrize("cls", [MultiDict, ImmutableMultiDict])
def test_is_generic(cls: Any) -> None:
    assert cls[int]([("a", 1)])["a"] == 1


@pytest.mark.parametrize("cls", [MultiDict, ImmutableMultiDict, FormMultiDict])
def test_iteration_counts_every_pair(cls: Any) -> None:
    """Multidict 7 iterates over each key once, but counts and lists every pair."""
    values = cls([("a", 1), ("b", 2), ("a", 3)])
    assert list(values) == list(values.keys()) == ["a", "b", "a"]
    assert len(values) == len(values.keys()) == len(values.items()) == len(values.values()) == 3
    assert list(values.items()) == list(values.multi_items()) == [("a", 1), ("b", 2), ("a", 3)]
    assert "a" in values.keys()  # noqa: SIM118  # the view is under test
    assert values.keys() & {"a", "c"} == {"a"}
    assert dict(values) == {"a": 1, "b": 2}
    assert {**values} == {"a": 1, "b": 2}
    assert values.to_dict() == values.dict() == {"a": [1, 3], "b": [2]}
    assert list(cls(values).items()) == list(values.items())  # multidict 6 compares duplicates differently


def test_to_dict_of_the_mixin_is_that_of_multidict() -> None:
    """The method is in multidict since version 7; the mixin defines it for earlier versions."""
    values = MultiDict([("a", "1"), ("b", "2"), ("a", "3")])
    assert MultiMixin.to_dict(values) == values.to_dict() == {"a": ["1", "3"], "b": ["2"]}
