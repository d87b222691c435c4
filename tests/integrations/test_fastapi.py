"""A FastAPI application with the integration on: parameters, forms, dependencies, errors and OpenAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    HTTPException,
    Query,
    Request,
    Response,
    UploadFile,
    WebSocket,
)
from fastapi.routing import APIRoute
from pydantic import BaseModel

import asgiwire
import asgiwire.integrations.starlette as asgiwire_starlette
from asgiwire.exceptions import ClientException
from asgiwire.integrations.starlette import install

from .starlette_apps import MULTIPART, call, compare, multipart, talk

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.anyio


class Item(BaseModel):
    name: str
    tags: list[str] = []


class Login(BaseModel):
    user: str
    age: int = 0


async def size_of_body(request: Request) -> int:
    return len(await request.body())


async def request_of_dependency(request: asgiwire.Request) -> Any:
    return request


def new_app() -> FastAPI:
    app = FastAPI()
    router = APIRouter(prefix="/v1")

    @app.post("/json")
    async def read_json(item: Item) -> Item:
        return item

    @app.post("/dict")
    async def read_dict(data: dict[str, Any], size: Annotated[int, Depends(size_of_body)]) -> Any:
        return [data, size]

    @app.post("/bytes")
    async def read_bytes(data: Annotated[bytes, Body()]) -> Any:
        return data.decode()

    @app.post("/form")
    async def read_form(user: Annotated[str, Form()], tag: Annotated[list[str], Form()] = []) -> Any:  # noqa: B006 - FastAPI copies it
        return [user, tag]

    @app.post("/form-model")
    async def read_form_model(login: Annotated[Login, Form()]) -> Any:
        return login

    @app.post("/files")
    async def read_files(
        one: UploadFile,
        many: list[UploadFile],
        raw: Annotated[bytes | None, File()] = None,
        note: Annotated[str, Form()] = "",
    ) -> Any:
        files = [(file.filename, file.size, file.content_type, (await file.read()).decode()) for file in many]
        return [one.filename, files, None if raw is None else raw.decode(), note]

    @app.get("/parameters/{number}")
    async def read_parameters(
        number: int,
        q: Annotated[list[str], Query()],
        x_tag: Annotated[list[str], Header()],
        token: Annotated[str, Cookie()],
        last: str = "",
    ) -> Any:
        return [number, q, x_tag, token, last]

    @router.get("/router", name="inner")
    async def read_router(request: Request) -> Any:
        return [str(request.url), str(request.url_for("inner")), request.path_params]

    app.include_router(router)
    return app


FILE_FORM = multipart(
    'name="one"; filename="1.txt"\r\nContent-Type: text/plain\r\n\r\n1',
    'name="many"; filename="2.txt"\r\n\r\n22',
    'name="many"; filename="\u00e9.txt"\r\nContent-Type: image/PNG\r\n\r\n333',
    'name="raw"; filename="r"\r\n\r\nraw',
    'name="note"\r\n\r\nn',
)
NO_FILES = multipart('name="one"; filename=""\r\n\r\n', 'name="many"; filename=""\r\n\r\n')
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("path", "content", "headers"),
    [
        ("/json", b'{"name": "a", "tags": ["b"]}', JSON),
        ("/json", b'{"tags": 1}', JSON),
        ("/json", b"{", JSON),
        ("/json", b"", JSON),
        ("/json", b'{"name": "a"}', {"content-type": "text/plain"}),
        ("/json", b'{"name": "a"}', {"content-type": "application/vnd.api+json"}),
        ("/dict", b'{"a": NaN}', JSON),
        ("/bytes", b"abc", {"content-type": "text/plain"}),
        ("/form", b"user=ada&tag=1&tag=2", {"content-type": "application/x-www-form-urlencoded"}),
        ("/form", b"user=&tag=1", {"content-type": "application/x-www-form-urlencoded"}),
        ("/form", multipart('name="user"\r\n\r\nada'), MULTIPART),
        ("/form", b"", MULTIPART),
        ("/form", b"user=ada", {"content-type": "text/plain"}),
        ("/form-model", b"user=ada&age=1", {"content-type": "application/x-www-form-urlencoded"}),
        ("/form-model", b"age=x", {"content-type": "application/x-www-form-urlencoded"}),
        ("/files", FILE_FORM, MULTIPART),
        ("/files", NO_FILES, MULTIPART),
        ("/files", b"one=1", {"content-type": "application/x-www-form-urlencoded"}),
    ],
)
async def test_answers_are_the_same(path: str, content: bytes, headers: dict[str, str]) -> None:
    await compare(new_app, "POST", path, content=content, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        "/parameters/1?q=a&q=b&last=1&last=2",
        "/parameters/x?q",
        "/v1/router?a=%C3%A9",
        "/openapi.json",
        "/docs",
    ],
)
async def test_answers_to_get_are_the_same(path: str) -> None:
    headers = [("x-tag", "1"), ("x-tag", "2"), ("cookie", "token=a%20b")]
    await compare(new_app, "GET", path, headers=headers)


@pytest.mark.parametrize(
    "annotation", [Request, asgiwire.Request, asgiwire_starlette.Request], ids=["fastapi", "asgiwire", "both"]
)
async def test_request_is_injected_for_each_annotation(annotation: Any) -> None:
    app = FastAPI()

    async def endpoint(request: Any, inner: Annotated[Any, Depends(request_of_dependency)]) -> Any:
        return [type(request).__name__, isinstance(request, asgiwire.Request), inner is request]

    endpoint.__annotations__["request"] = annotation
    install(app)
    app.get("/")(endpoint)
    assert (await call(app)).json() == ["Request", True, True]


@pytest.mark.parametrize(
    "annotation",
    [WebSocket, asgiwire.WebSocket, asgiwire_starlette.WebSocket],
    ids=["fastapi", "asgiwire", "both"],
)
async def test_websocket_is_injected_for_each_annotation(annotation: Any) -> None:
    app = FastAPI()

    async def endpoint(websocket: Any, q: Annotated[int, Query()] = 1) -> None:
        async with websocket:
            await websocket.send_json([isinstance(websocket, asgiwire.WebSocket), q])

    endpoint.__annotations__["websocket"] = annotation
    install(app)
    app.websocket("/")(endpoint)
    events = await talk(app, "/")
    assert events[1] == {"type": "websocket.send", "text": "[true,1]"}


async def test_route_class_with_a_request_class() -> None:
    class OwnRequest(Request):
        async def body(self) -> bytes:
            if not hasattr(self, "_body"):
                self._body = (await super().body()).replace(b"1", b"2")
            return self._body

    class OwnRoute(APIRoute):
        def get_route_handler(self) -> Callable[..., Any]:
            handler = super().get_route_handler()

            async def own_handler(request: Request) -> Response:
                return await handler(OwnRequest(request.scope, request.receive))

            return own_handler

    app = FastAPI()
    app.router.route_class = OwnRoute
    install(app)

    @app.post("/")
    async def endpoint(data: list[int], request: Request) -> Any:
        return [data, isinstance(request, asgiwire.Request), (await request.body()).decode()]

    assert (await call(app, "POST", json=[1, 3])).json() == [[2, 3], True, "[2,3]"]


@pytest.mark.parametrize("kind", [ClientException, HTTPException])
async def test_error_format_is_fastapis(kind: Any) -> None:
    app = FastAPI()
    install(app)

    @app.get("/")
    async def endpoint() -> None:
        raise kind(status_code=403, detail="no", headers={"x-a": "1"})

    answer = await call(app)
    assert (answer.status_code, answer.json(), answer.headers["x-a"]) == (403, {"detail": "no"}, "1")


async def test_typed_json_error_in_an_endpoint() -> None:
    app = FastAPI()
    install(app)

    @app.post("/")
    async def endpoint(request: asgiwire.Request) -> Any:
        return await request.json(type=list[int])

    assert (await call(app, "POST", json=[1])).json() == [1]
    answer = await call(app, "POST", json=["a"])
    assert (answer.status_code, answer.json()) == (400, {"detail": "Expected `int`, got `str` - at `$[0]`"})


async def test_body_that_is_too_large() -> None:
    class Small(asgiwire_starlette.Request[Any]):
        base_limits = asgiwire.Limits(max_body_size=3)

    app = new_app()
    install(app, request_class=Small)
    answer = await call(app, "POST", "/json", content=b"1234", headers=JSON)
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("the request exceeds max_body_size=3")


async def test_mounted_fastapi_application() -> None:
    def mounting() -> FastAPI:
        app = FastAPI()
        app.mount("/sub", new_app())
        return app

    await compare(mounting, "POST", "/sub/json", json={"name": "a"})
    await compare(mounting, "GET", "/sub/v1/router")


async def test_files_are_closed_after_the_response() -> None:
    files: list[Any] = []
    app = FastAPI()
    install(app)

    @app.post("/")
    async def endpoint(file: UploadFile) -> None:
        files.append(file)

    await call(app, "POST", files={"file": ("a", b"1")})
    assert files[0]._file.closed
