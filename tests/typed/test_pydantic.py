"""Pydantic validates its own models, and no error contains what the client sent."""

from __future__ import annotations

import dataclasses
import datetime
import subprocess
import sys
import traceback
import uuid  # noqa: TC003 - Pydantic reads the annotation
from typing import Annotated, Any, Literal, NamedTuple

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from asgiwire.exceptions import SerializationException, UsageError, ValidationException
from asgiwire.serialization import decode_json, decode_msgpack, decode_params, encode_json, encode_msgpack

SECRET = "s3cr3t"


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int = 9


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = []


Pet = Annotated[Cat | Dog, pydantic.Field(discriminator="kind")]


@pydantic.dataclasses.dataclass
class Point:
    x: int
    y: int = 0

    @pydantic.field_validator("x")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 0:
            raise ValueError(f"{value} is negative")
        return value


class Aliased(pydantic.BaseModel):
    name: str = pydantic.Field(alias="fullName")
    tags: list[str] = pydantic.Field([], validation_alias=pydantic.AliasChoices("tag", "label"))
    first: str = pydantic.Field("", validation_alias=pydantic.AliasPath("items", 0))


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)

    number: int
    day: datetime.date | None = None


class Everything(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    counts: dict[str, int] = {}
    key: uuid.UUID | None = None
    pet: Pet | None = None
    tags: list[str] = []
    day: datetime.datetime | None = None
    checked: int | None = None
    custom: str | None = None

    @pydantic.field_validator("checked")
    @classmethod
    def _check(cls, value: int) -> int:
        raise ValueError(f"the value {value} is wrong")

    @pydantic.field_validator("custom")
    @classmethod
    def _custom(cls, value: str) -> str:
        raise PydanticCustomError("not_unique", "{name} exists", {"name": value})


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({"counts": {SECRET: []}}, "Input should be a valid integer - at `$.counts[...]`"),
        ({"key": SECRET}, "Invalid value (uuid_parsing) - at `$.key`"),
        ({"pet": {"kind": SECRET}}, "Invalid value (union_tag_invalid) - at `$.pet`"),
        (
            {"pet": {"kind": "dog", "tricks": ["a", 1]}},
            "Input should be a valid string - at `$.pet[...].tricks[1]`",
        ),
        ({"tags": ["a", None]}, "Input should be a valid string - at `$.tags[1]`"),
        ({SECRET: 1}, "Extra inputs are not permitted - at `$[...]`"),
        ({"checked": 123456}, "Invalid value (value_error) - at `$.checked`"),
        ({"custom": SECRET}, "Invalid value (not_unique) - at `$.custom`"),
        ([], "Input should be a valid dictionary or instance of Everything"),
        (None, "Input should be a valid dictionary or instance of Everything"),
        ({"tags": [1], "counts": 5}, "Input should be a valid dictionary (and 1 more) - at `$.counts`"),
    ],
)
@pytest.mark.parametrize("decode", [decode_json, decode_msgpack])
def test_errors(value: Any, detail: str, decode: Any) -> None:
    encoded = encode_json(value) if decode is decode_json else encode_msgpack(value)
    with pytest.raises(ValidationException) as caught:
        decode(encoded, Everything)
    assert caught.value.detail == detail
    report = "".join(traceback.format_exception(caught.value))
    assert SECRET not in report
    assert "123456" not in report


@pytest.mark.parametrize(
    "document", [b"{", b'{"number": 1', b"[" * 10_000, b'{"number": NaN}', b'{"number":"\xff"}']
)
def test_malformed_json_is_the_same_for_all_types(document: bytes) -> None:
    messages = set()
    for kind in (Strict, Any):
        with pytest.raises(SerializationException) as caught:
            decode_json(document, kind)
        messages.add(caught.value.detail)
    assert len(messages) == 1


def test_byte_order_mark() -> None:
    assert decode_json(b'\xef\xbb\xbf{"kind":"cat"}', Cat) == Cat(kind="cat")


def test_unions_of_models() -> None:
    for kind in (Cat | Dog, Pet, list[Cat | Dog], dict[str, Pet], Cat | int):
        value = {"kind": "cat", "lives": 3}
        origin = getattr(kind, "__origin__", None)
        wrapped: Any = [value] if origin is list else {"a": value} if origin is dict else value
        decoded = decode_json(encode_json(wrapped), kind)
        assert Cat(kind="cat", lives=3) in (
            [*decoded.values()] if origin is dict else decoded if origin is list else [decoded]
        )


