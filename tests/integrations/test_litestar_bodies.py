"""Request bodies in Litestar applications: injected as ``data``, and read by the handler."""

import json
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import attrs
import msgspec
import pydantic
import pytest
from litestar import Litestar, Request, post, put
from litestar.datastructures import UploadFile
from litestar.dto import DataclassDTO, DTOConfig, DTOData, MsgspecDTO
from litestar.enums import RequestEncodingType
from litestar.params import Body, FromQuery
from litestar.plugins.pydantic import PydanticDTO
from litestar.testing import TestClient

from asgiwire import Limits
from asgiwire.datastructures import FormMultiDict
from asgiwire.datastructures import UploadFile as OurUploadFile

from .litestar_apps import ask_asgiwire, ask_both

MULTIPART = RequestEncodingType.MULTI_PART
URLENCODED = RequestEncodingType.URL_ENCODED

Client = TestClient[Litestar]


@dataclass
class Order:
    tea: str
    cups: int = 1
    notes: list[str] = field(default_factory=list)


class OrderStruct(msgspec.Struct):
    tea: str
    cups: int = 1


@attrs.define
class OrderAttrs:
    tea: str
    cups: int = 1


class OrderModel(pydantic.BaseModel):
    tea: str
    cups: int = 1


@pytest.mark.parametrize("model", [Order, OrderStruct, OrderAttrs, OrderModel, dict[str, Any]])
def test_json_into_models_of_every_kind(model: Any) -> None:
    @post("/")
    async def handler(data: Annotated[model, Body()]) -> model:
        return data

    def talk(client: Client) -> list[Any]:
        good = {"tea": "sencha", "cups": 2}
        return [client.post("/", json=good), client.post("/", json={"cups": "many"})]

    answers = ask_both([handler], talk)
    assert answers[0][0] == 201
    assert answers[0][1] | {"notes": []} == {"tea": "sencha", "cups": 2, "notes": []}
    assert answers[1][0] == (201 if model == dict[str, Any] else 400)


@pytest.mark.parametrize("body", [b"", b"null", b"[1, 2", b"\xff", b"{}", b"[1]", b'"x"'])
def test_json_of_every_shape(body: bytes) -> None:
    @post("/optional")
    async def optional(data: Annotated[list[int] | None, Body()] = None) -> Any:
        return data

    @post("/needed")
    async def needed(data: Annotated[list[int], Body()]) -> Any:
        return data

    def talk(client: Client) -> list[Any]:
        headers = {"content-type": "application/json"}
        return [client.post(path, content=body, headers=headers) for path in ("/optional", "/needed")]

    answers = ask_asgiwire([optional, needed], talk)
    statuses = [status for status, _ in answers]
    assert statuses == {b"": [201, 400], b"null": [201, 400], b"[1]": [201, 201]}.get(body, [400, 400])
    if body != b"\xff":  # for invalid UTF-8 the messages differ
        assert ask_both([optional, needed], talk) == answers


class WriteDTO(DataclassDTO[Order]):
    config = DTOConfig(exclude={"notes"}, rename_strategy="upper")


class ReadDTO(DataclassDTO[Order]):
    config = DTOConfig(include={"tea"})


@pytest.mark.parametrize("dto", [WriteDTO, None])
def test_dtos_in_and_out(dto: Any) -> None:
    @post("/", dto=dto, return_dto=ReadDTO)
    async def handler(data: Annotated[Order, Body()]) -> Order:
        assert data.cups == 3
        return data

    def talk(client: Client) -> list[Any]:
        return [
            client.post("/", json={"TEA": "assam", "CUPS": 3}),
            client.post("/", json={"tea": "assam", "cups": 3}),
        ]

    assert sorted(status for status, _ in ask_both([handler], talk)) == [201, 400]


