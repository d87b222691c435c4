"""``RequestFactory``: requests with bodies, and WebSockets."""

from __future__ import annotations

import io
import tempfile
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec
import pytest

from asgiwire import Request, WebSocket
from asgiwire.datastructures import UploadFile
from asgiwire.exceptions import ClientException, ImproperlyConfiguredException, WebSocketDisconnect
from asgiwire.testing import (
    ConnectionOptions,
    RecordedSend,
    RequestFactory,
    RequestOptions,
    ScriptedReceive,
    ScriptedRequest,
    ScriptedWebSocket,
    WebSocketOptions,
    multipart_body,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

METHODS = ["get", "head", "post", "put", "patch", "delete", "query", "options", "trace"]

create = RequestFactory()


class OwnRequest(Request):
    """A subclass, as a framework has it."""


class OwnWebSocket(WebSocket):
    """A subclass, as a framework has it."""


@pytest.mark.parametrize("method", METHODS)
async def test_every_method(method: str) -> None:
    request = getattr(create, method)("/a b", query_params={"q": [1, 2]}, headers={"X-A": "1"}, json={"a": 1})
    assert request.method == method.upper()
    assert str(request.url) == "http://test.org:3000/a%20b?q=1&q=2"
    assert request.headers["x-a"] == "1"
    assert await request.json() == {"a": 1}
    assert getattr(create, method)().url.path == "/"


async def test_any_method() -> None:
    assert create.request("propfind").method == "PROPFIND"


def test_omitted_options_are_not_in_the_scope() -> None:
    request = create.get(
        user="alice", auth="token", session={"a": 1}, state={"b": 2}, path_params={"id": 3}, app="app",
        route_handler="handler", cookies={"c": "4"}, client=None, http_version="2", raw_path=b"/%2F",
        extensions={"http.response.push": {}},
    )  # fmt: skip
    assert (request.user, request.auth, request.session, request.app) == ("alice", "token", {"a": 1}, "app")
    assert (request.state.b, request.path_params, request.cookies) == (2, {"id": 3}, {"c": "4"})
    assert (request.route_handler, request.client, request.supports_push_promise) == ("handler", None, True)
    assert (request.scope["http_version"], request.scope["raw_path"]) == ("2", b"/%2F")
    for name in ("user", "auth", "session", "app", "route_handler"):
        with pytest.raises(ImproperlyConfiguredException):
            getattr(create.get(), name)


def test_the_options_of_the_factory() -> None:
    factory = RequestFactory(
        "app", "example.test", 443, "/root", "https", headers={"X-A": "1"}, request_class=OwnRequest
    )
    request = factory.get("/root/x", headers={"X-B": "2"})
    assert type(request) is OwnRequest
    assert request.app == "app"
    assert str(request.url) == "https://example.test/root/x"
    assert str(request.base_url) == "https://example.test/root/"
    assert request.headers.dict() == {"x-a": ["1"], "x-b": ["2"]}
    assert factory.get("/root/x", app="other").app == "other"


def test_receive_and_send_are_those_of_the_package() -> None:
    request = create.get()
    assert isinstance(request.receive, ScriptedReceive)
    assert isinstance(request.send, RecordedSend)


async def test_request_without_a_body() -> None:
    request = create.get()
    assert (await request.body(), len(request.headers), request.content_length) == (b"", 0, None)


@pytest.mark.parametrize(
    ("body", "content_type", "content"),
    [
        ({"json": {"a": ["ü", None]}}, "application/json", '{"a":["ü",null]}'.encode()),
        ({"json": None}, "application/json", b"null"),
        ({"msgpack": {"a": 1}}, "application/vnd.msgpack", b"\x81\xa1a\x01"),
        ({"content": b"\xff"}, None, b"\xff"),
        ({"content": b""}, None, b""),
        ({"content": "ü"}, "text/plain; charset=utf-8", "ü".encode()),
        (
            {"data": {"a": "1 2", "b": ["ü", "&"]}},
            "application/x-www-form-urlencoded",
            b"a=1+2&b=%C3%BC&b=%26",
        ),
        ({"data": [("a", "1"), ("b", "2"), ("a", "3")]}, "application/x-www-form-urlencoded", b"a=1&b=2&a=3"),
        ({"data": "raw"}, "application/x-www-form-urlencoded", b"raw"),
        ({"data": {}}, "application/x-www-form-urlencoded", b""),
    ],
    ids=repr,
)
async def test_encoded_bodies(body: dict[str, Any], content_type: str | None, content: bytes) -> None:
    request = create.post("/", **body)
    assert request.headers.get("content-type") == content_type
    assert request.content_length == len(content)
    assert await request.body() == content


async def test_bodies_can_be_read() -> None:
    value = {"a": [1, "ü", None]}
    assert await create.post(json=value).json() == value
    assert await create.post(msgpack=value).msgpack() == value
    assert (await create.post(data={"a": ["1", "ü"], "b": ""}).form()).dict() == {"a": ["1", "ü"], "b": [""]}


async def test_json_of_a_struct() -> None:
    class Item(msgspec.Struct):
        name: str

    assert await create.post(json=Item("a")).json() == {"name": "a"}


async def test_chunks_are_sent_one_by_one_without_content_length() -> None:
    request = create.post(content=[b"ab", b"", b"c"])
    assert request.content_length is None
    assert [chunk async for chunk in request.stream()] == [b"ab", b"c", b""]
    assert await create.post(content=iter(())).body() == b""


async def test_multipart() -> None:
    request = create.post(
        data={"a": ["1", "2"], "n": 3, "raw": b"\xc3\xbc", 'q"\r\n': "x"},
        files={
            "plain": b"abc",
            "text": "ü",
            "named": ('a"b.txt', b"def"),
            "typed": ("c.png", b"\x89", "image/png"),
        },
    )
    assert request.content_type[0] == "multipart/form-data"
    async with await request.form() as form:
        assert form.getall("a") == ["1", "2"]
        assert (form["n"], form["raw"], form['q"\r\n']) == ("3", "ü", "x")
        files = [form[name] for name in ("plain", "text", "named", "typed")]
        assert all(isinstance(file, UploadFile) for file in files)
        assert [file.filename for file in files] == ["upload", "upload", 'a"b.txt', "c.png"]
        assert [file.content_type for file in files] == ["application/octet-stream"] * 3 + ["image/png"]
        assert [await file.read() for file in files] == [b"abc", "ü".encode(), b"def", b"\x89"]
    assert request.content_length is not None


async def test_multipart_keeps_the_order_of_files() -> None:
    request = create.post(files=[("f", b"1"), ("g", b"2"), ("f", b"3")])
    async with await request.form() as form:
        assert [(name, await file.read()) for name, file in form.multi_items()] == [
            ("f", b"1"),
            ("g", b"2"),
            ("f", b"3"),
        ]


async def test_multipart_boundary_is_not_in_the_content() -> None:
    content = b"--asgiwire-boundary\r\n--asgiwire-boundary-\r\n"
    async with await create.post(files={"f": content}).form() as form:
        assert await form["f"].read() == content


async def test_multipart_without_parts() -> None:
    assert len(await create.post(files={}).form()) == 0


async def test_multipart_is_deterministic() -> None:
    first, second = (create.post(data={"a": "1"}, files={"f": b"x"}) for _ in range(2))
    assert await first.body() == await second.body()


def test_multipart_data_must_have_names() -> None:
    with pytest.raises(TypeError, match="names and values, got str"):
        create.post(data="a=1", files={"f": b""})


@pytest.mark.parametrize(
    "bodies",
    [{"json": 1, "content": b""}, {"data": {}, "msgpack": None}, {"files": {}, "json": None}],
    ids=repr,
)
def test_two_bodies_are_an_error(bodies: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one body"):
        create.post(**bodies)


async def test_given_headers_replace_those_of_the_body() -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": "1"}
    request = create.post(json={"a": 1}, headers=headers)
    assert request.headers.dict() == {
        "content-type": ["application/json; charset=utf-8"],
        "content-length": ["1"],
    }


class TestWebSocket:
    async def test_conversation(self) -> None:
        websocket = create.websocket(
            "/ws", messages=["a", b"b"], disconnect=1001, subprotocols=["chat"], user="alice"
        )
        assert str(websocket.url) == "ws://test.org:3000/ws"
        assert websocket.user == "alice"
        assert websocket.scope["subprotocols"] == ["chat"]
        await websocket.accept()
        assert await websocket.receive_text() == "a"
        assert await websocket.receive_bytes() == b"b"
        with pytest.raises(WebSocketDisconnect) as caught:
            await websocket.receive_text()
        assert caught.value.code == 1001

    async def test_the_options_of_the_factory(self) -> None:
        websocket = RequestFactory(
            scheme="https", websocket_class=OwnWebSocket, headers={"x": "y"}
        ).websocket()
        assert type(websocket) is OwnWebSocket
        assert str(websocket.url) == "wss://test.org:3000/"
        assert websocket.headers["x"] == "y"
        assert websocket.scope["subprotocols"] == []


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ({"params": {}}, "did you mean 'query_params'"),
        ({"body": b""}, "did you mean 'content'"),
        ({"haeders": {}}, "did you mean 'headers'"),
        ({"timeout": 1}, "expected one of app, auth"),
        ({"subprotocols": ["chat"]}, "expected one of app, auth"),
    ],
    ids=repr,
)
def test_unknown_options_name_the_nearest_one(options: dict[str, Any], hint: str) -> None:
    name = next(iter(options))
    with pytest.raises(TypeError, match=rf"request\(\) got an unexpected keyword argument '{name}'; {hint}"):
        create.post("/", **options)


