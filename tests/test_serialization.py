"""JSON and MessagePack: encoding, decoding and error messages."""

from __future__ import annotations

import dataclasses
import enum
import gc
import ipaddress
import json
import pathlib
import re
import weakref
from collections import deque
from collections.abc import Hashable
from contextlib import suppress
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiwire import serialization
from asgiwire.exceptions import (
    ClientException,
    RequestEntityTooLarge,
    SerializationException,
    UsageError,
    ValidationException,
)
from asgiwire.serialization import (
    decode_json,
    decode_msgpack,
    default_serializer,
    encode_json,
    encode_msgpack,
)
from tests.floods import flood, must_end

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"


class Pair(enum.Enum):
    ONE = (1, 2)


class Item(msgspec.Struct):
    price: int
    colour: Colour = Colour.RED


class Order(msgspec.Struct):
    items: list[Item]


class Model(pydantic.BaseModel):
    x: int


class Name(str):
    __slots__ = ()


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


CELSIUS_DECODERS = [(lambda kind: kind is Celsius, lambda kind, value: kind(value))]


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        pytest.param(pathlib.PurePosixPath("/a/b"), b'"/a/b"', id="path"),
        pytest.param(ipaddress.ip_address("127.0.0.1"), b'"127.0.0.1"', id="ipv4 address"),
        pytest.param(ipaddress.ip_address("::1"), b'"::1"', id="ipv6 address"),
        pytest.param(ipaddress.ip_network("10.0.0.0/8"), b'"10.0.0.0/8"', id="ipv4 network"),
        pytest.param(ipaddress.ip_network("::/64"), b'"::/64"', id="ipv6 network"),
        pytest.param(ipaddress.ip_interface("10.0.0.1/8"), b'"10.0.0.1/8"', id="ipv4 interface"),
        pytest.param(ipaddress.ip_interface("::1/64"), b'"::1/64"', id="ipv6 interface"),
        pytest.param(deque([1, 2]), b"[1,2]", id="deque"),
        pytest.param({1}, b"[1]", id="set"),
        pytest.param(frozenset({1}), b"[1]", id="frozenset"),
        pytest.param(Colour.RED, b'"red"', id="enum"),
        pytest.param(Pair.ONE, b"[1,2]", id="enum with a value that is neither str nor int"),
        pytest.param(re.compile("a+"), b'"a+"', id="pattern"),
        pytest.param(Model(x=1), b'{"x":1}', id="pydantic model"),
        pytest.param(Name("n"), b'"n"', id="subclass of str"),
    ],
)
def test_default_serializer(value: Any, encoded: bytes) -> None:
    assert encode_json({"v": value}) == b'{"v":' + encoded + b"}"
    assert decode_msgpack(encode_msgpack(value)) == decode_json(encoded)


def test_encoder_of_the_most_derived_class_is_used() -> None:
    class Special(deque[int]):
        pass

    encoders = {Special: lambda value: f"special {list(value)}"}

    assert default_serializer(Special([1]), encoders) == "special [1]"
    assert default_serializer(deque([1]), encoders) == [1]


def test_unsupported_type() -> None:
    with pytest.raises(TypeError, match="cannot encode Celsius; add an encoder"):
        encode_json(Celsius(1))


def test_custom_serializer() -> None:
    assert encode_json(Celsius(1.5), lambda value: value.degrees) == b"1.5"
    assert decode_msgpack(encode_msgpack(Celsius(1.5), lambda value: value.degrees)) == 1.5


def test_msgpack_default_serializer() -> None:
    assert decode_msgpack(encode_msgpack(deque([1]), None)) == [1]


def test_byte_order_mark_is_skipped() -> None:
    assert decode_json(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert decode_json("\ufeff[1]") == [1]
    assert decode_json(b'\xef\xbb\xbf{"price":1}', Item) == Item(1)


def test_byte_order_mark_inside_the_document_is_malformed() -> None:
    """RFC 8259 section 8.1 allows to ignore one at the beginning only."""
    with pytest.raises(SerializationException):
        decode_json(b"[\xef\xbb\xbf1]")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(b"{", "Input data was truncated", id="truncated"),
        pytest.param(b"{}x", "JSON is malformed: trailing characters", id="trailing"),
        pytest.param(b'{"a":"\xff"}', "JSON contains text that is not UTF-8", id="not utf-8"),
        pytest.param(b"[" * 100_000, "JSON is nested too deep", id="deep"),
        pytest.param("[]".encode("utf-16"), "JSON is malformed: invalid character (byte 0)", id="utf-16"),
    ],
)
def test_malformed_json(document: bytes, message: str) -> None:
    with pytest.raises(SerializationException, match=re.escape(message)) as caught:
        decode_json(document)
    assert caught.value.status_code == 400