def test_dtos_of_structs_models_and_partial_data() -> None:
    class PatchDTO(MsgspecDTO[OrderStruct]):
        config = DTOConfig(partial=True)

    class ModelDTO(PydanticDTO[OrderModel]):
        pass

    @put("/struct", dto=PatchDTO, return_dto=None)
    async def struct(data: Annotated[DTOData[OrderStruct], Body()]) -> dict[str, Any]:
        return data.update_instance(OrderStruct("oolong", 4)).__struct_fields__ and data.as_builtins()

    @put("/model", dto=ModelDTO)
    async def model(data: Annotated[OrderModel, Body()]) -> OrderModel:
        return data

    @put("/form", dto=ModelDTO)
    async def form(data: Annotated[OrderModel, Body(media_type=URLENCODED)]) -> OrderModel:
        return data

    @put("/multipart", dto=ModelDTO)
    async def multipart(data: Annotated[OrderModel, Body(media_type=MULTIPART)]) -> OrderModel:
        return data

    def talk(client: Client) -> list[Any]:
        fields = {"tea": "mate", "cups": "2"}
        return [
            client.put("/struct", json={"cups": 5}),
            client.put("/model", json={"tea": "x", "cups": 5}),
            client.put("/form", data=fields),
            client.put("/multipart", files={name: (None, value) for name, value in fields.items()}),
        ]

    mate = {"tea": "mate", "cups": 2}
    expected = [{"cups": 5}, {"tea": "x", "cups": 5}, mate, mate]
    assert ask_both([struct, model, form, multipart], talk) == [(200, value) for value in expected]


def test_msgpack() -> None:
    @post("/")
    async def handler(data: Annotated[Order, Body(media_type=RequestEncodingType.MESSAGEPACK)]) -> Order:
        return data

    def talk(client: Client) -> list[Any]:
        body = msgspec.msgpack.encode({"tea": "rooibos", "cups": 2})
        return [
            client.post("/", content=body),
            client.post("/", content=b""),
            client.post("/", content=b"\xc1"),
        ]

    answers = ask_asgiwire([handler], talk)
    assert answers[0] == (201, {"tea": "rooibos", "cups": 2, "notes": []})
    assert [status for status, _ in answers] == [201, 400, 400]
    assert ask_both([handler], lambda client: talk(client)[:2]) == answers[:2]


@dataclass
class Signup:
    name: str
    age: int
    tags: list[str]
    note: str | None = None


FORM = {"name": "Jo Ann", "age": "41", "tags": ["a", "b"]}


@pytest.mark.parametrize("media_type", [URLENCODED, MULTIPART])
@pytest.mark.parametrize("annotation", [Signup, dict[str, Any], dict[str, Any] | None])
def test_forms(media_type: RequestEncodingType, annotation: Any) -> None:
    @post("/")
    async def handler(data: Annotated[annotation, Body(media_type=media_type)]) -> Any:
        return asdict(data) if isinstance(data, Signup) else data

    def talk(client: Client) -> list[Any]:
        if media_type is URLENCODED:
            return [client.post("/", data=FORM), client.post("/", data={"name": "x"})]
        files = [
            ("name", (None, "Jo Ann")),
            ("age", (None, "41")),
            ("tags", (None, "a")),
            ("tags", (None, "b")),
        ]
        return [client.post("/", files=files), client.post("/", files=files[:1])]

    answers = ask_both([handler], talk)
    expected = FORM | ({"age": 41, "note": None} if annotation is Signup else {})
    assert answers[0] == (201, expected)
    assert answers[1][0] == (400 if annotation is Signup else 201)


async def described(upload: UploadFile) -> list[Any]:
    content = await upload.read()
    return [upload.filename, upload.content_type, content.decode(), type(upload).__name__]


@dataclass
class Parcel:
    title: str
    papers: list[UploadFile]
    photo: UploadFile | None = None


