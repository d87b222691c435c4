"""Typed queries and forms with the classes for Starlette."""

from __future__ import annotations

from typing import Any

import msgspec
import pydantic
import pytest
from starlette.exceptions import HTTPException

from asgiwire.datastructures import UploadFile  # noqa: TC001 - msgspec reads the annotation
from asgiwire.exceptions import ValidationException
from asgiwire.integrations.starlette import Request
from asgiwire.testing import RequestFactory

pytestmark = pytest.mark.anyio


class Page(msgspec.Struct):
    number: int
    tags: list[str] = []


class PydanticPage(pydantic.BaseModel):
    number: int
    tags: list[str] = []


class Upload(msgspec.Struct):
    title: str
    photo: UploadFile


FACTORY: RequestFactory[Any] = RequestFactory(request_class=Request)
PAIRS = [("number", "2"), ("tags", "a"), ("tags", "b")]


@pytest.mark.parametrize("kind", [Page, PydanticPage])
async def test_typed_input(kind: Any) -> None:
    expected = kind(number=2, tags=["a", "b"])
    assert FACTORY.get("/", query_params=PAIRS).query(type=kind) == expected
    request = FACTORY.post("/", data=PAIRS)
    assert await request.form(type=kind) == expected
    assert (await request.form()).getlist("tags") == ["a", "b"]
    with pytest.raises(ValidationException) as caught:
        FACTORY.get("/", query_params={"number": "x"}).query(type=kind)
    assert isinstance(caught.value, HTTPException)
    with pytest.raises(ValidationException) as caught:
        await FACTORY.post("/", data={"number": "x"}).form(type=kind)
    assert isinstance(caught.value, HTTPException)


async def test_files() -> None:
    request = FACTORY.post("/", data={"title": "x"}, files={"photo": ("a.txt", b"hello")})
    async with request.form() as form:
        upload = await request.form(type=Upload)
        assert upload.photo is form["photo"]
        assert await upload.photo.read() == b"hello"