def test_union_of_models_from_text() -> None:
    pairs = [("kind", "dog"), ("tricks", "sit"), ("tricks", "roll")]
    assert decode_params(pairs, Cat | Dog) == Dog(kind="dog", tricks=["sit", "roll"])
    assert decode_params({"kind": "cat", "lives": "3"}, Pet) == Cat(kind="cat", lives=3)


def test_aliases_from_text() -> None:
    pairs = [("fullName", "ada"), ("label", "a"), ("label", "b"), ("items", "x")]
    assert decode_params(pairs, Aliased).model_dump() == {"name": "ada", "tags": ["a", "b"], "first": "x"}
    with pytest.raises(ValidationException, match=r"Field required - at `\$\.fullName`"):
        decode_params({}, Aliased)


def test_type_alias_from_text() -> None:
    class Page(pydantic.BaseModel):
        numbers: TypeAliasType("Numbers", list[int])

    assert decode_params({"numbers": "1"}, Page).numbers == [1]


def test_root_model_from_text() -> None:
    assert decode_params({"a": ["1", "2"]}, pydantic.RootModel[dict[str, list[int]]]).root == {"a": [1, 2]}


def test_extra_fields_from_text() -> None:
    class Open(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(extra="allow")

    assert decode_params([("a", "1"), ("b", "2"), ("b", "3")], Open).model_extra == {
        "a": "1",
        "b": ["2", "3"],
    }


def test_strict_model() -> None:
    """It takes a date as text from JSON, and numbers as text from a query only, where everything is text."""
    day = datetime.date(2024, 2, 29)
    expected = Strict(number=1, day=day)
    assert decode_json(b'{"number":1,"day":"2024-02-29"}', Strict) == expected
    assert decode_msgpack(encode_msgpack({"number": 1, "day": "2024-02-29"}), Strict) == expected
    assert decode_params({"number": "1", "day": "2024-02-29"}, Strict) == expected
    with pytest.raises(ValidationException, match=r"\$\.number"):
        decode_json(b'{"number":"1"}', Strict)


class Owner(msgspec.Struct):
    pet: Cat
    others: list[Cat | None] = []


@attrs.define
class AttrsOwner:
    pet: Cat
    others: list[Cat | None] = attrs.Factory(list)


@dataclasses.dataclass
class DataclassOwner:
    pet: Cat
    others: list[Cat | None] = dataclasses.field(default_factory=list)


@pytest.mark.parametrize("owner", [Owner, AttrsOwner, DataclassOwner])
def test_models_as_fields(owner: Any) -> None:
    value = {"pet": {"kind": "cat", "lives": "3"}, "others": [None, {"kind": "cat"}]}
    assert decode_json(encode_json(value), owner) == owner(Cat(kind="cat", lives=3), [None, Cat(kind="cat")])

    value["others"] = [None, {"kind": "cat", "lives": SECRET}]
    with pytest.raises(ValidationException) as caught:
        decode_json(encode_json(value), owner)
    assert caught.value.detail.endswith(" - at `$.others[1].lives`")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_dataclass_in_a_dataclass_is_validated() -> None:
    line = dataclasses.make_dataclass("Line", [("start", Point)])
    assert decode_json(b'{"start":{"x":"1"}}', line) == line(Point(1))
    with pytest.raises(ValidationException, match=r"^Invalid value \(value_error\) - at `\$\.start\.x`$"):
        decode_json(b'{"start":{"x":-1}}', line)


def test_dataclass_in_a_struct_is_not_supported() -> None:
    """It would be decoded without its validators."""
    line = msgspec.defstruct("Line", [("start", Point)])
    for decode in (decode_params, decode_json):
        with pytest.raises(UsageError, match="a Pydantic dataclass cannot be a field"):
            decode({} if decode is decode_params else b"{}", line)


def test_union_of_a_struct_and_a_model_is_not_supported() -> None:
    with pytest.raises(UsageError, match="cannot decode to"):
        decode_json(b"{}", Owner | Cat)


class TestTypeDecoders:
    def test_decoder_of_the_model_takes_precedence(self) -> None:
        decoders = [(lambda kind: kind is Cat, lambda _kind, value: Cat(kind="cat", lives=value["x"]))]
        assert decode_json(b'[{"x":5}]', list[Cat], decoders) == [Cat(kind="cat", lives=5)]
        assert decode_params({"x": "5"}, Cat, type_decoders=decoders) == Cat(kind="cat", lives=5)

    def test_decoder_of_another_type(self) -> None:
        decoders = [(lambda kind: kind is complex, lambda kind, value: kind(value))]
        assert decode_json(b'{"kind":"cat"}', Cat, decoders) == Cat(kind="cat")
        assert decode_params({"kind": "cat"}, Cat, type_decoders=decoders) == Cat(kind="cat")
        both = msgspec.defstruct("Both", [("cat", Cat), ("number", complex)])
        assert decode_json(b'{"cat":{"kind":"cat"},"number":"1j"}', both, decoders) == both(
            Cat(kind="cat"), 1j
        )

    def test_msgspec_is_asked_to_convert_text(self) -> None:
        assert decode_json(b'[{"kind":"cat","lives":"3"}]', list[Cat], strict=False)[0].lives == 3


class TestSinglePydanticTypes:
    """Types of Pydantic that are no models."""

    def test_field_of_a_struct(self) -> None:
        login = msgspec.defstruct("Login", [("password", pydantic.SecretStr)])
        assert decode_json(b'{"password":"x"}', login).password.get_secret_value() == "x"
        with pytest.raises(ValidationException, match=r"Input should be a valid string - at `\$\.password`"):
            decode_json(b'{"password":1}', login)

    def test_alone(self) -> None:
        assert decode_json(b'"x"', pydantic.SecretStr).get_secret_value() == "x"

    def test_struct_that_pydantic_knows_is_decoded_by_msgspec(self) -> None:
        class Known(msgspec.Struct):
            x: int

            @classmethod
            def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
                raise NotImplementedError

        assert decode_json(b'{"x":1}', Known) == Known(1)


def test_recursive_model() -> None:
    class Node(pydantic.BaseModel):
        value: int
        next: Node | None = None

    Node.model_rebuild(_types_namespace={"Node": Node})
    assert decode_json(b'{"value":1,"next":{"value":2}}', Node).next == Node(value=2)
    with pytest.raises(ValidationException, match=r"\$\.next\.value"):
        decode_json(b'{"value":1,"next":{"value":"x"}}', Node)


def test_named_tuple_with_a_model() -> None:
    Owned = NamedTuple("Owned", [("pet", Cat), ("count", int)])  # noqa: UP014 - Cat exists at runtime

    assert decode_json(b'[{"kind":"cat"},"1"]', Owned) == Owned(Cat(kind="cat"), 1)
    with pytest.raises(ValidationException, match=r"\$\.pet"):
        decode_params({"pet": "x", "count": "1"}, Owned)


def test_type_alias() -> None:
    assert decode_json(b'{"kind":"cat"}', TypeAliasType("Pets", Cat | Dog)) == Cat(kind="cat")


def test_annotation_that_cannot_be_resolved() -> None:
    """The type could contain a model, but msgspec needs the name too."""

    class Holder(msgspec.Struct):
        x: "Missing" = 1  # noqa: F821, UP037 - the subject of the test

    with pytest.raises(NameError):
        decode_json(b"{}", Holder)


def test_type_without_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unseen(pydantic.BaseModel):
        """A model for which no decoder is cached."""

    monkeypatch.delitem(sys.modules, "pydantic")
    assert decode_json(b'{"pet":1}', dict[str, int]) == {"pet": 1}
    with pytest.raises(UsageError, match="type_decoders"):
        decode_json(b"{}", Unseen)


def test_validators_are_bounded() -> None:
    from asgiwire._typed import pydantic as module

    for number in range(300):
        assert decode_json(b"null", Annotated[Cat | None, number]) is None
    assert len(module._validators) <= module.MAX_VALIDATORS


def test_pydantic_is_not_imported() -> None:
    code = """
import sys, dataclasses, msgspec
from asgiwire.serialization import decode_json, decode_params
from asgiwire.exceptions import UsageError
class Page(msgspec.Struct):
    number: int
class Custom: ...
assert decode_json(b'{"number":1}', Page) == Page(1)
assert decode_params({"number": "1"}, Page) == Page(1)
try:
    decode_json(b'1', Custom)
except UsageError:
    print("pydantic" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
