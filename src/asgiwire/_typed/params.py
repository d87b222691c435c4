"""Arranges text values by name for a target type: the first value of a name, or a list of all values."""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar, cast, get_args, get_origin

import msgspec

from asgiwire.exceptions import UsageError
from asgiwire.types import TypeDecoders

from .pydantic import Validator, annotations_of, has_fields, validator_for

# HTML: a checkbox without a value attribute sends "on", and nothing if it is not checked. msgspec converts
# "true", "false", "1" and "0".
WORDS: Final = {"on": True, "yes": True, "off": False, "no": False}

UNIONS: Final = (typing.Union, types.UnionType)
QUALIFIERS: Final = (typing.Annotated, typing.Required, typing.NotRequired, typing.Final)
TEXTS: Final = (str, bytes, bytearray, memoryview)


class Kind(NamedTuple):
    """The values that the type of a field accepts.

    Attributes:
        several: Whether it accepts a list of values.
        one: Whether it accepts a single value.
        empty: Whether it accepts empty text. Otherwise, empty text counts as missing: browsers send it for
            each empty input.
        words: Whether it is a ``bool``, which accepts the words in :data:`WORDS`.
    """

    several: bool = False
    one: bool = True
    empty: bool = False
    words: bool = False

    def arrange(self, values: list[Any]) -> Any:
        """Return the first value or the list; ``None`` if all values count as missing."""
        if not self.empty:
            values = [value for value in values if value != ""]
            if self.words:
                values = [WORDS.get(value, value) for value in values]
        if self.several and (not self.one or len(values) > 1):
            return values
        return values[0] if values else None


ANY: Final = Kind(several=True, empty=True)
TEXT: Final = Kind(empty=True)