def test_uploads() -> None:
    @post("/one")
    async def one(data: Annotated[UploadFile, Body(media_type=MULTIPART)]) -> Any:
        return await described(data)

    @post("/list")
    async def many(data: Annotated[list[UploadFile], Body(media_type=MULTIPART)]) -> Any:
        return [await described(upload) for upload in data]

    @post("/dict")
    async def named(data: Annotated[dict[str, UploadFile], Body(media_type=MULTIPART)]) -> Any:
        return {name: await described(upload) for name, upload in data.items()}

    @post("/parcel")
    async def parcel(data: Annotated[Parcel, Body(media_type=MULTIPART)]) -> Any:
        return [
            data.title,
            [await described(paper) for paper in data.papers],
            data.photo and await described(data.photo),
        ]

    a, b = ("a.txt", b"AA", "text/plain"), ("b.bin", b"B" * 3000, "application/x")

    def talk(client: Client) -> list[Any]:
        return [
            client.post("/one", files={"x": a}),
            client.post("/list", files=[("x", a), ("x", b)]),
            client.post("/list", files=[("x", a), ("y", b)]),
            client.post("/dict", files={"x": a, "y": b}),
            client.post("/parcel", data={"title": "t"}, files=[("papers", a), ("papers", b), ("photo", a)]),
            client.post("/parcel", data={"title": "t"}, files=[("papers", a)]),
            client.post("/parcel", data={"title": "t"}, files=[("papers", a), ("photo", ("", b""))]),
            client.post("/parcel", data={"title": "t"}),
        ]

    answers = ask_both([one, many, named, parcel], talk)
    assert [status for status, _ in answers] == [201] * 7 + [400]
    assert answers[0][1] == ["a.txt", "text/plain", "AA", "UploadFile"]
    assert answers[6][1][2] is None


def test_files_are_closed_after_the_response() -> None:
    uploads: list[UploadFile] = []

    @post("/data")
    async def data_handler(data: Annotated[UploadFile, Body(media_type=MULTIPART)]) -> bool:
        uploads.append(data)
        return data.file.closed

    @post("/form")
    async def form_handler(request: Request[Any, Any, Any]) -> bool:
        form = await request.form()
        upload = form["x"]
        assert isinstance(upload, UploadFile)
        uploads.append(upload)
        return upload.file.closed

    def talk(client: Client) -> list[Any]:
        files = {"x": ("a", b"A")}
        return [client.post(path, files=files) for path in ("/data", "/form")]

    assert ask_both([data_handler, form_handler], talk) == [(201, False), (201, False)]
    assert [upload.file.closed for upload in uploads] == [True] * 4
    assert [isinstance(upload, OurUploadFile) for upload in uploads] == [False, False, True, True]


def test_a_handler_reads_the_body() -> None:
    @post("/")
    async def handler(request: Request[Any, Any, Any], part: FromQuery[str]) -> Any:
        if part == "stream":
            return [b"".join([chunk async for chunk in request.stream()]).decode()]
        if part == "body":
            return [(await request.body()).decode(), await request.json()]
        value = await getattr(request, part)()
        return sorted(value.dict().items()) if part == "form" else value

    def talk(client: Client) -> list[Any]:
        files = [("a", (None, "1")), ("b", (None, "2")), ("a", (None, "3"))]
        return [
            client.post("/?part=body", json=[1]),
            client.post("/?part=json", json={"a": 1}),
            client.post("/?part=json"),
            client.post("/?part=stream", content=b"streamed"),
            client.post("/?part=msgpack", content=b"\x93\x01\x02\x03"),
            client.post("/?part=form", data={"a": ["1", "3"], "b": "2"}),
            client.post("/?part=form", files=files),
            client.post("/?part=form", json={}),
        ]

    answers = ask_both([handler], talk)
    form = [["a", ["1", "3"]], ["b", ["2"]]]
    expected = [["[1]", [1]], {"a": 1}, None, ["streamed"], [1, 2, 3], form, form, []]
    assert answers == [(201, value) for value in expected]


