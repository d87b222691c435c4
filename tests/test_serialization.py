"""JSON and MessagePack: what decodes, what is refused, and what the refusal says."""

from __future__ import annotations

import dataclasses
import enum
import gc
import ipaddress
import pathlib
import re
import weakref
from collections import deque
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

from asgiwire import serialization
from asgiwire.exceptions import ClientException, SerializationException, ValidationException
from asgiwire.serialization import (
    decode_json,
    decode_msgpack,
    default_serializer,
    encode_json,
    encode_msgpack,
)


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
def test_default_serializer_covers(value: Any, encoded: bytes) -> None:
    assert encode_json({"v": value}) == b'{"v":' + encoded + b"}"
    assert decode_msgpack(encode_msgpack(value)) == decode_json(encoded)


def test_the_nearest_class_decides_which_encoder_is_used() -> None:
    class Special(deque[int]):
        pass

    encoders = {Special: lambda value: f"special {list(value)}"}

    assert default_serializer(Special([1]), encoders) == "special [1]"
    assert default_serializer(deque([1]), encoders) == [1]


def test_an_unknown_type_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="cannot encode Celsius: give an encoder"):
        encode_json(Celsius(1))


def test_a_serializer_of_the_callers_own() -> None:
    assert encode_json(Celsius(1.5), lambda value: value.degrees) == b"1.5"
    assert decode_msgpack(encode_msgpack(Celsius(1.5), lambda value: value.degrees)) == 1.5


def test_msgpack_without_a_serializer_uses_the_default_one() -> None:
    assert decode_msgpack(encode_msgpack(deque([1]), None)) == [1]


def test_a_byte_order_mark_is_skipped() -> None:
    assert decode_json(b'\xef\xbb\xbf{"a":1}') == {"a": 1}
    assert decode_json("\ufeff[1]") == [1]
    assert decode_json(b'\xef\xbb\xbf{"price":1}', Item) == Item(1)


def test_a_second_byte_order_mark_is_malformed() -> None:
    """RFC 8259 section 8.1 lets a parser ignore one mark; in the middle it is no white space."""
    with pytest.raises(SerializationException):
        decode_json(b"[\xef\xbb\xbf1]")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        pytest.param(b"{", "Input data was truncated", id="truncated"),
        pytest.param(b"{}x", "JSON is malformed: trailing characters", id="trailing"),
        pytest.param(b'{"a":"\xff"}', "JSON has text that is not UTF-8", id="not utf-8"),
        pytest.param(b"[" * 100_000, "JSON is nested too deep", id="deep"),
        pytest.param("[]".encode("utf-16"), "JSON is malformed: invalid character (byte 0)", id="utf-16"),
    ],
)
def test_malformed_json(document: bytes, sentence: str) -> None:
    with pytest.raises(SerializationException, match=re.escape(sentence)) as caught:
        decode_json(document)
    assert caught.value.status_code == 400


def test_text_with_a_lone_surrogate_is_no_json() -> None:
    with pytest.raises(SerializationException, match=r"^JSON has text that is not UTF-8$"):
        decode_json('"\ud800"')


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"\x92\x01", "Input data was truncated", id="truncated"),
        pytest.param(b"\xa2\xff\xff", "MessagePack has text that is not UTF-8", id="not utf-8"),
        pytest.param(b"\x91" * 100_000, "MessagePack is nested too deep", id="deep"),
    ],
)
def test_malformed_msgpack(data: bytes, sentence: str) -> None:
    with pytest.raises(SerializationException, match=re.escape(sentence)):
        decode_msgpack(data)