class Plan:
    """Arranges the values for one target type.

    Attributes:
        target: The type to convert to; for a NamedTuple, a Struct with its fields.
        named_tuple: The NamedTuple, if the type is one.
        validator: Validates the values instead of msgspec, or ``None``.
    """

    __slots__ = ("_fields", "_lists", "_names", "_other", "_switches", "named_tuple", "target", "validator")

    def __init__(self, target_type: Any) -> None:
        self.named_tuple: Any = None
        members = [member for member in _members(target_type) if member is not types.NoneType]
        # A query or form is never null, and msgspec converts to a type faster than to a union.
        self.target: Any = members[0] if len(members) == 1 else target_type
        self.validator: Validator | None = validator_for(self.target)
        self._fields: dict[str, Kind] = {}
        self._other: Kind = ANY  # for names that are not fields
        for member in members:
            self._add(member)
        self._lists = {name for name, kind in self._fields.items() if not kind.one}
        self._switches = tuple(name for name, kind in self._fields.items() if kind.words and not kind.empty)
        self._names = {_normalize(name): name for name in reversed(self._fields)}

    def arrange(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Return the values by name, arranged for the target type.

        Args:
            pairs: Names and values in the order received.
        """
        values = dict(pairs)
        # The common case: no name is repeated, no value is empty, and no field accepts a list.
        if (
            len(values) == len(pairs)
            and "" not in values.values()
            and self._lists.isdisjoint(values)
            and self._other is ANY
        ):
            for name in self._switches:
                if values.get(name) in WORDS:
                    values[name] = WORDS[values[name]]
            return values
        received: dict[str, list[Any]] = {}
        for name, value in pairs:
            received.setdefault(name, []).append(value)
        values.clear()
        for name, several in received.items():
            value = self._fields.get(name, self._other).arrange(several)
            if value is not None:
                values[name] = value
        return values

    @property
    def is_mapping(self) -> bool:
        """Whether the target type is a dict, whose keys can be numbers."""
        return self._other is not ANY

    def validator_with(self, type_decoders: TypeDecoders) -> Validator | None:
        """Return the validator, unless one of ``type_decoders`` decodes a model."""
        return validator_for(self.target, type_decoders)

    def rename(self, name: str) -> str:
        """Return the field for the name of a header. Case is ignored, and ``-`` equals ``_``."""
        return name if name in self._fields else self._names.get(_normalize(name), name)

    def _add(self, member: Any) -> None:
        """Add the fields of the target type or of one member of a union."""
        origin = get_origin(member) or member
        if getattr(origin, "__pydantic_root_model__", False):
            self._add(origin.__pydantic_fields__["root"].annotation)
        elif hasattr(origin, "__pydantic_validator__"):
            self._add_pydantic_fields(origin)
        elif hasattr(origin, "__struct_fields__") and not origin.__struct_config__.array_like:
            for field in msgspec.structs.fields(member):
                self._fields[field.encode_name] = _kind(field.type)
        elif _is_named_tuple(origin):
            self._replace_named_tuple(origin)
        elif has_fields(origin) and not hasattr(origin, "__struct_fields__"):
            variables = dict(zip(getattr(origin, "__parameters__", ()), get_args(member), strict=False))
            for name, annotation in annotations_of(origin).items():
                self._fields[name] = _kind(annotation, variables)
        elif isinstance(origin, type) and issubclass(origin, Mapping):
            self._other = _kind((*get_args(member), Any, Any)[1])._replace()  # never identical to ANY
        elif not _may_have_fields(origin):
            raise UsageError(f"cannot decode to {member!r}: expected a type with fields, or a dict")

    def _add_pydantic_fields(self, model: Any) -> None:
        for name, field in model.__pydantic_fields__.items():
            kind = _kind(field.annotation)
            self._fields[name] = kind
            for alias in (field.alias, field.validation_alias):
                for choice in getattr(alias, "choices", (alias,)):
                    if isinstance(choice, str):
                        self._fields[choice] = kind
                    elif choice is not None:  # an AliasPath such as ("items", 0)
                        self._fields[choice.path[0]] = ANY._replace(one=False)

    def _replace_named_tuple(self, cls: Any) -> None:
        """Set a Struct as the target, because msgspec decodes a NamedTuple only from an array."""
        if self.target is not cls:
            raise UsageError(f"cannot decode to {self.target!r}: a NamedTuple cannot be in a union")
        hints, defaults = annotations_of(cls), cls._field_defaults
        fields: list[Any] = []
        for name in cls._fields:
            # A factory, because msgspec rejects a mutable default.
            default = [msgspec.field(default_factory=partial(defaults.get, name))] if name in defaults else []
            fields.append((name, hints[name], *default))
        self._fields = {name: _kind(annotation) for name, annotation in hints.items()}
        if self.validator is None:
            self.named_tuple = cls
            self.target = msgspec.defstruct(cls.__name__, fields, module=cls.__module__)


def flatten(values: Any) -> list[tuple[str, Any]]:
    """Return pairs for a mapping, a multidict or pairs; a list in a mapping gives one pair per item."""
    if not isinstance(values, Mapping):
        return list(values)
    mapping = cast("Mapping[str, Any]", values)
    multi_items: Any = getattr(mapping, "multi_items", mapping.items)
    pairs: list[tuple[str, Any]] = []
    for name, value in cast("Iterable[tuple[str, Any]]", multi_items()):
        several = cast("Iterable[Any]", value) if isinstance(value, list | tuple) else (value,)
        pairs += [(name, item) for item in several]
    return pairs


def _members(annotation: Any) -> tuple[Any, ...]:
    annotation = _unwrap(annotation)
    return get_args(annotation) if get_origin(annotation) in UNIONS else (annotation,)


def _unwrap(annotation: Any) -> Any:
    """Return the type without ``Annotated``, ``Required``, type aliases and ``NewType``."""
    while True:
        if get_origin(annotation) in QUALIFIERS:
            annotation = get_args(annotation)[0]
        elif hasattr(annotation, "__value__") or hasattr(annotation, "__supertype__"):
            annotation = getattr(annotation, "__value__", None) or annotation.__supertype__
        else:
            return annotation


def _kind(annotation: Any, variables: Mapping[Any, Any] = types.MappingProxyType({})) -> Kind:
    """Return the kind of a type.

    Args:
        annotation: The type.
        variables: The types of the type variables in it.
    """
    members = [*_members(annotation)]
    if len(members) > 1:
        kinds = [_kind(member, variables) for member in members if member is not types.NoneType]
        return Kind(*(any(flags) for flags in zip(*kinds, strict=True)))
    annotation = members[0]
    annotation = variables.get(annotation, annotation) if isinstance(annotation, TypeVar) else annotation
    origin = get_origin(annotation) or annotation
    if origin is Any or origin is object:
        return ANY
    if origin is typing.Literal:
        return Kind(empty="" in get_args(annotation))
    if not isinstance(origin, type) or issubclass(origin, Mapping):
        return Kind()
    if issubclass(origin, Enum):
        return Kind(empty="" in [member.value for member in origin])
    if issubclass(origin, TEXTS):
        return TEXT
    if issubclass(origin, collections.abc.Collection) and not _is_named_tuple(origin):
        item = _kind((*get_args(annotation), Any)[0], variables)
        return item._replace(several=True, one=False)
    return Kind(words=origin is bool)


def _is_named_tuple(cls: Any) -> bool:
    return hasattr(cls, "_fields") and isinstance(cls, type) and issubclass(cls, tuple)


def _may_have_fields(cls: Any) -> bool:
    """Return whether a type that has no known fields can be decoded from a dict, by ``type_decoders``."""
    if not isinstance(cls, type):
        return cls is Any
    return cls is object or not (cls.__module__ == "builtins" or hasattr(cls, "__struct_fields__"))


def _normalize(name: str) -> str:
    return name.lower().replace("-", "_")