def test_lone_surrogate_is_malformed() -> None:
    with pytest.raises(SerializationException, match=r"^JSON contains text that is not UTF-8$"):
        decode_json('"\ud800"')


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"\x92\x01", "Input data was truncated", id="truncated"),
        pytest.param(b"\xa2\xff\xff", "MessagePack contains text that is not UTF-8", id="not utf-8"),
        pytest.param(b"\x91" * 100_000, "MessagePack is nested too deep", id="deep"),
    ],
)
def test_malformed_msgpack(data: bytes, message: str) -> None:
    with pytest.raises(SerializationException, match=re.escape(message)):
        decode_msgpack(data)


@pytest.mark.parametrize("decode", [decode_json, decode_msgpack])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"items": [{"price": 1}, {"price": "2"}]}, "Expected `int`, got `str` - at `$.items[1].price`"),
        ({"items": [{"price": 1, "colour": "s3cret"}]}, "Invalid enum value - at `$.items[0].colour`"),
        ({}, "Object missing required field `items`"),
    ],
    ids=["type", "enum", "missing"],
)
def test_error_names_the_place_and_not_the_value(decode: Any, value: Any, message: str) -> None:
    encode = encode_json if decode is decode_json else encode_msgpack
    with pytest.raises(ValidationException) as caught:
        decode(encode(value), Order)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_error_does_not_contain_an_invalid_tag() -> None:
    class A(msgspec.Struct, tag="a"):
        pass

    class B(msgspec.Struct, tag="b"):
        pass

    with pytest.raises(ValidationException, match=r"^Invalid value - at `\$\.type`$"):
        decode_json(b'{"type":"s3cret"}', A | B)


def test_type_decoders() -> None:
    @dataclasses.dataclass
    class Weather:
        outside: Celsius

    assert decode_json(b'{"outside":3}', Weather, CELSIUS_DECODERS).outside.degrees == 3
    assert decode_msgpack(encode_msgpack({"outside": 4}), Weather, CELSIUS_DECODERS).outside.degrees == 4


def test_type_without_a_decoder() -> None:
    """The program is wrong, not the client."""
    message = "^cannot decode to Celsius: msgspec does not support it; add a decoder for it to type_decoders$"
    for decode, one in ((decode_json, b"1"), (decode_msgpack, b"\x01")):
        for _ in range(2):
            with pytest.raises(UsageError, match=message):
                decode(one, Celsius, [(lambda kind: False, lambda kind, value: value)])
            with pytest.raises(UsageError, match=message):
                decode(one, Celsius)
            with pytest.raises(UsageError, match=message):
                decode(one, Celsius | None, strict=False)


def test_abstract_type_that_the_value_has_already() -> None:
    assert decode_json(b"1", Hashable) == 1
    assert decode_msgpack(b"\x91\x01", list[Hashable]) == [1]


def test_generic_type_without_a_decoder() -> None:
    class Box(Generic[T]):
        pass

    with pytest.raises(UsageError, match=r"cannot decode to .*Box.* type_decoders"):
        decode_json(b"1", Box[int])


def test_error_of_a_type_decoder() -> None:
    def fail(_kind: Any, _value: Any) -> Any:
        raise ValueError("below absolute zero")

    with pytest.raises(ClientException, match=r"^Invalid value$") as caught:
        decode_json(b"-300", Celsius, [(lambda kind: True, fail)])
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("decode", [decode_json, decode_msgpack])
def test_strictness(decode: Any) -> None:
    encoded = encode_json("1") if decode is decode_json else encode_msgpack("1")

    assert decode(encoded, int, strict=False) == 1
    with pytest.raises(ValidationException):
        decode(encoded, int)


def test_decoded_values_are_not_shared() -> None:
    first = decode_json(b'{"a":[]}')
    first["a"].append(1)

    assert decode_json(b'{"a":[]}') == {"a": []}


@pytest.mark.parametrize(("decode", "one"), [(decode_json, b"1"), (decode_msgpack, b"\x01")])
class TestDecoderCache:
    def test_same_type_twice(self, decode: Any, one: bytes) -> None:
        for _ in range(2):
            assert decode(one, int | None) == 1
            with pytest.raises(ValidationException):
                decode(one, list[int])

    def test_unhashable_type(self, decode: Any, one: bytes) -> None:
        for _ in range(2):
            assert decode(one, Annotated[int, []]) == 1

    def test_invalid_type(self, decode: Any, one: bytes) -> None:
        for _ in range(2):
            with pytest.raises(UsageError, match=r"^cannot decode to 5: "):
                decode(one, 5)
            with pytest.raises(UsageError, match=r"^cannot decode to .*complex"):
                decode(one, Celsius | complex, [(lambda kind: False, None)])

    def test_cache_is_bounded(self, decode: Any, one: bytes) -> None:
        for number in range(300):
            assert decode(one, Annotated[int, msgspec.Meta(gt=-number)]) == 1
        assert len(serialization._json_by_type) <= serialization.MAX_DECODERS
        assert len(serialization._msgpack_by_type) <= serialization.MAX_DECODERS

    def test_type_decoders_are_not_cached(self, decode: Any, one: bytes) -> None:
        class Held:
            pass

        held = Held()
        reference = weakref.ref(held)
        decoders = [(lambda kind: kind is Celsius, lambda kind, value, _held=held: kind(value))]
        assert decode(one, Celsius, decoders).degrees == 1
        del held, decoders
        gc.collect()
        assert reference() is None