def test_data_and_the_request_in_one_handler_share_the_body() -> None:
    @post("/json")
    async def json_handler(request: Request[Any, Any, Any], data: Annotated[dict[str, int], Body()]) -> Any:
        return [data, await request.json(), len(await request.body())]

    @post("/form")
    async def form_handler(
        request: Request[Any, Any, Any], data: Annotated[dict[str, Any], Body(media_type=URLENCODED)]
    ) -> Any:
        return [data, (await request.form()).dict(), len(await request.body())]

    @post("/multipart")
    async def multipart_handler(
        request: Request[Any, Any, Any], data: Annotated[dict[str, Any], Body(media_type=MULTIPART)]
    ) -> Any:
        return [data, (await request.form()).dict()]

    def talk(client: Client) -> list[Any]:
        return [
            client.post("/json", json={"a": 1}),
            client.post("/form", data={"a": "1"}),
            client.post("/multipart", files={"a": (None, "1")}),
        ]

    assert ask_both([json_handler, form_handler, multipart_handler], talk) == [
        (201, [{"a": 1}, {"a": 1}, 7]),
        (201, [{"a": "1"}, {"a": ["1"]}, 3]),
        (201, [{"a": "1"}, {"a": ["1"]}]),
    ]


def test_the_body_limit_of_the_route_handler() -> None:
    @post("/data", request_max_body_size=10)
    async def data_handler(data: Annotated[list[int], Body()]) -> int:
        return len(data)

    @post("/stream", request_max_body_size=10)
    async def stream_handler(request: Request[Any, Any, Any]) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    @post("/unlimited", request_max_body_size=None)
    async def unlimited(request: Request[Any, Any, Any]) -> int:
        return len(await request.body())

    @post("/application")
    async def application(request: Request[Any, Any, Any]) -> int:
        return len(await request.body())

    def chunks(size: int) -> Any:
        yield from [b"1"] * size  # without Content-Length

    def talk(client: Client) -> list[Any]:
        return [
            client.post("/data", json=[1] * 3),
            client.post("/data", json=[1] * 8),
            client.post("/stream", content=chunks(10)),
            client.post("/stream", content=chunks(11)),
            client.post("/unlimited", content=b"x" * 40),
            client.post("/application", content=b"x" * 20),
            client.post("/application", content=b"x" * 21),
        ]

    handlers = [data_handler, stream_handler, unlimited, application]
    answers = ask_asgiwire(handlers, talk, request_max_body_size=20)
    assert [status for status, _ in answers] == [201, 413, 201, 413, 201, 201, 413]
    assert answers[1][1]["detail"] == (
        "the request exceeds max_body_size=10; raise it with Litestar's request_max_body_size"
    )


def test_the_part_limits() -> None:
    @post("/application")
    async def application(data: Annotated[dict[str, str], Body(media_type=MULTIPART)]) -> int:
        return len(data)

    @post("/own")
    async def own(
        data: Annotated[dict[str, str], Body(media_type=MULTIPART, multipart_form_part_limit=3)],
    ) -> int:
        return len(data)

    def talk(client: Client) -> list[Any]:
        def parts(count: int) -> Any:
            return {str(number): (None, "x") for number in range(count)}

        paths = [("/application", 2), ("/application", 3), ("/own", 3), ("/own", 4)]
        return [client.post(path, files=parts(count)) for path, count in paths]

    answers = ask_asgiwire([application, own], talk, multipart_form_part_limit=2)
    assert [status for status, _ in answers] == [201, 413, 201, 413]
    assert "multipart_form_part_limit" in answers[1][1]["detail"]


def test_a_malformed_form_is_a_400_with_a_reason() -> None:
    @post("/")
    async def handler(data: Annotated[dict[str, Any], Body(media_type=MULTIPART)]) -> Any:
        return data

    def talk(client: Client) -> list[Any]:
        boundary = {"content-type": "multipart/form-data; boundary=b"}
        declared = b'--b\r\nContent-Disposition: form-data; name="a"\r\n'
        declared += b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
        return [
            client.post("/", content=b"--b\r\n", headers=boundary),
            client.post("/", content=b"x", headers={"content-type": "multipart/form-data"}),
            client.post("/", content=declared + b"\xff\r\n--b--\r\n", headers=boundary),
        ]

    answers = ask_asgiwire([handler], talk)
    assert [status for status, _ in answers] == [400] * 3
    assert "part 1 is not text" in answers[2][1]["detail"]


