"""The kinds of types that every reader decodes to; all have the same fields."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
from typing_extensions import TypedDict  # Pydantic requires this one before Python 3.12


class StructPage(msgspec.Struct):
    number: int
    tags: list[str] = []
    exact: bool = False


@dataclasses.dataclass
class DataclassPage:
    number: int
    tags: list[str] = dataclasses.field(default_factory=list)
    exact: bool = False


@attrs.define
class AttrsPage:
    number: int
    tags: list[str] = attrs.Factory(list)
    exact: bool = False


class _RequiredKeys(TypedDict):
    number: int


class TypedDictPage(_RequiredKeys, total=False):
    tags: list[str]
    exact: bool


class NamedTuplePage(NamedTuple):
    number: int
    tags: list[str] = []  # noqa: RUF012 - read only
    exact: bool = False


class PydanticPage(pydantic.BaseModel):
    number: int
    tags: list[str] = []
    exact: bool = False


@pydantic.dataclasses.dataclass
class PydanticDataclassPage:
    number: int
    tags: list[str] = dataclasses.field(default_factory=list)
    exact: bool = False


KINDS: dict[str, Any] = {
    "struct": StructPage,
    "dataclass": DataclassPage,
    "attrs": AttrsPage,
    "typed dict": TypedDictPage,
    "named tuple": NamedTuplePage,
    "pydantic model": PydanticPage,
    "pydantic dataclass": PydanticDataclassPage,
}
"""By name."""


def is_array(kind: Any) -> bool:
    """Return whether a JSON document has an array for this kind: msgspec decodes a NamedTuple from one."""
    return kind is NamedTuplePage