@pytest.mark.parametrize(
    "document", [b"\xef\xbb\xbf" * 3000 + b"1", "\ufeff" * 3000 + "1", b"\xef\xbb\xbf" * 2 + b"1"]
)
def test_many_byte_order_marks_are_malformed(document: str | bytes) -> None:
    with pytest.raises(SerializationException):
        decode_json(document)


FORMATS: dict[str, Any] = {"json": (encode_json, decode_json), "msgpack": (encode_msgpack, decode_msgpack)}


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    colour: Colour = Colour.RED
    kind: Literal["a"] = "a"


class Checked(msgspec.Struct):
    text: str

    def __post_init__(self) -> None:
        raise ValueError(f"bad\r\n{self.text}")


class Cat(msgspec.Struct, tag="cat"):
    pass


class Dog(msgspec.Struct, tag="dog"):
    pass


SECRET = "s3cr3t\r\n - at `$.fake`"


def quoting_decoder(kind: Any, value: Any) -> Any:
    if kind is Model:
        return Model.model_validate(value)
    raise ValueError(f"{value!r}\n is not a {kind}")


@pytest.mark.parametrize(
    ("data", "kind", "detail"),
    [
        ({SECRET * 100_000: 1}, Closed, "Object contains unknown field"),
        ([{SECRET: 1}], list[Closed], "Object contains unknown field - at `$[0]`"),
        ({"colour": SECRET}, Closed, "Invalid enum value - at `$.colour`"),
        (SECRET, Colour, "Invalid enum value"),
        ({"kind": SECRET}, Closed, "Invalid enum value - at `$.kind`"),
        ({"type": SECRET}, Cat | Dog, "Invalid value - at `$.type`"),
        ({SECRET: 1}, dict[Colour, int], "Invalid enum value - at `key` in `$`"),
        ({"text": SECRET}, Checked, "Invalid value"),
        ([{"text": SECRET}], list[Checked], "Invalid value - at `$[0]`"),
        (SECRET, Celsius, "Invalid value"),
        ({"a": [SECRET]}, dict[str, list[Celsius]], "Invalid value - at `$[...][0]`"),
        ({"x": SECRET}, Model, "Invalid value"),
        ([{"x": SECRET}], list[Model], "Invalid value - at `$[0]`"),
    ],
)
@pytest.mark.parametrize("format_name", FORMATS)
def test_errors_hold_no_text_of_the_client(data: Any, kind: Any, detail: str, format_name: str) -> None:
    encode, decode = FORMATS[format_name]
    decoders = [(lambda kind: kind in {Celsius, Model}, quoting_decoder)]
    with pytest.raises(ValidationException) as caught:
        decode(encode(data), kind, decoders)
    assert caught.value.detail == str(caught.value) == detail


def test_message_of_a_decoder_that_changes() -> None:
    """The message cannot be told from the place, so none of it is shown."""

    class ChangingError(ValueError):
        calls = 0

        def __str__(self) -> str:
            self.calls += 1
            return f"{self.calls} {SECRET}"

    def fail(_kind: Any, _value: Any) -> Any:
        raise ChangingError

    with pytest.raises(ValidationException) as caught:
        decode_json(b"[1]", list[Celsius], [(lambda kind: True, fail)])
    assert caught.value.detail == "Invalid value"


def number_of_values(data: Any, keys: int) -> int:
    if isinstance(data, dict):
        return 1 + sum(keys + number_of_values(value, keys) for value in data.values())
    if isinstance(data, list):
        return 1 + sum(number_of_values(value, keys) for value in data)
    return 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40)
    | st.sampled_from(['[]{},:"\\', "x" * 300, "y" * 70_000]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["", "a", ",[{", '"']), inner),
)


@given(VALUES)
def test_max_values_is_exact(data: Any) -> None:
    for encode, decode, keys in ((encode_json, decode_json, 0), (encode_msgpack, decode_msgpack, 1)):
        count, encoded = number_of_values(data, keys), encode(data)
        assert decode(encoded, max_values=count) == data
        assert decode(encoded, max_values=None) == data
        with pytest.raises(RequestEntityTooLarge) as caught:
            decode(encoded, max_values=count - 1)
        assert (caught.value.limit, caught.value.maximum) == ("max_values", count - 1)