def test_a_form_is_not_shared_between_requests() -> None:
    """Litestar caches urlencoded forms, and a handler may change the dict."""

    @post("/")
    async def handler(data: Annotated[Any, Body(media_type=URLENCODED)]) -> Any:
        data["seen"] = data.get("seen", 0) + 1
        return data

    def talk(client: Client) -> list[Any]:
        return [client.post("/", data={"a": "é"}) for _ in range(2)]

    assert ask_asgiwire([handler], talk) == [(201, {"a": "é", "seen": 1})] * 2


def test_a_form_without_its_content_type_is_left_to_litestar() -> None:
    @post("/urlencoded")
    async def urlencoded(data: Annotated[dict[str, str], Body(media_type=URLENCODED)]) -> Any:
        return data

    @post("/multipart")
    async def multipart(data: Annotated[dict[str, str] | None, Body(media_type=MULTIPART)]) -> Any:
        return data

    def talk(client: Client) -> list[Any]:
        return [client.post("/urlencoded", content=b"a=1"), client.post("/multipart", content=b"")]

    assert ask_both([urlencoded, multipart], talk)[0] == (201, {"a": "1"})


def test_the_type_decoders_of_the_application() -> None:
    class Tea:
        def __init__(self, name: str) -> None:
            self.name = name

    def is_tea(target: Any) -> bool:
        return target is Tea

    def decode(_target: Any, value: Any) -> Tea:
        return Tea(value.upper())

    @post("/data")
    async def data_handler(data: Annotated[dict[str, Tea], Body()]) -> Any:
        return {key: tea.name for key, tea in data.items()}

    @post("/request")
    async def request_handler(request: Request[Any, Any, Any]) -> Any:
        teas = await request.json(type=dict[str, Tea])  # type: ignore[call-arg]
        return {key: tea.name for key, tea in teas.items()}

    def talk(client: Client) -> list[Any]:
        return [client.post(path, json={"a": "mint"}) for path in ("/data", "/request")]

    answers = ask_asgiwire([data_handler, request_handler], talk, type_decoders=[(is_tea, decode)])
    assert answers == [(201, {"a": "MINT"})] * 2


def test_multipart() -> None:
    @post("/")
    async def handler(request: Request[Any, Any, Any], limit: FromQuery[int] = 100) -> Any:
        return [[part.name, (await part.read(limit)).decode()] async for part in request.multipart()]  # type: ignore[attr-defined]

    def talk(client: Client) -> list[Any]:
        boundary = {"content-type": "multipart/form-data; boundary=b"}
        return [
            client.post("/", files=[("a", ("x", b"1")), ("b", ("y", b"22"))]),
            client.post("/?limit=1", files=[("a", ("x", b"1")), ("b", ("y", b"22"))]),
            client.post("/", content=b"no boundary in here", headers=boundary),
            client.post("/", json={}),
        ]

    answers = ask_asgiwire([handler], talk)
    assert answers[0] == (201, [["a", "1"], ["b", "22"]])
    assert [status for status, _ in answers] == [201, 413, 400, 400]