@pytest.mark.parametrize("decode", [decode_json, decode_msgpack])
@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"items": [{"price": 1}, {"price": "2"}]}, "Expected `int`, got `str` - at `$.items[1].price`"),
        ({"items": [{"price": 1, "colour": "s3cret"}]}, "Invalid enum value - at `$.items[0].colour`"),
        ({}, "Object missing required field `items`"),
    ],
    ids=["type", "enum", "missing"],
)
def test_a_wrong_type_is_named_with_its_place_and_never_its_value(
    decode: Any, value: Any, sentence: str
) -> None:
    encode = encode_json if decode is decode_json else encode_msgpack
    with pytest.raises(ValidationException) as caught:
        decode(encode(value), Order)
    assert str(caught.value) == sentence
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_an_invalid_tag_is_not_repeated() -> None:
    class A(msgspec.Struct, tag="a"):
        pass

    class B(msgspec.Struct, tag="b"):
        pass

    with pytest.raises(ValidationException, match=r"^Invalid value - at `\$\.type`$"):
        decode_json(b'{"type":"s3cret"}', A | B)


def test_type_decoders_are_asked_for_the_types_that_msgspec_does_not_know() -> None:
    @dataclasses.dataclass
    class Weather:
        outside: Celsius

    assert decode_json(b'{"outside":3}', Weather, CELSIUS_DECODERS).outside.degrees == 3
    assert decode_msgpack(encode_msgpack({"outside": 4}), Weather, CELSIUS_DECODERS).outside.degrees == 4


def test_a_type_that_no_decoder_fits() -> None:
    with pytest.raises(ValidationException, match="Expected `Celsius`, got `int`"):
        decode_json(b"1", Celsius, [(lambda kind: False, lambda kind, value: value)])
    with pytest.raises(ValidationException, match="Expected `Celsius`, got `int`"):
        decode_json(b"1", Celsius)


def test_a_decoders_own_error_is_a_client_error_with_its_words() -> None:
    def refuse(_kind: Any, _value: Any) -> Any:
        raise ValueError("below absolute zero")

    with pytest.raises(ClientException, match="below absolute zero") as caught:
        decode_json(b"-300", Celsius, [(lambda kind: True, refuse)])
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("decode", [decode_json, decode_msgpack])
def test_strictness(decode: Any) -> None:
    encoded = encode_json("1") if decode is decode_json else encode_msgpack("1")

    assert decode(encoded, int, strict=False) == 1
    with pytest.raises(ValidationException):
        decode(encoded, int)


def test_each_decoding_gives_a_value_of_its_own() -> None:
    first = decode_json(b'{"a":[]}')
    first["a"].append(1)

    assert decode_json(b'{"a":[]}') == {"a": []}


@pytest.mark.parametrize(("decode", "one"), [(decode_json, b"1"), (decode_msgpack, b"\x01")])
class TestKeptDecoders:
    """A decoder is kept for each type, whatever the type."""

    def test_twice_the_same(self, decode: Any, one: bytes) -> None:
        for _ in range(2):
            assert decode(one, int | None) == 1
            with pytest.raises(ValidationException):
                decode(one, list[int])

    def test_a_type_that_has_no_hash(self, decode: Any, one: bytes) -> None:
        for _ in range(2):
            assert decode(one, Annotated[int, []]) == 1

    def test_a_type_that_is_none(self, decode: Any, one: bytes) -> None:
        for _ in range(2):
            with pytest.raises(TypeError):
                decode(one, 5)

    def test_types_without_end(self, decode: Any, one: bytes) -> None:
        for number in range(300):
            assert decode(one, Annotated[int, msgspec.Meta(gt=-number)]) == 1
        assert len(serialization._json_by_type) <= serialization.MOST_DECODERS
        assert len(serialization._msgpack_by_type) <= serialization.MOST_DECODERS

    def test_what_the_type_decoders_hold_is_not_kept(self, decode: Any, one: bytes) -> None:
        class Held:
            pass

        held = Held()
        gone = weakref.ref(held)
        decoders = [(lambda kind: kind is Celsius, lambda kind, value, _held=held: kind(value))]
        assert decode(one, Celsius, decoders).degrees == 1
        del held, decoders
        gc.collect()
        assert gone() is None


@pytest.mark.parametrize(
    "document", [b"\xef\xbb\xbf" * 3000 + b"1", "\ufeff" * 3000 + "1", b"\xef\xbb\xbf" * 2 + b"1"]
)
def test_many_byte_order_marks_are_malformed_and_no_recursion(document: str | bytes) -> None:
    with pytest.raises(SerializationException):
        decode_json(document)
