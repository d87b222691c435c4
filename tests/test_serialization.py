"""JSON and MessagePack: encoding, decoding and error messages."""

from __future__ import annotations

import dataclasses
import enum
import gc
import ipaddress
import pathlib
import re
import weakref
from collections import deque
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import pydantic
import pytest

from asgiwire import serialization
from asgiwire.exceptions import ClientException, SerializationException, UsageError, ValidationException
from asgiwire.serialization import (
    decode_json,
    decode_msgpack,
    default_serializer,
    encode_json,
    encode_msgpack,
)

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
    for decoders in (None, [(lambda kind: False, lambda kind, value: None)]):
        with pytest.raises(UsageError, match=r"cannot decode to Celsius: .* type_decoders"):
            decode_json(b"1", Celsius, decoders)


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
            with pytest.raises(UsageError, match="cannot decode to 5"):
                decode(one, 5)

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