def test_the_body_is_shared_with_requests_of_litestar() -> None:
    from litestar.middleware import ASGIMiddleware

    class Reading(ASGIMiddleware):
        async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
            request: Request[Any, Any, Any] = Request(scope, receive, send)
            what = request.query_params["first"]
            if what != "none":
                await getattr(request, what)()
            await next_app(scope, receive, send)
            again: Request[Any, Any, Any] = Request(scope, receive, send)
            seen.append((await again.body())[:4] if what == "none" else what)

    seen: list[Any] = []

    @post("/")
    async def handler(request: Request[Any, Any, Any], then: FromQuery[str]) -> Any:
        if then == "stream":
            return [b"".join([chunk async for chunk in request.stream()]).decode()]
        value = await getattr(request, then)()
        return value.dict() if isinstance(value, FormMultiDict) else [value.decode()]

    def talk(client: Client) -> list[Any]:
        empty = {"content-type": "application/x-www-form-urlencoded"}
        return [
            client.post("/?first=body&then=body", data={"a": "1"}),
            client.post("/?first=body&then=form", data={"a": "1"}),
            client.post("/?first=body&then=form", files={"a": (None, "1")}),
            client.post("/?first=body&then=stream", content=b"abc"),
            client.post("/?first=body&then=body", content=b"", headers=empty),
            client.post("/?first=form&then=form", files={"a": (None, "1")}),
            client.post("/?first=none&then=body", data={"a": "1"}),
        ]

    answers = ask_asgiwire([handler], talk, middleware=[Reading()])
    form = {"a": ["1"]}
    assert answers == [(201, value) for value in (["a=1"], form, form, ["abc"], [""], form, ["a=1"])]
    assert seen == ["body", "body", "body", "body", "body", "form", b"a=1"]


def test_a_middleware_that_replaces_receive() -> None:
    from litestar.middleware import ASGIMiddleware

    from asgiwire.integrations.litestar import Request as OurRequest

    class Doubling(ASGIMiddleware):
        async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
            body = await OurRequest(scope, receive, send).body()

            async def doubled() -> Any:
                return {"type": "http.request", "body": body * 2}

            await next_app(scope, doubled, send)

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> str:
        return (await request.body()).decode()

    answers = ask_asgiwire(
        [handler], lambda client: [client.post("/", content=b"ab")], middleware=[Doubling()]
    )
    assert answers == [(201, "abab")]


def test_large_json() -> None:
    value = {str(number): [number] * 20 for number in range(500)}

    @post("/")
    async def handler(data: Annotated[dict[str, list[int]], Body()]) -> Any:
        return data

    assert ask_both([handler], lambda client: [client.post("/", content=json.dumps(value))]) == [(201, value)]


@pytest.mark.parametrize("first", ["is_disconnected", "cancel_on_disconnect", "replay", "tee"])
def test_a_body_that_litestar_has_read_is_available_to_every_method(first: str) -> None:
    from litestar.connection import Request as LitestarRequest
    from litestar.middleware import ASGIMiddleware

    class Reading(ASGIMiddleware):
        async def handle(self, scope: Any, receive: Any, send: Any, next_app: Any) -> None:
            await LitestarRequest[Any, Any, Any](scope, receive, send).body()
            await next_app(scope, receive, send)

    @post("/")
    async def handler(request: Request[Any, Any, Any]) -> str:
        if first == "is_disconnected":
            assert not await request.is_disconnected()
        elif first == "cancel_on_disconnect":
            async with request.cancel_on_disconnect():
                pass
        else:
            receive = request.replay if first == "replay" else request.tee(len)
            return str((await receive())["body"].decode())
        return (await request.body()).decode()

    assert ask_asgiwire([handler], send_abc, middleware=[Reading()]) == [(201, "abc")]


def send_abc(client: Client) -> list[Any]:
    return [client.post("/", content=b"abc")]


def test_a_stricter_part_limit_of_a_class() -> None:
    from asgiwire.integrations.litestar import Request as OurRequest

    class Strict(OurRequest[Any, Any, Any]):
        base_limits = Limits(max_files=1, max_fields=5000)

    @post("/", request_class=Strict)
    async def handler(request: Request[Any, Any, Any]) -> Any:
        return [request.limits.max_files, request.limits.max_fields]

    assert ask_asgiwire([handler], lambda client: [client.post("/")], multipart_form_part_limit=3) == [
        (201, [1, 3])
    ]