def test_unknown_options_of_a_websocket() -> None:
    with pytest.raises(TypeError, match="'protocols'; did you mean 'subprotocols'"):
        create.websocket("/", protocols=["chat"])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'json'; expected one of"):
        create.websocket("/", json={})  # type: ignore[call-arg]


async def test_the_client_disconnects_after_the_response() -> None:
    request = create.post("/", content=b"a")
    await request.body()
    await request.send({"type": "http.response.start", "status": 204})
    await request.send({"type": "http.response.body"})
    assert [await request.receive() for _ in range(2)] == [{"type": "http.disconnect"}] * 2
    assert request.send.status == 204


def test_the_classes() -> None:
    assert type(create.get()) is ScriptedRequest
    assert type(create.websocket()) is ScriptedWebSocket
    assert not hasattr(create.get(), "__dict__")


class TestFiles:
    async def test_open_files(self, tmp_path: Path) -> None:
        path = tmp_path / "cat.png"
        path.write_bytes(b"\x89PNG")
        with (
            path.open("rb") as file,
            io.BytesIO(b"bytes") as memory,
            io.StringIO("text ü") as text,
            tempfile.TemporaryFile() as nameless,
        ):
            nameless.write(b"nameless")
            nameless.seek(4)
            request = create.post(
                files={
                    "file": file,
                    "memory": memory,
                    "text": text,
                    "nameless": nameless,
                    "named": ("a.txt", io.BytesIO(b"named")),
                    "typed": (None, io.BytesIO(b"typed"), "text/x-own"),
                }
            )
        async with await request.form() as form:
            found = {
                name: (file.filename, file.content_type, await file.read())
                for name, file in form.multi_items()
            }
        assert found == {
            "file": ("cat.png", "image/png", b"\x89PNG"),
            "memory": ("upload", "application/octet-stream", b"bytes"),
            "text": ("upload", "application/octet-stream", "text ü".encode()),
            "nameless": ("upload", "application/octet-stream", b"less"),
            "named": ("a.txt", "text/plain", b"named"),
            "typed": ("upload", "text/x-own", b"typed"),
        }

    async def test_multipart_body_can_be_cut(self) -> None:
        content, headers = multipart_body({"a": "1"}, {"f": b"x" * 100})
        request = create.post(content=[content[:50], content[50:]], headers=headers)
        async with await request.form() as form:
            assert (form["a"], await form["f"].read()) == ("1", b"x" * 100)
        assert await create.post(data={"a": "1"}, files={"f": b"x" * 100}).body() == content
        with pytest.raises(ClientException):
            await create.post(content=content[:-50], headers=headers).form()

    def test_multipart_body_with_a_boundary(self) -> None:
        content, headers = multipart_body(data={"a": "1"}, boundary="own")
        assert content == b'--own\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--own--\r\n'
        assert headers == {"content-type": "multipart/form-data; boundary=own"}
        with pytest.raises(ValueError, match="a boundary that no part contains"):
            multipart_body(files={"f": b"--own"}, boundary="own")
        assert multipart_body()[0] == b"--asgiwire-boundary--\r\n"


@pytest.mark.parametrize(
    "method", [RequestFactory.__init__, RequestFactory.request, RequestFactory.get, RequestFactory.websocket]
)
def test_type_hints_can_be_evaluated(method: Any) -> None:
    assert get_type_hints(method)


def test_type_hints_of_the_options_can_be_evaluated() -> None:
    assert get_type_hints(ConnectionOptions)["state"]
    assert get_type_hints(RequestOptions)["files"]
    assert get_type_hints(multipart_body)
    assert get_type_hints(WebSocketOptions)["disconnect"] is int
