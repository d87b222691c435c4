"""Text values by name: which value a field gets, how text is converted, and which types are supported."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar

import msgspec
import multidict
import pydantic
import pytest

from asgiwire import Request, serialization
from asgiwire.datastructures import FormMultiDict, Headers, MultiDict, UploadFile
from asgiwire.exceptions import RequestEntityTooLarge, UsageError, ValidationException
from asgiwire.limits import Limits
from asgiwire.serialization import decode_params
from asgiwire.testing import RequestFactory

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    NONE = ""


class Size(enum.Enum):
    SMALL = 1


class Celsius:
    def __init__(self, degrees: float) -> None:
        self.degrees = degrees


CELSIUS_DECODERS = [(lambda kind: kind is Celsius, lambda kind, value: kind(float(value)))]
Number = NewType("Number", int)


def decode_field(kind: Any, *values: Any) -> Any:
    """Decode the values of one field of this type; ``"default"`` if the field counts as absent."""
    model = dataclasses.make_dataclass("Page", [("x", kind, dataclasses.field(default="default"))])
    return decode_params([("x", value) for value in values], model).x


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (int, ["5"], 5),
        (int, ["5", "6"], 5),
        (float, ["1.5"], 1.5),
        (str, ["null"], "null"),
        (int | None, ["null"], None),
        (bool, ["true"], True),
        (bool, ["0"], False),
        (bool, ["on"], True),
        (bool, ["off"], False),
        (bool | None, ["yes"], True),
        (bool | str, ["on"], "on"),
        (datetime.date, ["2024-02-29"], datetime.date(2024, 2, 29)),
        (
            uuid.UUID,
            ["12345678-1234-5678-1234-567812345678"],
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        (Colour, ["red"], Colour.RED),
        (Size, ["1"], Size.SMALL),
        (Literal["a", "b"], ["b"], "b"),
        (Annotated[int, msgspec.Meta(ge=1)], ["5"], 5),
        (Number, ["5"], 5),
        (Any, ["a"], "a"),
        (Any, ["a", "b"], ["a", "b"]),
        (object, ["a"], "a"),
        (list[int], ["1"], [1]),
        (list[int], ["1", "2"], [1, 2]),
        (list, ["1", "2"], ["1", "2"]),
        (list[bool], ["on", "off", "1"], [True, False, True]),
        (set[int], ["1", "1"], {1}),
        (tuple[int, str], ["1", "2"], (1, "2")),
        (tuple[int, ...], ["1", "2"], (1, 2)),
        (Sequence[int], ["1"], [1]),
        (list[int] | None, ["1"], [1]),
        (str | list[str], ["a"], "a"),
        (str | list[str], ["a", "b"], ["a", "b"]),
        (bytes, ["YQ=="], b"a"),
    ],
)
def test_conversions(kind: Any, values: list[str], expected: object) -> None:
    assert decode_field(kind, *values) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (str, ""),
        (str | None, ""),
        (bytes, b""),
        (Any, ""),
        (Colour, Colour.NONE),
        (Literal["", "a"], ""),
        (list[str], [""]),
        (int, "default"),
        (int | None, "default"),
        (bool, "default"),
        (Size, "default"),
        (Literal["a"], "default"),
        (datetime.date, "default"),
        (UploadFile, "default"),
        (list[int], []),
        (list[UploadFile], []),
    ],
)
def test_empty_text_is_absent_unless_the_field_takes_text(kind: Any, expected: object) -> None:
    assert decode_field(kind, "") == expected


def test_field_that_is_not_sent_has_its_default() -> None:
    assert decode_field(list[int]) == "default"


class TestTypes:
    def test_names_of_a_struct(self) -> None:
        class Page(msgspec.Struct, rename="camel"):
            per_page: int
            in_: list[str] = msgspec.field(name="in")

        assert decode_params({"perPage": "5", "in": ["a", "b"]}, Page) == Page(5, ["a", "b"])

    def test_tagged_union(self) -> None:
        class Circle(msgspec.Struct, tag=True):
            radius: int

        class Square(msgspec.Struct, tag=True):
            sides: list[int]

        assert decode_params({"type": "Circle", "radius": "2"}, Circle | Square) == Circle(2)
        assert decode_params({"type": "Square", "sides": "2"}, Circle | Square) == Square([2])
        with pytest.raises(ValidationException):
            decode_params({"type": "Triangle"}, Circle | Square)

    def test_generic_types(self) -> None:
        @dataclasses.dataclass
        class Box(Generic[T]):
            x: T

        class StructBox(msgspec.Struct, Generic[T]):
            x: T

        for box in (Box, StructBox):
            assert decode_params({"x": "1"}, box[int]).x == 1
            assert decode_params({"x": "1"}, box[list[int]]).x == [1]

    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            (dict, {"a": "1", "b": ["2", "3"]}),
            (Any, {"a": "1", "b": ["2", "3"]}),
            (dict[str, int], {"a": 1, "b": 2}),
            (Mapping[str, int], {"a": 1, "b": 2}),
            (dict[str, list[int]], {"a": [1], "b": [2, 3]}),
        ],
    )
    def test_mappings(self, kind: Any, expected: object) -> None:
        assert decode_params([("a", "1"), ("b", "2"), ("b", "3")], kind) == expected

    def test_keys_of_a_mapping_are_converted(self) -> None:
        assert decode_params({"1": "a"}, dict[int, str]) == {1: "a"}

    def test_named_tuple_with_a_mutable_default_in_the_middle(self) -> None:
        class Page(NamedTuple):
            number: int
            tags: list[int] = [1]  # noqa: RUF012 - the subject of the test
            size: int = 10

        assert decode_params({"number": "1", "size": "5"}, Page) == Page(1, [1], 5)
        assert decode_params({"number": "1", "tags": "5"}, Page) == Page(1, [5], 10)

    def test_typed_dict(self) -> None:
        class Page(TypedDict):
            number: int
            tags: NotRequired[list[int]]

        assert decode_params({"number": "1", "tags": "5"}, Page) == {"number": 1, "tags": [5]}

    def test_forbidden_name(self) -> None:
        class Page(msgspec.Struct, forbid_unknown_fields=True):
            number: int = 1

        with pytest.raises(ValidationException, match=r"^Object contains unknown field$"):
            decode_params({"s3cr3t": "1"}, Page)

    def test_type_decoders(self) -> None:
        class Weather(msgspec.Struct):
            temperature: Celsius

        weather = decode_params({"temperature": "20.5"}, Weather, type_decoders=CELSIUS_DECODERS)
        assert weather.temperature.degrees == 20.5
        with pytest.raises(ValidationException, match=r"^Invalid value - at `\$\.temperature`$"):
            decode_params({"temperature": "warm"}, Weather, type_decoders=CELSIUS_DECODERS)

    def test_type_decoder_of_the_whole_type(self) -> None:
        decoders = [(lambda kind: kind is Celsius, lambda kind, value: kind(value["degrees"]))]
        assert decode_params({"degrees": 1}, Celsius, type_decoders=decoders).degrees == 1

    def test_name_that_does_not_exist_in_an_annotation(self) -> None:
        class Page:
            __annotations__ = {"x": "Missing"}
            __attrs_attrs__ = ()

        with pytest.raises(Exception):  # noqa: B017, PT011 - the error of msgspec or typing
            decode_params({"x": "1"}, Page)

    @pytest.mark.parametrize("kind", [int, str, list[int], int | str, tuple, Literal["a"], "Page"])
    def test_type_without_fields(self, kind: Any) -> None:
        with pytest.raises(UsageError, match="expected a type with fields"):
            decode_params({"x": "1"}, kind)

    def test_struct_that_is_an_array(self) -> None:
        class Point(msgspec.Struct, array_like=True):
            x: int

        with pytest.raises(UsageError, match="expected a type with fields"):
            decode_params({"x": "1"}, Point)

    def test_named_tuple_in_a_union(self) -> None:
        class Point(NamedTuple):
            x: int

        with pytest.raises(UsageError, match="a NamedTuple cannot be in a union"):
            decode_params({"x": "1"}, Point | dict[str, int])

    def test_type_that_nothing_decodes(self) -> None:
        class Weather(msgspec.Struct):
            temperature: Celsius

        for kind in (Weather, Celsius):
            with pytest.raises(
                UsageError, match=r"cannot decode to Celsius: .* add a decoder .* type_decoders"
            ):
                decode_params({"temperature": "1"}, kind)

    def test_union_that_msgspec_does_not_support(self) -> None:
        first = dataclasses.make_dataclass("First", [("x", int)])
        second = dataclasses.make_dataclass("Second", [("x", int)])
        with pytest.raises(UsageError, match="type_decoders"):
            decode_params({"x": "1"}, first | second)

    def test_nested_field(self) -> None:
        class Outer(msgspec.Struct):
            inner: tuple[int, int] | dict[str, int]

        with pytest.raises(ValidationException, match=r"\$\.inner"):
            decode_params({"inner": "1"}, Outer)

    def test_deque_field(self) -> None:
        """A sequence that msgspec does not support gets all values."""
        decoders = [
            (lambda kind: getattr(kind, "__origin__", kind) is deque, lambda _kind, value: deque(value))
        ]
        model = dataclasses.make_dataclass("Page", [("x", deque[str])])
        assert decode_params({"x": ["a", "b"]}, model, type_decoders=decoders).x == deque(["a", "b"])


class TestValues:
    class Meta(msgspec.Struct):
        request_id: str
        accept: list[str] = []

    def test_headers(self) -> None:
        headers = Headers(
            [(b"X-Request-Id", b"no"), (b"REQUEST-ID", b"7"), (b"accept", b"a"), (b"Accept", b"b")]
        )
        assert decode_params(headers, self.Meta) == self.Meta("7", ["a", "b"])

    @pytest.mark.parametrize(
        "values",
        [
            {"request_id": "7"},
            {"request-id": "7"},
            {"Request-ID": "7"},
            [("request_id", "7")],
            MultiDict([("request-id", "7"), ("request-id", "8")]),
            multidict.CIMultiDict([("Request-Id", "7")]),
            FormMultiDict([("request_id", "7")]),
            {"request_id": ["7", "8"]},
            {"request_id": ("7",)},
        ],
    )
    def test_mappings_and_pairs(self, values: Any) -> None:
        assert decode_params(values, self.Meta) == self.Meta("7")

    def test_exact_names_come_first(self) -> None:
        class Both(msgspec.Struct):
            a_b: str
            dashed: str = msgspec.field(name="A-B")

        assert decode_params([("A-B", "1")], dict) == {"A-B": "1"}
        assert decode_params([("A-B", "1"), ("a_b", "2")], Both) == Both("2", "1")

    def test_values_that_are_converted_already(self) -> None:
        """Routers convert path parameters."""

        class Path(msgspec.Struct):
            number: int
            key: uuid.UUID

        key = uuid.uuid4()
        assert decode_params({"number": 7, "key": key}, Path) == Path(7, key)
        assert decode_params({"number": "7", "key": str(key)}, Path) == Path(7, key)


class TestRequests:
    class Page(msgspec.Struct):
        number: int
        user_id: int = 0

    def test_names_of_a_query_are_exact(self) -> None:
        request = RequestFactory().get("/", query_params={"number": 1, "user-id": 2, "Number": 3})
        assert request.query(type=self.Page) == self.Page(1)

    def test_changed_query_params_are_used(self) -> None:
        request = RequestFactory().get("/", query_params={"number": 1})
        request.query_params["number"] = "2"
        assert request.query(type=self.Page).number == 2

    def test_scope_without_a_query(self) -> None:
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
        with pytest.raises(ValidationException, match="number"):
            request.query(type=self.Page)
        assert request.query(type=dict[str, int]) == {}

    def test_type_decoders_of_the_class(self) -> None:
        class Weather(msgspec.Struct):
            temperature: Celsius

        class WeatherRequest(Request):
            type_decoders = CELSIUS_DECODERS

        request = RequestFactory(request_class=WeatherRequest).get("/", query_params={"temperature": 20})
        assert request.query(type=Weather).temperature.degrees == 20


@pytest.mark.anyio
class TestForms:
    class Upload(msgspec.Struct):
        title: str
        photo: UploadFile
        more: list[UploadFile] = []
        optional: UploadFile | None = None

    class PydanticUpload(pydantic.BaseModel):
        title: str
        photo: UploadFile
        more: list[UploadFile] = []
        optional: UploadFile | None = None

    @pytest.mark.parametrize("kind", [Upload, PydanticUpload])
    async def test_files(self, kind: Any) -> None:
        files = [("photo", ("a.txt", b"one")), ("more", ("b.txt", b"two")), ("more", ("c.txt", b"three"))]
        request = RequestFactory().post("/", data={"title": "x", "optional": ""}, files=files)
        upload = await request.form(type=kind)
        assert (upload.title, upload.photo.filename, upload.optional) == ("x", "a.txt", None)
        assert [await file.read() for file in upload.more] == [b"two", b"three"]
        async with await request.form() as form:
            assert form["photo"] is upload.photo  # closing the form closes the files of the model

    @pytest.mark.parametrize("kind", [Upload, PydanticUpload])
    async def test_text_in_place_of_a_file(self, kind: Any) -> None:
        request = RequestFactory().post("/", data={"title": "x", "photo": "s3cr3t"})
        with pytest.raises(ValidationException, match=r"UploadFile.*\$\.photo") as caught:
            await request.form(type=kind)
        assert "s3cr3t" not in caught.value.detail

    @pytest.mark.parametrize("kind", [Upload, PydanticUpload])
    async def test_file_in_place_of_text(self, kind: Any) -> None:
        request = RequestFactory().post("/", files=[("title", "s3cr3t"), ("photo", "")])
        with pytest.raises(ValidationException, match=r"\$\.title"):
            await request.form(type=kind)

    async def test_body_that_is_no_form(self) -> None:
        request = RequestFactory().post("/", json={"number": 1})
        with pytest.raises(ValidationException, match="number"):
            await request.form(type=TestRequests.Page)

    async def test_typed_and_untyped_form_in_any_order(self) -> None:
        request = RequestFactory().post("/", data={"number": 1})
        assert await request.form(type=TestRequests.Page) == TestRequests.Page(1)
        assert (await request.form())["number"] == "1"
        assert await request.form(type=TestRequests.Page) == TestRequests.Page(1)

    @pytest.mark.parametrize("files", [None, []])
    async def test_limits(self, files: Any) -> None:
        request = RequestFactory().post("/", data={"number": 1, "other": 2}, files=files)
        with pytest.raises(RequestEntityTooLarge, match="max_fields"):
            await request.form(type=TestRequests.Page, limits=Limits(max_fields=1))


def test_plans_are_cached_and_bounded() -> None:
    class Page(msgspec.Struct):
        x: int = 0

    decode_params({}, Page)
    plan = serialization._plan_by_type[Page]
    decode_params({}, Page)
    assert serialization._plan_by_type[Page] is plan
    for number in range(300):
        decode_params({}, dict[str, Annotated[int, msgspec.Meta(gt=number)]])
    assert len(serialization._plan_by_type) <= serialization.MAX_DECODERS


def test_unhashable_type() -> None:
    kind: Any = Annotated[dict[str, int], []]
    for _ in range(2):
        assert decode_params({"a": "1"}, kind) == {"a": 1}
        assert RequestFactory().get("/", query_params={"a": 1}).query(type=kind) == {"a": 1}
