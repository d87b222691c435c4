"""Typed queries, forms and bodies in a Litestar application; errors are Litestar's responses."""

from typing import Any

import msgspec
import pydantic
import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath
from litestar.testing import TestClient

from asgiwire.datastructures import UploadFile
from asgiwire.integrations.litestar import Request


class Page(msgspec.Struct):
    number: int
    tags: list[str] = []


class PydanticPage(pydantic.BaseModel):
    number: int
    tags: list[str] = []


class Upload(msgspec.Struct):
    title: str
    photo: UploadFile


KINDS = {"struct": Page, "pydantic": PydanticPage}


@get("/query/{kind:str}")
async def query(request: Request[Any, Any, Any], kind: FromPath[str]) -> Any:
    return request.query(type=KINDS[kind])


@post("/form/{kind:str}", status_code=200)
async def form(request: Request[Any, Any, Any], kind: FromPath[str]) -> Any:
    return await request.form(type=KINDS[kind])


@post("/json/{kind:str}", status_code=200)
async def json(request: Request[Any, Any, Any], kind: FromPath[str]) -> Any:
    return (await request.json(type=list[KINDS[kind]]))[0]


@post("/upload", status_code=200)
async def upload(request: Request[Any, Any, Any]) -> Any:
    value = await request.form(type=Upload)
    return {"title": value.title, "photo": (await value.photo.read()).decode()}


@pytest.fixture
def client() -> TestClient[Litestar]:
    return TestClient(Litestar([query, form, json, upload], request_class=Request))


@pytest.mark.parametrize("kind", KINDS)
def test_typed_input(client: TestClient[Litestar], kind: str) -> None:
    expected = {"number": 2, "tags": ["a", "b"]}
    with client:
        pairs = {"number": "2", "tags": ["a", "b"]}
        assert client.get(f"/query/{kind}", params=pairs).json() == expected
        assert client.post(f"/form/{kind}", data=pairs).json() == expected
        assert client.post(f"/json/{kind}", json=[expected]).json() == expected
        for response in (
            client.get(f"/query/{kind}", params={"number": "s3cr3t"}),
            client.post(f"/form/{kind}", data={"number": "s3cr3t"}),
            client.post(f"/json/{kind}", json=[{"number": "s3cr3t"}]),
        ):
            assert response.status_code == 400
            assert "s3cr3t" not in response.text


def test_upload(client: TestClient[Litestar]) -> None:
    with client:
        response = client.post("/upload", data={"title": "x"}, files={"photo": ("a.txt", b"hello")})
        assert response.json() == {"title": "x", "photo": "hello"}
        assert client.post("/upload", data={"title": "x"}).status_code == 400
