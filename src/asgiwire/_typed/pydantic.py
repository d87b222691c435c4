"""Validation by Pydantic, for programs that have imported it; this module never imports it."""

from __future__ import annotations

import sys
import typing
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

from asgiwire.exceptions import UsageError
from asgiwire.types import TypeDecoders

from . import InvalidValueError

T = TypeVar("T")

MAX_VALIDATORS: Final = 256

# Attributes of the classes whose fields msgspec and Pydantic decode: Struct, dataclass, attrs, TypedDict,
# NamedTuple.
FIELD_MARKERS: Final = (
    "__struct_fields__",
    "__dataclass_fields__",
    "__attrs_attrs__",
    "__total__",
    "_fields",
)

# Context of an error whose message contains data of the client, or text of a validator of the application.
UNSAFE_CONTEXT: Final = frozenset({"error", "tag", "tz_actual"})


class Validator:
    """Validates values of one type with Pydantic."""

    __slots__ = ("_adapter", "_is_strict")

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        nodes = _nodes(adapter.core_schema)
        self._is_strict = any(node.get("strict") is True for node in nodes)

    def validate(self, value: Any, *, lax: bool = False) -> Any:
        """Return the validated value.

        Args:
            value: A value of builtin types.
            lax: Whether to convert text even for a strict type.

        Raises:
            InvalidValueError: The value does not match the type.
        """
        try:
            if self._is_strict and not lax:
                # A strict type accepts a date as text only in a JSON document.
                return self._adapter.validate_json(sys.modules["pydantic_core"].to_json(value))
            return self._adapter.validate_python(value, strict=False if lax else None)
        except sys.modules["pydantic"].ValidationError as error:
            raise self._invalid_value(error) from None  # Pydantic's message contains the value

    def _invalid_value(self, error: Any) -> InvalidValueError:
        details = error.errors(include_url=False, include_input=False)
        first = details[0]
        message = first["msg"]
        types = typing.get_args(sys.modules["pydantic_core.core_schema"].ErrorType)
        if first["type"] not in types or not UNSAFE_CONTEXT.isdisjoint(first.get("ctx", ())):
            message = f"Invalid value ({first['type']})"
        known = _known_names(self._adapter.core_schema)
        place = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" if part in known else "[...]"
            for part in first["loc"]
        )
        more = len(details) - 1
        return InvalidValueError(f"{message} (and {more} more)" if more else message, place)


_validators: dict[Any, tuple[frozenset[type], Validator | None]] = {}


def validator_for(target_type: Any, type_decoders: TypeDecoders | None = None) -> Validator | None:
    """Return the validator of a type that contains Pydantic models or dataclasses, or ``None``.

    ``None`` means that msgspec decodes the type. It contains no model or dataclass of Pydantic, Pydantic does
    not support it, or one of ``type_decoders`` decodes a model in it.

    Raises:
        UsageError: Neither library decodes the type.
    """
    if "pydantic" not in sys.modules:
        return None
    try:
        models, validator = _validators[target_type]
    except (KeyError, TypeError):
        models, validator = remember(_validators, target_type, _build(target_type))
    if validator is None:
        return None
    if type_decoders and any(matches(model) for matches, _ in type_decoders for model in models):
        return None
    return validator


def remember(cache: dict[Any, T], target_type: Any, value: T) -> T:
    """Store a value in a bounded cache and return it. An unhashable type is not stored."""
    if len(cache) >= MAX_VALIDATORS:
        cache.clear()
    with suppress(TypeError):  # `Annotated` with unhashable metadata has no hash
        cache[target_type] = value
    return value


def _build(target_type: Any) -> tuple[frozenset[type], Validator | None]:
    models = frozenset(_models(target_type, {}))
    if not models and (has_fields(target_type) or not hasattr(target_type, "__get_pydantic_core_schema__")):
        return models, None
    pydantic = sys.modules["pydantic"]
    try:
        return models, Validator(pydantic.TypeAdapter(target_type))
    except pydantic.PydanticUserError as error:
        # msgspec decodes the type and passes each model in it to Pydantic, but it treats Pydantic's
        # dataclasses as dataclasses, which would skip their validation.
        if any(hasattr(model, "__is_pydantic_dataclass__") for model in models):
            raise UsageError(
                f"cannot decode to {target_type!r}: a Pydantic dataclass cannot be a field of a type that"
                " Pydantic does not support; use a Pydantic model"
            ) from error
        return models, None


def _models(target_type: Any, seen: dict[int, Any]) -> Iterator[type]:
    """Yield the Pydantic models and dataclasses that a type contains."""
    if id(target_type) in seen:
        return
    seen[id(target_type)] = target_type
    origin = typing.get_origin(target_type) or target_type
    if hasattr(origin, "__pydantic_validator__"):
        yield origin
        return
    parts: list[Any] = [*typing.get_args(target_type)]
    if hasattr(origin, "__value__"):  # a type alias
        parts.append(origin.__value__)
    if isinstance(origin, type) and has_fields(origin):
        parts += annotations_of(origin).values()
    for part in parts:
        yield from _models(part, seen)


def has_fields(cls: Any) -> bool:
    """Return whether the annotations of a class are fields that msgspec and Pydantic decode."""
    return any(hasattr(cls, marker) for marker in FIELD_MARKERS)


def annotations_of(cls: type) -> dict[str, Any]:
    """Return the resolved annotations of a class, or an empty dict if a name is undefined."""
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except NameError:
        return {}


def _known_names(schema: Any) -> set[str]:
    """Return the names in a schema. Other text in the place of an error comes from the client."""
    names: set[str] = set()
    for node in _nodes(schema):
        fields = node.get("fields")
        if isinstance(fields, Mapping):
            names.update(cast("Mapping[str, Any]", fields))
        names.update(_texts(node.get("validation_alias")))
        if "schema" in node:  # a field of a dataclass or a NamedTuple
            names.update(_texts(node.get("name")))
    return names


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from _texts(item)


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield all dictionaries in a core schema."""
    pending: list[Any] = [schema]
    while pending:
        node: Any = pending.pop()
        if isinstance(node, dict):
            found = cast("dict[str, Any]", node)
            yield found
            pending += found.values()
        elif isinstance(node, list | tuple):
            pending += node