@given(VALUES)
def test_max_values_of_a_document_with_blanks(data: Any) -> None:
    text = json.dumps(data, indent=1)
    count = number_of_values(data, 0)
    for document in (text, text.encode(), f"\ufeff{text}"):
        assert decode_json(document, max_values=count) == data
        with pytest.raises(RequestEntityTooLarge):
            decode_json(document, max_values=count - 1)


def test_max_values_with_every_kind_of_msgpack_value() -> None:
    """Msgspec writes neither ext values nor long forms of short values."""
    values = [
        b"\xc4\x02ab",
        b"\xc5\x00\x02ab",
        b"\xc6\x00\x00\x00\x02ab",
        b"\xc7\x02\x05ab",
        b"\xc8\x00\x02\x05ab",
        b"\xc9\x00\x00\x00\x02\x05ab",
        b"\xca" + bytes(4),
        b"\xcb" + bytes(8),
        b"\xcc\xff",
        b"\xcd\xff\xff",
        b"\xce" + bytes(4),
        b"\xcf" + bytes(8),
        b"\xd0\xff",
        b"\xd1\xff\xff",
        b"\xd2" + bytes(4),
        b"\xd3" + bytes(8),
        b"\xd4\x05a",
        b"\xd5\x05ab",
        b"\xd6\x05abcd",
        b"\xd7\x05" + bytes(8),
        b"\xd8\x05" + bytes(16),
        b"\xd9\x02ab",
        b"\xda\x00\x02ab",
        b"\xdb\x00\x00\x00\x02ab",
        b"\xa2ab",
        b"\xbf" + b"a" * 31,
        b"\xa0",
        b"\xdc\x00\x00",
        b"\xdd\x00\x00\x00\x00",
        b"\xde\x00\x00",
        b"\xdf\x00\x00\x00\x00",
        b"\x90",
        b"\x80",
        b"\xc0",
        b"\xc2",
        b"\xc3",
        b"\x00",
        b"\x7f",
        b"\xe0",
        b"\xff",
    ]
    data = b"\xdc" + len(values).to_bytes(2, "big") + b"".join(values)
    assert len(decode_msgpack(data, max_values=len(values) + 1)) == len(values)
    with pytest.raises(RequestEntityTooLarge):
        decode_msgpack(data, max_values=len(values))


UNTYPED = (
    Any,
    object,
    dict,
    list,
    list[Any],
    dict[str, list],
    list[int] | dict[str, Any],
    list[Model],
    Annotated[list, 1],
)


@pytest.mark.parametrize("kind", UNTYPED, ids=str)
@pytest.mark.parametrize("format_name", FORMATS)
def test_max_values_applies_to_types_that_the_client_fills(kind: Any, format_name: str) -> None:
    encode, decode = FORMATS[format_name]
    decoders = [(lambda kind: kind is Model, lambda kind, value: value)]
    encoded = encode([[]] * 20)
    with pytest.raises(RequestEntityTooLarge):
        decode(encoded, kind, decoders, max_values=20)
    with suppress(ValidationException):  # not all types match
        decode(encoded, kind, decoders, max_values=21)


@pytest.mark.parametrize("kind", [list[int], list[list[int]], list[Item]], ids=str)
@pytest.mark.parametrize("format_name", FORMATS)
def test_max_values_does_not_apply_to_other_types(kind: Any, format_name: str) -> None:
    encode, decode = FORMATS[format_name]
    values: Any = [Item(1)] * 20 if kind == list[Item] else [[]] * 20 if kind == list[list[int]] else [1] * 20
    assert decode(encode(values), kind, max_values=1) == values


def test_a_type_that_contains_itself_has_no_any() -> None:
    assert decode_json(b'{"items":[' + b'{"price":1},' * 20 + b'{"price":1}]}', Order, max_values=1).items


@pytest.mark.parametrize(
    "document", [b'["' + b"," * 100 + b'"]', b'"' + b"[" * 100, b'{"a": "\\"[,,,,,"}', b" " * 100]
)
def test_text_and_blanks_are_no_values(document: bytes) -> None:
    with suppress(SerializationException):
        decode_json(document, max_values=2)


@must_end
@pytest.mark.parametrize(
    "pattern", [b"[", b"[]", b"{},", b'"', b'\\"', b'",', b"\xcd", b"\xa1", b"\xdf", b"\xc6"]
)
def test_time_of_counting_is_linear(pattern: bytes) -> None:
    data = flood(pattern)
    for decode in (decode_json, decode_msgpack):
        for maximum in (10, len(data) // 4, len(data) - 1):
            with pytest.raises(ClientException):
                decode(data, max_values=maximum)
